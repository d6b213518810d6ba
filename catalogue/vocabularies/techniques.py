"""Technique terms: our own table, the official PaNET table, and ESRFET, all read into one shape.

`techniques.csv` beside this file states the terms that the catalogue starts with: PaNET (Photon and Neutron
Experimental Techniques, https://doi.org/10.5281/zenodo.4806026, by the ExPaNDS project, CC-BY-4.0) in our own columns,
and narrower terms of ours for electron microscopes. Storing terms is the business of a service, not of this file.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PANET = "http://purl.org/pan-science/PaNET/"
FAIRCAT = "https://w3id.org/faircat/technique/"
PANET_ROOT = f"{PANET}PaNET00001"
ELECTRON_MICROSCOPY = f"{PANET}PaNET01145"
OWN_TABLE = Path(__file__).with_name("techniques.csv")

# Short keys under which extraction and forms name a technique.
TECHNIQUE_KEYS: dict[str, str] = {
    "SEM": f"{FAIRCAT}SEM",
    "TEM": f"{FAIRCAT}TEM",
    "STEM": f"{FAIRCAT}STEM",
    "EELS": f"{FAIRCAT}EELS",
    "EDS": f"{FAIRCAT}EDS",
    "WDS": f"{FAIRCAT}WDS",
    "EPMA": f"{FAIRCAT}EPMA",
    "EBSD": f"{FAIRCAT}EBSD",
    "FIB": f"{FAIRCAT}FIB",
    "FIB-SEM": f"{FAIRCAT}FIB-SEM",
    "CRYO-EM": f"{FAIRCAT}CRYO-EM",
    "ELECTRON-TOMOGRAPHY": f"{FAIRCAT}ELECTRON-TOMOGRAPHY",
    "ELECTRON-DIFFRACTION": f"{FAIRCAT}ELECTRON-DIFFRACTION",
    "EM": ELECTRON_MICROSCOPY,
    "AFM": f"{PANET}PaNET01318",
    "ARPES": f"{PANET}PaNET01089",
    "ASAXS": f"{PANET}PaNET01274",
    "CDI": f"{PANET}PaNET01174",
    "DIFFRACTION": f"{PANET}PaNET01022",
    "EXAFS": f"{PANET}PaNET01198",
    "FTIR": f"{PANET}PaNET01320",
    "GISANS": f"{PANET}PaNET01276",
    "GISAXS": f"{PANET}PaNET01162",
    "GIWAXS": f"{PANET}PaNET01316",
    "GIXD": f"{PANET}PaNET01161",
    "HAXPES": f"{PANET}PaNET01103",
    "HOLOGRAPHY": f"{PANET}PaNET01105",
    "IMAGING": f"{PANET}PaNET01106",
    "INS": f"{PANET}PaNET01245",
    "IXS": f"{PANET}PaNET01182",
    "MICROSCOPY": f"{PANET}PaNET01069",
    "MUSR": f"{PANET}PaNET01114",
    "MX": f"{PANET}PaNET01164",
    "NEUTRON-DIFFRACTION": f"{PANET}PaNET01217",
    "NEUTRON-IMAGING": f"{PANET}PaNET01248",
    "NEUTRON-REFLECTOMETRY": f"{PANET}PaNET01239",
    "OPTICAL-MICROSCOPY": f"{PANET}PaNET01179",
    "PEEM": f"{PANET}PaNET01146",
    "PES": f"{PANET}PaNET01202",
    "POWDER-DIFFRACTION": f"{PANET}PaNET01030",
    "ptychography": f"{PANET}PaNET01212",
    "RAMAN": f"{PANET}PaNET01195",
    "REFLECTOMETRY": f"{PANET}PaNET01121",
    "RIXS": f"{PANET}PaNET01183",
    "SANS": f"{PANET}PaNET01189",
    "SAS": f"{PANET}PaNET01124",
    "SAXS": f"{PANET}PaNET01188",
    "SFX": f"{PANET}PaNET01168",
    "SINGLE-CRYSTAL-DIFFRACTION": f"{PANET}PaNET01029",
    "SPECTROSCOPY": f"{PANET}PaNET01125",
    "SSX": f"{PANET}PaNET01169",
    "STXM": f"{PANET}PaNET01219",
    "TOF": f"{PANET}PaNET01000",
    "tomography": f"{PANET}PaNET01129",
    "TXM": f"{PANET}PaNET01180",
    "USAXS": f"{PANET}PaNET01241",
    "WAXS": f"{PANET}PaNET01191",
    "X-RAY-POWDER-DIFFRACTION": f"{PANET}PaNET01101",
    "X-RAY-TOMOGRAPHY": f"{PANET}PaNET01207",
    "XANES": f"{PANET}PaNET01199",
    "XAS": f"{PANET}PaNET01196",
    "XES": f"{PANET}PaNET01200",
    "XMCD": f"{PANET}PaNET01137",
    "XPCS": f"{PANET}PaNET01205",
    "XPS": f"{PANET}PaNET01204",
    "XRD": f"{PANET}PaNET01216",
    "XRF": f"{PANET}PaNET01177",
    "XRR": f"{PANET}PaNET01149",
}


@dataclass(frozen=True)
class TechniqueTerm:
    """One technique; `source` is "PaNET", "ESRFET" or "Faircat"."""

    iri: str
    label: str
    alternative_labels: tuple[str, ...]
    definition: str
    parent_iris: tuple[str, ...]
    source: str


def read_own_table(path: Path = OWN_TABLE) -> Iterator[TechniqueTerm]:
    """Read a table in our own columns, where lists are separated by `|` and lines that start with `#` are notes.

    Raises ValueError when a column is missing.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(line for line in stream if not line.startswith("#"))
        missing = {"iri", "label", "alternative_labels", "definition", "parent_iris"} - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{path.name} lacks the columns {', '.join(sorted(missing))}.")
        for row in rows:
            yield TechniqueTerm(
                iri=row["iri"],
                label=row["label"],
                alternative_labels=_split(row["alternative_labels"]),
                definition=row["definition"],
                parent_iris=_split(row["parent_iris"]),
                source="PaNET" if row["iri"].startswith(PANET) else "Faircat",
            )


