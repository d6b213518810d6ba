"""A set of labelled images made fit for training: all read once, duplicates removed, near duplicates grouped, and told.

Where images come from is not known here: from the NFFA-EUROPE set (`nffa.py`), or from the catalogue.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from classifier.pipeline.errors import UnreadableImage
from classifier.pipeline.reading import read_picture
from classifier.pipeline.results import Floats
from classifier.pipeline.training.duplicates import (
    BITS,
    Groups,
    Hashes,
    groups_by_features,
    groups_by_hash,
    joined,
    perceptual_hash,
)
from classifier.pipeline.training.images import LabelledImage
from classifier.pipeline.training.nffa import USUAL_LIMITS, DataLimits, DataRefused, find_nffa
from classifier.pipeline.training.splits import SHARES, Split, groups_with_sessions, split_by_group

Say = Callable[[str], object]
_CHUNK = 32
_BYTES_AT_A_TIME = 1024 * 1024
_TELLS_EVERY = 1000


@dataclass(frozen=True)
class DataReport:
    """What was found and what became of it. Names of single files are for the operator; `summary` is for everybody.

    `digest` is the SHA-256 over the sorted lines "<sha256>  <key>" of the files that are used: it names the data.
    """

    digest: str
    found: int
    used: int
    by_label: dict[str, int]
    files: dict[str, str] = field(repr=False)
    strays: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    contradictions: tuple[tuple[str, ...], ...] = ()
    near_duplicates: tuple[tuple[str, ...], ...] = ()
    sessions: int = 0

    def summary(self) -> dict[str, Any]:
        """Counts and the digest, without a name of any file."""
        lists = ("strays", "mismatched", "refused", "unreadable", "duplicates", "contradictions")
        return {
            "digest": self.digest,
            "found": self.found,
            "used": self.used,
            "by_label": self.by_label,
            **{name: len(getattr(self, name)) for name in lists},
            "near_duplicate_groups": len(self.near_duplicates),
            "images_in_near_duplicate_groups": sum(map(len, self.near_duplicates)),
            "largest_near_duplicate_group": max(map(len, self.near_duplicates), default=0),
            "near_duplicates_across_random_parts": self._share_across_random_parts(),
            "sessions": self.sessions,
        }

    def _share_across_random_parts(self) -> float:
        """Which share of a test part would have a near duplicate in the training part, were images dealt one by one."""
        stays_out = 1 - SHARES[0] / sum(SHARES)
        return sum(len(group) * (1 - stays_out ** (len(group) - 1)) for group in self.near_duplicates) / self.used

    def write(self, path: Path) -> None:
        """All of it as JSON, the SHA-256 of every file included."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False))


@dataclass(frozen=True)
class LabelledSet:
    """The images that can be used, and for each the number of its group: near duplicates and sessions share one."""

    images: tuple[LabelledImage, ...]
    groups: Groups
    report: DataReport

    @property
    def labels(self) -> list[str]:
        return [image.label for image in self.images]

    def split(self, *, seed: int, shares: tuple[float, float, float] = SHARES) -> Split:
        return split_by_group(self.labels, self.groups, seed=seed, shares=shares)

    def grouped_by_features(self, features: Floats) -> "LabelledSet":
        """The same with groups joined where `features` (N, F) of images are alike."""
        groups = joined(self.groups.tolist(), groups_by_features(features).tolist())
        return LabelledSet(self.images, groups, self.report)


def read_nffa(
    source: Path, scratch: Path, *, processes: int = 1, say: Say = print, limits: DataLimits = USUAL_LIMITS
) -> LabelledSet:
    """The images below a folder or in archives, see `nffa.find_nffa`. Raises DataRefused."""
    found = find_nffa(source, scratch, limits=limits)
    say(f"{len(found.images)} images found in {source.name}, {len(found.strays)} other files")
    return examine(
        found.images,
        processes=processes,
        say=say,
        strays=tuple(found.strays),
        mismatched=tuple(found.mismatched),
        refused=tuple(found.refused),
    )


