"""Recorded intents wake the deliverer; without a broker the request succeeds all the same and the sweep delivers."""

import logging

import pytest
from django.core.cache import cache
from django.db import transaction

from catalogue import outbox
from catalogue.models import OutboxEntry
from catalogue.tasks import deliver_outbox, sweep_outbox
from portal.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivered(request):
    """The keys that were delivered under a topic of this test's own."""
    topic, keys = request.node.name[:50], []
    outbox.register_handler(topic, lambda key, payload: keys.append(key))
    return topic, keys


def waiting_messages() -> int:
    with app.connection_for_read() as connection:
        return connection.default_channel.queue_declare("default", passive=False).message_count


@pytest.fixture(autouse=True)
def _empty_queue():
    """Other tests of this process ring the same bell."""
    app.control.purge()
    yield
    app.control.purge()


def test_intents_ring_once_after_the_commit(delivered):
    topic, _ = delivered
    with transaction.atomic():
        outbox.record_intents(topic, ["a"])
        outbox.record_intents(topic, ["b"])
        assert waiting_messages() == 0
    assert waiting_messages() == 1


def test_intents_of_a_transaction_that_fails_ring_nothing(delivered):
    topic, _ = delivered
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.record_intents(topic, ["a"])
        raise ZeroDivisionError
    assert waiting_messages() == 0


def test_the_task_delivers_what_is_due_and_removes_it(delivered):
    topic, keys = delivered
    outbox.record_intents(topic, ["a", "b", "c"])
    deliver_outbox()
    assert sorted(keys) == ["a", "b", "c"]
    assert not OutboxEntry.objects.filter(topic=topic).exists()


def test_a_dead_broker_fails_nobody_and_the_sweep_delivers(delivered, unreachable_broker, caplog):
    topic, keys = delivered
    with caplog.at_level(logging.WARNING, logger="portal.doorbell"):
        outbox.record_intents(topic, ["a"])
        cache.delete("doorbell-rung")
        outbox.record_intents(topic, ["b"])
    assert [record.name for record in caplog.records].count("portal.doorbell") == 1, "silent after the first failure"
    sweep_outbox()
    assert sorted(keys) == ["a", "b"]


def test_a_delivery_that_fails_stays_with_its_error_and_is_tried_later(request):
    topic = request.node.name[:50]

    def fail(key: str, payload: dict) -> None:
        raise outbox.Retry("the index does not answer")

    outbox.register_handler(topic, fail)
    outbox.record_intents(topic, ["a"])
    deliver_outbox()
    entry = OutboxEntry.objects.get(topic=topic)
    assert entry.attempts == 1
    assert "the index does not answer" in entry.last_error
    assert entry.claimed_until is None
