"""A rebuild beside the live index: nothing is missed that changes meanwhile, nothing is searched that is not whole."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalogue import changes
from catalogue.access import principal_of
from catalogue.models import Dataset, DatasetRevision, OutboxEntry
from catalogue.services.withdrawals import withdraw_dataset
from search.backends.embedded import EmbeddedEngine
from search.indexing import rebuild, sync
from search.indexing.locks import REBUILD, process_lock
from search.indexing.rebuild import RebuildFailed, drop_old_indexes, ensure_index, rebuild_index
from search.models import IndexBuild
from tests import factories
from tests.search.archive import built, drift, everything, held, keys, make_datasets, silent, wanted
from tests.search.processes import environment

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def engine(tmp_path) -> EmbeddedEngine:
    return EmbeddedEngine(tmp_path)


@pytest.fixture
def small_portions(monkeypatch):
    monkeypatch.setattr(rebuild, "PORTION", 2)
    monkeypatch.setattr(rebuild, "WRITTEN_AT_ONCE", 2)
    monkeypatch.setattr(rebuild, "TOLD_EVERY", 0)


def test_it_holds_what_the_database_shows_and_nothing_is_pending(engine):
    datasets = make_datasets(5)
    make_datasets(1, state="withdrawn")
    rebuild_index(engine, tell=silent)
    index = engine.live()
    assert everything(index) == keys(datasets)
    assert held(index) == wanted()
    assert not DatasetRevision.objects.filter(is_pending=True, dataset__state="active").exists()
    build = IndexBuild.objects.get()
    assert (build.state, build.written, build.name) == ("live", 5, index.name)


def test_what_changes_while_it_is_built_is_in_it(engine, small_portions):
    """The archive changes whenever the build tells that it wrote something: before, behind and ahead of where it stands."""
    datasets = make_datasets(8)
    curator = principal_of(factories.make_curator())
    live = built(engine).live()
    told = []

    def change(text: str) -> None:
        told.append(text)
        if len(told) == 1:
            changes.datasets_changed([datasets[0], datasets[7]])
            withdraw_dataset(actor=curator, dataset=datasets[1], reason="A mistake.")
            make_datasets(1)
            sync.index_pending(engine)
            assert engine.live().name == live.name, "searches go on in the old one"
            changes.datasets_changed([datasets[2]])

    rebuild_index(engine, tell=change)
    index = engine.live()
    assert index.name != live.name
    assert held(index) == wanted()
    pending = DatasetRevision.objects.filter(is_pending=True).values_list("dataset", flat=True)
    assert set(pending) <= {datasets[1].pk}, "what the new one holds is settled"
    sync.index_pending(engine)
    assert drift(index) == []


def test_an_interrupted_build_goes_on_where_it_was(engine, small_portions, monkeypatch):
    datasets = make_datasets(7)
    write = rebuild._write
    written = []

    def stop_after_two(index, build, portions, last):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(last)
        write(index, build, portions, last)

    monkeypatch.setattr(rebuild, "_write", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        rebuild_index(engine, tell=silent)
    build = IndexBuild.objects.get()
    assert (build.state, build.written) == ("building", 4)
    monkeypatch.setattr(rebuild, "_write", write)
    changes.datasets_changed([datasets[0]])
    rebuild_index(engine, tell=silent)
    build.refresh_from_db()
    assert (build.state, build.written) == ("live", 7), "it wrote the rest only"
    assert held(engine.live()) == wanted()


def test_a_build_that_is_begun_anew_forgets_the_interrupted_one(engine):
    make_datasets(2)
    name = f"{sync.schema_hash()}-interrupted"
    engine.create(name)
    IndexBuild.objects.create(name=name, started_at=timezone.now(), last_dataset=10**9)
    rebuild_index(engine, begins_anew=True, tell=silent)
    assert held(engine.live()) == wanted()
    assert engine.names() == [engine.live().name]


def test_an_index_that_is_not_what_the_database_says_is_not_put_in_place(engine, monkeypatch):
    make_datasets(3)
    live = built(engine).live()
    monkeypatch.setattr(rebuild, "_mend", lambda index: {})
    monkeypatch.setattr(rebuild, "_fill", lambda *_: {})
    DatasetRevision.objects.update(is_pending=False)
    with pytest.raises(RebuildFailed, match="3 datasets differ"):
        rebuild_index(engine, tell=silent)
    assert engine.live().name == live.name
    assert IndexBuild.objects.first().state == "failed"


def test_a_dataset_that_cannot_be_described_does_not_stop_it(engine):
    good, bad = make_datasets(2)
    other = factories.make_investigation()
    type(other.instrument).objects.filter(pk=other.instrument_id).update(embargo_metadata="unheard-of")
    Dataset.objects.filter(pk=bad.pk).update(investigation=other, instrument=other.instrument)
    rebuild_index(engine, tell=silent)
    assert everything(engine.live()) == {good.pk}
    assert OutboxEntry.objects.get(topic=sync.TOPIC).key == str(bad.uid)


def test_the_index_that_was_replaced_is_kept_for_a_day(engine):
    first = built(engine).live().name
    second = built(engine).live().name
    assert engine.names() == sorted([first, second])
    assert drop_old_indexes(engine) == []
    assert drop_old_indexes(engine, now=timezone.now() + timedelta(days=2)) == [first]
    assert engine.live().name == second


def test_a_site_without_an_index_builds_one_and_does_so_once(engine):
    make_datasets(2)
    assert ensure_index(engine)
    assert held(engine.live()) == wanted()
    assert not ensure_index(engine)


@pytest.mark.django_db(transaction=True)
def test_there_is_one_rebuild_at_a_time(engine):
    with subprocess.Popen([sys.executable, "-c", HOLD], env=environment(), stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(RebuildFailed, match="under way"):
            rebuild_index(engine, tell=silent)
        holder.kill()
        holder.wait()
    with process_lock(REBUILD, waits=True):
        pass
    rebuild_index(engine, tell=silent)


HOLD = """
import time
import django; django.setup()
from search.indexing.locks import REBUILD, process_lock
with process_lock(REBUILD):
    print("held", flush=True)
    time.sleep(60)
