"""Share links: what they show, to whom, until when; that nobody shares what is not theirs; that their secret stays one."""

import io
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.access import ANONYMOUS, Level, Principal, dataset_level, principal_of
from catalogue.collection_selectors import shared_collection_ids
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import AuditEntry, Collection, Concept, ReleaseConsent, ShareLink, ShareLinkUse
from catalogue.models.investigations import TeamRole
from catalogue.services import share_links
from portal.logs import JsonFormatter
from tests import factories
from tests.access.sharing import reader_of, share

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def pi():
    return factories.make_user("pi")


@pytest.fixture
def investigation(pi):
    return factories.make_investigation(pi=pi)


@pytest.fixture
def dataset(investigation, tmp_path: Path):
    storage = factories.make_storage(tmp_path)
    return factories.make_dataset(investigation, storage=storage, files={"grain_01.txt": b"content"})


def holder(link: ShareLink) -> Principal:
    return Principal(share_link_ids=(link.pk,), hides_people=link.hides_people)


def level(dataset, link: ShareLink) -> Level:
    return dataset_level(dataset, holder(link), now=timezone.now())


@pytest.mark.parametrize("policy", ["summary", "none"])
@pytest.mark.parametrize("what", ["dataset", "investigation"])
def test_a_link_opens_metadata_and_files_of_its_record_to_a_visitor(dataset, pi, policy, what):
    factories.set_embargo_metadata(policy)
    record = dataset if what == "dataset" else dataset.investigation
    other = factories.make_dataset(dataset.investigation)
    reader = reader_of(share(record, pi)[1])
    assert reader.get(f"/datasets/{dataset.uid}/files/grain_01.txt").getvalue() == b"content"
    assert reader.get(f"/api/v1/datasets/{dataset.uid}").json()["access"]["level"] == "full"
    assert dataset.title in reader.get(f"/investigations/{dataset.investigation.uid}").content.decode()
    sibling = reader.get(f"/api/v1/datasets/{other.uid}")
    if what == "investigation":
        assert sibling.json()["access"]["level"] == "full"
    else:
        assert sibling.status_code == 404 if policy == "none" else sibling.json()["access"]["level"] == "summary"


@pytest.mark.parametrize("policy", ["summary", "none"])
def test_a_link_without_files_shows_metadata_and_not_one_name_of_a_file(dataset, pi, policy):
    factories.set_embargo_metadata(policy)
    reader = reader_of(share(dataset.investigation, pi, allows_files=False)[1])
    page = reader.get(f"/datasets/{dataset.uid}")
    assert 'id="metadata"' in page.content.decode()
    assert "grain_01" not in page.content.decode()
    assert reader.get(f"/datasets/{dataset.uid}/files/grain_01.txt").status_code == 403
    assert reader.get(f"/datasets/{dataset.uid}/thumbnail.webp").status_code == 403
    assert reader.get(f"/datasets/{dataset.uid}/download.zip").status_code == 403
    assert dataset.title in reader.get(f"/investigations/{dataset.investigation.uid}").content.decode()


def test_a_link_that_ended_or_was_taken_back_closes_at_once_what_it_opened(dataset, pi):
    link, address = share(dataset, pi)
    reader = reader_of(address)
    url = f"/datasets/{dataset.uid}/files/grain_01.txt"
    assert reader.get(url).status_code == 200
    share_links.revoke_share_link(actor=principal_of(pi), uid=link.uid)
    assert reader.get(url).status_code == 403
    assert reader.get(address).status_code == 404
    ending, ending_address = share(dataset, pi)
    reader = reader_of(ending_address)
    ShareLink.objects.filter(pk=ending.pk).update(expires_at=timezone.now())
    assert reader.get(url).status_code == 403
    assert reader.get(ending_address).status_code == 404
    assert Client().get("/share/no-such-token").status_code == 404


def test_a_logged_in_person_keeps_own_rights_and_gains_those_of_the_link(dataset, pi):
    client = Client()
    client.force_login(factories.make_user("stranger"), backend="django.contrib.auth.backends.ModelBackend")
    client.get(share(dataset, pi)[1])
    assert client.get(f"/datasets/{dataset.uid}/files/grain_01.txt").status_code == 200
    assert client.get("/me").status_code == 200


