"""Model releases: installed, activated, rolled back. A release never changes, and its annotations stay when it retires."""

from pathlib import Path

from catalogue.access import Principal
from classifier.models import ModelRelease


def active_release() -> ModelRelease | None:
    """The release in use, if there is one."""
    return ModelRelease.objects.filter(state="active").first()


def folder_of(release: ModelRelease) -> Path:
    """Where the files of `release` lie."""
    raise NotImplementedError


def install_release(*, actor: Principal, folder: Path) -> ModelRelease:
    """Verify the release in `folder` and keep a copy of it as a candidate; the same one twice is one.

    Raises NotAllowed, ModelRefused for files that are not those of the manifest, Conflict for another release of this name.
    """
    raise NotImplementedError


def activate_release(*, actor: Principal, release: ModelRelease) -> None:
    """Use `release` for what is classified from now on, and accept its labels as categories. Queues nothing anew."""
    raise NotImplementedError


def rollback(*, actor: Principal) -> ModelRelease:
    """Use again the release that was in use before the present one. Raises Conflict when there was none."""
    raise NotImplementedError


def ensure_demonstration(*, actor: Principal) -> ModelRelease | None:
    """On a site without any release, install and activate the one that comes with the code."""
    raise NotImplementedError
