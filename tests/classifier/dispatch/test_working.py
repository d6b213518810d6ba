"""What workers do, with the demonstration's model and real files: verdicts, scales, and what becomes of what cannot be read."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from catalogue.access import SYSTEM
from catalogue.models import Annotation, Parameter
from classifier.invariants import CHECKS
from classifier.models import Image, Prediction, Scale, Submission, Work
from classifier.pipeline.labels import NAMES
from classifier.pipeline.scale import is_tesseract_available
from classifier.pipeline.synthetic.files import write_files
from classifier.pipeline.synthetic.images import make_image
from classifier.services import dispatch, measuring, results
from classifier.services.backlog import queue_datasets
from classifier.services.images import queue_images
from tests import factories
from tests.classifier.dispatch import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage(tmp_path):
    (tmp_path / "files").mkdir()
    return factories.make_storage(tmp_path / "files")


def registered(storage, files: dict[str, bytes]):
    dataset = factories.make_dataset(is_open=True, storage=storage, files=files)
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])
    return dataset


def classify_all(queue: str = "gpu") -> int:
    return results.classify(queue, list(Work.objects.filter(queue=queue).values_list("pk", flat=True)))


def measure_all() -> int:
    return measuring.measure("ocr", list(Work.objects.filter(queue="ocr").values_list("pk", flat=True)))


def failures() -> dict[str, str]:
    rows = Work.objects.filter(state="failed", kind="category")
    return dict(rows.values_list("image__name", "error_code"))


def tiff(pixels) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "TIFF")
    return stream.getvalue()


def synthetic(folder: Path, seed: int) -> tuple[np.ndarray, dict[str, bytes]]:
    """The pixels of one image with its banner, and its file with tags as an instrument would leave it."""
    image = make_image(np.random.default_rng(seed), NAMES[5], "zeiss")
    folder.mkdir()
    return image.pixels, {path.name: path.read_bytes() for path in write_files(folder, "image", image)}


def test_images_of_the_catalogue_are_classified_and_bad_ones_fail_with_their_reasons(demonstration, storage):
    noise = np.random.default_rng(1).integers(0, 255, (200, 300), dtype=np.uint8)
    files = {
        "good.tif": tiff(noise),
        "cut_off.tif": tiff(noise)[:20_000],
        "text.png": b"this is no image",
        "empty.jpg": b"",
        "dot.png": world.picture(1, size=(1, 1)),
    }
    dataset = registered(storage, files)
    (Path(storage.location) / f"{dataset.uid}/gone.tif").write_bytes(b"x")
    gone = factories.add_file(dataset, storage, "gone.tif", b"x")
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])
    (Path(storage.location) / gone.path).unlink()
    assert classify_all() == 1
    assert Prediction.objects.get().image.name == "good.tif"
    assert failures() == {
        "cut_off.tif": "damaged-image",
        "text.png": "not-an-image",
        "empty.jpg": "empty-file",
        "dot.png": "too-few-pixels",
        "gone.tif": "file-missing",
    }
    assert all(Work.objects.filter(state="failed").values_list("error", flat=True))


def test_a_storage_that_is_away_delays_its_images_and_fails_none(demonstration, storage):
    registered(storage, {"a.tif": tiff(np.zeros((64, 64), np.uint8))})
    here = Path(storage.location)
    here.rename(here.with_name("unmounted"))
    assert classify_all() == measure_all() == 0
    assert set(Work.objects.values_list("state", "error_code")) == {("waiting", "storage-unavailable")}
    here.with_name("unmounted").rename(here)
    assert classify_all() == measure_all() == 1
    assert set(Work.objects.values_list("state", "error_code", "error")) == {("done", "", "")}


def test_a_model_whose_files_were_changed_is_not_used_and_its_images_wait(release, storage):
    registered(storage, {"a.tif": tiff(np.zeros((64, 64), np.uint8))})
    from classifier.services.releases import folder_of

    (folder_of(release) / "model.tflite").write_bytes(b"another model")
    assert classify_all() == 0
    (work,) = Work.objects.filter(kind="category")
    assert (work.state, work.error_code) == ("waiting", "wrong-hash")
    assert [sentence for check in CHECKS for sentence in check()] != []


def test_an_upload_is_classified_and_measured_and_what_its_file_says_is_kept(demonstration, folder, tmp_path):
    owner = factories.make_user()
    submission = Submission.objects.create(owner=owner)
    image = world.upload(submission)
    queue_images(actor=SYSTEM, images=[image])
    assert classify_all("cpu") == measure_all() == 1
    image.refresh_from_db()
    assert (image.width, image.height, image.media_type) == (64, 48, "image/png")
    assert Prediction.objects.get(image=image).label in demonstration.labels
    assert Scale.objects.get(image=image).pixel_size is None
    assert not Annotation.objects.exists() and not Parameter.objects.exists()


def test_a_batch_may_hold_work_for_several_releases(demonstration, release, storage):
    registered(storage, {"a.tif": tiff(np.zeros((64, 64), np.uint8))})
    image = Image.objects.get()
    Work.objects.create(image=image, kind="category", release=demonstration, queue="gpu")
    assert classify_all() == 1
    assert Prediction.objects.get().release == demonstration
    assert Work.objects.get(release=release, kind="category").state == "waiting"


@pytest.mark.skipif(not is_tesseract_available(), reason="Tesseract is not installed")
def test_what_only_the_banner_tells_becomes_metadata_of_the_dataset(release, storage, tmp_path):
    pixels, _ = synthetic(tmp_path / "made", 3)
    stripped = tiff(pixels)
    dataset = registered(storage, {"b_image.tif": stripped, "a_image.tif": stripped})
    dataset.parameters.create(name="detector", source="ai", text="SE", kind="text")
    assert measure_all() == 2
    assert set(Scale.objects.values_list("source", flat=True)) == {"ocr"}
    told = dict(dataset.parameters.filter(source="ai").values_list("name", "value"))
    assert {"scale_bar", "pixel_size_x", "detector"} <= set(told)
    dataset.refresh_from_db()
    assert dataset.version == 2, "the first image by name tells, the other keeps its own scale only"


def test_the_metadata_of_the_file_come_first_and_only_the_printed_length_is_told(release, storage, tmp_path):
    _, files = synthetic(tmp_path / "made", 4)
    dataset = registered(storage, files)
    assert measure_all() >= 1
    assert Scale.objects.order_by("image__name")[0].source in ("metadata", "side-car")
    assert set(dataset.parameters.filter(source="ai").values_list("name", flat=True)) <= {"scale_bar"}


def test_what_is_claimed_by_another_is_left_to_it(demonstration, storage):
    registered(storage, {"a.tif": tiff(np.zeros((64, 64), np.uint8))})
    dispatch.claim("gpu", 1)
    assert classify_all() == 0
    assert not Prediction.objects.exists()
