"""Uploads: files of people and of visitors, written to disk as they come, kept whole or not at all, and removed with all of theirs."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.identifiers import new_uid
from classifier.files import SIDECARS, sidecar_path, upload_path
from classifier.models import Image, Submission
from classifier.pipeline.errors import UnreadableImage
from classifier.pipeline.reading import ReadLimits, read_header
from classifier.services.images import queue_images, remove_images

HOUR = 3600
LONGEST_NAME = 200
MOST_REFUSALS = 1000
LARGEST_TEXT = 1024 * 1024


class Upload(Protocol):
    """A file that came by a form: on disk already, `size` in bytes."""

    name: str | None
    size: int | None

    def chunks(self) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class _Kept:
    """A file that passed, written beside its place; `beside` are texts that belong to it, with the places for them."""

    image: Image
    written: Path
    beside: dict[Path, Path] = field(default_factory=dict)


def submit_files(
    *, actor: Principal, files: Sequence[Upload], address: str, submission: Submission | None = None
) -> Submission:
    """Keep the images among `files` in a new submission, or in `submission` of the same person, and have them classified.

    What is no image is told in `refusals` and not kept. All rows and files of one call come into being together. `address` is
    what the limits of visitors count by. Raises InvalidInput, NotAllowed, and Conflict for who has too many already.
    """
    _check_sender(actor, files, submission)
    if actor.is_anonymous:
        _count_visitor(address, files)
    present = _present(submission)
    kept: list[_Kept] = []
    refusals: list[dict[str, str]] = []
    try:
        texts = _texts_beside(files)
        for file in files:
            if file not in texts:
                _take(file, kept, refusals, present)
        _take_texts(texts, kept)
        with transaction.atomic():
            submission = submission or _new_submission(actor)
            _write(actor, submission, kept, refusals)
    finally:
        for one in kept:
            for path in (one.written, *one.beside):
                path.unlink(missing_ok=True)
    return submission


def _check_sender(actor: Principal, files: Sequence[Upload], submission: Submission | None) -> None:
    if actor.instrument_id is not None:
        raise NotAllowed("Instruments register data; images are classified for people.")
    if not (actor.is_anonymous or actor.has_scope("register")):
        raise NotAllowed("Uploading by a token needs the scope register.")
    if not files:
        raise InvalidInput(
            "Choose at least one image.", code="no-files", fields={"files": ["Choose at least one image."]}
        )
    known = Image.objects.filter(submission=submission).count() if submission else 0
    if known + len(files) > settings.CLASSIFIER_MOST_IMAGES:
        raise InvalidInput(
            f"One upload has at most {settings.CLASSIFIER_MOST_IMAGES} images, and these would be {known + len(files)}."
            " None of them was kept: send fewer at once, or begin another upload with the rest.",
            code="too-many-images",
        )
    if not actor.is_anonymous:
        _check_space(actor, len(files))


def _check_space(actor: Principal, count: int) -> None:
    held = Image.objects.filter(submission__owner=actor.user_id, registered_as__isnull=True).count()
    if held + count > settings.CLASSIFIER_KEPT_IMAGES:
        raise Conflict(
            f"You keep {held} images here that are not registered, and {settings.CLASSIFIER_KEPT_IMAGES} are the most."
            " Register or remove some of them first.",
            code="too-many-kept",
        )


def _count_visitor(address: str, files: Sequence[Upload]) -> None:
    """Count what visitors send from one address; whoever reached the limit may sign in, or come back in an hour."""
    limits = {
        "images": (len(files), settings.CLASSIFIER_ANONYMOUS_IMAGES),
        "bytes": (sum(file.size or 0 for file in files), settings.CLASSIFIER_ANONYMOUS_BYTES),
    }
    for what, (amount, most) in limits.items():
        key = f"classify-{what}-{address}"
        cache.add(key, 0, timeout=HOUR)
        try:
            total = cache.incr(key, amount)
        except ValueError:
            total = amount
        if total > most:
            cache.decr(key, amount)
            raise InvalidInput(
                f"Visitors may send {settings.CLASSIFIER_ANONYMOUS_IMAGES} images and"
                f" {settings.CLASSIFIER_ANONYMOUS_BYTES >> 20} MiB in an hour. None of these was kept."
                " Sign in to send more, or come back in an hour.",
                code="visitor-limit",
            )


def _present(submission: Submission | None) -> set[tuple[str, str]]:
    """What was received before: a file that is sent again after a broken connection is there once."""
    if submission is None:
        return set()
    return set(Image.objects.filter(submission=submission).values_list("name", "sha256"))


def _take(file: Upload, kept: list[_Kept], refusals: list[dict[str, str]], present: set[tuple[str, str]]) -> None:
    name = clean_name(file.name or "")
    uid = new_uid()
    path: Path | None = None
    try:
        path, digest, size = _write_beside(uid, file.chunks())
        header = read_header(path, name, limits=ReadLimits(bytes=settings.CLASSIFIER_IMAGE_BYTES))
    except UnreadableImage as refusal:
        refusals.append({"name": name, "code": refusal.code, "message": refusal.message})
        if path is not None:
            path.unlink(missing_ok=True)
        return
    except BaseException:
        if path is not None:
            path.unlink(missing_ok=True)
        raise
    if (name, digest) in present:
        path.unlink(missing_ok=True)
        return
    present.add((name, digest))
    image = Image(
        uid=uid,
        name=name,
        size=size,
        sha256=digest,
        media_type=header.media_type,
        width=header.width,
        height=header.height,
    )
    kept.append(_Kept(image, path))


def _texts_beside(files: Sequence[Upload]) -> list[Upload]:
    """Those of `files` that a microscope wrote beside another of them: a small text of the same name."""
    names = {file: PurePosixPath(clean_name(file.name or "").lower()) for file in files}
    images = {name.stem for name in names.values() if name.suffix not in SIDECARS}
    return [
        file
        for file, name in names.items()
        if name.suffix in SIDECARS and name.stem in images and (file.size or 0) <= LARGEST_TEXT
    ]


def _take_texts(texts: Sequence[Upload], kept: Sequence[_Kept]) -> None:
    """Write each text beside the image that it belongs to; that of an image which was refused goes with it."""
    for file in texts:
        name = PurePosixPath(clean_name(file.name or "").lower())
        for one in kept:
            if PurePosixPath(one.image.name.lower()).stem == name.stem:
                written = _write_beside(one.image.uid, file.chunks())[0]
                one.beside[written] = sidecar_path(one.image.uid, name.suffix)
                break


def clean_name(name: str) -> str:
    """The last part of a file's name as its owner wrote it, without what no name should have."""
    last = PurePosixPath(name.replace("\\", "/")).name
    text = "".join(character for character in last if character.isprintable()).strip()
    return text[-LONGEST_NAME:] or "image"


