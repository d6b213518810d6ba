"""Images that wait: queued for their owners within limits, their states told, and removed with their files in time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalogue.access import Principal
from classifier.models import Image, Submission, WorkState


@dataclass(frozen=True)
class WorkView:
    """How one kind of work on an image stands. `error_code` and `error` say for its owner why it failed or waits."""

    state: str
    error_code: str = ""
    error: str = ""
    attempts: int = 0

    @property
    def is_settled(self) -> bool:
        return self.state in (WorkState.DONE, WorkState.FAILED)


@dataclass(frozen=True)
class ImageState:
    """What is known of the progress of one image; None where that kind of work was never asked for."""

    category: WorkView | None = None
    scale: WorkView | None = None

    @property
    def is_settled(self) -> bool:
        return all(work is None or work.is_settled for work in (self.category, self.scale))


def check_room(*, actor: Principal, submission: Submission | None, count: int) -> None:
    """Raises Conflict (code `too-many-waiting`) when `count` more images would be more than one may have waiting."""
    raise NotImplementedError


def queue_images(*, actor: Principal, images: Sequence[Image], queue: str = "") -> None:
    """Have `images` (uploaded ones, saved already) classified by the release in use and measured, in the caller's transaction.

    `queue` is where the categories are worked on: by itself a few go to "cpu" at once, many to "gpu" in lists. Without a
    release in use only the scale is looked for. Raises Conflict for more images than one may have waiting.
    """
    raise NotImplementedError


def state_of(images: Iterable[Image]) -> dict[int, ImageState]:
    """The state of each image by its primary key, for the release in use or else the last one asked; two queries for all."""
    raise NotImplementedError


def retry_images(*, actor: Principal, images: Sequence[Image]) -> int:
    """Try again what failed of these; how many pieces of work that is."""
    raise NotImplementedError


def remove_images(*, actor: Principal, images: Sequence[Image]) -> None:
    """Remove uploaded images and, after the commit, their files."""
    raise NotImplementedError


def remove_expired(*, actor: Principal, now: datetime) -> int:
    """Remove submissions whose time is over with their files, and files that no image names any more; how many images."""
    raise NotImplementedError
