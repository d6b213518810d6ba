"""Hides who people are, in records and texts, from those who came by a share link that says so. Pure functions.

What is hidden: people as such, their affiliations and ORCID iDs, relations (a paper tells who wrote it), and in every text the
names, addresses and account names of those given. Hiding too much is no fault; file contents are beyond its reach.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from catalogue.access import Principal

R = TypeVar("R")

BLANK = "…"
ANYWHERE_FROM = 5
LETTER = r"[^\W\d_]"
BETWEEN = r"[\s_.,'’-]*"
KEY_MARK = "~"
KEY_OF_FILE = re.compile(r"~([0-9]{1,18})(?:\.[^/.]*)?$")
GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "å": "aa"}
)
PLAIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})
# Fields that name people, or things that lead to people.
DROPPED = {"people", "creators", "contributors", "relations", "related", "fundings"}
# Fields that hold codes of ours, and things that belong to the facility.
KEPT = {
    "kind", "sha256", "media_type", "fixity", "extraction_state", "source", "unit", "unit_si", "level", "code",
    "path", "doi", "concept_doi", "state", "facility", "instrument", "licence", "techniques", "subjects", "licence_id",
    "language", "investigation_type",
}  # fmt: skip


@dataclass(frozen=True)
class HiddenPerson:
    """Somebody whose name is not to be read. `others` are what else names them: ORCID iD, e-mail address, account name."""

    family_name: str = ""
    given_name: str = ""
    others: tuple[str, ...] = ()


def shown_to(record: R, principal: "Principal") -> R:
    """`record` as `principal` may see it: every record passes here on its way out of the selectors."""
    return anonymised(record, principal.hidden_people) if principal.hides_people else record


def text_for(text: str, principal: "Principal") -> str:
    """A text that is no part of a record, such as the name of an archive."""
    return redacted(text, principal.hidden_people) if principal.hides_people else text


def file_name_for(name: str, key: int, principal: "Principal") -> str:
    """The name of a file as `principal` may read it; where something is hidden, its primary key keeps it apart."""
    shown = text_for(name, principal)
    if shown == name:
        return name
    stem, dot, ending = shown.rpartition(".")
    return f"{stem}{KEY_MARK}{key}.{ending}" if dot and "/" not in ending else f"{shown}{KEY_MARK}{key}"


def key_of_file(name: str) -> int | None:
    """The primary key in a name that `file_name_for` made."""
    found = KEY_OF_FILE.search(name)
    return int(found[1]) if found else None


def anonymised(record: R, people: Collection[HiddenPerson]) -> R:
    """A frozen record without its people, relations, and the names of `people` and its own people in its texts."""
    own = {HiddenPerson(one.family_name, one.given_name, (one.orcid,)) for one in getattr(record, "people", ())}
    return _without(record, frozenset({*people, *own}))


def redacted(text: str, people: Collection[HiddenPerson]) -> str:
    """`text` with an ellipsis in the place of every name of `people`."""
    pattern = _pattern(frozenset(people))
    return pattern.sub(BLANK, unicodedata.normalize("NFC", text)) if pattern else text


def _without(value: Any, people: frozenset[HiddenPerson]) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return redacted(value, people)
    if isinstance(value, tuple | list):
        return type(value)(_without(one, people) for one in value)
    if isinstance(value, Mapping):
        return {name: one if name in KEPT else _without(one, people) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _field(value, one.name, people) for one in fields(value)})
    return value


def _field(record: Any, name: str, people: frozenset[HiddenPerson]) -> Any:
    value = getattr(record, name)
    if name == "hides_people":
        return True
    if name in DROPPED:
        return ()
    if name == "doi" and not hasattr(record, "number"):
        return ""  # DataCite tells the authors; a collection, which has a number, is found by its DOI
    return value if name in KEPT else _without(value, people)


@lru_cache(maxsize=64)
def _pattern(people: frozenset[HiddenPerson]) -> re.Pattern[str] | None:
    """One pattern for all names, the longest first; None where there is nobody to hide."""
    found = {part for person in people for part in _parts(person)}
    return re.compile("|".join(sorted(found, key=lambda part: (-len(part), part)))) if found else None


def _parts(person: HiddenPerson) -> Iterator[str]:
    families, givens = _spellings(person.family_name), _spellings(person.given_name)
    for family, given in zip(families, givens, strict=False):
        yield f"(?i:{_joined(given)}{BETWEEN}{_joined(family)}|{_joined(family)}{BETWEEN}{_joined(given)})"
    for family in families:
        yield _name(family)
        yield from (_name(part) for part in _words(family) if len(part) > 3)
    for given in givens:
        yield from (_whole_word(part) for part in {given, *_words(given)} if len(part) > 2)
    for other in person.others:
        yield from _identifier(other.strip())


def _spellings(name: str) -> tuple[str, ...]:
    """A name with its accents, without them, and as Germans write it where there are none."""
    name = unicodedata.normalize("NFC", name).strip()
    plain = "".join(c for c in unicodedata.normalize("NFD", name.translate(PLAIN)) if not unicodedata.combining(c))
    return (name, plain, name.translate(GERMAN)) if name else ()


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\s.'’-]+", name) if word]


def _joined(name: str) -> str:
    return BETWEEN.join(re.escape(word) for word in _words(name))


def _name(name: str) -> str:
    """A family name: a long one within other words too (`JMeier_01.tif`), a short one as a word, a very short one as written."""
    joined = _joined(name)
    initials = rf"(?:(?<!{LETTER}){LETTER}\.\s*)*"
    if len(name) >= ANYWHERE_FROM:
        return f"{initials}(?i:{joined})"
    if len(name) > 2:
        return rf"{initials}(?<!{LETTER}{LETTER}{LETTER})(?i:{joined})(?!{LETTER})"
    return f"{initials}{_whole_word(name)}"


def _whole_word(name: str) -> str:
    return rf"(?<!{LETTER})(?:{_joined(name)}|{_joined(name.upper())})(?!{LETTER})"


def _identifier(text: str) -> Iterator[str]:
    """An ORCID iD with or without hyphens, an e-mail address and what stands before its @, or the name of an account."""
    if len(text) < 2:
        return
    word = BETWEEN.join(re.escape(part) for part in re.split(r"[-._]+", text) if part)
    yield rf"(?<![^\W_])(?i:{word})(?![^\W_])"
    local, at, _ = text.partition("@")
    if at:
        yield from _identifier(local)
