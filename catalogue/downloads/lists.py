"""Lists of files for the tools that people download with. Pure: from names and digests to lines of text."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

NOT_COMPUTED = "not-computed-yet"
# What `quote` leaves as it is, which takes it several times longer to find out.
_PLAIN = re.compile(r"[\w.~/-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """`name` is where the file is to be put, `url` where it comes from, `sha256` in hex or empty."""

    name: str
    url: str
    sha256: str


def file_url(record_url: str, name: str) -> str:
    return f"{record_url}/files/{name if _PLAIN.fullmatch(name) else quote(name, safe='/')}"


def sha256_lines(files: Iterable[ListedFile]) -> Iterator[str]:
    """The format of `sha256sum --check`. A file without a digest is a comment, which that program skips."""
    for file in files:
        yield f"{file.sha256}  {file.name}\n" if file.sha256 else f"# {NOT_COMPUTED}  {file.name}\n"


def aria2_lines(files: Iterable[ListedFile]) -> Iterator[str]:
    """The format of `aria2c --input-file` (aria2 manual, "Input File"): it checks the digests by itself."""
    for file in files:
        checksum = f"  checksum=sha-256={file.sha256}\n" if file.sha256 else ""
        yield f"{file.url}\n  out={file.name}\n{checksum}"


def rclone_lines(files: Iterable[ListedFile]) -> Iterator[str]:
    """The CSV of `rclone copyurl --urls`: URL, file name."""
    for file in files:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([file.url, file.name])
        yield line.getvalue()


LISTS = {"sha256": sha256_lines, "aria2": aria2_lines, "rclone": rclone_lines}
