"""Elasticsearch: what is its own, beside what `tests/contracts/` asks of every engine. Real servers answer, or none."""

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from search.backends.base import EngineUnavailable, Request, Values
from search.backends.elasticsearch import ElasticsearchEngine
from search.backends.elasticsearch.engine import Address
from search.backends.embedded import EmbeddedEngine
from search.clauses import Either, Everything, Glob, Not, Phrase, Prefix, Term
from search.documents import index_body
from search.engines import engine
from search.fields import FIELDS
from tests.contracts.search.test_writing import finds, titled
from tests.search.agreement import ALL_OF_THEM, assert_agrees, walk
from tests.search.askers import CURATOR, VISITOR
from tests.search.corpus import Archive
from tests.search.reference import Reference
from tests.services import free_port

SECRET = "pass-word-91"


@pytest.fixture
def elasticsearch(search_url: str) -> ElasticsearchEngine:
    return ElasticsearchEngine(search_url)


@pytest.mark.parametrize(
    ("url", "host", "path", "account", "prefix"),
    [
        ("http://127.0.0.1:9200", "127.0.0.1:9200", "", None, "faircat"),
        ("http://127.0.0.1:9200/", "127.0.0.1:9200", "", None, "faircat"),
        ("https://search.example.org/archive", "search.example.org:443", "", None, "archive"),
        ("https://me:a%2Fb%40c@search.example.org:9243/x-1", "search.example.org:9243", "", ("me", "a/b@c"), "x-1"),
        ("https://example.org/behind/a/proxy/faircat", "example.org:443", "behind/a/proxy", None, "faircat"),
    ],
)
def test_the_address_names_server_account_and_prefix(
    url: str, host: str, path: str, account: tuple[str, str] | None, prefix: str
):
    address = Address.read(url)
    assert (address.host, address.node["path_prefix"], address.account, address.prefix) == (host, path, account, prefix)


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://me:{SECRET}@example.org/faircat",
        f"me:{SECRET}@example.org",
        f"https://me:{SECRET}@/faircat",
        f"https://me:{SECRET}@example.org/Not Allowed",
        f"https://me:{SECRET}@example.org/a*",
        f"https://me:{SECRET}/x@example.org/faircat",
    ],
)
def test_a_wrong_address_is_refused_at_once_without_telling_its_password(url: str):
    with override_settings(SEARCH_URL=url), pytest.raises(ImproperlyConfigured) as refusal:
        engine()
    assert "SEARCH_URL" in str(refusal.value) and SECRET not in str(refusal.value)


def test_the_setting_chooses_the_engine(elasticsearch_url: str, tmp_path: Path):
    with override_settings(SEARCH_URL="", DATA_DIR=tmp_path):
        assert isinstance(engine(), EmbeddedEngine)
    with override_settings(SEARCH_URL=f"{elasticsearch_url}/chosen"):
        chosen = engine()
        assert isinstance(chosen, ElasticsearchEngine) and chosen.prefix == "chosen"
        assert engine() is chosen


def test_the_mapping_takes_each_field_of_the_index_and_no_other(elasticsearch: ElasticsearchEngine):
    mapping = index_body(shards=1)["mappings"]
    assert mapping["dynamic"] == "strict"
    assert set(mapping["properties"]) == {field.name for field in FIELDS} | {"parameters", "words"}
    index = elasticsearch.create("one")
    with pytest.raises(ValueError, match="strict_dynamic_mapping"):
        index.write([titled("x") | {"unheard_of": "secret"}])
    with pytest.raises(ValueError, match="document_parsing"):
        index.write([titled("x") | {"year": "last year"}])


def test_no_module_is_needed_beside_the_plain_server(elasticsearch_url: str):
    """The node of the tests has none for analysis, reindexing or scripts, so that all that passes there passes anywhere."""
    nodes = httpx.get(f"{elasticsearch_url}/_nodes/plugins").json()["nodes"]
    modules = {module["name"] for node in nodes.values() for module in node["modules"]}
    assert not modules & {"analysis-common", "reindex", "lang-painless", "mapper-extras"}


def test_an_old_version_is_refused_even_after_a_removal(elasticsearch: ElasticsearchEngine):
    index = elasticsearch.create("one")
    index.write([titled("first", version=2)])
    index.write([], removed=[(1, 5)])
    index.write([titled("late", version=4)])
    assert index.search(Request(Everything())).total == 0
    assert index.versions() == [] and index.count() == 0
    index.write([titled("back", version=6)])
    assert finds(index, "back") == [1]


