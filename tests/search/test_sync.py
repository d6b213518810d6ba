"""The indexer: what changed is in the index soon, whatever fails or is killed, and never what was not committed."""

import shutil
import threading
import time

import pytest
from django.db import connections, transaction

from catalogue import changes, outbox
from catalogue.access import principal_of
from catalogue.models import Dataset, DatasetRevision, OutboxEntry
from catalogue.services.dataset_changes import update_dataset
from catalogue.services.withdrawals import withdraw_dataset, withdraw_investigation
from search.backends.base import EngineUnavailable
from search.backends.elasticsearch import ElasticsearchEngine
from search.backends.embedded import EmbeddedEngine
from search.clauses import Term
from search.indexing import sync
from search.indexing.locks import INDEXER, process_lock
from tests import factories, services
from tests.search.archive import built, drift, everything, found, held, make_datasets, wanted

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def engine(tmp_path) -> EmbeddedEngine:
    """An engine with a live index of the database as it is when the test begins: empty."""
    folder = tmp_path / "search"
    folder.mkdir()
    return built(EmbeddedEngine(folder))


@pytest.fixture
def curator():
    return principal_of(factories.make_curator())


def test_what_is_registered_is_found(engine):
    datasets = make_datasets(3)
    assert sync.index_pending(engine) == 3
    assert everything(engine.live()) == {dataset.pk for dataset in datasets}
    assert not DatasetRevision.objects.filter(is_pending=True).exists()
    assert drift(engine.live()) == []


def test_an_edit_is_found_and_its_old_words_are_not(engine, curator):
    (dataset,) = make_datasets(1, title="Gold")
    sync.index_pending(engine)
    update_dataset(actor=curator, uid=dataset.uid, changes={"title": "Silver"}, expected_version=None)
    sync.index_pending(engine)
    assert found(engine.live(), Term("title", "silver")) == {dataset.pk}
    assert found(engine.live(), Term("title", "gold")) == set()
    assert held(engine.live()) == {dataset.pk: 2}


def test_many_edits_are_one_writing(engine, curator):
    (dataset,) = make_datasets(1)
    for number in range(5):
        update_dataset(actor=curator, uid=dataset.uid, changes={"title": f"No {number}"}, expected_version=None)
    assert sync.index_pending(engine) == 1
    assert held(engine.live()) == {dataset.pk: 6}


def test_what_is_withdrawn_is_removed_and_stays_so(engine, curator):
    one, other, whole = make_datasets(1) + make_datasets(1) + make_datasets(1)
    sync.index_pending(engine)
    withdraw_dataset(actor=curator, dataset=one, reason="A mistake.")
    withdraw_investigation(actor=curator, investigation=whole.investigation, reason="A mistake.")
    sync.index_pending(engine)
    assert everything(engine.live()) == {other.pk}
    assert drift(engine.live()) == []


def test_a_change_that_is_rolled_back_is_not_indexed(engine):
    (dataset,) = make_datasets(1)
    sync.index_pending(engine)
    with pytest.raises(RuntimeError), transaction.atomic():
        Dataset.objects.filter(pk=dataset.pk).update(title="Never")
        changes.datasets_changed([dataset])
        raise RuntimeError
    assert sync.index_pending(engine) == 0
    assert held(engine.live()) == {dataset.pk: 1}


def test_a_change_during_the_writing_stays_pending(engine):
    (dataset,) = make_datasets(1)
    versions = {dataset.pk: 1}
    changes.datasets_changed([dataset])
    sync.index_batch(engine.live(), versions)
    assert DatasetRevision.objects.get().is_pending
    sync.index_pending(engine)
    assert held(engine.live()) == {dataset.pk: 2}


def test_a_closed_dataset_shows_strangers_its_summary_and_opens_without_the_indexer(engine):
    closed = make_datasets(1, is_open=False, title="Secret gold", description="A public description")[0]
    sample = factories.make_sample(closed.investigation, name="Hidden sample")
    Dataset.objects.update(sample=sample)
    sync.index_pending(engine)
    index = engine.live()
    assert found(index, Term("sample", "Hidden sample")) == {closed.pk}
    assert found(index, Term("sample", "Hidden sample"), document="summary") == set()
    assert found(index, Term("title", "gold"), document="summary") == {closed.pk}


