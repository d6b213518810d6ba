"""The feed of new open data: valid Atom, opened by the clock, paged, and the same for everybody."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from lxml import etree

from catalogue.access import principal_of
from catalogue.models import Dataset, DatasetRevision, Investigation
from catalogue.services.withdrawals import withdraw_dataset
from portal.feeds import ENTRIES
from tests import factories

pytestmark = pytest.mark.django_db
ATOM = {"a": "http://www.w3.org/2005/Atom"}
SITE = "http://127.0.0.1:8000"
SECOND = timedelta(seconds=1)


def feed(path: str = "/feeds/new.atom", client: Client | None = None) -> etree._Element:
    answer = (client or Client()).get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return etree.fromstring(answer.content)


def ids(root: etree._Element) -> list[str]:
    return [entry.findtext("a:id", None, ATOM) for entry in root.findall("a:entry", ATOM)]


def link(root: etree._Element, relation: str) -> str:
    found = root.find(f"a:link[@rel='{relation}']", ATOM)
    return "" if found is None else found.get("href").removeprefix(SITE)


def stamp(dataset: Dataset, moment: datetime) -> None:
    DatasetRevision.objects.filter(dataset=dataset).update(stamped_open_at=moment)


def test_every_element_that_rfc_4287_requires_is_there():
    factories.make_dataset(is_open=True)
    root = feed()
    for path in ("a:id", "a:title", "a:updated", "a:link[@rel='self']"):
        assert len(root.findall(path, ATOM)) == 1, path
    for path in ("a:id", "a:title", "a:updated", "a:author/a:name", "a:link[@rel='alternate']", "a:summary"):
        assert len(root.findall(f"a:entry/{path}", ATOM)) == 1, path
    for moment in root.findall(".//a:updated", ATOM):
        assert datetime.fromisoformat(moment.text).tzinfo is not None


def test_what_changed_last_comes_first_and_says_when():
    now = timezone.now().replace(microsecond=0)
    first, second = (factories.make_dataset(is_open=True) for _ in range(2))
    stamp(first, now - SECOND)
    stamp(second, now - 2 * SECOND)
    root = feed()
    assert ids(root) == [first.uid.urn, second.uid.urn]
    assert root.find("a:entry/a:updated", ATOM).text == (now - SECOND).isoformat()


def test_a_dataset_enters_the_feed_in_the_second_in_which_it_opens():
    opens_at = timezone.now().replace(microsecond=0) + timedelta(days=9)
    dataset = factories.make_dataset()
    Investigation.objects.filter(pk=dataset.investigation_id).update(embargo_until=opens_at)
    stamp(dataset, opens_at)
    with time_machine.travel(opens_at - SECOND, tick=False):
        assert ids(feed()) == []
    with time_machine.travel(opens_at, tick=False):
        root = feed()
        assert ids(root) == [dataset.uid.urn]
        assert root.find("a:entry/a:updated", ATOM).text == opens_at.isoformat()


def test_closed_and_withdrawn_data_are_in_nobodys_feed():
    pi = factories.make_user()
    closed = factories.make_dataset(factories.make_investigation(pi=pi), title="zirconolite")
    gone = factories.make_dataset(is_open=True)
    withdraw_dataset(actor=principal_of(factories.make_curator()), dataset=gone, reason="Made by mistake.")
    client = Client()
    client.force_login(pi, backend="django.contrib.auth.backends.ModelBackend")
    assert ids(feed(client=client)) == ids(feed()) == []
    assert closed.title not in client.get("/feeds/new.atom").content.decode()


def test_pages_follow_one_another_to_the_end_without_gaps_among_equal_moments():
    investigation = factories.make_investigation(is_open=True)
    made = [factories.make_dataset(investigation) for _ in range(2 * ENTRIES)]
    DatasetRevision.objects.update(stamped_open_at=timezone.now())
    seen, path = [], "/feeds/new.atom"
    while path:
        root = feed(path)
        assert link(root, "first") == "/feeds/new.atom"
        assert link(root, "self") == path
        assert 0 < len(ids(root)) <= ENTRIES
        seen += ids(root)
        path = link(root, "next")
    assert seen == [dataset.uid.urn for dataset in reversed(made)]


@pytest.mark.parametrize(
    "cursor", ["x", "12", "99999999999999999999999-0197a1b23c4d7e5f8a9b000000000000", "1-zz", "%00"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str):
    assert Client().get(f"/feeds/new.atom?cursor={cursor}").status_code in (400, 422)


def test_whoever_has_the_feed_already_is_told_so_before_a_record_is_read(django_assert_num_queries):
    dataset = factories.make_dataset(is_open=True)
    etag = Client().get("/feeds/new.atom")["ETag"]
    with django_assert_num_queries(1):
        answer = Client().get("/feeds/new.atom", headers={"if-none-match": etag})
    assert answer.status_code == 304 and not answer.content
    withdraw_dataset(actor=principal_of(factories.make_curator()), dataset=dataset, reason="Made by mistake.")
    assert Client().get("/feeds/new.atom", headers={"if-none-match": etag}).status_code == 200


def test_titles_and_descriptions_are_text_whatever_is_in_them():
    factories.make_dataset(is_open=True, title="a < b & \x0bc‮", description="x <b>y</b>\x00".replace("\x00", "\x01"))
    entry = feed().find("a:entry", ATOM)
    assert entry.findtext("a:title", None, ATOM) == "a < b &  c‮"
    summary = entry.find("a:summary", ATOM)
    assert (summary.get("type"), summary.text) == ("html", "x &lt;b&gt;y&lt;/b&gt; ")


def test_a_page_costs_as_many_queries_as_there_are_tables(django_assert_max_num_queries):
    investigation = factories.make_investigation(is_open=True)
    for _ in range(ENTRIES):
        factories.make_dataset(investigation)
    with django_assert_max_num_queries(4):
        feed()
