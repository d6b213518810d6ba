"""One index in one folder: opened when it is needed, read anew after every commit of whichever process, written by one.

Tantivy's own lock keeps a second writer out; it is the kernel's, so that it dies with its process.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy
from tantivy import Order, Query

from search.backends.base import Document, EngineUnavailable, Found, Request
from search.backends.embedded import words
from search.backends.embedded.queries import Translator
from search.backends.embedded.schema import prepared, schema
from search.backends.embedded.searching import Search
from search.backends.embedded.trouble import told
from search.clauses import Between, Clause, Term

META = "meta.json"
UNREADABLE = "The search index cannot be read; it has to be built anew."
UNWRITABLE = "The search index cannot be written."
# A batch as the indexer writes it, and one as a rebuild does.
SMALL_BATCH = 1_000
SMALL_HEAP, BIG_HEAP = 30_000_000, 256_000_000
State = tuple[int, int, int]


class EmbeddedIndex:
    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self._folder = folder
        self._lock = threading.Lock()
        self._index: tantivy.Index | None = None
        self._translator: Translator | None = None
        self._state: State = (0, 0, 0)

    def write(self, documents: Iterable[Document], *, removed: Iterable[tuple[int, int]] = ()) -> None:
        arrived: dict[int, tuple[int, list[tantivy.Document]]] = {}
        for document in documents:
            arrived.setdefault(document["dataset"], (document["version"], []))[1].append(prepared(document))
        gone = dict(removed)
        if not arrived and not gone:
            return
        with told(UNWRITABLE):
            index = _opened(self._folder)
            with _writer(index, len(arrived)) as writer:
                known = Query.term_set_query(schema(), "dataset", [*arrived, *gone])
                held = _versions(index.searcher(), known, 2 * (len(arrived) + len(gone)))
                for dataset, (version, rows) in arrived.items():
                    if version >= held.get(dataset, 0):
                        writer.delete_documents_by_term("dataset", dataset)
                        for row in rows:
                            writer.add_document(row)
                for dataset, version in gone.items():
                    if version >= held.get(dataset, 0):
                        writer.delete_documents_by_term("dataset", dataset)
                writer.commit()

    def versions(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, int]]:
        with told(UNREADABLE):
            searcher, translator = self._view()
            held = _versions(searcher, translator.query(Between("dataset", low=after + 1)), 2 * limit)
        return list(held.items())[:limit]

    def count(self) -> int:
        return self.totals([Request(Term("document", "full"))])[0]

    def search(self, request: Request) -> Found:
        with told(UNREADABLE):
            return Search(*self._view(), request).found()

    def generation(self) -> object | None:
        """A commit replaces one small file."""
        with told(UNREADABLE):
            return self._folder, _state(self._folder)

    def totals(self, requests: list[Request]) -> list[int]:
        with told(UNREADABLE):
            view = self._view()
            return [Search(*view, request).total() for request in requests]

    def words_like(self, word: str, fields: tuple[str, ...], access: Clause, *, limit: int = 5) -> list[str]:
        with told(UNREADABLE):
            return words.like(*self._view(), word, fields, access, limit)

    def words_with_prefix(self, prefix: str, field: str, access: Clause, *, limit: int = 10) -> list[str]:
        with told(UNREADABLE):
            return words.with_prefix(*self._view(), prefix, field, access, limit)

    def _view(self) -> tuple[tantivy.Searcher, Translator]:
        """The index as of its last commit. A commit replaces one small file, which is looked at each time."""
        with self._lock:
            state = _state(self._folder)
            if self._index is None or self._translator is None:
                self._index = _opened(self._folder)
                self._translator = Translator(self._index)
            elif state != self._state:
                self._index.reload()
            self._state = state
            return self._index.searcher(), self._translator


def _state(folder: Path) -> State:
    status = (folder / META).stat()
    return status.st_mtime_ns, status.st_ino, status.st_size


def _opened(folder: Path) -> tantivy.Index:
    index = tantivy.Index.open(str(folder))
    if index.schema != schema():
        raise EngineUnavailable("The search index was made for other fields; it has to be built anew.")
    index.config_reader("manual")
    return index


@contextmanager
def _writer(index: tantivy.Index, datasets: int) -> Iterator[tantivy.IndexWriter]:
    """The one writer. Merges that a commit began are finished before others may write; searches see it long before."""
    is_small = datasets <= SMALL_BATCH
    writer = index.writer(SMALL_HEAP if is_small else BIG_HEAP, num_threads=1 if is_small else 2)
    try:
        yield writer
    except BaseException:
        writer.rollback()
        raise
    finally:
        writer.wait_merging_threads()


def _versions(searcher: tantivy.Searcher, query: Query, most: int) -> dict[int, int]:
    """The version of each dataset that meets `query`, in the order of their keys, of `most` documents."""
    hits: list[Any] = searcher.search(query, most, order_by_field="dataset", order=Order.Asc).hits
    versions: list[Any] = searcher.fast_field_values("version", [address for _, address in hits])
    return {dataset: version for (dataset, _), version in zip(hits, versions, strict=True)}
