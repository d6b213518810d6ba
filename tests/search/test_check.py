"""The comparison of index and database finds every kind of drift, mends it, and takes no work under way for drift."""

import pytest
from django.core.management import call_command

from catalogue import changes
from catalogue.models import Dataset, DatasetRevision, Statistic
from search.backends.embedded import EmbeddedEngine
from search.engines import engine as configured_engine
from search.indexing import check, sync
from search.indexing.check import Kind, check_index, differences
from search.indexing.status import index_status
from tests.search.archive import built, drift, everything, held, make_datasets, wanted

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def datasets() -> list[Dataset]:
    return make_datasets(6)


@pytest.fixture
def engine(tmp_path, datasets) -> EmbeddedEngine:
    return built(EmbeddedEngine(tmp_path))


def lose(engine, dataset: Dataset) -> None:
    engine.live().write([], removed=[(dataset.pk, 1)])


def test_a_sound_index_has_no_drift(engine, datasets):
    report = check_index(engine)
    assert (report.compared, report.total, report.waiting) == (6, 0, 0)
    assert Statistic.objects.get(name="index_drift").value == 0


def test_what_the_indexer_is_about_to_do_is_no_drift(engine, datasets):
    changes.datasets_changed(datasets[:2])
    make_datasets(1)
    Dataset.objects.filter(pk=datasets[4].pk).update(state="withdrawn", withdrawal_reason="A mistake.")
    changes.datasets_changed(datasets[4:5])
    report = check_index(engine)
    assert (report.total, report.waiting) == (0, 4)


def test_missing_stale_and_surplus_are_told_apart_and_counted(engine, datasets):
    lose(engine, datasets[0])
    DatasetRevision.objects.filter(dataset=datasets[1]).update(number=5)
    Dataset.objects.filter(pk=datasets[2].pk).update(state="withdrawn", withdrawal_reason="A mistake.")
    assert check_index(engine).drift == {Kind.MISSING: 1, Kind.STALE: 1, Kind.SURPLUS: 1}
    assert Statistic.objects.get(name="index_drift").value == 3
    assert "3 differ from the database" in index_status(engine).text


def test_a_repair_hands_it_to_the_indexer(engine, datasets):
    lose(engine, datasets[0])
    DatasetRevision.objects.filter(dataset=datasets[1]).update(number=5)
    Dataset.objects.filter(pk=datasets[2].pk).update(state="withdrawn", withdrawal_reason="A mistake.")
    assert check_index(engine, repairs=True).total == 3
    sync.index_pending(engine)
    assert held(engine.live()) == wanted()
    assert check_index(engine).total == 0


def test_what_is_in_no_table_any_more_is_removed(engine, datasets):
    DatasetRevision.objects.filter(dataset=datasets[5]).delete()
    Dataset.objects.filter(pk=datasets[5].pk).delete()
    check_index(engine, repairs=True)
    assert everything(engine.live()) == {one.pk for one in datasets[:5]}


def test_a_database_that_was_restored_from_a_backup_is_found_and_mended(engine, datasets):
    changes.datasets_changed(datasets)
    changes.datasets_changed(datasets)
    sync.index_pending(engine)
    assert set(held(engine.live()).values()) == {3}
    DatasetRevision.objects.update(number=2, is_pending=True)
    Dataset.objects.update(title="As it was")
    assert check_index(engine, repairs=True).drift[Kind.STALE] == 6
    sync.index_pending(engine)
    assert held(engine.live()) == wanted() and min(wanted().values()) > 3


def test_steps_of_any_length_find_the_same(engine, datasets, monkeypatch):
    for one in datasets[1:4]:
        lose(engine, one)
    make_datasets(3)
    found = list(differences(engine.live()))
    assert len(found) == 6
    for length in range(1, 9):
        monkeypatch.setattr(check, "STEP", length)
        assert list(differences(engine.live())) == found


def test_the_command_ends_with_status_1_until_it_is_repaired(settings, tmp_path, datasets, capsys):
    settings.DATA_DIR, settings.SEARCH_URL = tmp_path, ""
    call_command("search_rebuild", processes=0)
    DatasetRevision.objects.filter(dataset=datasets[1]).update(number=5)
    with pytest.raises(SystemExit):
        call_command("search_check")
    assert "1 stale" in capsys.readouterr().out
    call_command("search_check", repair=True)
    sync.index_pending(configured_engine())
    call_command("search_check")
    assert drift(configured_engine().live()) == []


def test_the_status_tells_what_waits_and_what_is_missing(engine, datasets, tmp_path):
    assert index_status(engine).is_up
    changes.datasets_changed(datasets[:2])
    assert "2 datasets wait" in index_status(engine).text
    assert index_status(EmbeddedEngine(tmp_path / "none")).text.startswith("does not answer")
    (tmp_path / "empty").mkdir()
    assert index_status(EmbeddedEngine(tmp_path / "empty")).text == "has no index yet"
