from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.downloads.usage import is_machine, is_robot, visitor_digest
from catalogue.models import Dataset, Download
from catalogue.services.usage import Visit, log_downloads, recount_downloads
from tests import factories
from tests.catalogue.downloads.conftest import body_of

NOON = datetime(2041, 3, 2, 12, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def visit(seconds: float, *, agent: str = FIREFOX, address: str = "192.0.2.1") -> Visit:
    return Visit(at=NOON + timedelta(seconds=seconds), address=address, agent=agent)


def count_of(dataset: Dataset) -> int:
    dataset.refresh_from_db()
    return dataset.download_count


@pytest.fixture
def dataset(db: None) -> Dataset:
    return factories.make_dataset(is_open=True)


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([0], 1),
        ([0, 10], 1),
        ([0, 30], 1),
        ([0, 31], 2),
        ([0, 25, 50, 75], 1),
        ([0, 25, 56], 2),
        ([50, 0], 2),
        ([0, 50, 25], 1),
    ],
)
def test_requests_within_30_seconds_of_each_other_count_once(
    dataset: Dataset, moments: list[int], expected: int
) -> None:
    for seconds in moments:
        log_downloads(visit=visit(seconds), sizes={dataset.pk: 1})
    assert count_of(dataset) == expected
    assert Download.objects.count() == len(moments)


def test_of_a_double_click_the_second_is_kept(dataset: Dataset) -> None:
    log_downloads(visit=visit(0), sizes={dataset.pk: 1})
    log_downloads(visit=visit(10), sizes={dataset.pk: 1})
    assert list(Download.objects.order_by("at").values_list("is_counted", flat=True)) == [False, True]


def test_other_visitors_files_and_datasets_are_no_double_click(dataset: Dataset) -> None:
    other = factories.make_dataset(is_open=True)
    log_downloads(visit=visit(0), sizes={dataset.pk: 1, other.pk: 1})
    log_downloads(visit=visit(1, address="192.0.2.2"), sizes={dataset.pk: 1})
    log_downloads(visit=visit(2, agent="curl/8.0"), sizes={dataset.pk: 1})
    log_downloads(visit=visit(3), sizes={dataset.pk: 1}, file_name="a.tif")
    assert (count_of(dataset), count_of(other)) == (4, 1)


def test_robots_are_logged_and_not_counted_but_a_persons_own_tools_are(dataset: Dataset) -> None:
    log_downloads(visit=visit(0, agent=CRAWLER), sizes={dataset.pk: 1})
    log_downloads(visit=visit(0, agent="Wget/1.21"), sizes={dataset.pk: 1})
    assert count_of(dataset) == 1
    assert set(Download.objects.values_list("is_robot", "is_machine", "is_counted")) == {
        (True, False, False),
        (False, True, True),
    }


def test_the_lists_of_counter_are_used() -> None:
    assert is_robot(CRAWLER) and is_robot("")
    assert not is_robot(FIREFOX) and not is_machine(FIREFOX)
    assert is_machine("curl/8.5.0") and not is_robot("curl/8.5.0")


@pytest.mark.parametrize("agent", ["GPTBot/1.1", "CCBot/2.0", "DuckDuckBot/1.1", "SeznamBot", "meta-externalagent/1.1"])
def test_who_calls_itself_a_robot_is_one_however_it_is_written(agent: str) -> None:
    assert is_robot(agent)


@pytest.mark.parametrize("telephone", ["CUBOT X30", "motorola edge 40", "Pixel 8"])
def test_people_with_any_telephone_are_people(telephone: str) -> None:
    assert not is_robot(
        f"Mozilla/5.0 (Linux; Android 13; {telephone}) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 200), st.sampled_from(["192.0.2.1", "192.0.2.2"]), st.sampled_from([FIREFOX, CRAWLER])
        ),
        max_size=12,
    )
)
def test_counting_at_once_and_counting_anew_agree_in_any_order(
    dataset: Dataset, visits: list[tuple[int, str, str]]
) -> None:
    Download.objects.all().delete()
    Dataset.objects.update(download_count=0)
    for seconds, address, agent in visits:
        log_downloads(visit=visit(seconds, address=address, agent=agent), sizes={dataset.pk: 1})
    at_once = count_of(dataset), set(Download.objects.filter(is_counted=True).values_list("at", "visitor"))
    assert recount_downloads() == 0
    assert (count_of(dataset), set(Download.objects.filter(is_counted=True).values_list("at", "visitor"))) == at_once


def test_wrong_counts_are_put_right_from_the_log(dataset: Dataset) -> None:
    other = factories.make_dataset(is_open=True, download_count=7)
    for seconds in (0, 10, 100):
        log_downloads(visit=visit(seconds), sizes={dataset.pk: 1})
    Download.objects.update(is_counted=False)
    Dataset.objects.filter(pk=dataset.pk).update(download_count=99)
    assert recount_downloads() == 2
    assert (count_of(dataset), count_of(other)) == (2, 0)


def test_a_visitor_is_the_same_within_a_day_only_and_never_an_address() -> None:
    def digest(**changes: object) -> str:
        values = {"secret_key": "s", "day": NOON.date(), "address": "192.0.2.1", "agent": FIREFOX}
        return visitor_digest(**(values | changes))

    assert digest() == digest()
    others = [{"secret_key": "t"}, {"day": NOON.date() + timedelta(days=1)}, {"address": "192.0.2.2"}, {"agent": "x"}]
    assert len({digest(), *(digest(**change) for change in others)}) == 5
    assert "192.0.2.1" not in digest()


def test_downloads_over_http_are_logged_once_with_their_size(client: Client, open_dataset: Dataset) -> None:
    url = reverse("dataset-file", args=[open_dataset.uid, "images/a b.tif"])
    with time_machine.travel(NOON, tick=False):
        body_of(client.get(url, headers={"user-agent": FIREFOX}))
    logged = Download.objects.get()
    assert (logged.file_name, logged.size, logged.at) == ("images/a b.tif", 4000, NOON)
    assert count_of(open_dataset) == 1


def test_the_rest_of_a_broken_download_is_no_second_one(client: Client, open_dataset: Dataset) -> None:
    url = reverse("dataset-zip", args=[open_dataset.uid])
    body_of(client.get(url, headers={"user-agent": FIREFOX, "range": "bytes=0-99"}))
    body_of(client.get(url, headers={"user-agent": FIREFOX, "range": "bytes=100-"}))
    client.head(url)
    etag = client.head(url)["ETag"]
    client.get(url, headers={"if-none-match": etag})
    assert Download.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_log_that_cannot_be_written_spoils_no_download(
    client: Client, open_dataset: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    """The dataset is removed from under its download."""
    url = reverse("dataset-file", args=[open_dataset.uid, "images/a b.tif"])
    response = client.get(url, headers={"user-agent": "x" * 10})
    Dataset.objects.all().delete()
    assert len(body_of(response)) == 4000
    assert "could not be logged" in caplog.text
