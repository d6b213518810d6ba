"""Load balancers learn whether the site may be sent requests, and nothing that is a secret."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from catalogue import tasks
from catalogue.models import Statistic, Storage
from tests.factories import make_storage, make_user

pytestmark = pytest.mark.django_db


def test_a_process_that_answers_is_alive_whatever_else_is_down(client: Client, unreachable_broker):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_site_whose_parts_work_is_ready(client: Client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    parts = {"database", "migrations", "broker", "worker", "search", "storages", "classifier"}
    assert set(answer.json()["parts"]) == parts


def test_a_broker_that_is_down_makes_the_site_unready_within_seconds(client: Client, unreachable_broker):
    started = timezone.now()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"]["up"] is False
    assert answer.json()["parts"]["database"]["up"] is True
    assert (timezone.now() - started).total_seconds() < 10


def test_a_migration_that_waits_makes_the_site_unready(client: Client):
    newest = MigrationLoader(connection).graph.leaf_nodes("catalogue")[0]
    MigrationRecorder(connection).record_unapplied(*newest)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["parts"]["migrations"]["text"]


def test_one_storage_of_several_may_be_down_but_not_all(client: Client, tmp_path):
    make_storage(tmp_path, state="available")
    broken = make_storage(tmp_path, state="unavailable", state_text="no route to 10.0.0.7")
    assert client.get("/readyz").status_code == 200
    Storage.objects.exclude(pk=broken.pk).delete()
    cache.clear()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "0 of 1" in answer.json()["parts"]["storages"]["text"]


def test_the_storage_of_a_user_cannot_make_the_site_unready(client: Client):
    Storage.objects.create(
        name="mine", kind="webdav", location="https://cloud.example.org/dav", owner=make_user(), state="unavailable"
    )
    assert client.get("/readyz").status_code == 200


def test_readiness_tells_no_place_and_no_name(client: Client, tmp_path):
    make_storage(tmp_path, name="secret-project", state="unavailable", state_text=f"cannot read {tmp_path}")
    text = client.get("/readyz").content.decode()
    assert "secret-project" not in text
    assert str(tmp_path) not in text


def test_a_worker_is_seen_by_its_sweep_and_missed_when_it_stops(client: Client):
    assert client.get("/readyz").json()["parts"]["worker"]["up"] is False
    tasks.sweep_outbox()
    cache.clear()
    assert client.get("/readyz").json()["parts"]["worker"]["up"] is True
    Statistic.objects.update(measured_at=timezone.now() - timedelta(minutes=10))
    cache.clear()
    answer = client.get("/readyz")
    assert answer.json()["parts"]["worker"]["up"] is False
    assert answer.status_code == 200, "pages are served without a worker"