def test_one_dataset_that_cannot_be_described_stops_no_other_and_is_shown(engine):
    good, bad = make_datasets(2)
    break_dataset(bad)
    sync.index_pending(engine)
    assert everything(engine.live()) == {good.pk}
    entry = OutboxEntry.objects.get(topic=sync.TOPIC)
    assert entry.key == str(bad.uid)
    assert sync.index_pending(engine) == 0, "it is not tried again and again"
    outbox.register_handler(sync.TOPIC, lambda uid, _: sync.index_alone(engine, uid))
    outbox.deliver_due(topics=[sync.TOPIC])
    assert "ValueError" in OutboxEntry.objects.get(topic=sync.TOPIC).last_error
    mend_dataset(bad)
    OutboxEntry.objects.update(available_at="2020-01-01T00:00:00+00:00")
    outbox.deliver_due(topics=[sync.TOPIC])
    assert everything(engine.live()) == {good.pk, bad.pk}
    assert not OutboxEntry.objects.filter(topic=sync.TOPIC).exists()


def break_dataset(dataset: Dataset) -> None:
    """A policy that this version of the site does not know, as a newer one may have written it."""
    other = factories.make_investigation()
    other.instrument.embargo_metadata = "unheard-of"
    other.instrument.save()
    Dataset.objects.filter(pk=dataset.pk).update(investigation=other, instrument=other.instrument)


def mend_dataset(dataset: Dataset) -> None:
    instrument = Dataset.objects.get(pk=dataset.pk).instrument
    instrument.embargo_metadata = ""
    instrument.save()


def test_without_an_index_nothing_is_lost(tmp_path):
    make_datasets(2)
    with pytest.raises(sync.NoIndex):
        sync.index_pending(EmbeddedEngine(tmp_path))
    assert DatasetRevision.objects.filter(is_pending=True).count() == 2


def test_a_folder_that_is_gone_loses_nothing_and_is_filled_again(engine, tmp_path):
    make_datasets(2)
    shutil.rmtree(tmp_path / "search")
    with pytest.raises(EngineUnavailable):
        sync.index_pending(EmbeddedEngine(tmp_path / "search"))
    (tmp_path / "search").mkdir()
    again = built(EmbeddedEngine(tmp_path / "search"))
    assert held(again.live()) == wanted()


def test_an_elasticsearch_that_is_down_loses_nothing():
    make_datasets(2)
    engine = ElasticsearchEngine(f"http://127.0.0.1:{services.free_port()}/down")
    with pytest.raises(EngineUnavailable):
        sync.index_pending(engine)
    assert DatasetRevision.objects.filter(is_pending=True).count() == 2


@pytest.mark.django_db(transaction=True)
def test_there_is_one_indexer_at_a_time(engine):
    make_datasets(1)
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        try:
            with process_lock(INDEXER):
                is_held.set()
                may_end.wait(10)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(10)
    assert sync.index_pending(engine) == 0
    may_end.set()
    holder.join()
    assert sync.index_pending(engine) == 1


@pytest.mark.django_db(transaction=True)
def test_an_edit_is_found_soon_by_an_indexer_that_waits_for_more(engine, curator):
    (dataset,) = make_datasets(1, title="Gold")

    def work():
        try:
            sync.index_pending(engine, lingers=3.0, lasts=5.0)
        finally:
            connections.close_all()

    indexer = threading.Thread(target=work)
    indexer.start()
    time.sleep(0.5)
    update_dataset(actor=curator, uid=dataset.uid, changes={"title": "Silver"}, expected_version=None)
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline and not found(engine.live(), Term("title", "silver")):
        time.sleep(0.05)
    assert found(engine.live(), Term("title", "silver")) == {dataset.pk}
    indexer.join()


def test_more_than_one_batch_is_written_to_the_end(engine, monkeypatch):
    monkeypatch.setattr(sync, "BATCH", 2)
    datasets = make_datasets(7)
    assert sync.index_pending(engine) == 7
    assert everything(engine.live()) == {dataset.pk for dataset in datasets}
    assert not sync.is_behind()


def test_an_edit_does_not_wait_behind_what_a_renamed_instrument_left_to_do(engine, curator, monkeypatch):
    datasets = make_datasets(8, title="Gold")
    sync.index_pending(engine)
    monkeypatch.setattr(sync, "BATCH", 2)
    monkeypatch.setattr(sync, "NEWEST", 1)
    changes.row_changed(datasets[0].instrument)
    update_dataset(actor=curator, uid=datasets[-1].uid, changes={"title": "Silver"}, expected_version=None)
    sync.index_pending(engine, lasts=0.0)
    assert found(engine.live(), Term("title", "silver")) == {datasets[-1].pk}
    assert DatasetRevision.objects.filter(is_pending=True).count() == 5
    sync.index_pending(engine)
    assert drift(engine.live()) == []
