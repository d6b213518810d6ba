"""What the classifier found in the files of the world, and an upload of a member of the team, with canaries in all of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from catalogue.derived import write_whole
from catalogue.vocabularies.image_categories import IMAGE_CATEGORIES
from classifier.files import Derived, derived_path, upload_path
from classifier.models import (
    Category,
    Image,
    ModelRelease,
    Opinion,
    Prediction,
    Scale,
    StructureStudy,
    Submission,
    Work,
)

if TYPE_CHECKING:
    from tests.access.world import World


@dataclass
class Classified:
    """The images of the datasets by state, an upload of the account "member", the one image in it, and a study of all images."""

    release: ModelRelease
    images: dict[str, Image] = field(default_factory=dict)
    submission: Submission | None = None
    upload: Image | None = None
    study: StructureStudy | None = None


def make_classified(world: "World", states: tuple[str, ...]) -> Classified:
    manifest = {"labels": list(IMAGE_CATEGORIES), "input_side": 32, "temperature": 1.0, "files": {}}
    release = ModelRelease.objects.create(
        name="model-of-the-world", release="1", state="active", digest="0" * 64, folder="none", manifest=manifest
    )
    made = Classified(release)
    for state in states:
        file = world.datasets[state].files.get()
        image = Image.objects.create(datafile=file, name=file.name, width=64, height=48)
        made.images[state] = image
        _describe(world, release, image, f"the {state} image" if state != "open" else "")
    _make_upload(world, made)
    _make_study(world, made)
    return made


def _describe(world: "World", release: ModelRelease, image: Image, place: str) -> None:
    """Everything that there may be of an image; `place` is empty where nothing is hidden."""

    def hidden(what: str) -> str:
        return world.canary(f"{what} of {place}") if place else f"open {what}"

    probabilities = [0.91] + [0.01] * 9
    features = np.full(8, 8**-0.5, "<f2").tobytes()
    Prediction.objects.create(
        image=image, release=release, label=IMAGE_CATEGORIES[0], confidence=0.91, probabilities=probabilities,
        is_uncertain=False, strangeness=0.2, is_strange=False, features=features, cell=0,
    )  # fmt: skip
    Scale.objects.create(
        image=image, printed_value=1e-6, pixel_size=1e-9, source="ocr", disagreements=[hidden("disagreement")]
    )
    Work.objects.create(
        image=image, kind="scale", queue="ocr", state="failed", error_code="unexpected", error=hidden("error")
    )
    category = Category.objects.create(name=hidden("proposed category"), proposed_by=world.users["member"])
    Opinion.objects.create(image=image, person=world.users["member"], category=category, agrees=False)
    for kind, variant in ((Derived.THUMBNAIL, ""), (Derived.PREVIEW, ""), (Derived.SALIENCY, str(release.uid))):
        write_whole(derived_path(image.uid, kind, variant), b"RIFF\x00\x00\x00\x00WEBP" + hidden(kind).encode())


def _make_upload(world: "World", made: Classified) -> None:
    refusal = {"name": world.canary("name of a refused file"), "code": "not-an-image", "message": "No image."}
    made.submission = Submission.objects.create(owner=world.users["member"], refusals=[refusal])
    content = world.canary("bytes of an upload").encode()
    made.upload = Image.objects.create(
        submission=made.submission,
        name=f"{world.canary('name of an upload')}.png",
        size=len(content),
        metadata=[{"group": "", "name": "note", "value": world.canary("metadata of an upload"), "unit": ""}],
    )
    write_whole(upload_path(made.upload.uid), content)
    _describe(world, made.release, made.upload, "the upload")


def _make_study(world: "World", made: Classified) -> None:
    whole = {
        "number": 1,
        "size": len(made.images),
        "labels": {world.canary("label of a cluster"): len(made.images)},
        "representatives": [str(image.uid) for image in made.images.values()],
        "children": [],
    }
    made.study = StructureStudy.objects.create(
        title=world.canary("title of a study"),
        release=made.release,
        summary={"images": 3, "dimension": 2.0, "tree": whole},
    )
