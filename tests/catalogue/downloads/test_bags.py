"""An archive as a bag (RFC 8493): the `bagit` package finds it complete and valid, and it is refused before checksums are known."""

import io
import zipfile
from pathlib import Path

import bagit
import pytest
from django.test import Client
from django.urls import reverse

from catalogue.downloads.bagit import bag_info, manifest_lines
from catalogue.models import Dataset, Storage
from catalogue.services.selections import KEY
from tests import factories
from tests.catalogue.downloads.conftest import FILES, body_of
from tests.catalogue.interop.crates import problems_of_folder

BAG = {"form": "bagit"}


def bag_of(data: bytes, folder: Path) -> Path:
    """The one folder that the archive unpacks to."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    (found,) = folder.iterdir()
    return found


def test_the_bag_of_a_dataset_is_valid_and_its_payload_a_crate(
    client: Client, open_dataset: Dataset, tmp_path: Path
) -> None:
    response = client.get(reverse("dataset-zip", args=[open_dataset.uid]), BAG)
    data = body_of(response)
    assert response["Content-Length"] == str(len(data))
    folder = bag_of(data, tmp_path / "unpacked")
    assert f"{folder.name}.zip" in response["Content-Disposition"]
    bag = bagit.Bag(str(folder))
    bag.validate()
    assert bag.info["External-Identifier"].endswith(f"/datasets/{open_dataset.uid}")
    assert bag.info["External-Description"] == "An open dataset"
    names = {Path(name).relative_to("data") for name in bag.payload_entries()}
    assert {name.as_posix().partition("/")[2] for name in names if len(name.parts) > 1} == set(FILES)
    assert problems_of_folder(folder / "data") == []


def test_a_changed_file_makes_the_bag_invalid(client: Client, open_dataset: Dataset, tmp_path: Path) -> None:
    folder = bag_of(body_of(client.get(reverse("dataset-zip", args=[open_dataset.uid]), BAG)), tmp_path / "unpacked")
    next((folder / "data").rglob("a b.tif")).write_bytes(b"TIFF" * 1000)
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(folder)).validate()


def test_investigations_and_selections_come_as_bags_that_name_what_was_left_out(
    client: Client, storage: Storage, tmp_path: Path
) -> None:
    investigation = factories.make_investigation()
    past = investigation.started_at
    opened = factories.make_dataset(investigation, storage=storage, files={"a": b"open"}, embargo_until=past)
    closed = factories.make_dataset(investigation, storage=storage, files={"b": b"closed"}, title="Still closed")
    session = client.session
    session[KEY] = [str(opened.uid), str(closed.uid)]
    session.save()
    for number, url in enumerate((reverse("investigation-zip", args=[investigation.uid]), reverse("selection-zip"))):
        folder = bag_of(body_of(client.get(url, BAG)), tmp_path / str(number))
        bag = bagit.Bag(str(folder))
        bag.validate()
        assert "Still closed" in (folder / "NOT-INCLUDED.txt").read_text()
        assert "NOT-INCLUDED.txt" in bag.entries
        assert not any(name.endswith("/b") for name in bag.payload_entries())


def test_while_checksums_are_missing_there_is_no_bag_and_the_page_says_when(client: Client, storage: Storage) -> None:
    dataset = factories.make_dataset(is_open=True, storage=storage, files=FILES, has_checksums=False)
    factories.add_file(dataset, storage, "known.dat", b"known")
    response = client.get(reverse("dataset-zip", args=[dataset.uid]), BAG)
    page = response.content.decode()
    assert response.status_code == 409
    assert f"{len(FILES)} of {len(FILES) + 1} files have no checksum" in page
    assert "try again" in page
    assert client.get(reverse("dataset-zip", args=[dataset.uid])).status_code == 200


def test_a_form_that_does_not_exist_is_refused(client: Client, open_dataset: Dataset) -> None:
    response = client.get(reverse("dataset-zip", args=[open_dataset.uid]), {"form": "tar"})
    assert response.status_code == 422
    assert "zip or bagit" in response.content.decode()


def test_closed_data_come_in_no_bag(client: Client, closed_dataset: Dataset) -> None:
    assert client.get(reverse("dataset-zip", args=[closed_dataset.uid]), BAG).status_code == 403


def test_a_manifest_encodes_what_the_standard_says_and_nothing_else() -> None:
    lines = b"".join(manifest_lines([("data/50% ü.tif", "0" * 64), ("data/a\nb", "1" * 64)])).decode().splitlines()
    assert lines == [f"{'0' * 64}  data/50%25 ü.tif", f"{'1' * 64}  data/a%0Ab"]


def test_nothing_that_people_write_begins_a_line_of_its_own() -> None:
    text = bag_info([("External-Description", "One\r\nContact-Email: evil\x85\u2028two\x00"), ("Contact-Email", "")])
    assert text.decode() == "External-Description: One Contact-Email: evil two\n"
