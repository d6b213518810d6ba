"""Model releases: installed, activated, rolled back. A release never changes, and its annotations stay when it retires."""

import json
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from classifier.models import Category, CategoryState, ModelRelease, ReleaseState
from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.releases import DEMONSTRATION, Release, read_release, write_release


def active_release() -> ModelRelease | None:
    """The release in use, if there is one."""
    return ModelRelease.objects.filter(state=ReleaseState.ACTIVE).first()


def release_named(label: str) -> ModelRelease:
    """The release with this label: its name and its release. Raises NotFound."""
    for release in ModelRelease.objects.all():
        if release.label == label:
            return release
    raise NotFound(f"There is no model release {label}.")


def folder_of(release: ModelRelease) -> Path:
    """Where the files of `release` lie."""
    return Path(settings.CLASSIFIER_DIR) / "releases" / release.folder if release.folder else DEMONSTRATION


def files_of(release: ModelRelease) -> Release:
    """The release with its files, verified now. Raises ModelRefused when they are not those that were installed."""
    found = read_release(folder_of(release))
    if found.manifest.digest != release.digest:
        raise ModelRefused("release-changed", f"The files of {release} are not those that were installed.")
    return found


def install_release(*, actor: Principal, folder: Path) -> ModelRelease:
    """Verify the release in `folder` and keep a copy of it as a candidate; the same one twice is one.

    Raises NotAllowed, InvalidInput (code of ModelRefused) for files that are not those of the manifest, and Conflict for
    another release of the same name.
    """
    _authorise(actor)
    try:
        found = read_release(folder)
    except ModelRefused as error:
        raise InvalidInput(error.message, code=error.code) from None
    manifest = found.manifest
    known = ModelRelease.objects.filter(name=manifest.name, release=manifest.release).first()
    if known is not None:
        if known.digest != found.manifest.digest:
            raise Conflict(
                f"There is another release {known} already. A release never changes: give this one a new name."
            )
        return known
    kept = "" if folder.resolve() == DEMONSTRATION.resolve() else _keep(found)
    with transaction.atomic():
        release = ModelRelease.objects.create(
            name=manifest.name,
            release=manifest.release,
            is_demonstration=manifest.is_demonstration,
            digest=found.manifest.digest,
            folder=kept,
            manifest=json.loads(manifest.to_json()),
        )
        write_audit(actor=actor, action="install-release", record=release, after={"digest": release.digest})
    return release


def _keep(found: Release) -> str:
    """Copy what the manifest names into a folder named by its digest, which appears whole or not at all."""
    name = found.manifest.digest[:32]
    home = Path(settings.CLASSIFIER_DIR) / "releases" / name
    if not home.exists():
        write_release(home, found.manifest, {file: found.path(file) for file in found.manifest.files})
    return name


def activate_release(*, actor: Principal, release: ModelRelease) -> None:
    """Use `release` for what is classified from now on, and accept its labels as categories. Queues nothing anew.

    Raises NotAllowed, and InvalidInput when its files are not those that were installed.
    """
    _authorise(actor)
    try:
        files_of(release)
    except ModelRefused as error:
        raise InvalidInput(error.message, code=error.code) from None
    with transaction.atomic():
        used = ModelRelease.objects.select_for_update().filter(state=ReleaseState.ACTIVE).exclude(pk=release.pk)
        before = [str(one) for one in used]
        used.update(state=ReleaseState.RETIRED)
        ModelRelease.objects.filter(pk=release.pk).update(state=ReleaseState.ACTIVE, activated_at=timezone.now())
        _accept_labels(release)
        write_audit(
            actor=actor,
            action="activate-release",
            record=release,
            before={"active": before},
            after={"active": [str(release)]},
        )
    release.refresh_from_db()


def _accept_labels(release: ModelRelease) -> None:
    """Each label of the release is a category; one that was merged into another or refused stays as people decided."""
    known = {category.name.lower(): category for category in Category.objects.all()}
    for label in release.labels:
        category = known.get(label.lower())
        if category is None:
            Category.objects.create(name=label, state=CategoryState.ACCEPTED)
        elif category.state == CategoryState.PROPOSED:
            Category.objects.filter(pk=category.pk).update(state=CategoryState.ACCEPTED)


def rollback(*, actor: Principal) -> ModelRelease:
    """Use again the release that was in use before the present one. Raises Conflict when there was none."""
    _authorise(actor)
    retired = ModelRelease.objects.filter(state=ReleaseState.RETIRED, activated_at__isnull=False)
    before = retired.order_by("-activated_at").first()
    if before is None:
        raise Conflict("No release was in use before this one.")
    activate_release(actor=actor, release=before)
    return before


def ensure_demonstration(*, actor: Principal) -> ModelRelease | None:
    """Install and activate the release that comes with the code, on a site without any or with the one of an older code.

    None where nothing was done: a release that somebody chose stays in use.
    """
    if not DEMONSTRATION.is_dir():
        return None
    active = active_release()
    is_older = active is not None and not active.folder and active.digest != read_release(DEMONSTRATION).manifest.digest
    if ModelRelease.objects.exists() and not is_older:
        return None
    release = install_release(actor=actor, folder=DEMONSTRATION)
    activate_release(actor=actor, release=release)
    return release


def _authorise(actor: Principal) -> None:
    if not (actor.is_administrator and actor.sees_everything):
        raise NotAllowed("Only administrators decide which model is used.")
