"""Every archive is a crate: an independent validator takes it for one, and it tells of nothing that its reader may not see."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalogue.access import ANONYMOUS, principal_of
from catalogue.models import Collection, Dataset, Parameter, Storage, User
from catalogue.models.collections import CollectionState
from catalogue.services import zips
from catalogue.services.collections import start_collection
from catalogue.services.selections import KEY
from catalogue.services.usage import Visit, log_downloads
from tests import factories
from tests.catalogue.downloads.conftest import FILES, body_of
from tests.catalogue.interop.crates import entities_of, problems_of_folder

ODD_FILES = {
    "50% #1?.tif": b"percent",
    "a&b<c>'d'.tif": b"ampersand",
    "قياس/عينة.dat": b"right to left",
    "sub/Größe 日本.txt": b"letters",
}
ODD_TITLE = 'Grain \u202eboundaries\u202c & <strain>\x07 "of" قياس'


def unpacked(data: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    return folder


def crate_of(data: bytes) -> dict[str, dict[str, Any]]:
    """The entities of the crate by @id."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return entities_of(json.loads(archive.read("ro-crate-metadata.json")))


def published_collection(user: User, datasets: list[Dataset]) -> Collection:
    collection = start_collection(actor=principal_of(user), datasets=Q(pk__in=[one.pk for one in datasets]))
    text = {
        "title": "Strain & stress",
        "abstract": "Both.",
        "creators": [{"family_name": "Okafor", "given_name": "C."}],
    }
    Collection.objects.filter(pk=collection.pk).update(
        text=text,
        title=text["title"],
        state=CollectionState.PUBLISHED,
        doi="10.5072/crate.1",
        published_at=timezone.now(),
    )
    return collection


def test_the_archive_of_a_dataset_is_a_valid_crate_whatever_its_names(
    client: Client, storage: Storage, tmp_path: Path
) -> None:
    dataset = factories.make_dataset(is_open=True, storage=storage, files=ODD_FILES, title=ODD_TITLE)
    data = body_of(client.get(reverse("dataset-zip", args=[dataset.uid])))
    assert problems_of_folder(unpacked(data, tmp_path / "crate")) == []
    entities = crate_of(data)
    assert entities["./"]["name"] == ODD_TITLE
    files = [entities[part["@id"]] for part in entities["./"]["hasPart"]]
    assert {file["name"] for file in files} == set(ODD_FILES)
    page = (tmp_path / "crate" / "ro-crate-preview.html").read_text()
    assert "&lt;strain&gt;" in page
    assert "<strain>" not in page


def test_an_investigation_and_a_selection_hold_their_datasets_as_parts(
    client: Client, storage: Storage, tmp_path: Path
) -> None:
    investigation = factories.make_investigation(is_open=True)
    made = [
        factories.make_dataset(investigation, storage=storage, files={f"{name}/1.dat": b"1", "2.dat": b"2"}, title=name)
        for name in ("first", "second")
    ]
    session = client.session
    session[KEY] = [str(one.uid) for one in made]
    session.save()
    for url in (reverse("investigation-zip", args=[investigation.uid]), reverse("selection-zip")):
        data = body_of(client.get(url))
        assert problems_of_folder(unpacked(data, tmp_path / f"crate{len(url)}")) == []
        entities = crate_of(data)
        folders = [part["@id"] for part in entities["./"]["hasPart"]]
        assert folders == sorted(f"{zips.folder_of(one, ANONYMOUS)}/" for one in made)
        assert {entities[folder]["name"] for folder in folders} == {"first", "second"}
        assert all(part["@id"].startswith(folder) for folder in folders for part in entities[folder]["hasPart"])


def test_a_published_collection_is_a_crate_with_its_doi_and_its_authors(
    client: Client, storage: Storage, tmp_path: Path
) -> None:
    datasets = [factories.make_dataset(is_open=True, storage=storage, files={"a.dat": b"1"}) for _ in range(2)]
    collection = published_collection(factories.make_curator(), datasets)
    data = body_of(client.get(reverse("collection-zip", args=[collection.uid])))
    assert problems_of_folder(unpacked(data, tmp_path / "crate")) == []
    entities = crate_of(data)
    root = entities["./"]
    assert root["cite-as"] == "https://doi.org/10.5072/crate.1"
    assert entities[root["identifier"]["@id"]]["value"] == "doi:10.5072/crate.1"
    assert entities[root["creator"]["@id"]]["name"] == "C. Okafor"


@pytest.mark.both_databases
def test_values_instrument_and_sources_are_told_of_a_dataset(client: Client, storage: Storage) -> None:
    raw = factories.make_dataset(is_open=True, storage=storage, files={"raw.dat": b"raw"}, title="Raw")
    result = factories.make_dataset(
        raw.investigation, storage=storage, files={"fit.dat": b"fit"}, title="Fit", kind="processed"
    )
    result.derived_from.add(raw)
    Parameter.objects.create(
        dataset=raw, name="voltage", source="instrument", kind="number", value=5, text="5", unit="kV", value_si=5000
    )
    Parameter.objects.create(
        dataset=raw, name="operator", source="instrument", kind="text", text="secret person", is_personal=True
    )
    entities = crate_of(body_of(client.get(reverse("investigation-zip", args=[raw.investigation.uid]))))
    folder, processed = (f"{zips.folder_of(one, ANONYMOUS)}/" for one in (raw, result))
    value = entities[entities[folder]["variableMeasured"]["@id"]]
    assert (value["name"], value["value"], value["unitText"]) == ("voltage", 5.0, "kV")
    measuring = entities[entities[folder]["mentions"][0]["@id"]]
    assert entities[measuring["instrument"]["@id"]]["name"] == raw.instrument.name
    assert measuring["result"] == {"@id": folder}
    processing = entities[entities[processed]["mentions"][0]["@id"]]
    assert entities[processing["object"]["@id"]]["name"] == "Raw"
    assert "instrument" not in processing
    assert "secret person" not in json.dumps(entities)


