"""What a harvester may ask: the verbs with their arguments, and the errors of the protocol. No database and no HTTP.

Source: OAI-PMH 2.0, sections 3.2 (requests), 3.6 (errors), 2.7 (datestamps and granularity) and 4 (verbs).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalogue.interop.xml_text import NOT_IN_XML

_FITTING = r"[A-Za-z0-9\-_.!~*'()]+"
_PREFIX = re.compile(_FITTING)
_SET_SPEC = re.compile(f"{_FITTING}(:{_FITTING})*")
# What libxml2 and Xerces take for a URI (RFC 3986); anything else would make the echo of the request invalid.
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")


class ProtocolError(Exception):
    """A refusal in the protocol's own terms, answered with status 200. `code` is one of section 3.6."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def hides_arguments(self) -> bool:
        """Whether the answer must not repeat the arguments, since they are no arguments of the protocol."""
        return self.code in ("badVerb", "badArgument")


@dataclass(frozen=True)
class _Verb:
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    has_token: bool = False

    @property
    def arguments(self) -> frozenset[str]:
        return self.required | self.optional | ({"resumptionToken"} if self.has_token else frozenset())


_LIST = _Verb(frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), has_token=True)
VERBS: Mapping[str, _Verb] = {
    "Identify": _Verb(),
    "ListMetadataFormats": _Verb(optional=frozenset({"identifier"})),
    "ListSets": _Verb(has_token=True),
    "GetRecord": _Verb(required=frozenset({"identifier", "metadataPrefix"})),
    "ListIdentifiers": _LIST,
    "ListRecords": _LIST,
}


@dataclass(frozen=True)
class Question:
    """A request that keeps the protocol. `arguments` as they were sent, without the verb."""

    verb: str
    arguments: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.arguments.get(name, "")


@dataclass(frozen=True)
class Span:
    """The datestamps that are asked for: `since` <= datestamp < `before`, in UTC; None is no bound."""

    since: datetime | None = None
    before: datetime | None = None


def read_question(values: Mapping[str, Sequence[str]]) -> Question:
    """The question in the arguments of a request, each name with all its values. Raises ProtocolError."""
    named = values.get("verb", ())
    if len(named) != 1 or named[0] not in VERBS:
        raise ProtocolError("badVerb", f"Give one verb of these: {', '.join(VERBS)}.")
    verb = VERBS[named[0]]
    arguments = {name: texts[0] for name, texts in values.items() if name != "verb" and texts}
    for name, texts in values.items():
        if len(texts) != 1:
            raise ProtocolError("badArgument", f"The argument {_shown(name)} is given more than once.")
        if name != "verb" and name not in verb.arguments:
            raise ProtocolError("badArgument", f"{named[0]} has no argument {_shown(name)}.")
    if "resumptionToken" in arguments:
        if len(arguments) > 1:
            raise ProtocolError("badArgument", "With a resumptionToken no other argument may be given.")
    elif missing := verb.required - set(arguments):
        raise ProtocolError("badArgument", f"{named[0]} needs the argument {' and '.join(sorted(missing))}.")
    _check_forms(arguments)
    return Question(named[0], arguments)


def _check_forms(arguments: Mapping[str, str]) -> None:
    forms = {"metadataPrefix": _PREFIX, "set": _SET_SPEC, "identifier": _IDENTIFIER}
    for name, form in forms.items():
        if name in arguments and not form.fullmatch(arguments[name]):
            raise ProtocolError("badArgument", f"This is no {name}.")
    span_of(arguments)


def _shown(name: str) -> str:
    return NOT_IN_XML.sub("", name)[:60]


def span_of(arguments: Mapping[str, str]) -> Span:
    """From `from` and `until`, which are both inclusive and both days or both seconds."""
    since, until = arguments.get("from"), arguments.get("until")
    if since is not None and until is not None and len(since) != len(until):
        raise ProtocolError("badArgument", "from and until must both be days or both be seconds.")
    first = _moment("from", since) if since is not None else None
    last = _moment("until", until) if until is not None else None
    if first and last and first > last:
        raise ProtocolError("badArgument", "from is later than until.")
    return Span(first, _after(last, is_day=len(until or "") == len("2026-01-31")) if last else None)


def _moment(name: str, text: str) -> datetime:
    """A day is its first second."""
    if _DATE.fullmatch(text):
        try:
            return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise ProtocolError("badArgument", f"{name} must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.")


def _after(last: datetime, *, is_day: bool) -> datetime | None:
    """The first moment that is not in the last day or second; None at the end of the calendar."""
    try:
        return last + (timedelta(days=1) if is_day else timedelta(seconds=1))
    except OverflowError:
        return None


def datestamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"
