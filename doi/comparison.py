"""Whether DataCite has what was sent to it, and whether it still has what it accepted. Pure.

DataCite enriches what it gives back (empty lists, further names of types, prefixes). So after a lost answer what we said is
looked for in what it has; and what it has is compared by hash with what it had when it accepted, not with what was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalogue.interop.datacite import payload_hash

EMPTY: tuple[Any, ...] = (None, "", [], {})
# Names that are said in another place of the answer, or are no metadata.
NOT_COMPARED = frozenset({"doi", "event", "reason", "schemaVersion", "alternateIdentifiers"})
# Everything in an answer that is metadata: whoever changes one of these there, it is found.
METADATA = frozenset(
    "url contentUrl titles creators contributors publisher publicationYear container subjects dates language types"
    " relatedIdentifiers relatedItems sizes formats version rightsList descriptions geoLocations fundingReferences".split()
)
DIGITS = 32


@dataclass(frozen=True)
class Fingerprints:
    """Of one accepted payload: as it was sent (`ours`) and as DataCite then had it (`theirs`), empty where not known.

    The column `accepted_hash` holds both, each with the first 32 hexadecimal digits of its SHA-256.
    """

    ours: str = ""
    theirs: str = ""

    @classmethod
    def from_text(cls, text: str) -> "Fingerprints":
        return cls(text[:DIGITS].strip(), text[DIGITS:])

    def __str__(self) -> str:
        return f"{self.ours:{DIGITS}}{self.theirs}" if self.theirs else self.ours


def fingerprint_sent(attributes: Mapping[str, Any]) -> str:
    return payload_hash(attributes)[:DIGITS]


def fingerprint_found(attributes: Mapping[str, Any]) -> str:
    """Of the metadata in an answer of DataCite, whatever it counts, dates or leaves empty."""
    metadata = {name: _filled(attributes.get(name)) for name in METADATA}
    return payload_hash({name: value for name, value in metadata.items() if value not in EMPTY})[:DIGITS]


def differences(sent: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The names of attributes that were sent and are not what DataCite has, in alphabetical order."""
    return sorted(
        name for name, value in sent.items() if name not in NOT_COMPARED and not _holds(found.get(name), value)
    )


def _holds(found: Any, sent: Any) -> bool:
    if sent in EMPTY:
        return found in EMPTY
    if isinstance(sent, Mapping):
        return isinstance(found, Mapping) and all(_holds(found.get(name), value) for name, value in sent.items())
    if isinstance(sent, list):
        is_as_long = isinstance(found, list) and len(found) == len(sent)
        return is_as_long and all(_holds(theirs, ours) for theirs, ours in zip(found, sent, strict=True))
    return str(found) == str(sent)


def _filled(value: Any) -> Any:
    """`value` without what is empty in it."""
    if isinstance(value, Mapping):
        filled = {name: _filled(one) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one not in EMPTY}
    return [_filled(one) for one in value] if isinstance(value, list) else value
