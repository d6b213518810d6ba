"""Finds the labelled images of data in the layout of the NFFA-EUROPE SEM data set, in folders and in tar archives.

`<Category>/L<n>_<hash>.jpg`, the categories as in `labels.FOLDERS`; an archive holds such folders, or is named like a
category and holds its images (specification of the classifier, section 2). Archives are read where they are and never
unpacked: nothing that stands in them names a place on this machine. Images are not decoded here.
"""

import bz2
import gzip
import lzma
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from classifier.pipeline.errors import PipelineError
from classifier.pipeline.labels import FOLDERS, NAMES
from classifier.pipeline.reading import ReadLimits
from classifier.pipeline.training.images import FileSource, LabelledImage, TarMember

_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}
_LABEL_IN_NAME = re.compile(r"L(\d{1,3})_", re.IGNORECASE)
_PLAIN_TAR = ".tar"
_COMPRESSED: dict[str, Callable[[Path, str], Any]] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_CATEGORY_OF_FOLDER = {folder.lower(): name for folder, name in zip(FOLDERS, NAMES, strict=True)}
_CHUNK = 1024 * 1024


class DataRefused(PipelineError):
    """The data set as a whole cannot be used."""


@dataclass(frozen=True)
class DataLimits:
    """Of one archive: bytes once it is decompressed, how often it may grow by that, and members."""

    bytes: int = 200 * 1024**3
    growth: int = 20
    members: int = 1_000_000


USUAL_LIMITS = DataLimits()


@dataclass
class Found:
    """Images with a label, and what was left aside, by name: `strays` are no images or lie in no category's folder,
    `mismatched` tell one label by their name and another by their folder, `refused` is what no archive should hold."""

    images: list[LabelledImage] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def find_nffa(source: Path, scratch: Path, *, limits: DataLimits = USUAL_LIMITS) -> Found:
    """The images of a folder, of an archive, or of a folder of archives, in the order of their names.

    Compressed archives are decompressed into the folder `scratch`, where they must stay while the images are read. Raises
    DataRefused where there is nothing, and for an archive beyond the limits.
    """
    found = Found()
    if source.is_file():
        _add_archive(found, source, scratch, limits)
    elif source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_symlink():
                found.refused.append((path.relative_to(source).as_posix(), "a link"))
            elif path.is_file():
                _add_file(found, path, source, scratch, limits)
    if not found.images:
        raise DataRefused(
            "no-images",
            f"{source.name} holds no folders or archives named like the categories ({', '.join(FOLDERS)}) with images in them.",
        )
    found.images.sort(key=lambda image: image.key)
    return found


def _add_file(found: Found, path: Path, root: Path, scratch: Path, limits: DataLimits) -> None:
    if _is_archive(path):
        _add_archive(found, path, scratch, limits)
    else:
        name = path.relative_to(root)
        _sort_in(found, name.as_posix(), _category(name.parts[:-1] or (root.name,)), FileSource(path))


def _is_archive(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith((_PLAIN_TAR, ".tgz", *(f".tar{suffix}" for suffix in _COMPRESSED)))


def _add_archive(found: Found, path: Path, scratch: Path, limits: DataLimits) -> None:
    if not _is_archive(path):
        raise DataRefused("not-an-archive", f"{path.name} is neither a folder nor a tar archive.")
    plain = path if path.suffix.lower() == _PLAIN_TAR else _decompressed(path, scratch, limits)
    try:
        for number, member in enumerate(_members(plain)):
            if number >= limits.members:
                raise DataRefused("too-many-members", f"{path.name} holds more than {limits.members} members.")
            _add_member(found, member, path, plain)
    except (tarfile.TarError, EOFError) as error:
        found.refused.append((path.name, f"broken off or damaged ({error}); the images before that are used"))


def _members(path: Path) -> Iterator[tarfile.TarInfo]:
    """One by one, so that an archive of many members takes no memory."""
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            yield member
            archive.members = []  # type: ignore[attr-defined]


def _add_member(found: Found, member: tarfile.TarInfo, path: Path, plain: Path) -> None:
    name = PurePosixPath(member.name)
    key = f"{path.name}:{member.name}"
    if member.isdir():
        return
    if name.is_absolute() or ".." in name.parts:
        found.refused.append((key, "a place outside of the archive"))
    elif not member.isreg() or member.sparse is not None:
        found.refused.append((key, "a link, a device or a sparse file"))
    elif member.size > ReadLimits().bytes:
        found.refused.append((key, "too large for an image"))
    elif member.offset_data + member.size > plain.stat().st_size:
        found.refused.append((key, "the archive breaks off in it"))
    else:
        stem = path.name.split(".")[0]
        category = _category(name.parts[:-1]) or _category((stem,))
        _sort_in(found, key, category, TarMember(plain, member.offset_data, member.size))


def _category(folders: tuple[str, ...]) -> str | None:
    names = (folder.lower().replace(" ", "_").replace("-", "_") for folder in reversed(folders))
    return next((_CATEGORY_OF_FOLDER[name] for name in names if name in _CATEGORY_OF_FOLDER), None)


def _sort_in(found: Found, key: str, category: str | None, source: FileSource | TarMember) -> None:
    name = re.split(r"[/:]", key)[-1]
    stated = _LABEL_IN_NAME.match(name)
    if category is None or PurePosixPath(name).suffix.lower() not in _SUFFIXES or name.startswith("."):
        found.strays.append(key)
    elif stated and int(stated[1]) != NAMES.index(category):
        found.mismatched.append(key)
    else:
        found.images.append(LabelledImage(key, category, "", source))


def _decompressed(path: Path, scratch: Path, limits: DataLimits) -> Path:
    """A plain copy of a compressed archive. Raises DataRefused for one that grows beyond the limits, or is damaged."""
    scratch.mkdir(parents=True, exist_ok=True)
    plain = scratch / f"{path.name}.tar"
    allowed = min(limits.bytes, limits.growth * path.stat().st_size)
    written = 0
    with _COMPRESSED[path.suffix.lower()](path, "rb") as packed, plain.open("wb") as target:
        while chunk := _next_chunk(packed, path):
            written += len(chunk)
            if written > allowed:
                plain.unlink()
                raise DataRefused(
                    "archive-too-large", f"{path.name} grows to more than {allowed} bytes. It is not read."
                )
            target.write(chunk)
    return plain


def _next_chunk(packed: BinaryIO, path: Path) -> bytes:
    try:
        return packed.read(_CHUNK)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataRefused("damaged-archive", f"{path.name} cannot be decompressed: {error}.") from error