def examine(
    images: Sequence[LabelledImage], *, processes: int = 1, say: Say = print, **left_aside: tuple[Any, ...]
) -> LabelledSet:
    """Read every image, in several processes, and keep those that are fit: readable, each picture once.

    Of equal pictures the first is kept; where their labels differ, none is. `left_aside` are lists for the report, by its
    names. Raises DataRefused when nothing is left.
    """
    looks = list(_looks(images, processes, say))
    readable = [place for place, look in enumerate(looks) if not look.fault]
    kept, duplicates, contradictions = _each_once(images, looks, readable)
    if not kept:
        raise DataRefused("no-images", "None of the images can be read.")
    used = [images[place] for place in kept]
    near = _near_duplicates([looks[place].hash for place in kept])
    sessions = [image.session for image in used]
    files = {image.key: looks[place].sha256 for place, image in zip(kept, used, strict=True)}
    report = DataReport(
        digest=_digest(files),
        found=len(images) + sum(len(names) for name, names in left_aside.items() if name != "strays"),
        used=len(used),
        by_label=dict(sorted(Counter(image.label for image in used).items())),
        files=files,
        unreadable=tuple((images[place].key, look.fault) for place, look in enumerate(looks) if look.fault),
        duplicates=duplicates,
        contradictions=contradictions,
        near_duplicates=tuple(tuple(used[place].key for place in group) for group in _of_several(near)),
        sessions=len({session for session in sessions if session}),
        **left_aside,
    )
    return LabelledSet(tuple(used), groups_with_sessions(near, sessions), report)


@dataclass(frozen=True)
class _Look:
    """One image seen: SHA-256 of its file and of its picture, its perceptual hash; or what is wrong with it."""

    sha256: str = ""
    picture: str = ""
    hash: bytes = b""
    fault: str = ""


def _look_at(image: LabelledImage) -> _Look:
    try:
        with image.open() as stream:
            pixels = read_picture(stream, image.key).pixels
            sha256 = _sha256(stream)
    except (UnreadableImage, OSError) as error:
        return _Look(fault=str(error))
    picture = hashlib.sha256(str(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes())
    return _Look(sha256, picture.hexdigest(), perceptual_hash(pixels))


def _sha256(stream: BinaryIO) -> str:
    stream.seek(0)
    digest = hashlib.sha256()
    while chunk := stream.read(_BYTES_AT_A_TIME):
        digest.update(chunk)
    return digest.hexdigest()


def _looks(images: Sequence[LabelledImage], processes: int, say: Say) -> Iterator[_Look]:
    for number, look in enumerate(_mapped(images, processes), 1):
        yield look
        if number % _TELLS_EVERY == 0:
            say(f"{number} of {len(images)} images looked at")


def _mapped(images: Sequence[LabelledImage], processes: int) -> Iterator[_Look]:
    if processes < 2:
        yield from map(_look_at, images)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_look_at, images, chunksize=_CHUNK)


def _each_once(
    images: Sequence[LabelledImage], looks: Sequence[_Look], readable: Iterable[int]
) -> tuple[list[int], tuple[tuple[str, str], ...], tuple[tuple[str, ...], ...]]:
    """Places of the images that are kept; pairs of a copy and the one that is kept; keys of equal ones of several labels."""
    equal: dict[str, list[int]] = {}
    for place in readable:
        equal.setdefault(looks[place].picture, []).append(place)
    kept, duplicates, contradictions = [], [], []
    for places in equal.values():
        if len({images[place].label for place in places}) > 1:
            contradictions.append(tuple(images[place].key for place in places))
            continue
        kept.append(places[0])
        duplicates += [(images[place].key, images[places[0]].key) for place in places[1:]]
    return kept, tuple(duplicates), tuple(contradictions)


def _near_duplicates(hashes: Sequence[bytes]) -> Groups:
    table: Hashes = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), BITS // 8)
    return groups_by_hash(table)


def _of_several(groups: Groups) -> Iterator[list[int]]:
    members: dict[int, list[int]] = {}
    for place, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(place)
    return (places for places in members.values() if len(places) > 1)


def _digest(files: dict[str, str]) -> str:
    lines = "".join(f"{sha256}  {key}\n" for key, sha256 in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