def test_nobody_writes_by_a_link_and_a_team_that_hides_its_names_does_not_write_them_back(dataset, pi):
    reader = reader_of(share(dataset.investigation, pi)[1])
    body = {"title": "taken over"}
    headers = {"If-Match": f'"{dataset.version}"'}
    for address in (f"/api/v1/datasets/{dataset.uid}", f"/api/v1/investigations/{dataset.investigation.uid}"):
        answer = reader.patch(address, body, content_type="application/json", headers=headers)
        assert answer.status_code in (401, 403)
    member = Client()
    member.force_login(pi, backend="django.contrib.auth.backends.ModelBackend")
    member.get(share(dataset.investigation, pi, hides_people=True)[1])
    answer = member.patch(f"/api/v1/datasets/{dataset.uid}", body, content_type="application/json", headers=headers)
    assert answer.status_code == 403
    member.post("/share")
    answer = member.patch(f"/api/v1/datasets/{dataset.uid}", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("role", ["stranger", "member", "granted", "instrument"])
def test_only_who_decides_about_the_data_makes_and_takes_back_links(dataset, pi, role):
    investigation = dataset.investigation
    user = (
        factories.make_instrument_account(dataset.instrument, "x") if role == "instrument" else factories.make_user("x")
    )
    if role == "member":
        factories.add_member(investigation, user)
    if role == "granted":
        factories.make_grant(user, investigation=investigation)
    link, _ = share(dataset, pi)
    for record in (investigation, dataset):
        with pytest.raises(NotAllowed):
            share(record, user)
    with pytest.raises(NotFound):
        share_links.revoke_share_link(actor=principal_of(user), uid=link.uid)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/share-links/investigation/{investigation.uid}").status_code in (302, 404)
    client.post(f"/share-links/{link.uid}/revoke")
    assert ShareLink.objects.get().revoked_at is None


def test_a_link_has_an_end_within_the_limit_of_the_site_and_a_withdrawn_record_none(dataset, pi, settings):
    for days in (-1, settings.SHARE_LINK_DAYS + 2):
        with pytest.raises(InvalidInput):
            share_links.make_share_link(
                actor=principal_of(pi),
                record=dataset,
                expires_at=timezone.now() + timedelta(days=days),
                hides_people=False,
                allows_files=True,
            )
    dataset.state, dataset.withdrawal_reason = "withdrawn", "wrong sample"
    dataset.save()
    with pytest.raises(Conflict):
        share(dataset, pi)


def test_a_withdrawn_record_is_closed_to_links_made_before(dataset, pi):
    link, _ = share(dataset, pi)
    dataset.state, dataset.withdrawal_reason = "withdrawn", "wrong sample"
    dataset.save()
    assert level(dataset, link) == Level.TOMBSTONE


@pytest.fixture
def collection(pi):
    return Collection.objects.create(concept=Concept.objects.create(), created_by=pi, title="Wires of four papers")


@pytest.mark.parametrize("whole", [True, False])
def test_the_link_of_a_collection_shows_only_members_that_its_maker_may_pass_on(collection, dataset, pi, whole):
    other_pi, postdoc = factories.make_user("other-pi"), factories.make_user("postdoc")
    foreign = factories.make_dataset(factories.make_investigation(pi=other_pi))
    factories.make_grant(pi, investigation=foreign.investigation)
    factories.add_member(dataset.investigation, postdoc)
    for one in (dataset, foreign):
        values = {"investigation": one.investigation} if whole else {"dataset": one}
        collection.members.create(**values)
    link, _ = share(collection, pi)
    assert level(dataset, link) == Level.FULL
    assert level(foreign, link) == Level.SUMMARY
    collection.created_by = postdoc
    collection.save()
    assert level(dataset, share(collection, postdoc)[0]) == Level.SUMMARY
    ReleaseConsent.objects.create(
        collection=collection,
        investigation=foreign.investigation,
        requested_by=pi,
        state="granted",
        decided_at=timezone.now(),
        decided_by=other_pi,
    )
    assert level(foreign, link) == Level.FULL


def test_a_reviewer_reads_a_draft_its_members_and_their_files(collection, dataset, pi):
    collection.members.create(dataset=dataset, role="Figure 2")
    collection.text = {"abstract": "Of wires.", "creators": [{"family_name": "Zygler", "given_name": "Wil"}]}
    collection.save()
    for hides_people in (False, True):
        reader = Client()
        answer = reader.get(share(collection, pi, hides_people=hides_people)[1], follow=True)
        page = answer.content.decode()
        assert answer.status_code == 200
        for part in ("Of wires.", "Figure 2", f"/datasets/{dataset.uid}"):
            assert part in page
        assert ("Zygler" in page) is not hides_people
        archive = b"".join(reader.get(f"/collections/{collection.uid}/download.zip").streaming_content)
        assert b"content" in archive
    assert Client().get(f"/shared/{collection.uid}").status_code == 404


def test_the_link_of_a_collection_follows_the_rights_of_its_maker(collection, dataset, pi):
    collection.members.create(dataset=dataset)
    link, _ = share(collection, pi)
    assert shared_collection_ids(holder(link), now=timezone.now()) == {collection.pk}
    assert shared_collection_ids(ANONYMOUS, now=timezone.now()) == frozenset()
    dataset.investigation.team.update(role=TeamRole.MEMBER)
    assert level(dataset, link) == Level.SUMMARY


def test_answers_of_a_session_with_a_link_are_kept_by_nobody_else_and_not_indexed(dataset, pi):
    link, address = share(dataset, pi)
    opening = Client().get(address)
    assert opening["Referrer-Policy"] == "no-referrer"
    assert "no-store" in opening["Cache-Control"]
    reader = reader_of(address)
    opened = factories.make_dataset(is_open=True)
    for url in (
        "/",
        "/search",
        f"/datasets/{dataset.uid}",
        f"/datasets/{opened.uid}",
        f"/api/v1/datasets/{opened.uid}",
    ):
        headers = reader.get(url).headers
        assert "private" in headers["Cache-Control"], url
        assert "public" not in headers["Cache-Control"], url
        assert "Cookie" in headers["Vary"], url
        assert "noindex" in headers["X-Robots-Tag"], url
    tag = reader.get(f"/api/v1/datasets/{dataset.uid}").headers["ETag"]
    assert Client().get(f"/api/v1/datasets/{dataset.uid}", headers={"If-None-Match": tag}).status_code == 200
    assert reader.get(f"/api/v1/datasets/{dataset.uid}", headers={"If-None-Match": tag}).status_code == 304
    assert "Cache-Control" not in Client().get(f"/datasets/{opened.uid}").headers


def test_leaving_ends_it_in_this_browser_only(dataset, pi):
    _, address = share(dataset, pi)
    reader, other = reader_of(address), reader_of(address)
    assert dataset.title in reader.get("/share").content.decode()
    reader.post("/share")
    url = f"/datasets/{dataset.uid}/files/grain_01.txt"
    assert (reader.get(url).status_code, other.get(url).status_code) == (403, 200)


def test_the_secret_is_in_no_log_no_audit_row_and_not_in_the_database(dataset, pi):
    handler = next(one for one in logging.getLogger().handlers if isinstance(one.formatter, JsonFormatter))
    written = io.StringIO()
    stream = handler.setStream(written)
    try:
        link, address = share(dataset, pi)
        token = address.rpartition("/")[2]
        client = Client(raise_request_exception=False)
        client.get(address)
        share_links.revoke_share_link(actor=principal_of(pi), uid=link.uid)
        client.get(address)
        client.get(f"{address}/")
    finally:
        handler.setStream(stream)
    assert "Not Found" in written.getvalue()
    assert token not in written.getvalue()
    assert token not in str(list(AuditEntry.objects.values())) + str(list(ShareLink.objects.values()))
    assert token not in str(list(ShareLinkUse.objects.values()))


def test_use_is_logged_once_an_hour_for_each_page_and_only_for_what_the_link_shows(dataset, pi):
    link, address = share(dataset.investigation, pi)
    reader = reader_of(address)
    elsewhere = factories.make_dataset(is_open=True)
    for _ in range(2):
        for path in (
            f"/datasets/{dataset.uid}",
            f"/investigations/{dataset.investigation.uid}",
            f"/datasets/{elsewhere.uid}",
        ):
            reader.get(path)
    reader.get(f"/datasets/{dataset.uid}/files/grain_01.txt")
    paths = list(link.uses.order_by("id").values_list("path", flat=True))
    assert paths == [
        f"/datasets/{dataset.uid}",
        f"/investigations/{dataset.investigation.uid}",
        f"/datasets/{dataset.uid}/files/grain_01.txt",
    ]
    ShareLinkUse.objects.update(at=timezone.now() - timedelta(hours=2))
    reader.get(f"/datasets/{dataset.uid}")
    assert link.uses.count() == 4
    assert "127.0.0.1" not in str(list(ShareLinkUse.objects.values()))


def test_a_session_with_a_link_costs_few_queries_more(dataset, pi):
    """One for the links, two for the log of their use."""
    opened = factories.make_dataset(is_open=True)
    visitor, reader = Client(), reader_of(share(dataset, pi)[1])

    def statements(client: Client) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/datasets/{opened.uid}")
        return len([query for query in queries if "django_session" not in query["sql"]])

    assert statements(reader) - statements(visitor) == 3
