"""The archive is counted by a job; what has had its time is removed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from catalogue.access import ANONYMOUS, SYSTEM
from catalogue.errors import NotAllowed
from catalogue.models import IdempotencyKey, RegistrationDraft
from catalogue.services.housekeeping import remove_leftovers, renew_table_statistics
from catalogue.services.statistics import measure_statistics, read_statistics
from tests.factories import make_dataset, make_investigation, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_open_and_embargoed_datasets_are_counted_apart_and_withdrawn_ones_not():
    make_dataset(is_open=True, has_thumbnail=True)
    make_dataset(is_open=False)
    make_dataset(is_open=True, state="withdrawn", withdrawal_reason="wrong sample")
    figures = measure_statistics(actor=SYSTEM)
    assert (figures["datasets"], figures["open_datasets"], figures["embargoed_datasets"]) == (2, 1, 1)
    assert figures["images"] == 1
    assert read_statistics() == figures


def test_measuring_again_replaces_the_figures():
    measure_statistics(actor=SYSTEM)
    make_investigation(file_count=3, size=10)
    measure_statistics(actor=SYSTEM)
    assert read_statistics()["files"] == 3
    assert read_statistics()["bytes"] == 10


def test_only_the_site_counts_and_tidies():
    for work in (measure_statistics, remove_leftovers):
        with pytest.raises(NotAllowed):
            work(actor=ANONYMOUS)


def test_old_answers_and_drafts_go_and_young_ones_stay():
    user, now = make_user(), timezone.now()
    for key, age in (("old", 8), ("young", 6)):
        IdempotencyKey.objects.create(user=user, key=key, fingerprint="f")
        IdempotencyKey.objects.filter(key=key).update(created_at=now - timedelta(days=age))
    for title, age in (("old", 91), ("young", 89)):
        draft = RegistrationDraft.objects.create(owner=user, content={"title": title})
        RegistrationDraft.objects.filter(pk=draft.pk).update(updated_at=now - timedelta(days=age))
    removed = remove_leftovers(actor=SYSTEM)
    assert {name: count for name, count in removed.items() if count} == {"answers": 1, "drafts": 1}
    assert IdempotencyKey.objects.get().key == "young"
    assert RegistrationDraft.objects.get().content == {"title": "young"}


def test_sqlite_knows_afterwards_how_many_datasets_an_investigation_has():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL counts its tables by itself")
    investigation = make_investigation()
    for _ in range(3):
        make_dataset(investigation)
    renew_table_statistics()
    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'dataset_by_investigation'")
        assert cursor.fetchone()[0].split()[:2] == ["3", "3"]