"""
# It says how far it came after each writing, and sleeps over it, so that it can be met in the middle.
BUILD = """
import sys, time
from pathlib import Path
import django; django.setup()
from search.indexing import rebuild
from search.backends.embedded import EmbeddedEngine
rebuild.PORTION, rebuild.WRITTEN_AT_ONCE, rebuild.TOLD_EVERY = 5, 5, 0
rebuild.rebuild_index(EmbeddedEngine(Path(sys.argv[1])), processes=int(sys.argv[2]), tell=lambda text: time.sleep(0.2))
"""


def start_build(engine, folder, processes: int = 0) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", BUILD, str(folder), str(processes)], env=environment())


@pytest.mark.django_db(transaction=True)
def test_a_killed_build_is_resumed_by_the_next(engine, tmp_path):
    datasets = make_datasets(60)
    builder = start_build(engine, tmp_path)
    deadline = time.monotonic() + 120
    while not IndexBuild.objects.filter(written__gte=10).exists():
        assert time.monotonic() < deadline and builder.poll() is None
        time.sleep(0.01)
    os.kill(builder.pid, signal.SIGKILL)
    builder.wait()
    build = IndexBuild.objects.get()
    assert build.state == "building"
    changes.datasets_changed(datasets[:3])
    rebuild_index(engine, tell=silent)
    build.refresh_from_db()
    assert build.state == "live" and IndexBuild.objects.count() == 1
    assert held(engine.live()) == wanted()


@pytest.mark.django_db(transaction=True)
def test_processes_of_their_own_make_the_same_documents(engine, tmp_path):
    make_datasets(12)
    make_datasets(5, is_open=False)
    assert start_build(engine, tmp_path, processes=2).wait(timeout=180) == 0
    assert held(engine.live()) == wanted()


def test_the_command_says_why_it_failed(settings, tmp_path, capsys):
    settings.DATA_DIR, settings.SEARCH_URL = tmp_path, ""
    make_datasets(1)
    call_command("search_rebuild", processes=0)
    assert "with 1 datasets" in capsys.readouterr().out
    settings.SEARCH_URL = "http://127.0.0.1:1/closed"
    with pytest.raises(CommandError, match="does not answer"):
        call_command("search_rebuild", processes=0)
