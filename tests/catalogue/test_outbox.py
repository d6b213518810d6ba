"""The outbox: a delivery that fails for weeks is still tried, and holds up no other."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue import outbox
from catalogue.models import OutboxEntry

pytestmark = pytest.mark.django_db


def test_a_delivery_that_failed_a_thousand_times_is_tried_again_within_hours(request):
    topic = request.node.name[:50]

    def fail(key: str, payload: dict) -> None:
        raise outbox.Retry("the storage does not answer")

    outbox.register_handler(topic, fail)
    outbox.record_intents(topic, ["a"])
    OutboxEntry.objects.filter(topic=topic).update(attempts=1000)
    assert outbox.deliver_due(topics=[topic]) == 1
    entry = OutboxEntry.objects.get(topic=topic)
    assert "does not answer" in entry.last_error
    assert timedelta(hours=4) < entry.available_at - timezone.now() < timedelta(hours=8)
