"""An invented archive as index documents: the same ones for the same number, for the contract suite and the benchmarks.

Its shapes are those of real archives: few instruments and many samples, words by Zipf's law, a third under embargo, about twenty
parameters and 2 kB to a dataset. What is closed has two documents; its full one may hold canaries, which no stranger may meet.
Nothing of an engine and no Django here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from math import exp, log
from random import Random

from search.analysis import identifier_tokens, indexed, title_order
from search.backends.base import Document
from search.fields import parameter_key
from search.scales import bins_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIRST_DAY = datetime(2015, 1, 5, 8, tzinfo=UTC)
PER_INVESTIGATION = 12
HIDDEN_INSTRUMENT = 7
KEY_BITS = 24
COMMON_WORD = "measured"
CANARY = "canary"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ROOT = "http://purl.org/pan-science/PaNET/PaNET00001"
BROADER = {
    "spectroscopy": "",
    "xas": "spectroscopy",
    "xanes": "xas",
    "exafs": "xas",
    "microscopy": "",
    "electron-microscopy": "microscopy",
    "sem": "electron-microscopy",
    "tem": "electron-microscopy",
    "stem": "tem",
    "diffraction": "",
    "saxs": "diffraction",
    "powder-diffraction": "diffraction",
}
LEAVES = ("sem", "sem", "tem", "stem", "xanes", "exafs", "saxs", "powder-diffraction")
FACILITIES = ("east", "west", "north")
FORMULAE = {
    "TiO2": ("Ti", "O"),
    "GaAs": ("Ga", "As"),
    "LiFePO4": ("Li", "Fe", "P", "O"),
    "SiC": ("Si", "C"),
    "Fe3O4": ("Fe", "O"),
    "CsPbBr3": ("Cs", "Pb", "Br"),
    "Au": ("Au",),
    "YBa2Cu3O7": ("Y", "Ba", "Cu", "O"),
}
MATERIALS = ("film", "steel", "perovskite", "catalyst", "membrane", "alloy", "protein", "oxide", "graphene", "bone")
LABELS = ("nanowires", "particles", "fibres", "tips", "patterned surface", "porous sponge", "powder", "biological")
TYPES = ("user", "commissioning", "in-house", "industry")
FORMATS = ("TIFF", "HDF5", "NeXus", "DM3", "CSV")
LICENCES = ("CC-BY-4.0", "CC0-1.0", "CC-BY-NC-4.0")
GIVEN = ("Ana", "Bo", "Chen", "Dara", "Eva", "Femi", "Goran", "Hana", "Ines", "Jun", "Karl", "Lena", "Mats", "Noor")
FAMILY = ("Novak", "Berg", "Li", "Rossi", "Silva", "Khan", "Weber", "Sato", "Dubois", "Horvat", "Okafor", "Lind")
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "an", "er", "ol")

# Name, SI unit, lowest, highest, decimals; a negative `decimals` asks for values that spread over the decades.
QUANTITIES = (
    ("accelerating_voltage", "V", 1_000.0, 30_000.0, 0),
    ("pixel_size_x", "m", 1e-10, 1e-6, -1),
    ("working_distance", "m", 0.002, 0.02, 4),
    ("sample_temperature", "K", 4.0, 400.0, 1),
    ("chamber_pressure", "Pa", 1e-8, 1e5, -1),
    ("stage_x", "m", -0.05, 0.05, 5),
    ("stage_y", "m", -0.05, 0.05, 5),
    ("stage_tilt", "rad", 0.0, 1.0, 1),
    ("exposure_time", "s", 1e-3, 1e3, -1),
    ("photon_energy", "J", 1e-17, 4e-15, -1),
    ("beam_current", "A", 1e-12, 1e-6, -1),
    ("magnification", "", 10.0, 1e6, -1),
    ("frame_count", "", 1.0, 500.0, 0),
    ("detector_gain", "", 0.0, 4.0, 2),
    ("field_of_view", "m", 1e-8, 1e-3, -1),
    ("sample_thickness", "m", 1e-9, 1e-4, -1),
    ("wavelength", "m", 1e-11, 2e-10, -1),
    ("count_rate", "Hz", 1.0, 1e6, -1),
    ("dose", "Gy", 0.0, 1e4, 0),
    ("humidity", "", 0.0, 1.0, 2),
)
PARAMETER_KEYS = tuple(parameter_key("", name, unit) for name, unit, *_ in QUANTITIES)
VENDOR_KEYS = tuple(parameter_key(group, "gain", "") for group in ("zeiss", "fei", "gatan"))


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def iris(name: str) -> list[str]:
    """The term's IRI and those of all its broader terms, the root among them."""
    found = []
    while name:
        found.append(f"https://example.org/technique/{name}")
        name = BROADER[name]
    return [*found, ROOT]


