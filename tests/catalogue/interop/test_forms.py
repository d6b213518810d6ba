"""Forms of records: one address each and by Accept, conditions, what is kept for whom, and what is refused."""

import itertools
import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import etree
from rdflib import Graph

from catalogue.access import principal_of
from catalogue.changes import datasets_changed
from catalogue.interop.forms import FORMS
from catalogue.models import Dataset, Investigation
from catalogue.services.withdrawals import withdraw_dataset
from tests import factories
from tests.access.world import make_world

pytestmark = pytest.mark.django_db
BROWSERS = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "text/html, application/xhtml+xml, image/jxr, */*",
    "*/*",
    "",
)
EVERYWHERE = [form for form in FORMS.values() if form.suits is None]
HEAVY = [form.suffix for form in FORMS.values() if form.is_heavy and form.suits is None]


@pytest.fixture
def world(tmp_path):
    caches["forms"].clear()
    return make_world(tmp_path)


@pytest.fixture
def paths(world) -> dict[str, str]:
    """The pages of one record of each kind, and where the addresses of its forms begin."""
    return {
        f"/datasets/{world.datasets['open'].uid}": f"/datasets/{world.datasets['open'].uid}",
        f"/investigations/{world.investigations['open'].uid}": f"/investigations/{world.investigations['open'].uid}",
        f"/doi/{world.published.doi}": f"/cite/{world.published.doi}",
        "/doi/10.5072/session-open": "/cite/10.5072/session-open",
    }


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def varies_by(response) -> set[str]:
    return {name.strip() for name in response["Vary"].split(",")}


def dataset_path(world, state="open") -> str:
    return f"/datasets/{world.datasets[state].uid}"


READERS = {
    "json": json.loads,
    "jsonld": json.loads,
    "xml": etree.fromstring,
    "rdf": etree.fromstring,
    "ttl": lambda body: Graph().parse(data=body, format="turtle"),
}


def test_every_kind_of_record_has_every_form_at_its_address_in_its_own_type(client, paths):
    for (page, address), form in itertools.product(paths.items(), EVERYWHERE):
        response = client.get(f"{address}.{form.suffix}")
        assert response.status_code == 200, response.content
        assert response["Content-Type"] == form.content_type
        assert response["X-Content-Type-Options"] == "nosniff"
        assert f'{page}>; rel="describes"' in response["Link"]
        assert (f'<{form.profile}>; rel="profile"' in response["Link"]) == bool(form.profile)
        assert READERS.get(form.suffix.rpartition(".")[2], bytes.decode)(response.content) is not None


def test_the_same_form_comes_by_accept_at_the_page(client, paths):
    for (page, address), form in itertools.product(paths.items(), EVERYWHERE):
        content = client.get(f"{address}.{form.suffix}").content
        for accepted in form.accepted_types:
            response = client.get(page, headers={"Accept": accepted})
            assert (response.status_code, response.content) == (200, content)
            assert response["Content-Location"] == f"{address}.{form.suffix}"
            assert {"Accept", "Cookie"} <= varies_by(response)


def test_browsers_and_whoever_takes_anything_get_the_page(client, paths):
    for accept, page in itertools.product(BROWSERS, paths):
        response = client.get(page, headers={"Accept": accept} if accept else {})
        assert response["Content-Type"].startswith("text/html")
        assert {"Accept", "Cookie"} <= varies_by(response)


LIKED = {
    "application/ld+json": "application/ld+json",
    "text/turtle;q=0.9, application/ld+json;q=0.5": "text/turtle",
    "text/html;q=0.1, text/turtle;q=0.2": "text/turtle",
    "text/turtle, */*;q=0.1": "text/turtle",
    "application/*": "application/ld+json",
    "text/turtle;q=0, application/xml": "application/xml",
    "text/html;q=abc, text/turtle;q=0.3": "text/html",
    ", ,;;q=,text/turtle": "text/turtle",
}


def test_the_best_liked_form_is_chosen_by_quality_and_profile(client, world):
    for accept, expected in LIKED.items():
        response = client.get(dataset_path(world), headers={"Accept": accept})
        assert response["Content-Type"].partition(";")[0] == expected, accept
    crate = {"Accept": 'application/ld+json;profile="https://w3id.org/ro/crate/1.2"'}
    assert client.get(dataset_path(world), headers=crate).json()["@graph"]