def test_what_stands_for_a_missing_document_is_met_by_no_condition(elasticsearch: ElasticsearchEngine):
    index = elasticsearch.create("one")
    index.write([titled("here"), titled("gone", dataset=2)], removed=[(2, 1)])
    for clause in (Everything(), Not(Term("title", "nowhere")), Not(Term("document", "full")), Term("dataset", 2)):
        assert {hit.dataset for hit in index.search(Request(clause)).hits} <= {1}
        assert index.totals([Request(Everything(), clause)])[0] <= 1
    values = (("document", Values("document")), ("key", Values("key")))
    assert index.search(Request(Everything(), facets=values)).values == {
        "document": (("full", 1),),
        "key": (("1", 1),),
    }
    assert index.words_with_prefix("", "document", Everything()) == ["full"]


def test_what_is_written_after_a_swap_goes_to_the_new_index(elasticsearch: ElasticsearchEngine):
    """Whoever holds the live index since before the swap still writes to what is read now."""
    for name in ("old", "new"):
        elasticsearch.create(name)
    elasticsearch.promote("old")
    held = elasticsearch.live()
    elasticsearch.promote("new")
    held.write([titled("late")])
    assert finds(elasticsearch.live(), "late") == [1]


def test_writing_makes_no_index_by_mistake(elasticsearch: ElasticsearchEngine):
    elasticsearch.create("one")
    elasticsearch.promote("one")
    held, made = elasticsearch.live(), elasticsearch.create("two")
    for name in ("one", "two"):
        elasticsearch.client.indices.delete(index=elasticsearch.full_name(name))
    for index in (held, made):
        with pytest.raises(EngineUnavailable):
            index.write([titled("lost")])
        with pytest.raises(EngineUnavailable, match="no index yet"):
            index.search(Request(Everything()))
        with pytest.raises(EngineUnavailable):
            index.totals([Request(Everything())])
    assert elasticsearch.names() == []


def test_the_live_index_cannot_be_dropped(elasticsearch: ElasticsearchEngine):
    elasticsearch.create("one")
    elasticsearch.promote("one")
    with pytest.raises(ValueError, match="live"):
        elasticsearch.drop("one")
    assert elasticsearch.live().name == "one"


def test_sites_that_share_a_cluster_do_not_see_each_other(search_url: str):
    here, there = ElasticsearchEngine(search_url), ElasticsearchEngine(f"{search_url}-two")
    here.create("one").write([titled("ours")])
    here.promote("one")
    there.create("one").write([titled("theirs")])
    there.promote("one")
    assert here.names() == there.names() == ["one"]
    assert finds(here.live(), "ours") == [1] and finds(here.live(), "theirs") == []
    assert finds(there.live(), "theirs") == [1]


def test_three_shards_answer_as_one(search_url: str):
    archive, reference = Archive(150), Reference()
    index = ElasticsearchEngine(search_url, shards=3).create("wide")
    documents = [document for rows in archive.datasets() for document in rows]
    for each in (index, reference):
        each.write(documents)
    facets = tuple((field, Values(field, limit=4)) for field in ("sample", "person", "instrument", "month"))
    for order in ("", "by_title"):
        assert_agrees(index, reference, Request(VISITOR.access, order=order, facets=facets, limit=ALL_OF_THEM))
    assert index.versions() == reference.versions()
    assert len(list(walk(index, Request(CURATOR.access, order="by_registered", limit=20)))) == 150


@pytest.mark.parametrize(
    "clause",
    [
        Either(tuple(Term("title", str(number)) for number in range(2_000))),
        Term("title", "x" * 40_000),
        Term("sample", "x" * 40_000),
        Prefix("title", "x" * 40_000),
        Term("title", "\ud800"),
        Term("year", 2**70),
        Phrase("title", ()),
        Glob("title", "*" + "ab" * 200 + "*"),
    ],
    ids=["many words", "long", "long value", "long beginning", "half a letter", "huge", "empty phrase", "long pattern"],
)
def test_odd_questions_find_nothing_and_do_no_harm(clause: Either, elasticsearch: ElasticsearchEngine):
    index = elasticsearch.create("one")
    index.write([titled("word")])
    assert index.search(Request(CURATOR.access, clause)).total == 0


def test_opposites_may_be_nested_as_deep_as_anybody_types(elasticsearch: ElasticsearchEngine):
    index = elasticsearch.create("one")
    index.write([titled("word")])
    clause = Term("title", "word")
    for _ in range(100):
        clause = Not(clause)
    assert index.search(Request(CURATOR.access, clause)).total == 1
    assert index.search(Request(CURATOR.access, Not(clause))).total == 0