@pytest.mark.both_databases
def test_closed_members_leave_no_trace_in_the_crate(client: Client, storage: Storage) -> None:
    """Their titles stand in NOT-INCLUDED.txt, as everybody may read them; the rest of them nowhere."""
    investigation = factories.make_investigation()
    past = investigation.started_at
    opened = factories.make_dataset(
        investigation, storage=storage, files={"a.dat": b"open"}, embargo_until=past, title="Opened"
    )
    closed = factories.make_dataset(
        investigation, storage=storage, files={"canary-file.dat": b"canary-content"}, title="canary-title"
    )
    opened.derived_from.add(closed)
    Parameter.objects.create(dataset=closed, name="canary-value", source="instrument", kind="text", text="canary-text")
    factories.set_embargo_metadata("none")
    session = client.session
    session[KEY] = [str(opened.uid), str(closed.uid)]
    session.save()
    for url in (reverse("investigation-zip", args=[investigation.uid]), reverse("selection-zip")):
        for form in ("zip", "bagit"):
            data = body_of(client.get(url, {"form": form}))
            assert b"canary" not in data
            assert str(closed.uid).encode() not in data
            assert closed.files.get().sha256.encode() not in data


def test_chosen_files_make_a_crate_that_says_so(client: Client, open_dataset: Dataset, tmp_path: Path) -> None:
    data = body_of(client.get(reverse("dataset-zip", args=[open_dataset.uid]), {"file": "empty.dat"}))
    assert problems_of_folder(unpacked(data, tmp_path / "crate")) == []
    root = crate_of(data)["./"]
    assert [part["@id"].rpartition("/")[2] for part in root["hasPart"]] == ["empty.dat"]
    assert f"1 of its {len(FILES)} files" in root["description"]


@pytest.mark.parametrize("form", ["zip", "bagit"])
def test_ranges_cut_the_crate_out_of_the_same_bytes(client: Client, open_dataset: Dataset, form: str) -> None:
    url = reverse("dataset-zip", args=[open_dataset.uid])
    first = client.get(url, {"form": form})
    whole = body_of(first)
    assert first["Content-Length"] == str(len(whole))
    at = whole.index(b'"@graph"')
    for start in (at - 10, at, at + 333, len(whole) - 1000):
        part = client.get(url, {"form": form}, headers={"range": f"bytes={start}-", "if-range": first["ETag"]})
        assert (part.status_code, body_of(part)) == (206, whole[start:])


def test_a_new_title_is_a_new_tag_and_leaves_the_data_where_they_were(client: Client, open_dataset: Dataset) -> None:
    url = reverse("dataset-zip", args=[open_dataset.uid])
    before = client.get(url)
    whole = body_of(before)
    Dataset.objects.filter(pk=open_dataset.pk).update(description="Said later.")
    after = client.get(url)
    changed = body_of(after)
    assert before["ETag"] != after["ETag"]
    start = whole.index(b"ro-crate-metadata.json") - 30
    assert changed[:start] == whole[:start]


def test_a_download_that_others_fetched_meanwhile_is_continued(client: Client, open_dataset: Dataset) -> None:
    """Nothing that a download itself changes, such as its count, is in the bytes."""
    url = reverse("dataset-zip", args=[open_dataset.uid])
    tag = client.head(url)["ETag"]
    visit = Visit(at=timezone.now(), address="192.0.2.1", agent="curl/8")
    log_downloads(visit=visit, sizes={open_dataset.pk: 10})
    assert Dataset.objects.get(pk=open_dataset.pk).download_count == 1
    assert client.head(url)["ETag"] == tag


@pytest.mark.both_databases
def test_many_datasets_cost_no_more_queries_than_few(storage: Storage) -> None:
    investigation = factories.make_investigation(is_open=True)
    counts = []
    for number in range(1, 13):
        factories.make_dataset(investigation, storage=storage, files={f"{number}.dat": b"1"})
        if number in (2, 12):
            with CaptureQueriesContext(connection) as queries:
                zips.zip_investigation(principal=ANONYMOUS, uid=investigation.uid)
            counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_file_without_type_time_and_checksum_is_described_as_far_as_it_is_known(
    client: Client, storage: Storage
) -> None:
    dataset = factories.make_dataset(is_open=True, storage=storage)
    factories.add_file(dataset, storage, "b.dat", b"four", modified_at=None, has_checksums=False)
    entities = crate_of(body_of(client.get(reverse("dataset-zip", args=[dataset.uid]))))
    file = entities[entities["./"]["hasPart"][0]["@id"]]
    assert file == {
        "@id": f"{zips.folder_of(dataset, ANONYMOUS)}/b.dat",
        "@type": "File",
        "name": "b.dat",
        "encodingFormat": "application/octet-stream",
        "contentSize": "4",
    }