def read_esrfet() -> Iterator[TechniqueTerm]:
    """The techniques of the ESRF, from the package esrf-ontologies (MIT). ESRFET states no hierarchy there."""
    from esrf_ontologies.technique import get_all_techniques

    for technique in get_all_techniques():
        label = next((name for name in technique.names if " " in name), technique.names[0])
        others = tuple(name for name in technique.names if name != label)
        yield TechniqueTerm(technique.iri, label, others, technique.description or "", (), "ESRFET")


def read_panet_csv(path: Path) -> Iterator[TechniqueTerm]:
    """Read the official `PaNET.csv`, a ROBOT template: a row of headings, a row of template strings, then terms.

    Parents stand in the columns "Parent IRI" and "Equivalent", as a label, as `PaNET:PaNET01022`, as a conjunction
    of these, or as a restriction such as ('definedbyprobe' some 'photon'). Of a restriction the parent is the technique
    that is defined by the same specifier, or by the nearest broader one, which is what a reasoner would infer.
    Raises ValueError when the file is not this template.
    """
    classes = _read_panet_classes(path)
    techniques = {iri: row for iri, row in classes.items() if re.fullmatch(r"PaNET\d{5}", iri.removeprefix(PANET))}
    names = _Names(classes, techniques)
    for iri, row in techniques.items():
        parents = [parent for cell in row.expressions for parent in names.parents_in(cell, iri)]
        parents = list(dict.fromkeys(parents)) or [PANET_ROOT]
        yield TechniqueTerm(
            iri=iri,
            label=row.label,
            alternative_labels=row.alternative_labels,
            definition=row.definition,
            parent_iris=() if iri == PANET_ROOT else tuple(parents),
            source="PaNET",
        )


def find_problems(terms: Iterable[TechniqueTerm], known_iris: Iterable[str] = ()) -> list[str]:
    """What is wrong with a set of terms, in sentences: doubled or unlabelled terms, unknown parents, cycles.

    `known_iris` are terms that exist already and may be parents.
    """
    by_iri: dict[str, TechniqueTerm] = {}
    problems = []
    for term in terms:
        if term.iri in by_iri:
            problems.append(f"{term.iri} is stated twice.")
        if not term.label:
            problems.append(f"{term.iri} has no label.")
        by_iri[term.iri] = term
    known = set(known_iris) | set(by_iri)
    for term in by_iri.values():
        problems += [f"“{term.label}” has an unknown parent {iri}." for iri in term.parent_iris if iri not in known]
    return problems + _cycles(by_iri)