def _write_beside(uid: UUID, chunks: Iterable[bytes]) -> tuple[Path, str, int]:
    """The bytes in a file of the folder where they will lie, their SHA-256 and their number."""
    folder = upload_path(uid).parent
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(descriptor, "wb") as stream:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                stream.write(chunk)
        os.chmod(temporary, 0o640)
    except BaseException:
        os.unlink(temporary)
        raise
    return Path(temporary), digest.hexdigest(), size


def _new_submission(actor: Principal) -> Submission:
    expires_at = timezone.now() + timedelta(hours=settings.CLASSIFIER_ANONYMOUS_HOURS) if actor.is_anonymous else None
    return Submission.objects.create(owner_id=actor.user_id, expires_at=expires_at)


def _write(actor: Principal, submission: Submission, kept: Sequence[_Kept], refusals: Sequence[dict[str, str]]) -> None:
    """Rows and files. Files without a row, where the database fails at the commit, are swept away by `remove_expired`."""
    locked = Submission.objects.select_for_update().get(pk=submission.pk)
    submission.refusals = [*locked.refusals, *refusals][:MOST_REFUSALS]
    submission.save(update_fields=["refusals", "updated_at"])
    images = [one.image for one in kept]
    for image in images:
        image.submission = submission
    Image.objects.bulk_create(images, batch_size=500)
    queue_images(actor=actor, images=images)
    for one in kept:
        for path, place in one.beside.items():
            os.replace(path, place)
        os.replace(one.written, upload_path(one.image.uid))


def remove_submission(*, actor: Principal, submission: Submission) -> None:
    """Remove an upload with its images and their files. What was registered from it stays in the catalogue."""
    with transaction.atomic():
        remove_images(actor=actor, images=list(submission.images.all()))
        submission.delete()


def open_upload(image: Image) -> BinaryIO:
    return upload_path(image.uid).open("rb")


def problem_of(submission: Submission) -> dict[str, Any] | None:
    """The first refusal, where nothing of an upload was kept."""
    if submission.refusals and not submission.images.exists():
        return submission.refusals[0]
    return None
