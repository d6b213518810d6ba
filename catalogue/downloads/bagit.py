"""The tag files of a bag. Pure: from names, sizes and digests to bytes.

Source: RFC 8493, The BagIt File Packaging Format (V1.0). There is no Bagging-Date: the same contents give the same bytes.
"""

import re
from collections.abc import Iterable, Iterator

DECLARATION_NAME, INFO_NAME = "bagit.txt", "bag-info.txt"
MANIFEST_NAME, TAG_MANIFEST_NAME = "manifest-sha256.txt", "tagmanifest-sha256.txt"
PAYLOAD = "data/"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
LONGEST_VALUE = 2000
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
# Section 2.1.3: these characters, and only these, are percent-encoded in a manifest.
_ENCODED = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})


def bag_info(values: Iterable[tuple[str, str]]) -> bytes:
    """`bag-info.txt` (section 2.2.2) of (label, value); a value is one line, an empty one is left out."""
    lines = ((label, _NOT_IN_A_VALUE.sub(" ", value).strip()[:LONGEST_VALUE]) for label, value in values)
    return "".join(f"{label}: {value}\n" for label, value in lines if value).encode()


def payload_oxum(sizes: Iterable[int]) -> str:
    """Octets and streams of the payload, such as "4096.3"."""
    found = list(sizes)
    return f"{sum(found)}.{len(found)}"


def manifest_lines(files: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """A manifest (section 2.1.3) of (path within the bag, SHA-256 in hex)."""
    for path, sha256 in files:
        yield f"{sha256}  {path.translate(_ENCODED)}\n".encode()