def _cycles(by_iri: dict[str, TechniqueTerm]) -> list[str]:
    """Each cycle once, by its labels; terms are removed from the leaves of the hierarchy upwards until none is left."""
    open_parents = {iri: {parent for parent in term.parent_iris if parent in by_iri} for iri, term in by_iri.items()}
    while settled := [iri for iri, parents in open_parents.items() if not parents]:
        for iri in settled:
            del open_parents[iri]
        for parents in open_parents.values():
            parents.difference_update(settled)
    problems = []
    while open_parents:
        path = [min(open_parents)]
        while (step := min(open_parents[path[-1]])) not in path:
            path.append(step)
        cycle = path[path.index(step) :]
        labels = [by_iri[iri].label for iri in [*cycle, step]]
        problems.append(f"These techniques are each other's parents: {' → '.join(labels)}.")
        for iri in path:
            del open_parents[iri]
        open_parents = {iri: parents for iri, parents in open_parents.items() if parents <= set(open_parents)}
    return problems


@dataclass
class _PanetClass:
    label: str
    alternative_labels: tuple[str, ...]
    definition: str
    expressions: list[str] = field(default_factory=list)


def _read_panet_classes(path: Path) -> dict[str, _PanetClass]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    headings = rows[0] if rows else []
    if len(rows) < 3 or "ID" not in headings or "Parent IRI" not in headings or "ID" not in rows[1]:
        raise ValueError(f"{path.name} is not PaNET's template: its two rows of headings are missing.")
    identifier, label, definition, kind = (headings.index(name) for name in ("ID", "Label", "Definition", "RDF Type"))
    alternatives = [index for index, name in enumerate(headings) if name.startswith("Alt Label")]
    expressions = [index for index, name in enumerate(headings) if name in ("Parent IRI", "Equivalent")]
    return {
        row[identifier]: _PanetClass(
            label=row[label].strip(),
            alternative_labels=tuple(row[index].strip() for index in alternatives if row[index].strip()),
            definition=row[definition].strip(),
            expressions=[row[index] for index in expressions if row[index]],
        )
        for row in rows[2:]
        if len(row) > kind and row[kind] == "owl:Class"
    }


class _Names:
    """Finds the techniques that an expression of the PaNET template names or implies."""

    _RESTRICTION = re.compile(r"\(?\s*'?\w+'?\s+some\s+(?P<specifier>.+?)\s*\)?$")

    def __init__(self, classes: dict[str, _PanetClass], techniques: dict[str, _PanetClass]) -> None:
        self._classes = classes
        self._techniques = {row.label: iri for iri, row in techniques.items()}
        self._specifiers = {row.label: iri for iri, row in classes.items() if iri not in techniques}
        self._defined_by = {
            specifier: iri
            for iri, row in techniques.items()
            if (specifier := self._sole_specifier(row.expressions)) is not None
        }

    def parents_in(self, expression: str, child: str) -> list[str]:
        restriction = self._RESTRICTION.match(expression.strip())
        if restriction:
            specifier = self._iri(restriction["specifier"], self._specifiers)
            return self._techniques_above(specifier, child)
        found = (self._iri(name, self._techniques) for name in expression.strip("() ").split(" and "))
        return [iri for iri in found if iri]

    def _techniques_above(self, specifier: str | None, child: str) -> list[str]:
        """The technique defined by the specifier or, where that is the child itself, by the nearest broader one."""
        if specifier is None or specifier not in self._classes:
            return []
        technique = self._defined_by.get(specifier)
        if technique and technique != child:
            return [technique]
        broader = [self._iri(name, self._specifiers) for name in self._classes[specifier].expressions]
        return [technique for iri in broader for technique in self._techniques_above(iri, child)]

    def _sole_specifier(self, expressions: list[str]) -> str | None:
        restrictions = [self._RESTRICTION.match(expression.strip()) for expression in expressions]
        if len(restrictions) != 1 or restrictions[0] is None:
            return None
        return self._iri(restrictions[0]["specifier"], self._specifiers)

    def _iri(self, name: str, labels: dict[str, str]) -> str | None:
        name = name.strip().strip("'")
        if name.startswith("PaNET:"):
            return PANET + name.removeprefix("PaNET:")
        return labels.get(name)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("|") if part)
