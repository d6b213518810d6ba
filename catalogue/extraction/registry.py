"""The one table of readers, and `extract`, which never raises for what a file contains.

To add a family: a module with `read(source, draft)`, a line here, a mark in sniffing.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import PurePath
from typing import NamedTuple

from catalogue.extraction import (
    fabio_images,
    mrc,
    nexus,
    pictures,
    sidecars,
    spec,
    tem_gpl,
    tiff,
    xrm,
)
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import Extraction, Limits, UnreadableFile
from catalogue.extraction.sniffing import EXTENSIONS, HEAD_BYTES, sniff
from catalogue.extraction.source import SourceFile


class Reader(NamedTuple):
    """How one family is read, and what it is called before its content says more."""

    read: Callable[[SourceFile, Draft], None]
    format_label: str
    media_type: str


READERS: dict[str, Reader] = {
    "tiff": Reader(tiff.read, "TIFF image", "image/tiff"),
    "picture": Reader(pictures.read, "Picture", "application/octet-stream"),
    "hdf5": Reader(nexus.read, "HDF5", "application/x-hdf5"),
    "mrc": Reader(mrc.read, "MRC / CCP4 map", "application/x-mrc"),
    "dm": Reader(tem_gpl.read_dm, "Gatan DigitalMicrograph", "application/x-digitalmicrograph"),
    "ser": Reader(tem_gpl.read_ser, "TIA series", "application/x-tia-ser"),
    "xrm": Reader(xrm.read, "X-ray microscope image (Xradia)", "application/x-xradia"),
    "spec": Reader(spec.read, "SPEC scans", "text/x-spec"),
    "edf": Reader(fabio_images.read_edf, "EDF detector image", "application/x-edf"),
    "cbf": Reader(fabio_images.read_cbf, "CBF detector image", "application/x-cbf"),
    "sidecar": Reader(sidecars.read, "SEM side-car", "text/plain"),
}
_PICTURES = {
    b"\x89P": ("PNG picture", "image/png"),
    b"\xff\xd8": ("JPEG picture", "image/jpeg"),
    b"BM": ("BMP picture", "image/bmp"),
}


def extract(source: SourceFile, limits: Limits | None = None) -> Extraction:
    """Read one file. Whatever is wrong with it becomes a note; what could be read is kept."""
    limits = limits or Limits()
    draft = Draft(limits, "unknown", "Unrecognised file", "application/octet-stream")
    try:
        with source.open() as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        draft.note("file-unreadable", f"The file could not be opened ({type(error).__name__}).")
        return draft.build()
    family = sniff(head, source.name)
    _compare_with_extension(family, head, source.name, draft)
    if family is not None:
        reader = READERS[family]
        draft.identify(family, *(_PICTURES.get(head[:2]) or reader[1:] if family == "picture" else reader[1:]))
        _run(reader, source, draft)
    return draft.build()


def _run(reader: Reader, source: SourceFile, draft: Draft) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(source, draft)
    except UnreadableFile as error:
        draft.note(error.code, error.message)
    except MemoryError:
        draft.note("extraction-memory", "Reading this file needs more memory than a file may use; it was stopped.")
    except RecursionError:
        draft.note("extraction-depth", "The file is nested more deeply than can be read.")
    except Exception as error:  # a damaged file may raise anything in any library
        draft.note(
            "extraction-failed",
            f"The file could not be read completely ({type(error).__name__}); it may be damaged. What was found is kept.",
        )


def _compare_with_extension(family: str | None, head: bytes, name: str, draft: Draft) -> None:
    promised = EXTENSIONS.get(PurePath(name).suffix.lower())
    if not head:
        draft.note("empty-file", "The file is empty.")
    elif family is None and promised is not None:
        draft.note(
            "content-unrecognised",
            f"The name {name!r} promises {READERS[promised].format_label}, but the content is something else.",
        )
    elif family is None:
        draft.note("content-unrecognised", "No reader knows this kind of file. It is registered without metadata.")
    elif promised is not None and promised != family:
        draft.note(
            "extension-mismatch",
            f"The name {name!r} promises {READERS[promised].format_label},"
            f" but the content is {READERS[family].format_label} and was read as that.",
        )
