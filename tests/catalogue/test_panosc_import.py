"""The import of a PaNOSC reference server's database: what becomes of it, once, and what is refused with a reason."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from catalogue.access import ANONYMOUS, SYSTEM, full_datasets, principal_of
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.interop.panosc_database import address_of, pid_of
from catalogue.invariants import find_violations
from catalogue.models import (
    AuditEntry,
    Collection,
    Dataset,
    DatasetRevision,
    Facility,
    Instrument,
    Investigation,
    Organisation,
    Parameter,
    Person,
    Technique,
)
from catalogue.services.panosc_import import import_panosc
from catalogue.services.vocabularies import load_techniques
from catalogue.vocabularies.techniques import read_own_table
from doi.models import Identifier
from tests import factories, services
from tests.panosc_database import (
    BEER,
    COPPER,
    CREATED,
    FOUR,
    LOKI,
    ODIN,
    ONE,
    PAPER,
    PROPOSAL,
    SANS,
    STEEL,
    THREE,
    TWO,
    content_of,
    dataset,
    tables,
)

pytestmark = pytest.mark.django_db
SEED = services.SHARED / "panosc" / "seed-db.json"


@pytest.fixture(autouse=True)
def vocabulary(db):
    factories.make_licence()
    load_techniques(actor=SYSTEM, terms=read_own_table())


def run(content: dict | None = None):
    return import_panosc(actor=SYSTEM, content=content_of(content or tables()))


def found(pid: str) -> Dataset:
    return Dataset.objects.get(relations__relation_type="IsIdenticalTo", relations__identifier=pid)


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in apps.get_models()}


def test_everything_is_open_and_keeps_its_pid_and_its_times():
    done = run()
    assert (done.instruments, done.proposals, done.publications, done.datasets, done.files) == (3, 1, 1, 4, 2)
    assert full_datasets(ANONYMOUS, now=datetime.now(UTC)).count() == 4
    first = found(ONE)
    assert first.registration_key == ONE
    assert first.acquired_at == datetime(2020, 5, 5, 15, 1, 2, 341000, UTC)
    assert first.relations.get().identifier_type == "Handle"
    proposal = Investigation.objects.get(doi=PROPOSAL)
    assert (proposal.title, proposal.abstract) == ("Plates at work", "Flat ones.")
    assert proposal.started_at == datetime(2020, 5, 1, 8, tzinfo=UTC)
    assert proposal.ended_at == datetime(2020, 5, 8, 8, tzinfo=UTC)
    assert proposal.released_at == datetime(2020, 12, 31, 23, 59, 59, 123000, UTC)
    assert set(proposal.datasets.values_list("registration_key", flat=True)) == {THREE, FOUR}
    assert find_violations() == []


def test_a_publication_is_a_published_collection_under_its_own_doi(client):
    run()
    paper = Collection.objects.get(doi=PAPER)
    assert (paper.state, paper.title, paper.dataset_count) == ("published", "On cylinders", 2)
    assert paper.published_at == datetime(2021, 6, 1, 12, tzinfo=UTC)
    assert set(paper.members.values_list("dataset__registration_key", flat=True)) == {ONE, TWO}
    assert paper.text["creators"][0]["family_name"] == "Chadwick"
    assert paper.text["subjects"][0]["term"] == "copper"
    page = client.get(f"/doi/{PAPER}")
    assert page.status_code == 200 and "On cylinders" in page.text


def test_no_doi_is_minted_for_what_has_one(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        run()
    named = Identifier.objects.filter(investigation__doi__isnull=False)
    assert not named.exists()
    assert not Identifier.objects.filter(collection__isnull=False).exists()


def test_instruments_are_of_their_facility_and_datasets_of_their_instrument():
    run()
    facility = Facility.objects.get(short_name="ESS")
    loki, odin = (Instrument.objects.get(pid=address_of(pid)) for pid in (LOKI, ODIN))
    assert (loki.name, loki.facility, odin.facility) == ("LoKI", facility, facility)
    assert {found(ONE).instrument, found(THREE).instrument} == {loki}
    assert {found(TWO).instrument, found(FOUR).instrument} == {odin}
    assert (loki.dataset_count, odin.dataset_count) == (2, 2)
    assert Instrument.objects.get(pid=address_of(BEER)).dataset_count == 0


def test_an_instrument_that_is_known_by_name_takes_the_pid():
    facility = factories.make_facility(name="ESS", short_name="ess")
    known = factories.make_instrument(facility=facility, name="LoKI")
    run()
    known.refresh_from_db()
    assert known.pid == address_of(LOKI)
    assert found(ONE).instrument == known


def test_techniques_are_terms_of_the_ontology_and_samples_keep_what_is_said_of_them():
    run()
    first = found(ONE)
    assert [term.label for term in first.techniques.all()] == ["small angle neutron scattering"]
    assert (first.sample.name, first.sample.description) == ("solid copper cylinder", "2 cm")
    unknown = tables()
    unknown["Technique"]["mine"] = {"pid": "mine", "name": "divination"}
    unknown["Dataset"]["d9"] = dataset("d9", "Cards", LOKI)
    unknown["DatasetTechnique"]["9"] = {"id": 9, "datasetId": "d9", "techniqueId": "mine"}
    run(unknown)
    assert found("urn:panosc:d9").techniques.get().iri == "urn:panosc:mine"
    assert Technique.objects.get(label="divination").source == "PaNOSC"


def test_parameters_keep_value_and_unit_and_have_their_value_in_si():
    run()
    energy = found(TWO).parameters.get(name="photon_energy")
    assert (energy.value, energy.unit, energy.unit_si) == (930, "eV", "J")
    assert found(THREE).parameters.get().value_si == pytest.approx(293.15)
    assert found(ONE).parameters.get(group="").text == "Cu"
    stated = Parameter.objects.filter(group=f"document {PAPER}", name="wavelength")
    assert {one.dataset for one in stated} == {found(ONE), found(TWO)}


def test_people_are_made_once_and_lead_or_take_part():
    run()
    assert Person.objects.count() == 2
    proposal = Investigation.objects.get(doi=PROPOSAL)
    team = [(str(member.person), member.role) for member in proposal.team.all()]
    assert team == [("Ada Maria Lovelace", "pi"), ("James Chadwick", "member")]
    assert Person.objects.get(orcid="0000-0002-1825-0097").affiliation.name == "ESS"


def test_somebody_with_two_parts_is_once_in_the_team_and_an_affiliation_has_its_address():
    content = tables()
    content["Member"]["4"] = {"id": 4, "role": "proposer", "documentId": PROPOSAL, "personId": "p1"}
    run(content)
    proposal = Investigation.objects.get(doi=PROPOSAL)
    assert [str(member.person) for member in proposal.team.all()] == ["Ada Maria Lovelace", "James Chadwick"]
    assert list(proposal.team.first().foreign_members.values_list("identifier", "role")) == [
        ("2", "principal investigator"),
        ("4", "proposer"),
    ]
    ess = Organisation.objects.get(name="ESS")
    assert (ess.address, ess.city, ess.country) == ("Odarslövsvägen 113", "Lund", "Sweden")


def test_an_organisation_that_is_known_by_name_takes_the_address_and_one_elsewhere_is_another():
    known = Organisation.objects.create(name="ESS")
    content = tables()
    content["Affiliation"]["2"] = {"id": 2, "name": "ESS", "city": "Copenhagen"}
    content["Member"]["1"]["affiliationId"] = 2
    run(content)
    known.refresh_from_db()
    assert known.city == "Lund"
    assert Person.objects.get(family_name="Lovelace").affiliation == known
    assert Person.objects.get(family_name="Chadwick").affiliation.city == "Copenhagen"
    assert AuditEntry.objects.get(object_type="organisation").after["country"] == "Sweden"


def test_two_samples_of_one_name_in_one_proposal_stay_two():
    content = tables()
    content["Sample"]["s2"] = {"pid": "s2", "name": "steel", "description": "rusty"}
    content["DatasetSample"]["4"]["sampleId"] = "s2"
    run(content)
    assert (found(THREE).sample.name, found(FOUR).sample.name) == ("steel", "steel (s2)")
    assert found(FOUR).sample.description == "rusty"
    content["Dataset"]["d5"] = dataset("d5", "Plate, hot", ODIN)
    content["DocumentDataset"]["5"] = {"id": 5, "datasetId": "d5", "documentId": PROPOSAL}
    content["DatasetSample"]["5"] = {"id": 1, "datasetId": "d5", "sampleId": "s2"}
    run(content)
    assert found("urn:panosc:d5").sample == found(FOUR).sample


def test_techniques_of_one_term_of_the_ontology_are_that_term_here():
    content = tables()
    content["Technique"]["t2"] = {"pid": "t2", "name": "SANS at LoKI", "panetId": content["Technique"][SANS]["panetId"]}
    content["DatasetTechnique"]["9"] = {"id": 9, "datasetId": ONE, "techniqueId": "t2"}
    run(content)
    assert [term.label for term in found(ONE).techniques.all()] == ["small angle neutron scattering"]
    assert sorted(one.identifier for one in found(ONE).foreign_techniques.all()) == [SANS, "t2"]


def test_files_are_known_by_name_and_size_and_cannot_be_downloaded(client):
    run()
    first = found(ONE)
    assert (first.file_count, first.size) == (1, 100)
    file = first.files.get()
    assert (file.name, file.storage.is_active) == ("raw/one.hdf", False)
    assert client.get(f"/datasets/{first.uid}").status_code == 200
    assert client.get(f"/datasets/{first.uid}/files/{file.name}").status_code in (404, 409, 503)


def test_importing_twice_changes_nothing():
    run()
    before, versions = counts(), list(DatasetRevision.objects.order_by("pk").values_list("dataset_id", "number"))
    assert not any(vars(run()).values())
    assert counts() == before
    assert list(DatasetRevision.objects.order_by("pk").values_list("dataset_id", "number")) == versions


def test_what_is_new_in_a_grown_database_joins_what_is_there():
    run()
    grown = tables()
    grown["Dataset"]["d5"] = dataset("d5", "Plate, hot", ODIN)
    grown["DocumentDataset"]["5"] = {"id": 5, "datasetId": "d5", "documentId": PROPOSAL}
    done = run(grown)
    assert (done.datasets, done.proposals, done.instruments) == (1, 0, 0)
    assert Investigation.objects.get(doi=PROPOSAL).datasets.count() == 3
    assert find_violations() == []


def test_data_of_no_document_come_into_an_investigation_of_their_instrument():
    alone = tables()
    alone["Dataset"]["d5"] = dataset("d5", "Nobody's", BEER)
    run(alone)
    dataset_of_nobody = found("urn:panosc:d5")
    assert dataset_of_nobody.investigation.title == "Data of BEER"
    assert dataset_of_nobody.investigation.released_at <= datetime.now(UTC)


def test_a_dataset_may_be_in_a_publication_and_in_a_proposal():
    both = tables()
    both["DocumentDataset"]["9"] = {"id": 9, "datasetId": THREE, "documentId": PAPER}
    run(both)
    assert found(THREE).investigation.doi == PROPOSAL
    assert Collection.objects.get(doi=PAPER).members.filter(dataset=found(THREE)).exists()


def test_the_audit_log_tells_of_every_record():
    run()
    told = AuditEntry.objects.filter(action="import", actor_label="panosc-import")
    kinds = list(told.values_list("object_type", flat=True))
    assert (kinds.count("dataset"), kinds.count("collection")) == (4, 1)
    assert PROPOSAL in {row.after["pid"] for row in told.filter(object_type="investigation")}


Change = Callable[[dict], object]
BAD: dict[str, tuple[Change, str]] = {
    "a private dataset": (lambda t: t["Dataset"][ONE].update(isPublic=False), f"Dataset {ONE}: it is not public"),
    "a private document": (
        lambda t: t["Document"][PAPER].update(isPublic=False),
        f"Document {PAPER}: it is not public",
    ),
    "a missing model": (lambda t: t.pop("Instrument"), "The model Instrument is missing."),
    "a missing title": (lambda t: t["Dataset"][TWO].pop("title"), f"Dataset {TWO}: title is missing."),
    "a title that is a number": (lambda t: t["Dataset"][TWO].update(title=5), f"Dataset {TWO}: title is to be a text"),
    "a wrong date": (
        lambda t: t["Dataset"][TWO].update(creationDate="yesterday"),
        f"Dataset {TWO}: creationDate is to be a date",
    ),
    "a NUL character": (lambda t: t["Dataset"][TWO].update(title="a\x00b"), f"Dataset {TWO}: title is to be a text"),
    "a join to nothing": (
        lambda t: t["DatasetSample"].update(x={"id": 9, "datasetId": ONE, "sampleId": "lost"}),
        "DatasetSample: there is no Sample lost",
    ),
    "a join of nothing": (
        lambda t: t["DocumentDataset"].update(x={"id": 9, "datasetId": "lost", "documentId": PAPER}),
        "DocumentDataset: there is no Dataset lost",
    ),
    "half a join": (
        lambda t: t["DatasetTechnique"]["1"].pop("techniqueId"),
        "DatasetTechnique 1: techniqueId is missing",
    ),
    "an instrument that is not there": (
        lambda t: t["Dataset"][ONE].update(instrumentId="lost"),
        f"Dataset {ONE}: there is no Instrument lost.",
    ),
    "no instrument": (lambda t: t["Dataset"][ONE].pop("instrumentId"), f"Dataset {ONE}: it names no instrument"),
    "a person who is not there": (lambda t: t["Member"]["1"].update(personId="x"), "Member 1: there is no Person x."),
    "an unknown unit": (lambda t: t["Parameter"]["2"].update(unit="quuxes"), "Parameter 2: the unit 'quuxes'"),
    "an infinite number": (lambda t: t["Parameter"]["2"].update(value=float("inf")), "Parameter 2: a row is an object"),
    "a huge number": (
        lambda t: t["Parameter"]["2"].update(value=10**400),
        "Parameter 2: value is to be a number below",
    ),
    "a parameter of nobody": (lambda t: t["Parameter"]["2"].pop("datasetId"), "Parameter 2: it belongs to either"),
    "a parameter given twice": (
        lambda t: t["Parameter"].update({"9": t["Parameter"]["2"] | {"id": 9}}),
        "Parameter 9: Parameter 2 of the same",
    ),
    "a pid given twice": (
        lambda t: t["Dataset"].update(other=dataset(ONE, "Again", LOKI)),
        f"Dataset other: another Dataset has the same pid {ONE}.",
    ),
    "a key that is not the pid": (
        lambda t: t["Sample"].update(other={"pid": "else", "name": "x"}),
        "Sample other: it says that it is else.",
    ),
    "two samples": (
        lambda t: t["DatasetSample"].update(x={"id": 1, "datasetId": ONE, "sampleId": STEEL}),
        f"Dataset {ONE}: it has 2 samples",
    ),
    "two proposals": (
        lambda t: (
            t["Document"].update(p2={"pid": "p2", "isPublic": True, "type": "proposal", "title": "Other"}),
            t["DocumentDataset"].update(x={"datasetId": THREE, "documentId": "p2"}),
        ),
        f"Dataset {THREE}: it belongs to 2 proposals",
    ),
    "a publication without a DOI": (
        lambda t: t["Document"].update(p2={"pid": "p2", "isPublic": True, "type": "publication", "title": "Other"}),
        "Document p2: a publication needs a DOI",
    ),
    "a proposal without data": (
        lambda t: t["Document"].update(p2={"pid": "p2", "isPublic": True, "type": "proposal", "title": "Other"}),
        "Document p2: a proposal without a dataset",
    ),
    "a strange type": (lambda t: t["Document"][PAPER].update(type="poem"), f"Document {PAPER}: its type is to be"),
    "an unknown licence": (
        lambda t: t["Document"][PAPER].update(license="MINE"),
        f"Document {PAPER}: 'MINE' is no SPDX",
    ),
    "a release to come": (
        lambda t: t["Document"][PROPOSAL].update(releaseDate="2999-01-01T00:00:00Z"),
        f"Document {PROPOSAL}: it is released at 2999-01-01",
    ),
    "an end before the start": (
        lambda t: t["Document"][PROPOSAL].update(endDate="2019-01-01T00:00:00Z"),
        f"Document {PROPOSAL}: it ends before it starts.",
    ),
    "two facilities": (
        lambda t: t["Instrument"][ODIN].update(facility="ISIS"),
        f"Document {PROPOSAL}: its datasets were measured at several facilities",
    ),
    "a wrong ORCID iD": (
        lambda t: t["Person"]["p1"].update(orcid="0000-0002-1825-0098"),
        "Person p1: '0000-0002-1825-0098' is no ORCID iD",
    ),
    "a person of a very long name": (
        lambda t: t["Person"]["p1"].update(lastName="L" * 151),
        "Person p1: its lastName is longer than 150 characters.",
    ),
    "an affiliation of a very long name": (
        lambda t: t["Affiliation"]["1"].update(name="ESS " * 80),
        "Affiliation 1: its name is longer than 300 characters.",
    ),
    "a country that is a number": (
        lambda t: t["Affiliation"]["1"].update(country=46),
        "Affiliation 1: country is to be a text",
    ),
    "a technique of a very long address": (
        lambda t: t["Technique"][SANS].update(panetId="https://example.org/" + "x" * 200),
        f"Technique {SANS}: the address of its pid is longer than 200 characters.",
    ),
    "a file of a very long path": (
        lambda t: t["File"]["2"].update(path="ü" * 500),
        "File 2: its name and path are longer than 900 bytes.",
    ),
    "two files of one name": (
        lambda t: t["File"].update({"3": {"id": 3, "name": "two.hdf", "datasetId": TWO}}),
        "File 3: it has the name and path of File 2",
    ),
}


@pytest.mark.parametrize(("change", "told"), BAD.values(), ids=BAD.keys())
def test_a_database_that_cannot_be_held_is_refused_as_a_whole(change: Change, told: str):
    content = tables()
    change(content)
    before = counts()
    with pytest.raises(InvalidInput) as refused:
        run(content)
    assert told in refused.value.message
    assert counts() == before


def test_a_refusal_in_the_midst_of_the_import_leaves_nothing_behind():
    """A visit of that name is there already, which shows only when the proposal is made."""
    facility = factories.make_facility(name="ESS", short_name="ESS")
    instrument = factories.make_instrument(facility=facility, name="Old one")
    factories.make_investigation(instrument=instrument, visit_id="10.5072-test-proposal")
    before = counts()
    with pytest.raises(InvalidInput, match=f"Document {PROPOSAL}: .*is registered already"):
        run()
    assert counts() == before


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"models": []}', b"[" * 100_000, b'{"models": {"Dataset": {}, "Dataset": {}}}'],
)
def test_what_is_no_database_is_refused(content: bytes):
    with pytest.raises(InvalidInput):
        import_panosc(actor=SYSTEM, content=content)


def test_a_row_that_is_no_json_text_is_named():
    content = json.loads(content_of(tables()))
    content["models"]["Dataset"][ONE] = {"pid": ONE}
    content["models"]["Sample"][COPPER] = "{"
    with pytest.raises(InvalidInput) as refused:
        import_panosc(actor=SYSTEM, content=json.dumps(content).encode())
    assert set(refused.value.fields["file"]) == {
        f"Dataset {ONE}: a row is an object as JSON text.",
        f"Sample {COPPER}: a row is an object as JSON text.",
    }


def test_only_administrators_import():
    with pytest.raises(NotAllowed):
        import_panosc(actor=principal_of(factories.make_curator()), content=content_of(tables()))


@pytest.mark.parametrize("pid", [LOKI, PAPER, "local one/2", "https://example.org/i/1", "10.5072/a(b)c;d<e", "ä-1"])
def test_a_pid_is_an_address_and_back(pid: str):
    assert pid_of(address_of(pid)) == pid
    assert address_of(pid).isascii() or pid.startswith("http")


def test_the_command_says_what_was_new_and_why_nothing_was(tmp_path: Path, capsys):
    file = tmp_path / "db.json"
    file.write_bytes(content_of(tables()))
    call_command("import_panosc", str(file))
    assert "4 datasets" in capsys.readouterr().out
    file.write_text("{")
    with pytest.raises(CommandError, match=r"Nothing was imported.\nThis file is not JSON."):
        call_command("import_panosc", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_panosc", str(tmp_path / "nowhere.json"))


def test_the_reference_servers_own_fixtures_are_imported():
    if not SEED.is_file():
        pytest.skip("the fixtures of the reference server are not on this machine")
    done = import_panosc(actor=SYSTEM, content=SEED.read_bytes())
    assert (done.instruments, done.proposals, done.publications, done.datasets, done.files) == (15, 1, 1, 4, 4)
    assert found("20.500.12269/panosc-dataset1").acquired_at.isoformat().startswith(CREATED[:-1])
    assert find_violations() == []
