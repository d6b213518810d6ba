"""Prometheus reads figures of the site; strangers do not."""

import pytest
from django.test import Client
from django.utils import timezone

from catalogue import outbox
from catalogue.access import SYSTEM
from catalogue.services.statistics import measure_statistics
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db


def test_requests_are_counted_under_the_name_of_their_route(client: Client):
    client.get("/healthz")
    text = client.get("/metrics").content.decode()
    assert 'faircat_requests_total{method="GET",route="healthz",status="200"}' in text
    assert 'faircat_request_seconds_count{route="healthz"}' in text


def test_addresses_that_do_not_exist_share_one_name(client: Client):
    client.get("/no-such-page-zebra")
    text = client.get("/metrics").content.decode()
    assert "zebra" not in text
    assert 'route="unknown",status="404"' in text


def test_the_depth_and_age_of_the_outbox_and_the_size_of_the_archive_are_told(client: Client):
    outbox.record_intents("extract", ["a", "b"], available_at=timezone.now())
    make_dataset(is_open=True)
    measure_statistics(actor=SYSTEM)
    text = client.get("/metrics").content.decode()
    assert 'faircat_outbox_entries{topic="extract"} 2.0' in text
    assert 'faircat_outbox_oldest_seconds{topic="extract"}' in text
    assert 'faircat_archive{figure="open_datasets"} 1.0' in text


@pytest.mark.parametrize(
    "headers",
    [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, {"HTTP_FORWARDED": "for=192.0.2.7"}],
    ids=["from elsewhere", "through a proxy", "through a modern proxy"],
)
def test_strangers_learn_nothing(client: Client, headers: dict):
    answer = client.get("/metrics", **headers)
    assert answer.status_code == 404
    assert b"faircat_" not in answer.content


def test_a_token_opens_the_metrics_from_elsewhere(client: Client, settings):
    settings.METRICS_TOKEN = "a-long-token"
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer a-long-token", **elsewhere).status_code == 200
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer another", **elsewhere).status_code == 404


def test_no_token_is_the_right_one_while_none_is_set(client: Client):
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer ", REMOTE_ADDR="192.0.2.7").status_code == 404
