"""SIGKILL at any point loses nothing: after the next indexer the index is what the database says, word for word."""

import random

import pytest

from search.backends.embedded import EmbeddedEngine
from search.clauses import All, Term
from search.indexing import sync
from search.indexing.building import build_documents
from tests.search.archive import built, drift, found, make_datasets
from tests.search.kills import Archive, kill_indexers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ROUNDS = 4


def test_an_index_whose_indexers_were_killed_has_no_drift(tmp_path):
    engine = built(EmbeddedEngine(tmp_path))
    archive = Archive(random.Random(4), make_datasets(30) + make_datasets(10, is_open=False))
    kill_indexers(tmp_path, archive, rounds=ROUNDS)
    sync.index_pending(engine)
    index = engine.live()
    assert not sync.is_behind()
    assert drift(index) == []
    wanted = build_documents({one.pk: 1 for one in archive.datasets}).documents
    assert index.count() == len(wanted)
    for key, documents in wanted.items():
        words = All(tuple(Term("title", word) for word in documents[0]["title"].split()))
        assert key in found(index, words)
