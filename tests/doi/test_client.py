"""The door to DataCite: what each good, bad and odd answer becomes, against the stand-in and against scripted bytes."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from catalogue.circuit import Circuit
from doi.client import (
    MAX_ANSWER_BYTES,
    Accepted,
    CircuitOpen,
    CredentialsRefused,
    DataCiteClient,
    DataCiteError,
    Problem,
    Refused,
    TryLater,
    UnknownOutcome,
    client_from_settings,
)
from doi.standin.faults import Fault
from tests.doi.metadata import LANDING_PAGE, complete
from tests.servers import DataCiteServer, ScriptedServer, certificate_for, closed_port, datacite_server, http_answer

DOI = "10.5072/abc"
PASSWORD = "s3cr3t: p4ssw0rd"


@pytest.fixture
def client(datacite: DataCiteServer) -> DataCiteClient:
    return client_from_settings(timeout=2)


@contextmanager
def answering(*answers: bytes | None, timeout: float = 2, circuit: Circuit | None = None) -> Iterator[DataCiteClient]:
    """A client of a server that sends these bytes."""
    with ScriptedServer(list(answers)).running() as server:
        client = DataCiteClient(server.url, "A.B", PASSWORD, timeout=timeout, circuit=circuit or Circuit(limit=100))
        client.requests = server.requests
        yield client


def name_document(**changed) -> bytes:
    attributes = {"doi": DOI, "state": "draft", "url": None, "registered": None} | changed
    return json.dumps({"data": {"id": DOI, "type": "dois", "attributes": attributes}}).encode()


def test_a_name_is_reserved_published_and_changed_by_the_same_call(client: DataCiteClient, datacite: DataCiteServer):
    reserved = client.put(DOI, complete())
    published = client.put(DOI, {"event": "publish"})
    changed = client.put(DOI, {"titles": [{"title": "Corrected"}]})

    assert (reserved.doi, reserved.state, reserved.url, reserved.registered) == (DOI, "draft", LANDING_PAGE, None)
    assert published.state == changed.state == "findable"
    assert changed.attributes["titles"] == [{"title": "Corrected"}]
    assert datacite.log()["dois"] == {DOI: {"writes": 3, "creations": 1, "mints": 1}}


def test_publisher_and_affiliations_come_back_as_they_were_sent(client: DataCiteClient):
    affiliation = {
        "name": "University",
        "affiliationIdentifier": "https://ror.org/02nr0ka47",
        "affiliationIdentifierScheme": "ROR",
    }
    sent = complete(creators=[{"name": "Curie", "affiliation": [affiliation]}])
    client.put(DOI, sent)

    found = client.get(DOI)

    assert found is not None
    assert found.attributes["creators"][0]["affiliation"] == [affiliation]
    assert found.attributes["publisher"] == sent["publisher"]


def test_what_is_sent_is_not_changed_by_sending_it(client: DataCiteClient):
    sent = complete(event="publish")
    client.put(DOI, sent)
    assert sent == complete(event="publish")


def test_drafts_are_read_with_our_credentials_and_missing_names_are_none(client: DataCiteClient):
    assert client.get(DOI) is None
    client.put(DOI, {})
    found = client.get(DOI.upper())
    assert isinstance(found, Accepted) and found.doi == DOI and found.state == "draft"


def test_the_time_of_registration_may_come_later(client: DataCiteClient):
    assert client.put(DOI, complete(event="publish")).registered is None
    first, second = client.get(DOI), client.get(DOI)
    assert first is not None and first.registered is None
    assert second is not None and second.registered is not None
    assert second.registered.tzinfo is UTC


def test_names_with_every_allowed_character_arrive(client: DataCiteClient):
    odd = "10.5072/a-b._;()/:*~$=z"
    assert client.put(odd, {}).doi == odd
    assert client.get(odd) is not None


def test_a_refusal_tells_its_problems_by_attribute_and_in_words(client: DataCiteClient):
    sent = complete(event="publish", creators=[], url=None)
    with pytest.raises(Refused) as refused:
        client.put(DOI, sent)

    assert refused.value.problems == (Problem("url", "Can't be blank"),)
    assert "Can't be blank" in str(refused.value)
    with pytest.raises(Refused) as refused:
        client.put(DOI, complete(event="publish", creators=[]))
    (problem,) = refused.value.problems
    assert problem.source == "creators" and not refused.value.is_our_fault
    assert not problem.title.startswith("DOI ") and "column" not in problem.title


def test_a_problem_keeps_its_source_and_loses_name_and_position():
    body = {"errors": [{"source": "publication_year", "title": "DOI 10.5072/abc: Too early at line 9, column 0"}]}
    with answering(http_answer("422 Unprocessable", json.dumps(body).encode())) as client:
        with pytest.raises(Refused) as refused:
            client.put(DOI, {})
    assert refused.value.problems == (Problem("publication_year", "Too early"),)


@pytest.mark.parametrize(
    ("source", "is_our_fault"), [("url", True), ("doi", True), ("xml", True), ("titles", False), ("", False)]
)
def test_a_problem_that_no_author_can_solve_is_for_the_operator(source: str, is_our_fault: bool):
    body = json.dumps({"errors": [{"source": source, "title": "Not so"}]}).encode()
    with answering(http_answer("422 Unprocessable", body)) as client:
        with pytest.raises(Refused) as refused:
            client.put(DOI, {})
    assert refused.value.is_our_fault is is_our_fault


def test_wrong_credentials_are_told_to_the_operator_without_showing_them(datacite: DataCiteServer, caplog):
    client = DataCiteClient(datacite.url, datacite.user, PASSWORD, timeout=2)
    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsRefused) as refused:
        client.put(DOI, {})
    assert refused.value.is_our_fault
    assert "DATACITE_PASSWORD" in str(refused.value)
    assert PASSWORD not in str(refused.value) + caplog.text


def test_a_prefix_of_somebody_else_is_for_the_operator(client: DataCiteClient):
    with pytest.raises(Refused) as refused:
        client.put("10.5555/abc", {})
    assert refused.value.is_our_fault
    assert "not authorized" in str(refused.value)


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "404 Not Found", "405 No", "409 Conflict"])
def test_refusals_other_than_of_metadata_are_for_the_operator(status: str):
    body = json.dumps({"errors": [{"status": status[:3], "title": "No, thank you"}]}).encode()
    with answering(http_answer(status, body)) as client, pytest.raises(Refused) as refused:
        client.put(DOI, {})
    assert refused.value.is_our_fault


def test_a_refusal_without_reasons_is_a_refusal():
    with answering(http_answer("422 Unprocessable", b"<html>")) as client, pytest.raises(Refused, match="no reason"):
        client.put(DOI, {})


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "401 Unauthorized", "302 Found"])
def test_a_page_of_something_between_us_is_no_word_of_datacite(status: str):
    answer = http_answer(status, b"<html>Blocked</html>", Location="http://127.0.0.1:1/elsewhere")
    with answering(answer) as client:
        with pytest.raises(TryLater, match=status[:3]):
            client.put(DOI, {})
        with pytest.raises(TryLater):
            client.get(DOI)
        assert len(client.requests) == 2, "no redirect is followed"


@pytest.mark.parametrize("kind", ["500", "503"])
def test_a_failing_service_is_tried_later(client: DataCiteClient, datacite: DataCiteServer, kind: str):
    datacite.fail(Fault(kind, times=2))
    with pytest.raises(TryLater, match=kind):
        client.put(DOI, {})
    with pytest.raises(TryLater):
        client.get(DOI)
    assert client.put(DOI, {}).state == "draft"


@pytest.mark.parametrize("status", [408, 425, 502, 504])
def test_other_failures_of_the_moment_are_tried_later(status: int):
    with answering(http_answer(f"{status} Busy", b"<html>")) as client, pytest.raises(TryLater):
        client.put(DOI, {})


def test_being_too_fast_says_when_to_come_back(client: DataCiteClient, datacite: DataCiteServer):
    datacite.fail(Fault("429", retry_after=7))
    with pytest.raises(TryLater) as later:
        client.put(DOI, {})
    assert later.value.retry_after == timedelta(seconds=7)

    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    datacite.fail(Fault("429", retry_after=soon))
    with pytest.raises(TryLater) as later:
        client.put(DOI, {})
    assert later.value.retry_after is not None
    assert timedelta(minutes=4) < later.value.retry_after <= timedelta(minutes=5)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("99999999999999999999", timedelta(days=1)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_an_odd_time_to_come_back_does_no_harm(value: str, wait: timedelta | None):
    with answering(http_answer("429 Slow down", b"", Retry_After=value)) as client, pytest.raises(TryLater) as later:
        client.put(DOI, {})
    assert later.value.retry_after == wait


def test_nothing_that_listens_is_tried_later():
    with closed_port() as port:
        client = DataCiteClient(f"http://127.0.0.1:{port}", "A.B", PASSWORD, timeout=2)
        with pytest.raises(TryLater, match="cannot be reached"):
            client.put(DOI, {})
        with pytest.raises(TryLater):
            client.get(DOI)
        assert client.heartbeat() is False


def test_a_write_without_an_answer_in_time_has_an_unknown_outcome(client: DataCiteClient, datacite: DataCiteServer):
    datacite.fail(Fault("slow_answer", seconds=1.5, times=1))
    hurried = client_from_settings(timeout=0.3)
    started = time.monotonic()
    with pytest.raises(UnknownOutcome, match="not known"):
        hurried.put(DOI, complete())
    assert time.monotonic() - started < 1.2

    found = client.get(DOI)
    assert found is not None and found.url == LANDING_PAGE, "it was done, and reading tells"


def test_a_delay_within_the_time_is_no_failure(client: DataCiteClient, datacite: DataCiteServer):
    datacite.fail(Fault("delay", seconds=0.3))
    assert client.put(DOI, {}).state == "draft"


@pytest.mark.parametrize("kind", ["lost_acknowledgement", "malformed_json"])
def test_a_lost_or_broken_acknowledgement_has_an_unknown_outcome(client, datacite: DataCiteServer, kind: str):
    datacite.fail(Fault(kind, methods=("PUT",)))
    with pytest.raises(UnknownOutcome):
        client.put(DOI, complete(event="publish"))
    found = client.get(DOI)
    assert found is not None and found.state == "findable"
    assert datacite.log()["dois"][DOI]["mints"] == 1


def test_a_connection_that_breaks_has_an_unknown_outcome_though_nothing_was_done(client, datacite: DataCiteServer):
    datacite.fail(Fault("reset", methods=("PUT",)))
    with pytest.raises(UnknownOutcome):
        client.put(DOI, {})
    assert client.get(DOI) is None


@pytest.mark.parametrize("kind", ["lost_acknowledgement", "malformed_json", "reset", "500"])
def test_reading_has_no_unknown_outcome(client, datacite: DataCiteServer, kind: str):
    client.put(DOI, {})
    datacite.fail(Fault(kind))
    with pytest.raises(TryLater):
        client.get(DOI)


BROKEN = {
    "nothing": http_answer("200 OK"),
    "no content": http_answer("204 No Content"),
    "half of it": http_answer("200 OK", name_document()[:30]),
    "less than announced": http_answer("200 OK", name_document(), announced=100_000),
    "a page": http_answer("200 OK", b"<html>Welcome</html>"),
    "another document": http_answer("200 OK", b'{"data": []}'),
    "a list": http_answer("200 OK", b"[]"),
    "null": http_answer("200 OK", b"null"),
    "another name": http_answer("200 OK", name_document(doi="10.5072/other")),
    "no name": http_answer("200 OK", name_document(doi=None)),
    "an unknown state": http_answer("200 OK", name_document(state="lost")),
    "an odd time": http_answer("200 OK", name_document(registered="yesterday")),
    "no HTTP": b"220 mail.example.org ESMTP\r\n\r\n",
    "not UTF-8": http_answer("200 OK", b"\xff\xfe{"),
    "too much": http_answer("200 OK", name_document(xml="x" * MAX_ANSWER_BYTES)),
    "nested too deep": http_answer("200 OK", b"[" * 100_000),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_success_that_cannot_be_understood_is_none(answer: bytes):
    with answering(answer) as client:
        with pytest.raises(UnknownOutcome):
            client.put(DOI, {})
        with pytest.raises(TryLater):
            client.get(DOI)


def test_the_scripted_answer_that_is_whole_is_understood():
    """The control of the test above."""
    with answering(http_answer("201 Created", name_document(registered="2026-01-02T03:04:05.000Z"))) as client:
        accepted = client.put(DOI, {"url": LANDING_PAGE})
        assert accepted.registered == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        head, _, body = client.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"PUT /dois/10.5072/abc?")
        assert json.loads(body) == {"data": {"type": "dois", "attributes": {"url": LANDING_PAGE}}}


def test_a_server_that_never_answers_costs_the_time_out_only():
    with answering(None, timeout=0.3) as client:
        started = time.monotonic()
        with pytest.raises(UnknownOutcome):
            client.put(DOI, {})
        with pytest.raises(TryLater):
            client.get(DOI)
        assert client.heartbeat() is False
        assert time.monotonic() - started < 3


def test_an_authority_that_nobody_trusts_gets_no_request(tmp_path: Path, monkeypatch):
    tls, certificate = certificate_for("localhost", tmp_path)
    with ScriptedServer([http_answer("200 OK", name_document())], tls=tls).running() as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(TryLater, match="cannot be reached"):
            DataCiteClient(url, "A.B", PASSWORD, timeout=2).put(DOI, {})
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert DataCiteClient(url, "A.B", PASSWORD, timeout=2).put(DOI, {}).doi == DOI


def test_proxies_and_password_files_of_the_machine_are_not_asked(datacite: DataCiteServer, monkeypatch):
    with closed_port() as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert client_from_settings().put(DOI, {}).state == "draft"


def test_after_failures_in_a_row_nothing_is_sent_for_a_while():
    now = [0.0]
    circuit = Circuit(limit=2, pause=30, clock=lambda: now[0])
    with answering(http_answer("503 Busy"), http_answer("503 Busy"), http_answer("200 OK", name_document())) as client:
        client._circuit = circuit
        for _ in range(2):
            with pytest.raises(TryLater):
                client.put(DOI, {})
        with pytest.raises(CircuitOpen) as left_alone:
            client.put(DOI, {})
        assert len(client.requests) == 2
        assert left_alone.value.retry_after == timedelta(seconds=30)
        assert "503" in str(left_alone.value)
        now[0] = 31
        assert client.put(DOI, {}).state == "draft"
        assert not circuit.is_open


def test_a_refusal_shows_that_datacite_lives():
    body = json.dumps({"errors": [{"source": "titles", "title": "Not so"}]}).encode()
    circuit = Circuit(limit=2)
    refused, busy = http_answer("422 No", body), http_answer("500 Busy")
    with answering(busy, refused, busy, refused, circuit=circuit) as client:
        for _ in range(4):
            with pytest.raises(DataCiteError):
                client.put(DOI, {})
    assert not circuit.is_open


def test_all_clients_of_a_process_share_the_circuit_of_their_service(datacite: DataCiteServer):
    datacite.fail(Fault("500"))
    for _ in range(3):
        with pytest.raises(TryLater):
            client_from_settings().put(DOI, {})
    with pytest.raises(CircuitOpen):
        client_from_settings().put(DOI, {})


def test_the_heartbeat_is_asked_even_while_the_circuit_is_open(datacite: DataCiteServer):
    circuit = Circuit(limit=1)
    circuit.record_failure(TryLater("busy"))
    assert DataCiteClient(datacite.url, "", "", timeout=2, circuit=circuit).heartbeat() is True
    assert circuit.is_open
    datacite.fail(Fault("500", path="/heartbeat"))
    assert DataCiteClient(datacite.url, "", "", timeout=2, circuit=circuit).heartbeat() is False


def test_a_site_without_an_address_has_no_client(settings):
    settings.DATACITE_URL = ""
    with pytest.raises(ImproperlyConfigured, match="no DOIs"):
        client_from_settings()


@pytest.mark.parametrize("url", ["ftp://a.example", "a.example", "https://u:p@a.example", "http://a:b", "https://"])
def test_an_address_that_is_none_is_refused_at_once(url: str):
    with pytest.raises(ImproperlyConfigured):
        DataCiteClient(url, "A.B", PASSWORD, timeout=2)


def test_a_service_that_was_away_goes_on_where_it_was(tmp_path: Path):
    with datacite_server(tmp_path / "names.sqlite3") as server:
        client = DataCiteClient(server.url, server.user, server.password, timeout=2)
        client.put(DOI, complete(event="publish"))
        server.stop()
        with pytest.raises(TryLater):
            client.get(DOI)
        server.start()
        found = client.get(DOI)
        assert found is not None and found.state == "findable"
        assert server.log()["dois"][DOI]["mints"] == 1


def publish_at_last(client: DataCiteClient, doi: str) -> int:
    """What a caller does: send again, or read and compare after an unknown outcome. Returns how often it was tried."""
    for attempt in range(1, 100):
        try:
            client.put(doi, complete(event="publish"))
            return attempt
        except TryLater:
            continue
        except UnknownOutcome:
            try:
                found = client.get(doi)
            except TryLater:
                continue
            if found and found.state == "findable":
                return attempt
    raise AssertionError(f"{doi} was never accepted")


def test_under_all_faults_at_random_every_name_is_minted_once(datacite: DataCiteServer):
    datacite.fail(
        Fault("delay", seconds=0.02, probability=0.1),
        Fault("slow_answer", seconds=0.4, probability=0.02),
        *(
            Fault(kind, probability=0.08)
            for kind in ("429", "500", "503", "reset", "lost_acknowledgement", "malformed_json")
        ),
    )
    client = DataCiteClient(
        datacite.url, datacite.user, datacite.password, timeout=0.2, circuit=Circuit(limit=1_000_000)
    )
    names = [f"10.5072/n{number}" for number in range(150)]

    attempts = [publish_at_last(client, name) for name in names]

    assert max(attempts) > 2
    counts = datacite.log()["dois"]
    assert sorted(counts) == sorted(names)
    assert {(count["creations"], count["mints"]) for count in counts.values()} == {(1, 1)}
    datacite.fail()
    for name in names:
        found = client.get(name)
        assert found is not None and (found.state, found.url) == ("findable", LANDING_PAGE)
