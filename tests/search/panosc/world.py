"""A small archive for the PaNOSC search API: open and closed data of two sessions, one published collection. No assertion belongs here."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from catalogue.models import (
    Collection,
    CollectionMember,
    Concept,
    Dataset,
    Instrument,
    Investigation,
    Organisation,
    Parameter,
    Technique,
    TechniqueAncestor,
    User,
)
from catalogue.models.investigations import TeamRole
from catalogue.units import to_si
from tests import factories

PANET = "http://purl.org/pan-science/PaNET/PaNET"
CANARY = "canarywren"
# Label and number of each term, and the terms above it.
TERMS = {
    "x-ray probe": ("01012", ()),
    "small angle scattering": ("01124", ()),
    "magnetism technique": ("01313a", ()),
    "RIXS": ("01183", ("x-ray probe",)),
    "ASXS": ("01275", ("small angle scattering", "x-ray probe")),
    "GISAXS": ("01162", ("small angle scattering", "x-ray probe")),
    "IXSAS": ("01281", ("small angle scattering", "x-ray probe")),
    "SXSAS": ("01282", ("small angle scattering", "x-ray probe")),
    "MXT": ("01313", ("magnetism technique", "x-ray probe")),
    "XES": ("01200", ("x-ray probe",)),
}


@dataclass
class Archive:
    pi: User
    instruments: list[Instrument] = field(default_factory=list)
    investigations: list[Investigation] = field(default_factory=list)
    datasets: list[Dataset] = field(default_factory=list)
    closed: list[Dataset] = field(default_factory=list)
    collection: Collection | None = None
    techniques: dict[str, Technique] = field(default_factory=dict)


def make_techniques() -> dict[str, Technique]:
    terms = {
        label: Technique.objects.create(iri=f"{PANET}{number}", label=label, source="PaNET")
        for label, (number, _) in TERMS.items()
    }
    for label, (_, above) in TERMS.items():
        for name in (label, *above):
            TechniqueAncestor.objects.create(technique=terms[label], ancestor=terms[name])
    return terms


def add_number(dataset: Dataset, name: str, value: float, unit: str) -> None:
    found = to_si(value, unit)
    si = {"value_si": found.value, "unit_si": found.unit} if found else {}
    Parameter.objects.create(
        dataset=dataset, name=name, source="instrument", kind="number", text=str(value), value=value, unit=unit, **si
    )


def add_text(dataset: Dataset, name: str, text: str, **fields: Any) -> None:
    Parameter.objects.create(dataset=dataset, name=name, source="instrument", kind="text", text=text, **fields)


def make_archive(folder: Path) -> Archive:
    """Two open sessions with eight datasets, a closed one with two, and a dataset of an open one that is closed for longer."""
    archive = Archive(pi=factories.make_user("panosc-pi"), techniques=make_techniques())
    storage = factories.make_storage(folder)
    lund = Organisation.objects.create(name="Lund University")
    facility = factories.make_facility(short_name="ESS", name="European Spallation Source")
    for name in ("LoKI", "DREAM"):
        archive.instruments.append(
            factories.make_instrument(name=name, short_name=f"panosc-{name.lower()}", facility=facility)
        )
    for number, is_open in enumerate((True, True, False)):
        investigation = factories.make_investigation(
            is_open=is_open,
            pi=archive.pi,
            instrument=archive.instruments[number % 2],
            title=("Copper under load", "Nickel at 4 K", f"{CANARY} session")[number],
            abstract=("What was measured and why.", "", f"{CANARY} abstract")[number],
            doi=f"10.5072/session-{number}" if number != 1 else None,
            started_at=datetime(2020, 5, 5 + number, 15, 1, 2, 341_567, tzinfo=UTC),
            ended_at=datetime(2020, 5, 6 + number, tzinfo=UTC),
        )
        person = factories.make_person(
            given_name="Ada", family_name=("Öberg", "Smith", CANARY)[number], affiliation=lund if number == 0 else None
        )
        investigation.team.create(person=person, role=TeamRole.MEMBER, position=1)
        archive.investigations.append(investigation)
        _make_datasets(archive, investigation, number, storage)
    later = timezone.now() + timedelta(days=300)
    extra = factories.make_dataset(archive.investigations[0], title=f"{CANARY} kept back", embargo_until=later)
    _describe(archive, extra, 9, storage, word=CANARY)
    archive.closed.append(extra)
    archive.collection = _make_collection(archive)
    return archive


def _make_datasets(archive: Archive, investigation: Investigation, number: int, storage: Any) -> None:
    is_closed = number == 2
    for place in range(2 if is_closed else 4):
        title = (
            f"{CANARY} closed {place}"
            if is_closed
            else ("Scan of steel", "scan 100% Ni", "Ångström_run", "[map] LoKI")[place]
        )
        dataset = factories.make_dataset(
            investigation,
            title=title,
            acquired_at=datetime(2020, 5, 5 + number, 10 + place, 0, 0, 123_456, tzinfo=UTC) if place != 3 else None,
            sample=factories.make_sample(
                investigation,
                name=f"{CANARY} sample {place}" if is_closed else f"solid copper {place}",
                description="a cylinder" if place == 1 else "",
            )
            if place < 2
            else None,
        )
        _describe(archive, dataset, 4 * number + place, storage, word=CANARY if is_closed else "")
        (archive.closed if is_closed else archive.datasets).append(dataset)


def _describe(archive: Archive, dataset: Dataset, number: int, storage: Any, word: str) -> None:
    add_number(dataset, "temperature", 4.2 + 10 * number, "K")
    if number % 2:
        add_number(dataset, "incident_wavelength", 1.0 + number, "Å")
        add_number(dataset, "photon_energy", 12.5, "keV")
    add_number(dataset, "strange", float(number), "furlongs per yoghurt")
    add_text(dataset, "sample_state", word or ("solid", "liquid")[number % 2])
    add_text(dataset, "operator", f"{CANARY} person", is_personal=True)
    for place in range(number % 3):
        factories.add_file(dataset, storage, f"{word}file_{place}.hdf", b"x" * (place + 1))
    names = list(TERMS)[3:]
    dataset.techniques.add(archive.techniques[names[number % 7]])
    if number % 4 == 1:
        dataset.techniques.add(archive.techniques["XES"])


def _make_collection(archive: Archive) -> Collection:
    text = {
        "title": "A publication",
        "abstract": "About copper.",
        "creators": [
            {"name_type": "Personal", "family_name": "Chadwick", "given_name": "James", "affiliation": "Cambridge"},
            {"name_type": "Organizational", "name": "The Team"},
        ],
        "licence_id": "CC0-1.0",
    }
    collection = Collection.objects.create(
        concept=Concept.objects.create(),
        created_by=archive.pi,
        title="A publication",
        text=text,
        state="published",
        doi="10.5072/publication",
        published_at=datetime(2021, 1, 1, tzinfo=UTC),
        member_count=3,
    )
    CollectionMember.objects.create(collection=collection, dataset=archive.datasets[0])
    CollectionMember.objects.create(collection=collection, investigation=archive.investigations[1])
    CollectionMember.objects.create(collection=collection, dataset=archive.closed[0])
    return collection
