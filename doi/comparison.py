"""Whether DataCite has what was sent to it. Pure.

DataCite enriches what it gives back (empty lists, further names of types, prefixes), so that what we said is looked for in
its answer, and what we left empty must be empty there.
"""

from collections.abc import Mapping
from typing import Any

# Names that are said in another place of the answer, or are no metadata.
NOT_COMPARED = frozenset({"doi", "event", "reason", "schemaVersion", "alternateIdentifiers"})


def differences(sent: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The names of attributes that were sent and are not what DataCite has, in alphabetical order."""
    return sorted(
        name for name, value in sent.items() if name not in NOT_COMPARED and not _holds(found.get(name), value)
    )


def _holds(found: Any, sent: Any) -> bool:
    if sent in (None, "", [], {}):
        return found in (None, "", [], {})
    if isinstance(sent, Mapping):
        return isinstance(found, Mapping) and all(_holds(found.get(name), value) for name, value in sent.items())
    if isinstance(sent, list):
        is_as_long = isinstance(found, list) and len(found) == len(sent)
        return is_as_long and all(_holds(theirs, ours) for theirs, ours in zip(found, sent, strict=True))
    return str(found) == str(sent)
