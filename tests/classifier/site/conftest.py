"""A site with a release that was never trained, and pictures to upload."""

from collections.abc import Callable, Sequence

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalogue.access import SYSTEM
from catalogue.models import User
from classifier.models import Image, ModelRelease, Submission, Work, WorkKind
from classifier.services import dispatch
from classifier.services.results import store_verdicts
from tests.classifier.dispatch import world


@pytest.fixture
def folder(tmp_path, settings):
    settings.CLASSIFIER_DIR = tmp_path / "classifier"
    return tmp_path


@pytest.fixture
def release(folder, db) -> ModelRelease:
    return world.use_untrained(folder / "untrained")


def png(number: int = 0, name: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(name or f"picture-{number}.png", world.picture(number), "image/png")


def signed_in(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(client: Client, *files: SimpleUploadedFile) -> Submission:
    """What the form of /classify makes of these files; of one picture where none is given."""
    response = client.post("/classify", {"files": list(files) or [png()]})
    assert response.status_code == 302, response.content
    return Submission.objects.get(uid=response["Location"].rpartition("/")[2])


@pytest.fixture
def classify(release) -> Callable[..., None]:
    """A function that does a worker's part with verdicts of the test: `classify([image], 0.2, 0.7)`."""

    def classify(images: Sequence[Image], *first: float, is_strange: bool = False) -> None:
        keys = list(Work.objects.filter(image__in=images, kind=WorkKind.CATEGORY).values_list("pk", flat=True))
        queues = Work.objects.filter(pk__in=keys).values_list("queue", flat=True).distinct()
        for queue in list(queues):
            work = dispatch.claim(queue, 1000, keys)
            found = [(one, world.verdict(*first, is_strange=is_strange), 0) for one in work]
            store_verdicts(actor=SYSTEM, release=release, found=found)
        Work.objects.filter(image__in=images, kind=WorkKind.SCALE).update(state="done")

    return classify
