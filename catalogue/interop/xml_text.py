"""Text for XML 1.0 that is written as text: what XML cannot hold is left out, what it gives a meaning to is escaped.

Nothing here knows a schema. Writing text is several times faster than building a tree, which counts when all records are harvested.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

# What XML 1.0 cannot hold (section 2.2), and the carriage return that it would turn into a line feed.
NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def without_illegal(text: str) -> str:
    """The text without characters that XML cannot hold; line ends are line feeds."""
    # Whatever can be printed XML can hold, and Python tells that faster than the pattern does.
    return text if text.isprintable() else NOT_IN_XML.sub("", text.replace("\r\n", "\n"))


def escaped(text: str) -> str:
    """The text as the content of an element."""
    if not text.isprintable():
        text = without_illegal(text)
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


# The same few names and addresses of vocabularies stand in every record.
@lru_cache(maxsize=5000)
def quoted(text: str) -> str:
    """The text as the value of an attribute in double quotes. Line ends and tabs are kept as they are."""
    return escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def element(name: str, text: str) -> str:
    """Nothing where the text is empty."""
    return f"<{name}>{escaped(text)}</{name}>" if text else ""


def elements(name: str, texts: Iterable[str]) -> str:
    """One element for each text that is not empty."""
    return "".join([f"<{name}>{escaped(text)}</{name}>" for text in texts if text])


# People, subjects, dates and rights are those of many records that are harvested one after the other.
@lru_cache(maxsize=5000)
def shared_elements(name: str, *texts: str) -> str:
    """`elements` of what other records say too."""
    return elements(name, texts)