@dataclass(frozen=True)
class Instrument:
    key: int
    name: str
    facility: str
    techniques: tuple[str, ...]


def instruments() -> list[Instrument]:
    """Twenty; the one of HIDDEN_INSTRUMENT hides what is closed."""
    return [
        Instrument(
            key=number + 1,
            name=f"scope-{number + 1}",
            facility=FACILITIES[number % 3],
            techniques=(LEAVES[number % 8],) if number % 5 else (LEAVES[number % 8], "saxs"),
        )
        for number in range(20)
    ]


@dataclass(frozen=True)
class Visit:
    """What the datasets of one investigation have in common."""

    name: str
    instrument: Instrument
    people: tuple[str, ...]
    formula: str
    material: str
    type: str
    licence: str
    opens_at: int
    purpose: str
    told: str


def _words() -> list[str]:
    return [first + second + third for first in SYLLABLES for second in SYLLABLES for third in (*SYLLABLES[:9], "")]


class Archive:
    """Datasets one after another; `documents(n)` gives the documents of the nth, whatever was asked before."""

    def __init__(self, many: int, *, seed: int = 4) -> None:
        self.many, self.seed = many, seed
        self.visit = lru_cache(maxsize=64)(self._visit)
        self.instruments = instruments()
        self.vocabulary = _words()
        Random(seed).shuffle(self.vocabulary)
        self.weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.vocabulary))))
        self.days = (NOW - FIRST_DAY).days

    def datasets(self) -> Iterator[list[Document]]:
        return (self.documents(number) for number in range(1, self.many + 1))

    def documents(self, number: int, *, version: int = 1) -> list[Document]:
        """The full document of dataset `number`, and while it is closed at NOW its summary."""
        rng = Random(self.seed * 1_000_003 + number)
        full = self._full(number, version, rng)
        if full["opens_at"] <= microseconds(NOW):
            return [full]
        summary = _summary(full)
        if number % 5 == 0:
            _hide_canaries(full)
        return [full, summary]

    def _full(self, number: int, version: int, rng: Random) -> Document:
        investigation = (number - 1) // PER_INVESTIGATION + 1
        visit = self.visit(investigation)
        labels = rng.sample(LABELS, rng.choice((0, 0, 1, 1, 2)))
        title = f"{visit.formula.lower()} {visit.material} {self._text(rng, 3)} {number}"
        downloads = int(rng.paretovariate(1.2)) - 1
        document: Document = {
            "key": str(number),
            "dataset": number,
            "version": version,
            "document": ["full"],
            "opens_at": visit.opens_at,
            "investigation": investigation,
            "instrument_key": visit.instrument.key,
            "title": title,
            "abstract": f"structure of {visit.material} {visit.purpose} {self._text(rng, 70)}",
            "rest": f"{visit.told} {indexed(' '.join(labels))} {self._text(rng, 20)}".replace("  ", " "),
            "identifiers": _identifiers(number, visit.name),
            "technique": sorted({iri for name in visit.instrument.techniques for iri in iris(name)}),
            "instrument": [visit.instrument.name],
            "facility": [visit.instrument.facility],
            "type": [visit.type],
            "sample": [f"{visit.formula} {visit.material} {'AB'[number % 2]}{investigation}"],
            "element": list(FORMULAE[visit.formula]),
            "person": list(visit.people),
            "kind": ["processed" if number % 10 == 0 else "raw"],
            "format": [FORMATS[(number * 7 + investigation) % 5]],
            "licence": [visit.licence],
            "doi": ["yes" if investigation % 4 == 0 else "no"],
            "size": int(rng.lognormvariate(14, 3)),
            "by_title": title_order(title, number),
            "by_downloads": min(downloads, 1 << 30) << KEY_BITS | number,
        }
        if number % 50 in (1, 2):
            document["opens_at"] = microseconds(NOW) + number % 50 - 1
        return document | self._times(number, investigation, rng) | _opinions(labels, rng) | _parameters(number, rng)

    def _visit(self, investigation: int) -> Visit:
        """One third of the visits open in the next three years."""
        rng = Random(self.seed * 7_000_003 + investigation)
        instrument = rng.choice(self.instruments)
        people = sorted({f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}" for _ in range(3)})
        days = rng.randint(1, 1_000) * (1 if rng.random() < 1 / 3 else -1)
        return Visit(
            name=f"{2015 + investigation % 11}{rng.randint(1, 12):02}{rng.randint(1, 28):02}-{investigation}",
            instrument=instrument,
            people=tuple(people),
            formula=rng.choice(tuple(FORMULAE)),
            material=rng.choice(MATERIALS),
            type=rng.choice(TYPES),
            licence=rng.choice(LICENCES),
            opens_at=microseconds(NOW + timedelta(days=days)),
            purpose=self._text(rng, 6),
            told=indexed(" ".join([*people, instrument.name, *instrument.techniques])),
        )

    def _text(self, rng: Random, words: int) -> str:
        chosen = rng.choices(self.vocabulary, cum_weights=self.weights, k=words)
        if words > 20 and rng.random() < 0.5:
            chosen[rng.randrange(words)] = COMMON_WORD
        return " ".join(chosen)

    def _times(self, number: int, investigation: int, rng: Random) -> Document:
        """One dataset of thirty has no date of measurement."""
        of_session = timedelta(days=investigation * 37 % self.days)
        measured = FIRST_DAY + of_session + timedelta(microseconds=rng.randrange(86_400_000_000))
        registered = measured + timedelta(seconds=rng.randrange(10_000_000))
        shown = registered if number % 30 == 0 else measured
        times: Document = {
            "year": shown.year,
            "month": shown.year * 100 + shown.month,
            "registered_at": microseconds(registered),
            "by_registered": microseconds(registered) // 1_000_000 << KEY_BITS | number,
            "by_measured": number,
        }
        if number % 30:
            times["measured_at"] = microseconds(measured)
            times["by_measured"] = microseconds(measured) // 1_000_000 << KEY_BITS | number
        return times


def _identifiers(number: int, visit: str) -> str:
    """Of the visit first, then of an id of its own, then of its file."""
    own = f"{number * 2_654_435_761 % 2**32:08x}"
    names = (visit, own, f"scan_{number:06}.tif")
    return " ".join(dict.fromkeys(token for name in names for token in identifier_tokens(name)))


def _opinions(labels: list[str], rng: Random) -> Document:
    if not labels:
        return {}
    opinions: Document = {
        "category": sorted(labels),
        "confidence": sorted(f"{label}@{rng.randint(30, 100):03}" for label in labels),
    }
    if verified := sorted(label for label in labels if rng.random() < 0.2):
        opinions["verified"] = verified
    return opinions


def _parameters(number: int, rng: Random) -> Document:
    """One dataset of fifteen has none; each other one most of QUANTITIES and one vendor's own."""
    if number % 15 == 0:
        return {}
    values = {
        key: _value(low, high, decimals, rng)
        for key, (_, _, low, high, decimals) in zip(PARAMETER_KEYS, QUANTITIES, strict=True)
        if rng.random() < 0.95
    }
    values[VENDOR_KEYS[number % 3]] = float(number % 7)
    return {"parameter": sorted(values), "parameters": values, "scale": bins_of(values)}


def _value(low: float, high: float, decimals: int, rng: Random) -> float:
    if decimals < 0:
        return float(f"{exp(rng.uniform(log(low), log(high))):.4g}")
    return round(rng.uniform(low, high), decimals)


def _summary(full: Document) -> Document:
    """What the policy lets strangers see: neither sample nor parameters, labels, files, or the description."""
    told = ("sample", "element", "parameter", "parameters", "scale", "category", "confidence", "verified", "format")
    summary = {name: value for name, value in full.items() if name not in told}
    return summary | {
        "key": f"{full['key']}s",
        "document": ["summary"],
        "abstract": " ".join(full["abstract"].split()[:9]),
        "rest": " ".join(full["rest"].split()[:9]),
        "identifiers": full["identifiers"].partition(" scan")[0],
    }


def _hide_canaries(full: Document) -> None:
    """Words, values and numbers that stand in no document that a stranger sees."""
    number = full["dataset"]
    full["abstract"] += f" {CANARY} {CANARY}{number}"
    full["rest"] += f" {CANARY}ium"
    full["identifiers"] += f" {CANARY}-{number}"
    full["sample"] = [f"Canary bird {number}"]
    full["category"] = [*full.get("category", []), CANARY]
    full["parameters"] = full.get("parameters", {}) | {parameter_key("", CANARY, "V"): 1e9 + number}
    full["parameter"] = sorted(full["parameters"])