def test_where_nothing_fits_the_answer_lists_what_there_is(client, paths):
    accepts = ("image/png", "application/json", "application/ld+json;profile=urn:x", "nonsense")
    for accept, (page, address) in itertools.product(accepts, paths.items()):
        response = client.get(page, headers={"Accept": accept})
        assert (response.status_code, response["Content-Type"]) == (406, "application/problem+json")
        assert response.json()["code"] == "not-acceptable"
        listed = response.json()["fields"]["accept"]
        assert any(one.endswith(f"{address}.ttl") and one.startswith("text/turtle at http") for one in listed)
        assert "Accept" in response["Vary"]


def test_an_unknown_ending_and_an_unknown_record_are_no_form(client, world):
    assert client.get(f"{dataset_path(world)}.docx").status_code == 404
    unknown = client.get(f"/datasets/{world.storage.uid}.jsonld", headers={"Accept": "application/ld+json"})
    assert (unknown.status_code, unknown["Content-Type"]) == (404, "application/problem+json")
    assert client.post(f"{dataset_path(world)}.jsonld").status_code == 405


def test_a_condition_that_holds_is_answered_without_writing_or_reading_the_form(client, world):
    path = f"{dataset_path(world)}.jsonld"
    first = client.get(path)
    assert first["ETag"].startswith('"') and first["Last-Modified"]
    for header in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        with CaptureQueriesContext(connection) as captured:
            again = client.get(path, headers=header)
        assert (again.status_code, again.content) == (304, b"")
        assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], "public, no-cache")
        assert {"Cookie", "Authorization"} <= varies_by(again)
        assert len(captured) == 1
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    negotiated = {"Accept": "application/ld+json", "If-None-Match": first["ETag"]}
    assert client.get(dataset_path(world), headers=negotiated).status_code == 304


def test_conditions_hold_for_investigations_and_landing_pages_too(client, paths):
    for address, suffix in itertools.product(paths.values(), ("jsonld", "ttl", "bib")):
        etag = client.get(f"{address}.{suffix}")["ETag"]
        assert client.get(f"{address}.{suffix}", headers={"If-None-Match": etag}).status_code == 304
        assert etag != client.get(f"{address}.csl.json")["ETag"]


def test_the_tag_moves_with_every_change_of_the_record_and_of_its_members(client, world):
    path, dataset = f"{dataset_path(world)}.jsonld", world.datasets["open"]
    first = client.get(path)["ETag"]
    Dataset.objects.filter(pk=dataset.pk).update(title="Another title")
    datasets_changed([dataset])
    second = client.get(path)
    assert second["ETag"] != first and second.json()["name"] == "Another title"
    of_investigation = f"/investigations/{dataset.investigation.uid}.jsonld"
    before = client.get(of_investigation)["ETag"]
    Dataset.objects.filter(pk=dataset.pk).update(title="A third title")
    datasets_changed([dataset])
    after = client.get(of_investigation)
    assert after["ETag"] != before and "A third title" in after.content.decode()


def test_a_member_that_changes_moves_the_tag_of_the_collection(client, world):
    path = f"/cite/{world.published.doi}.jsonld"
    before = client.get(path)
    dataset = world.datasets["open"]
    Dataset.objects.filter(pk=dataset.pk).update(title="A new name of a member")
    datasets_changed([dataset])
    after = client.get(path)
    assert before["ETag"] != after["ETag"] and "A new name of a member" in after.content.decode()


@pytest.mark.parametrize("suffix", ["jsonld", *HEAVY])
def test_a_form_opens_in_the_second_in_which_the_embargo_ends(suffix, client, world):
    path, closed = f"{dataset_path(world, 'closed')}.{suffix}", world.datasets["closed"]
    end = timezone.now().replace(microsecond=0) + timedelta(days=3)
    Investigation.objects.filter(pk=closed.investigation_id).update(embargo_until=end)
    datasets_changed([closed])
    secret = closed.files.get().name.rpartition("/")[2]
    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        before = client.get(path)
        kept = client.get(path)
    with time_machine.travel(end, tick=False):
        after = client.get(path, headers={"If-None-Match": before["ETag"]})
    assert before.content == kept.content and secret not in before.content.decode()
    assert after.status_code == 200 and secret in after.content.decode()


