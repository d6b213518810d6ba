"""Files that wait, gathered into the datasets that they will form, with their names and roles there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import TypeVar

from catalogue.watching.compare import NO_TIME, Known, is_settled
from catalogue.watching.rules import PathRule, Placement, PlacementRefused

Item = TypeVar("Item")

SIDECAR_SUFFIXES = frozenset({".txt", ".hdr"})
PICTURE_SUFFIXES = frozenset({".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".png"})
MOST_GROUPS = 200
MOST_FILES = 5000


@dataclass
class Group:
    """The waiting files of one dataset; `placement` is that of the first of them."""

    placement: Placement
    files: list[Known] = field(default_factory=list)

    @property
    def began_at(self) -> datetime | None:
        """The earliest time of its files, None where the storage keeps none."""
        times = [file.modified_at for file in self.files if file.modified_at != NO_TIME]
        return min(times, default=None)

    def is_settled(self, *, now: datetime, settle_seconds: int) -> bool:
        return all(is_settled(file, now=now, settle_seconds=settle_seconds) for file in self.files)


def gather(files: Iterable[Known], rule: PathRule) -> tuple[list[Group], list[tuple[Known, str]]]:
    """Groups by their key, and the files that the rule gives no place with the reason. Others' files are left out."""
    groups: dict[tuple[str, str], Group] = {}
    refused = []
    for file in files:
        try:
            placement = rule.place(file.path)
        except PlacementRefused as refusal:
            refused.append((file, str(refusal)))
            continue
        if placement is not None:
            group = groups.setdefault((placement.visit_id, placement.group), Group(placement))
            group.files.append(file)
    return list(groups.values()), refused


def batches(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Groups in portions that one transaction can take."""
    batch: list[Group] = []
    count = 0
    for group in groups:
        if batch and (len(batch) == MOST_GROUPS or count + len(group.files) > MOST_FILES):
            yield batch
            batch, count = [], 0
        batch.append(group)
        count += len(group.files)
    if batch:
        yield batch


def in_chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while chunk := list(islice(waiting, size)):
        yield chunk


def common_folder(paths: Iterable[str]) -> str:
    """The deepest folder that holds all `paths`, with a slash at its end, or an empty text for the root."""
    folders = [path.split("/")[:-1] for path in paths]
    shared = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "".join(f"{name}/" for name in shared)


def name_within(path: str, folder: str) -> str:
    """The name of a file in a dataset whose files lie in `folder`; one from elsewhere keeps its whole path."""
    return path.removeprefix(folder)


def sidecars(paths: Iterable[str]) -> set[str]:
    """The text files among `paths` that describe a picture of the same name."""
    all_paths = [PurePosixPath(path) for path in paths]
    pictures = {path.with_suffix("") for path in all_paths if path.suffix.lower() in PICTURE_SUFFIXES}
    # TESCAN writes "name-tif.hdr" beside "name.tif".
    texts = [path for path in all_paths if path.suffix.lower() in SIDECAR_SUFFIXES]
    return {str(path) for path in texts if path.with_suffix("") in pictures or _tescan_picture(path) in pictures}


def _tescan_picture(path: PurePosixPath) -> PurePosixPath:
    return path.with_name(path.stem.rpartition("-")[0] or path.stem)
