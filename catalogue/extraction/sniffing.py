"""What kind of file is this? Decided by the first bytes; the extension is only a hint for formats without a mark.

The result names a reader of registry.py. Nothing is parsed here beyond what telling formats apart needs.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from catalogue.extraction import mrc, sidecars, text

HEAD_BYTES = 8_192

_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"BM", "picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xrm"),
    (b"###CBF", "cbf"),
    (b"II\x97\x01", "ser"),
)
# What an extension promises: to say so when the content is something else.
EXTENSIONS: dict[str, str] = {
    ".tif": "tiff", ".tiff": "tiff", ".png": "picture", ".jpg": "picture", ".jpeg": "picture", ".bmp": "picture",
    ".h5": "hdf5", ".hdf5": "hdf5", ".hdf": "hdf5", ".nxs": "hdf5", ".nx5": "hdf5", ".nexus": "hdf5", ".emd": "hdf5",
    ".cxi": "hdf5", ".mrc": "mrc", ".map": "mrc", ".mrcs": "mrc", ".st": "mrc", ".rec": "mrc", ".ali": "mrc",
    ".dm3": "dm", ".dm4": "dm", ".ser": "ser", ".xrm": "xrm", ".txrm": "xrm", ".txm": "xrm", ".edf": "edf",
    ".cbf": "cbf",
}  # fmt: skip
_UNMARKED_MRC = {".mrc", ".mrcs", ".st", ".rec", ".ali"}


def sniff(head: bytes, name: str) -> str | None:
    """The family of a file from its first HEAD_BYTES bytes, or None. `name` decides only for MRC without a mark."""
    for mark, family in _MARKS:
        if head.startswith(mark):
            return family
    if any(head[offset : offset + 8] == b"\x89HDF\r\n\x1a\n" for offset in (512, 1024, 2048, 4096)):
        return "hdf5"
    if _is_dm(head):
        return "dm"
    if head[208:212] == b"MAP " and mrc.is_header(head):
        return "mrc"
    if PurePath(name).suffix.lower() in _UNMARKED_MRC and mrc.is_header(head):
        return "mrc"
    return _sniff_text(head)


def _is_dm(head: bytes) -> bool:
    """Version 3 or 4 (big endian), length, then byte order 0 or 1, then the tag group's two flags."""
    if head[:4] == b"\x00\x00\x00\x03":
        return head[8:12] in (b"\x00\x00\x00\x00", b"\x00\x00\x00\x01")
    if head[:4] == b"\x00\x00\x00\x04":
        return head[12:16] in (b"\x00\x00\x00\x00", b"\x00\x00\x00\x01")
    return False


def _sniff_text(head: bytes) -> str | None:
    start = head.lstrip()[:200]
    if start.startswith(b"{") and re.search(rb"(HeaderID|ByteOrder|Dim_1)\s*=", head[:4096], re.IGNORECASE):
        return "edf"
    if re.match(rb"#[FSED] .*[\r\n]", head) and re.search(rb"^#[SEDO]\d* ", head, re.MULTILINE):
        return "spec"
    if start[:1] in {b"$", b"["} or head.startswith((b"\xff\xfe", b"\xef\xbb\xbf")):
        return "sidecar" if sidecars.maker_of(text.decode(head)) else None
    return None
