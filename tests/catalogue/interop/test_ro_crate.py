"""The detached crate of a record is what an independent validator takes for one, and tells what its reader may see."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalogue.interop.ro_crate import MOST_PARAMETERS, crate
from catalogue.interop.ro_crate_archive import ArchivedDataset, ArchiveDescription, ArchivedFile, CrateDocument
from catalogue.interop.ro_crate_graph import CONTEXT, path_iri
from catalogue.interop.ro_crate_preview import preview
from catalogue.publication import Funding, PublicationText
from catalogue.record import ParameterValue, PersonRef
from tests import described
from tests.catalogue.interop.crates import CONTEXT_FILE, entities_of, problems_of_document

GOLDEN = Path(__file__).with_name("golden")
ODD = 'Grain \u202eboundaries\u202c & <strain>\x07\x0b قياس "quoted"'


def golden(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def test_the_crate_of_a_dataset_is_as_written_down() -> None:
    assert crate(described.describe(described.dataset_record())) == golden("dataset.crate.json")


def test_the_crate_of_an_archive_is_as_written_down() -> None:
    record = described.dataset_record()
    description = described.describe(record)
    files = [
        ArchivedFile("wires-0/a b.tif", "a b.tif", 1024, "ab" * 32, "image/tiff", described.MEASURED),
        ArchivedFile("wires-0/data/ü#1.h5", "data/ü#1.h5", 7, "", "", None),
    ]
    part = ArchivedDataset(record, description.publication, "wires-0", (0, 2))
    whole = ArchiveDescription(described.SITE, record, description.publication, (part,), " (A note.)")
    text = b"".join(CrateDocument(whole, files))
    assert json.loads(text) == golden("archive.crate.json")
    selection = b"".join(CrateDocument(ArchiveDescription(described.SITE, None, None, (part,)), files))
    entities = entities_of(json.loads(selection))
    assert entities["./"]["hasPart"] == [{"@id": "wires-0/"}]
    assert [one["@id"] for one in entities["wires-0/"]["hasPart"]] == ["wires-0/a%20b.tif", "wires-0/data/ü%231.h5"]


@pytest.mark.parametrize(
    "record",
    [
        described.dataset_record(title=ODD, description=""),
        described.closed_dataset(),
        described.investigation_record(title=ODD),
        described.collection_record(title=ODD, text=PublicationText(title=ODD, abstract="")),
    ],
    ids=["dataset", "closed dataset", "investigation", "collection"],
)
def test_every_kind_of_record_makes_a_valid_crate_whatever_its_names(record: Any) -> None:
    document = json.loads(json.dumps(crate(described.describe(record))))
    assert problems_of_document(document) == []
    assert document["@graph"][1]["name"] == ODD or not record.access.is_open


def test_all_words_are_of_the_context() -> None:
    known = json.loads(CONTEXT_FILE.read_text(encoding="utf-8"))["@context"]
    records = (described.dataset_record(), described.investigation_record(), described.collection_record())
    for record in records:
        document = crate(described.describe(record))
        assert document["@context"] == CONTEXT
        words = {name for one in document["@graph"] for name in one if not name.startswith("@")}
        kinds = {one["@type"] for one in document["@graph"]}
        assert words | kinds <= known.keys()


def test_a_closed_dataset_names_no_file_and_no_way_to_get_one() -> None:
    text = json.dumps(crate(described.describe(described.closed_dataset())))
    assert "Open from 1 March 2029" in text
    assert '"File"' not in text
    assert "download.zip" not in text


def test_what_is_too_much_for_the_document_is_cut_and_said() -> None:
    values = tuple(described.number(f"value{number}", float(number), "V") for number in range(MOST_PARAMETERS + 1))
    record = described.dataset_record(parameters=values, file_count=100_000)
    document = crate(described.describe(record))
    root = document["@graph"][1]
    assert len(root["variableMeasured"]) == MOST_PARAMETERS
    assert "the first 3 of 100,000 files and the first 200 values" in root["description"]
    investigation = crate(described.describe(described.investigation_record(), member_count=5000))
    assert "the first 2 of 5,000 members" in investigation["@graph"][1]["description"]


def test_ten_thousand_authors_are_all_named_once() -> None:
    people = tuple(
        PersonRef(f"Ada Tester{number}", "Ada", f"Tester{number}", "", False, "", "", "team member")
        for number in range(10_000)
    )
    document = crate(described.describe(described.dataset_record(people=people)))
    persons = [one for one in document["@graph"] if one["@type"] == "Person"]
    assert len(persons) == len(document["@graph"][1]["creator"]) == 10_000


def test_funders_and_grants_of_a_collection_are_named() -> None:
    funding = Funding("European Commission", "https://ror.org/00k4n6c32", "ROR", "823852", "PaNOSC", "")
    text = PublicationText(title="All", abstract="Of it.", fundings=(funding,))
    document = crate(described.describe(described.collection_record(text=text)))
    entities, root = entities_of(document), document["@graph"][1]
    assert entities[root["funder"]["@id"]]["name"] == "European Commission"
    assert entities[root["funding"]["@id"]]["identifier"] == "823852"


def test_values_of_every_kind_are_told_as_json_can_hold_them() -> None:
    def value(**changes: Any) -> ParameterValue:
        return replace(described.number("x", 1.0, ""), **changes)

    values = (
        value(name="text", kind="text", text="as written", value=None),
        value(name="date", kind="date", date=datetime(2026, 1, 2, tzinfo=UTC), value=None),
        value(name="list", kind="list", items=(1, 2.5, "three", float("nan")), value=None),
        value(name="no number", text="inf", value=float("inf")),
        value(name="corrected", is_corrected=True, unit="kV"),
    )
    document = crate(described.describe(described.dataset_record(parameters=values)))
    json.dumps(document, allow_nan=False)
    told = {one["name"]: one for one in document["@graph"] if one["@type"] == "PropertyValue"}
    assert told["text"]["value"] == "as written"
    assert told["date"]["value"] == "2026-01-02T00:00:00+00:00"
    assert told["list"]["value"] == [1, 2.5, "three", "nan"]
    assert told["no number"]["value"] == "inf"
    assert (told["corrected"]["unitText"], told["corrected"]["description"]) == (
        "kV",
        "Read from the files of the instrument. Corrected by a person.",
    )


def test_paths_keep_their_letters_and_encode_what_no_iri_holds() -> None:
    assert path_iri("wires-0/Größe 日本 50%#?.tif") == "wires-0/Größe%20日本%2050%25%23%3F.tif"
    assert path_iri('a:"<b>"\u202e') == "a%3A%22%3Cb%3E%22%E2%80%AE"


def test_the_page_for_people_escapes_what_people_wrote() -> None:
    record = described.dataset_record(title="<script>alert(1)</script>")
    description = described.describe(record)
    part = ArchivedDataset(record, description.publication, "wires-0", (0, 0))
    page = preview(ArchiveDescription(described.SITE, record, description.publication, (part,))).decode()
    assert page.startswith("<!doctype html>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
