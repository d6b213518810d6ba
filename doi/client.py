"""The one door to DataCite: names are written and read here, and every failure gets one of three meanings.

Refused: not accepted, and not accepted by trying again. TryLater: nothing was changed, or the same PUT may be sent again.
UnknownOutcome: a write was sent and no answer came, so the caller reads and compares. What is written, when, and what
follows from it is decided elsewhere; nothing here knows the database.

The package `datacite` knows addresses and bodies of the API. Its transport has neither a time limit nor headers, follows
redirects and takes a PUT that creates (201) for a failure, so that `_OneRequest` stands in its place.
"""

import functools
import json
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

import httpx
from datacite import DataCiteRESTClient
from datacite.request import DataCiteRequest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from catalogue.circuit import Circuit, circuit_of
from catalogue.storages.http import trusted_authorities

MAX_ANSWER_BYTES = 8 << 20
LONGEST_WAIT = timedelta(days=1)
STATES = {"draft", "registered", "findable"}
# 422 about one of these is about the site's settings, not about what an author typed.
OUR_SOURCES = {"doi", "url", "xml", "schema_version"}
_BUSY = {408, 425, 429}
_POSITION = re.compile(r"\s+at line \d+, column \d+\.?$")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Accepted:
    """A name as DataCite has it. `registered` may be None for a while after publishing; nothing may depend on it.

    `attributes` are those of the answer (JSON:API), with publisher and affiliations as objects.
    """

    doi: str
    state: str
    url: str | None
    attributes: dict[str, Any]
    registered: datetime | None


@dataclass(frozen=True)
class Problem:
    """`source` is an attribute as DataCite's errors name it (`publication_year`), or empty; `title` is for people."""

    source: str
    title: str


class DataCiteError(Exception):
    """Any failure; the text is for people and holds neither credentials nor the address."""


class Refused(DataCiteError):
    """Trying again changes nothing. `is_our_fault`: the operator can help, the author cannot."""

    def __init__(self, problems: tuple[Problem, ...], *, is_our_fault: bool = False) -> None:
        self.problems = problems
        self.is_our_fault = is_our_fault
        listed = "; ".join(f"{problem.source}: {problem.title}".removeprefix(": ") for problem in problems)
        super().__init__(f"DataCite refuses this: {listed}")


class CredentialsRefused(Refused):
    """The user name or password of the site is wrong."""

    def __init__(self) -> None:
        problem = Problem("", "it does not know this site's user name and password (DATACITE_USER, DATACITE_PASSWORD)")
        super().__init__((problem,), is_our_fault=True)


