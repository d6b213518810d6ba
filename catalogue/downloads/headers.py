"""Headers of files that strangers may have written: names, types and digests that no browser can be tricked with."""

import base64
import re
from functools import lru_cache
from urllib.parse import quote

# RFC 6838 section 4.2, with a charset as the only parameter.
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_ACTIVE_TYPE = re.compile(r"html|svg|xml|xsl|script|flash|java|pdf|multipart|message/")
# RFC 5987 section 3.2.1, attr-char.
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"

NOTHING_RUNS = "sandbox; default-src 'none'; frame-ancestors 'none'"


def content_disposition(name: str) -> str:
    """`attachment` with both forms of RFC 6266: an ASCII name for old programs, and the exact one in UTF-8."""
    name = name.rpartition("/")[2]
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    exact = quote(name, safe=_ATTRIBUTE_CHARACTERS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


@lru_cache(maxsize=1000)
def safe_media_type(media_type: str) -> str:
    """The type as registered, but plain bytes for whatever a browser could run, and for what is no media type at all."""
    media_type = media_type.strip().lower()
    if not _MEDIA_TYPE.fullmatch(media_type) or _ACTIVE_TYPE.search(media_type):
        return "application/octet-stream"
    return media_type


def repr_digest(sha256: str) -> str:
    """The value of `Repr-Digest` (RFC 9530 section 3) of a digest in hex."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
