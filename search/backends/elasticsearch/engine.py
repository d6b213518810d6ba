"""The engine behind SEARCH_URL: its connection, its indexes and their aliases, what is written. No questions are worded here.

Nothing but that one address is ever contacted. An index is `<prefix>.<name>`; the live one has two aliases, which name the
schema, so that a new set of fields never meets an old index: one is read, the other is written. Each index has an alias of its
own besides, by which it is built.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from elasticsearch import ApiError, BadRequestError, Elasticsearch, TransportError
from elasticsearch.helpers import streaming_bulk

from catalogue.circuit import Circuit
from search.backends.base import Document, EngineUnavailable, Found, Request
from search.backends.elasticsearch.answers import found_by
from search.backends.elasticsearch.queries import search_body
from search.backends.elasticsearch.words import (
    LONGEST_PREFIX,
    LONGEST_WORD,
    count_body,
    prefix_body,
    prefix_words,
    proposal_body,
    proposed_words,
    seen_words,
)
from search.clauses import Clause, Term
from search.documents import index_body, mapped, stub
from search.fields import schema_hash

DEFAULT_PREFIX = "faircat"
PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
# Seconds: a page waits for a search, a task for a write, and nobody long to hear whether anybody answers.
SEARCH_TIMEOUT, WRITE_TIMEOUT, ANSWER_TIMEOUT = 10, 120, 2
PAUSE = 5.0
CHUNK_DOCUMENTS, CHUNK_BYTES = 1_000, 8 * 1024 * 1024
CONFLICT, TOO_MANY = 409, 429


@dataclass(frozen=True)
class Address:
    """What SEARCH_URL says: a server, perhaps an account, and the prefix of the names of all indexes."""

    node: dict[str, Any]
    account: tuple[str, str] | None
    prefix: str

    @classmethod
    def read(cls, url: str) -> "Address":
        """Read `http(s)://user:password@host:port/prefix`. Raises ValueError, which does not tell the password."""
        parts = urlsplit(url)
        path, _, prefix = parts.path.strip("/").rpartition("/")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("The address of Elasticsearch begins with http:// or https:// and names a host.")
        if not PREFIX.fullmatch(prefix or DEFAULT_PREFIX):
            raise ValueError("The prefix of the indexes has small letters, digits, - and _ only.")
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise ValueError("The port of Elasticsearch is no number; a password is written with %2F for /.") from None
        node = {"scheme": parts.scheme, "host": parts.hostname, "port": port, "path_prefix": path}
        account = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return cls(node, account, prefix or DEFAULT_PREFIX)

    @property
    def host(self) -> str:
        return f"{self.node['host']}:{self.node['port']}"


REASONS = {
    400: "refuses the question",
    401: "does not know our account",
    403: "does not let our account do this",
    404: "has no index yet",
    TOO_MANY: "is busy",
}


class ElasticsearchIndex:
    """See `search.backends.base.Index`. `writes` is an alias, because Elasticsearch makes an index whose name it does not know."""

    def __init__(self, engine: "ElasticsearchEngine", name: str, *, writes: str) -> None:
        self.name = name
        self._engine = engine
        self._reads = engine.full_name(name)
        self._writes = writes

    def write(self, documents: Iterable[Document], *, removed: Iterable[tuple[int, int]] = ()) -> None:
        client = self._engine.client.options(request_timeout=WRITE_TIMEOUT)
        with self._engine.speaking():
            outcomes = streaming_bulk(
                client,
                _actions(documents, removed),
                index=self._writes,
                chunk_size=CHUNK_DOCUMENTS,
                max_chunk_bytes=CHUNK_BYTES,
                max_retries=3,
                initial_backoff=0.5,
                raise_on_error=False,
                require_alias=True,
            )
            if any([self._is_taken(outcome["index"]) for _, outcome in outcomes]):
                client.indices.refresh(index=self._writes)

    def _is_taken(self, outcome: dict[str, Any]) -> bool:
        """Whether it was written, or was older than what the index has. Raises for what failed otherwise."""
        if outcome["status"] in (200, 201, CONFLICT):
            return outcome["status"] != CONFLICT
        reason = outcome["error"]["type"]
        if outcome["status"] == TOO_MANY or outcome["status"] >= 500 or reason == "index_not_found_exception":
            raise EngineUnavailable(f"Elasticsearch at {self._engine.host} cannot write ({reason}).")
        raise ValueError(f"Elasticsearch refuses the document {outcome['_id']}: {reason}")

    def versions(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, int]]:
        body = {
            "query": {"term": {"document": "full"}},
            "sort": [{"dataset": "asc"}],
            "search_after": [after],
            "size": limit,
            "_source": False,
            "docvalue_fields": ["version"],
            "track_total_hits": False,
        }
        hits = self._search(body)["hits"]["hits"]
        return [(hit["sort"][0], hit["fields"]["version"][0]) for hit in hits]

    def count(self) -> int:
        return self.search(Request(access=Term("document", "full"), limit=0)).total

    def search(self, request: Request) -> Found:
        return found_by(request, self._search(search_body(request, shards=self._engine.shards)))

    def generation(self) -> object | None:
        return None

    def totals(self, requests: list[Request]) -> list[int]:
        if not requests:
            return []
        counted = [Request(one.access, one.scored, one.filters, order="dataset", limit=0) for one in requests]
        lines = [line for one in counted for line in ({"allow_partial_search_results": False}, search_body(one))]
        with self._engine.speaking():
            answers = self._engine.client.msearch(searches=lines, index=self._reads)["responses"]
        if any("error" in answer for answer in answers):
            raise EngineUnavailable(f"Elasticsearch at {self._engine.host} cannot count.")
        return [answer["hits"]["total"]["value"] for answer in answers]

    def words_like(self, word: str, fields: tuple[str, ...], access: Clause, *, limit: int = 5) -> list[str]:
        if not word or not fields or len(word) > LONGEST_WORD:
            return []
        proposed = proposed_words(word, self._search(proposal_body(word, fields)))
        if not proposed:
            return []
        counted = self._search(count_body(proposed, fields, access))
        return seen_words(word, counted)[:limit]

    def words_with_prefix(self, prefix: str, field: str, access: Clause, *, limit: int = 10) -> list[str]:
        if len(prefix) > LONGEST_PREFIX:
            return []
        return prefix_words(self._search(prefix_body(prefix, field, access, limit=limit)))

    def _search(self, body: dict[str, Any]) -> dict[str, Any]:
        with self._engine.speaking():
            answer = self._engine.client.search(
                index=self._reads,
                body=body,
                allow_partial_search_results=False,
                search_type="dfs_query_then_fetch" if self._engine.shards > 1 else None,
            )
        found: dict[str, Any] = answer.body
        return found


def _actions(documents: Iterable[Document], removed: Iterable[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    """Every dataset has its two documents or stubs in their places, all with its version, below which nothing is taken."""
    keys: dict[str, tuple[int, int]] = {}
    for document in documents:
        keys[document["key"]] = (document["dataset"], document["version"])
        yield _action(document)
    for dataset, version in dict.fromkeys(keys.values()):
        yield from (_action(stub(key, dataset, version)) for key in _both(dataset) if key not in keys)
    for dataset, version in removed:
        yield from (_action(stub(key, dataset, version)) for key in _both(dataset))


def _both(dataset: int) -> tuple[str, str]:
    return str(dataset), f"{dataset}s"


def _action(document: Document) -> dict[str, Any]:
    """An equal version is taken again, so that a batch is safe to repeat and a better document needs no new version."""
    return {
        "_id": document["key"],
        "_source": mapped(document),
        "version": document["version"],
        "version_type": "external_gte",
    }


class ElasticsearchEngine:
    """See `search.backends.base.Engine`. `ca_file` holds the certificates of an authority that is not publicly known.

    A server that did not answer is left alone for `pause` seconds, so that no page waits for it after the first.
    """

    def __init__(self, url: str, *, ca_file: str = "", shards: int = 1, pause: float = PAUSE) -> None:
        address = Address.read(url)
        self.host = address.host
        self.prefix = address.prefix
        self.shards = shards
        self._circuit = Circuit(limit=1, pause=pause)
        options: dict[str, Any] = {"ca_certs": ca_file} if ca_file else {}
        if address.account:
            options["basic_auth"] = address.account
        # A connection that broke is tried once more; who waited in vain once does not wait twice.
        self.client = Elasticsearch(
            [address.node], request_timeout=SEARCH_TIMEOUT, max_retries=1, retry_on_timeout=False, **options
        )

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """What the client raises, in the words of every engine. Who did not answer is not asked again for a while."""
        silence = EngineUnavailable(f"Elasticsearch at {self.host} does not answer.")
        if self._circuit.enter():
            raise silence
        try:
            yield
        except ApiError as error:
            self._circuit.record_success()
            reason = REASONS.get(error.meta.status, f"fails (status {error.meta.status})")
            raise EngineUnavailable(f"Elasticsearch at {self.host} {reason}.") from error
        except TransportError as error:
            self._circuit.record_failure(error)
            raise silence from error
        self._circuit.record_success()

    def full_name(self, name: str) -> str:
        return f"{self.prefix}.{name}"

    def _alias_of(self, name: str) -> str:
        """What an index is written by that is not live."""
        return f"{self.prefix}-build-{name}"

    @property
    def _read_alias(self) -> str:
        return f"{self.prefix}-read-{schema_hash()}"

    @property
    def _write_alias(self) -> str:
        return f"{self.prefix}-write-{schema_hash()}"

    def live(self) -> ElasticsearchIndex:
        with self.speaking():
            found = self.client.indices.get_alias(name=self._read_alias).body
        return ElasticsearchIndex(self, self._short_name(next(iter(found))), writes=self._write_alias)

    def create(self, name: str) -> ElasticsearchIndex:
        with self.speaking():
            try:
                body = index_body(shards=self.shards) | {"aliases": {self._alias_of(name): {}}}
                self._patient.indices.create(index=self.full_name(name), body=body)
            except BadRequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise
        return ElasticsearchIndex(self, name, writes=self._alias_of(name))

    def promote(self, name: str) -> None:
        actions: list[dict[str, Any]] = []
        for alias in (self._read_alias, self._write_alias):
            actions.append({"remove": {"index": self.full_name("*"), "alias": alias, "must_exist": False}})
            actions.append({"add": {"index": self.full_name(name), "alias": alias}})
        with self.speaking():
            self._patient.indices.update_aliases(actions=actions)

    def names(self) -> list[str]:
        with self.speaking():
            found = self.client.indices.get_alias(index=self.full_name("*")).body
        return sorted(self._short_name(full_name) for full_name in found)

    def drop(self, name: str) -> None:
        with self.speaking():
            aliases = self.client.options(ignore_status=404).indices.get_alias(index=self.full_name(name)).body
            if self._read_alias in aliases.get(self.full_name(name), {}).get("aliases", {}):
                raise ValueError(f"The index {name} is live.")
            self._patient.options(ignore_status=404).indices.delete(index=self.full_name(name))

    def is_answering(self) -> bool:
        try:
            with self.speaking():
                client = self.client.options(request_timeout=ANSWER_TIMEOUT, max_retries=0)
                client.indices.exists_alias(name=self._read_alias)
        except EngineUnavailable:
            return False
        return True

    @property
    def _patient(self) -> Elasticsearch:
        return self.client.options(request_timeout=WRITE_TIMEOUT)

    def _short_name(self, full_name: str) -> str:
        return full_name.removeprefix(f"{self.prefix}.")