class TryLater(DataCiteError):
    """Worth another try, not before `retry_after` where DataCite named a time."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CircuitOpen(TryLater):
    """Nothing was sent: DataCite failed several times just now and is left alone for `retry_after`."""


class UnknownOutcome(DataCiteError):
    """A write was sent, and whether it was done is not known."""


class _Missing(Exception):
    """404 for a name that was read."""


class _BrokenAnswer(Exception):
    """A success whose body cannot be understood."""


class DataCiteClient:
    """Requests to one DataCite service for one repository account. Safe to use by several threads.

    `timeout` is seconds: for connecting, for each piece of an answer, and for the whole of its body.
    """

    def __init__(
        self, url: str, user: str, password: str, *, timeout: float = 10.0, circuit: Circuit | None = None
    ) -> None:
        _check_address(url)
        self._rest = _RESTClient(user, password, prefix="", url=url, timeout=timeout)
        self._circuit = circuit or circuit_of("datacite", url, user)

    def put(self, doi: str, attributes: dict[str, Any]) -> Accepted:
        """Create or change a name (PUT /dois/:id); attributes that are not sent stay. May raise every error above."""
        payload = {"type": "dois", "attributes": attributes}
        return self._guarded(lambda: _written(lambda: _accepted(doi, self._rest.put_doi(_path_of(doi), payload))))

    def get(self, doi: str) -> Accepted | None:
        """A name with our credentials; None when it does not exist. Never raises UnknownOutcome."""
        return self._guarded(lambda: _read(lambda: _accepted(doi, self._rest.get_metadata(_path_of(doi)))))

    def heartbeat(self) -> bool:
        """Whether the service answers at all. Neither asks the circuit nor tells it."""
        try:
            return bool(self._rest._create_request().get("heartbeat", headers={"Accept": "text/plain"}).text)
        except (DataCiteError, _Missing, _BrokenAnswer, httpx.HTTPError):
            return False

    def _guarded(self, call: Callable[[], Result]) -> Result:
        if remaining := self._circuit.enter():
            raise CircuitOpen(
                f"DataCite does not answer; it is asked again in {remaining:.0f} s. Last: {self._circuit.last_failure}",
                timedelta(seconds=remaining),
            )
        try:
            answer = call()
        except (TryLater, UnknownOutcome) as error:
            self._circuit.record_failure(error)
            raise
        except Refused:
            self._circuit.record_success()
            raise
        self._circuit.record_success()
        return answer


def client_from_settings(timeout: float | None = None) -> DataCiteClient:
    """The client of this site; all of a process share one circuit. Raises ImproperlyConfigured without DATACITE_URL."""
    if not settings.DATACITE_URL:
        raise ImproperlyConfigured("DATACITE_URL is empty: this site has no DOIs.")
    return DataCiteClient(
        settings.DATACITE_URL,
        settings.DATACITE_USER,
        settings.DATACITE_PASSWORD,
        timeout=settings.DATACITE_TIMEOUT if timeout is None else timeout,
    )


def _check_address(url: str) -> None:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise ImproperlyConfigured("DATACITE_URL is not an address.") from None
    if address.scheme not in {"http", "https"} or not address.host or address.userinfo or address.query:
        raise ImproperlyConfigured("DATACITE_URL is an http(s) address without credentials and query.")


def _written(call: Callable[[], Accepted]) -> Accepted:
    try:
        return call()
    except _Missing:
        raise Refused((Problem("", "it has no such resource"),), is_our_fault=True) from None
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise TryLater(f"DataCite cannot be reached ({type(error).__name__}).") from None
    except httpx.TimeoutException:
        raise UnknownOutcome("DataCite did not answer in time; whether it accepted is not known yet.") from None
    except (httpx.HTTPError, httpx.StreamError, _BrokenAnswer, ValueError, KeyError, TypeError, AttributeError):
        raise UnknownOutcome("DataCite's answer was lost or broken; whether it accepted is not known yet.") from None


def _read(call: Callable[[], Accepted]) -> Accepted | None:
    try:
        return call()
    except _Missing:
        return None
    except httpx.TimeoutException:
        raise TryLater("DataCite did not answer in time.") from None
    except httpx.HTTPError as error:
        raise TryLater(f"DataCite cannot be reached ({type(error).__name__}).") from None
    except (httpx.StreamError, _BrokenAnswer, ValueError, KeyError, TypeError, AttributeError):
        raise TryLater("DataCite's answer was broken.") from None


def _path_of(doi: str) -> str:
    return quote(doi, safe="/-._;():*~$=")


def _accepted(doi: str, attributes: dict[str, Any]) -> Accepted:
    """Raises _BrokenAnswer, or what comes of reading a document of another shape."""
    if attributes["doi"].lower() != doi.lower() or attributes["state"] not in STATES:
        raise _BrokenAnswer
    registered = attributes.get("registered")
    return Accepted(
        doi=attributes["doi"].lower(),
        state=attributes["state"],
        url=attributes.get("url"),
        attributes=attributes,
        registered=datetime.fromisoformat(registered).astimezone(UTC) if registered else None,
    )


@dataclass(frozen=True)
class _Answer:
    """What the package reads of an answer."""

    status_code: int
    headers: httpx.Headers
    text: str

    def json(self) -> Any:
        """Raises ValueError for anything but JSON."""
        try:
            return json.loads(self.text)
        except RecursionError:
            raise ValueError("nested too deep") from None


class _RESTClient(DataCiteRESTClient):
    def _create_request(self) -> "_OneRequest":
        # Otherwise affiliations and the publisher come back as bare names, and nothing compares equal.
        as_objects = {"affiliation": "true", "publisher": "true"}
        return _OneRequest(self.api_url, self.username, self.password, as_objects, self.timeout)


class _OneRequest(DataCiteRequest):
    """One request on a connection of its own. Returns successes only; raises httpx.HTTPError and what is above."""

    def request(
        self,
        url: str,
        method: str = "GET",
        body: str | None = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> _Answer:
        with httpx.Client(
            auth=httpx.BasicAuth(self.username, self.password),
            headers={"Accept": "application/vnd.api+json", "Accept-Encoding": "identity", "User-Agent": "faircat"},
            verify=_tls_context(trusted_authorities()),
            timeout=self.timeout,
            follow_redirects=False,
            trust_env=False,
        ) as session:
            asked = {**self.default_params, **(params or {})}
            with session.stream(method, self.base_url + url, content=body, params=asked, headers=headers) as response:
                answer = _Answer(response.status_code, response.headers, _body(response, self.timeout))
        if answer.status_code not in (200, 201):
            _raise_for(answer)
        # The package takes 200 alone for a success of PUT.
        return _Answer(200, answer.headers, answer.text)


@functools.cache
def _tls_context(authorities: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities)


def _body(response: httpx.Response, timeout: float) -> str:
    """The body within the time and size; beyond them it counts as broken. Of a refusal or failure, what arrived."""
    deadline = time.monotonic() + timeout
    received = b""
    try:
        for piece in response.iter_raw():
            received += piece
            if len(received) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                raise _BrokenAnswer
    except (_BrokenAnswer, httpx.HTTPError):
        if response.is_success:
            raise
    return received.decode("utf-8", errors="replace")


def _raise_for(answer: _Answer) -> NoReturn:
    status = answer.status_code
    if status >= 500 or status in _BUSY:
        raise TryLater(f"DataCite is busy or out of order (it answers {status}).", _retry_after(answer.headers))
    if 200 <= status < 300:
        raise _BrokenAnswer
    errors = _errors(answer)
    if errors is None and status != 422:
        # Not in DataCite's form, so it comes from something between us: a proxy, a portal, a page of maintenance.
        raise TryLater(f"Something else than DataCite answers at its address (it answers {status}).")
    if status == 404:
        raise _Missing
    if status == 401:
        raise CredentialsRefused
    problems = tuple(errors or ()) or (Problem("", f"it gives no reason ({status})"),)
    is_ours = status != 422 or all(problem.source in OUR_SOURCES for problem in problems)
    raise Refused(problems, is_our_fault=is_ours)


def _errors(answer: _Answer) -> list[Problem] | None:
    """The problems of an error document; None when it is no such document."""
    try:
        errors = answer.json()["errors"]
        errors = [errors] if isinstance(errors, dict) else errors
        return [Problem(str(error.get("source") or ""), _words(str(error["title"]))) for error in errors]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _words(title: str) -> str:
    """Without the name and the position in an XML that nobody here has seen."""
    bare = re.sub(r"^DOI \S+: ", "", title)
    return _POSITION.sub("", bare).strip()[:1000]


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """Seconds or a date (RFC 9110, 10.2.3), at most a day."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    wait = date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)
    return max(timedelta(), min(wait, LONGEST_WAIT))