def test_a_question_that_is_too_hard_is_refused_in_words(elasticsearch: ElasticsearchEngine):
    index = elasticsearch.create("one")
    with pytest.raises(EngineUnavailable, match="refuses the question"):
        index.search(Request(CURATOR.access, Glob("title", "*a" + "?" * 30)))


def test_pages_by_score_end_where_nobody_reads(elasticsearch: ElasticsearchEngine):
    index = elasticsearch.create("one")
    index.write([titled("word")])
    for after in (99_990, 100_000, 10**9):
        found = index.search(Request(CURATOR.access, Term("title", "word"), after=after))
        assert found.total == 1 and not found.hits


def test_a_server_that_is_down_is_told_without_the_password():
    down = ElasticsearchEngine(f"http://me:{SECRET}@127.0.0.1:{free_port()}/faircat", pause=0)
    for ask in (down.live, down.names, lambda: down.create("x"), lambda: down.promote("x"), lambda: down.drop("x")):
        with pytest.raises(EngineUnavailable, match="does not answer") as failure:
            ask()
        assert SECRET not in str(failure.value) and SECRET not in str(failure.value.__cause__)
    assert not down.is_answering()


def test_a_server_that_hangs_is_given_up_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hanging = ElasticsearchEngine(f"http://127.0.0.1:{silent.getsockname()[1]}/faircat")
        started = time.monotonic()
        assert not hanging.is_answering()
        assert time.monotonic() - started < 4
        started = time.monotonic()
        with pytest.raises(EngineUnavailable, match="does not answer"):
            hanging.live()
        assert time.monotonic() - started < 0.5, "nobody waits for it a second time"


def test_a_server_that_did_not_answer_is_asked_again_after_a_pause():
    port = free_port()
    patient = ElasticsearchEngine(f"http://127.0.0.1:{port}/faircat", pause=0.3)
    assert not patient.is_answering()
    with server_that(lambda handler: reply(handler, 200, b'{"faircat.one": {"aliases": {}}}'), port=port):
        with pytest.raises(EngineUnavailable):
            patient.live()
        time.sleep(0.4)
        assert patient.live().name == "one"


Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def server_that(answer: Answer, encryption: ssl.SSLContext | None = None, *, port: int = 0) -> Iterator[str]:
    """A server of HTTP that does with every request what `answer` does; yields its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if self.raw_requestline and self.parse_request():
                answer(self)
            else:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.handle_error = lambda *_: None
    if encryption:
        server.socket = encryption.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http{'s' if encryption else ''}://me:{SECRET}@127.0.0.1:{server.server_port}/faircat"
    finally:
        server.shutdown()
        server.server_close()


def reply(handler: http.server.BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("X-Elastic-Product", "Elasticsearch")
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not know our account"),
        (403, "does not let our account do this"),
        (429, "is busy"),
        (500, "fails"),
        (503, "fails"),
    ],
)
def test_refusals_and_failures_of_the_server_are_told_in_words(status: int, words: str):
    with server_that(lambda handler: reply(handler, status, b'{"error": "secret detail"}')) as url:
        with pytest.raises(EngineUnavailable, match=words) as failure:
            ElasticsearchEngine(url).live()
    assert SECRET not in str(failure.value) and "secret" not in str(failure.value)


def test_a_connection_that_breaks_once_is_tried_again():
    broken: list[str] = []

    def break_first(handler: http.server.BaseHTTPRequestHandler) -> None:
        if not broken:
            broken.append(handler.path)
            handler.close_connection = True
        else:
            reply(handler, 200, b'{"faircat.one": {"aliases": {}}}')

    with server_that(break_first) as url:
        assert ElasticsearchEngine(url).live().name == "one"
    assert len(broken) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that nobody but its own authority signed."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = (
        builder.not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    file = tmp_path / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return file


def test_only_a_server_with_a_trusted_certificate_is_told_the_password(certificate: Path):
    asked: list[str] = []

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers["Authorization"])
        reply(handler, 200, b'{"faircat.one": {"aliases": {}}}')

    encryption = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    encryption.load_cert_chain(certificate)
    with server_that(answer, encryption) as url:
        with pytest.raises(EngineUnavailable, match="does not answer"):
            ElasticsearchEngine(url).live()
        assert asked == []
        assert ElasticsearchEngine(url, ca_file=str(certificate)).live().name == "one"
        assert len(asked) == 1


def test_a_redirect_leads_nowhere():
    asked: list[str] = []

    def lead_away(handler: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        handler.send_response(307)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server_that(lead_away) as url, pytest.raises(EngineUnavailable):
        ElasticsearchEngine(url).live()
    assert asked and "/elsewhere" not in asked