@pytest.mark.parametrize("suffix", HEAVY)
def test_what_is_kept_never_crosses_from_one_access_to_another(suffix, world):
    path = f"{dataset_path(world, 'closed')}.{suffix}"
    hidden = world.canaries["unit of the closed dataset"]
    member, visitor, stranger = client_of(world.users["member"]), Client(), client_of(world.users["stranger"])
    for first, others in ((member, (visitor, stranger)), (visitor, (member,))):
        caches["forms"].clear()
        assert first.get(path).status_code == 200
        for one in (*others, first):
            response = one.get(path)
            assert (hidden in response.content.decode()) == (one is member)
            assert ("private" in response["Cache-Control"]) == (one is not visitor)
    tags = {one.get(path)["ETag"] for one in (member, visitor, stranger)}
    assert len(tags) == 3


@pytest.mark.parametrize("suffix", HEAVY)
def test_only_what_strangers_see_is_kept_and_a_kept_form_is_not_read_again(suffix, world):
    path = f"{dataset_path(world)}.{suffix}"
    keys = caches["forms"]._cache
    client_of(world.users["member"]).get(path)
    assert not keys
    first = Client().get(path)
    assert len(keys) == 1
    with CaptureQueriesContext(connection) as captured:
        assert Client().get(path).content == first.content
    assert len(captured) == 1


def test_a_token_reads_the_forms_of_what_its_owner_may_see(world):
    headers = {"Authorization": f"Bearer {world.tokens['pi']}"}
    name = world.canaries["file name of the closed dataset"]
    for path in (f"{dataset_path(world, 'closed')}.crate.json", dataset_path(world, "closed")):
        accept = {"Accept": 'application/ld+json;profile="https://w3id.org/ro/crate/1.2"'}
        response = Client().get(path, headers=headers | accept)
        assert name in response.content.decode()
        assert "private" in response["Cache-Control"]


def test_of_what_was_withdrawn_there_is_what_can_be_cited_and_the_rest_is_gone(client, world):
    dataset = world.datasets["open"]
    open_tag = client.get(f"{dataset_path(world)}.jsonld")["ETag"]
    withdraw_dataset(actor=principal_of(factories.make_curator()), dataset=dataset, reason="The sample was swapped.")
    for form in FORMS.values():
        response = client.get(f"{dataset_path(world)}.{form.suffix}", headers={"If-None-Match": open_tag})
        assert response.status_code == (200 if form.is_citable else 404 if form.suits else 410), form.suffix
        if not form.is_citable and not form.suits:
            assert "Its page says why." in response.content.decode()
    page = client.get(dataset_path(world))
    assert "Link" not in page
    assert 'rel="describedby"' not in page.content.decode() and ".datacite.json" in page.content.decode()
    gone = client.get(dataset_path(world), headers={"Accept": "text/turtle"})
    assert (gone.status_code, gone.json()["code"]) == (410, "gone")


def test_a_concept_leads_to_the_form_of_its_newest_version(client, world):
    response = client.get("/cite/10.5072/concept.datacite.json")
    assert (response.status_code, response["Location"]) == (302, f"/cite/{world.published.doi}.datacite.json")
    by_accept = client.get("/doi/10.5072/concept", headers={"Accept": "text/turtle"})
    assert (by_accept.status_code, by_accept["Location"]) == (302, f"/doi/{world.published.doi}")


def test_citations_are_saved_by_people_under_the_name_of_the_record(client, paths):
    for page, address in paths.items():
        assert '.bib"' in client.get(page).content.decode()
        name = urlsplit(address).path.split("/", 2)[2].replace("/", "_")
        for suffix in ("bib", "ris", "csl.json"):
            assert f'attachment; filename="{name}.{suffix}"' in client.get(f"{address}.{suffix}")["Content-Disposition"]
        assert "Content-Disposition" not in client.get(f"{address}.jsonld")


def test_the_page_lists_the_forms_for_people(client, paths):
    for page, address in paths.items():
        text = client.get(page).content.decode()
        for form in FORMS.values():
            if form.suits is None and not form.is_download and not form.is_linkset:
                assert f'href="{address}.{form.suffix}"' in text


def test_a_page_asks_no_more_of_the_database_for_its_forms(client, world):
    path = dataset_path(world)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    assert len(captured) <= 8
