"""The wizard as people use it, without JavaScript: four pages, two editors, and the way of a DOI until it is findable."""

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.access import principal_of
from catalogue.circuit import circuit_of
from catalogue.collection_selectors import text_of
from catalogue.models import Collection, Dataset, Investigation, ReleaseConsent, Technique, User
from catalogue.services.collection_members import add_members
from catalogue.services.collections import start_collection
from catalogue.services.selections import add_to_selection
from doi.models import Identifier
from tests import factories
from tests.doi.world import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def pi() -> User:
    return factories.make_user("regina", first_name="Regina", last_name="Roth")


@pytest.fixture
def session(pi) -> Investigation:
    investigation = factories.make_investigation(pi=pi, title="Growth of silicon nanowires", visit_id="ma-7")
    for number in (1, 2):
        factories.make_dataset(investigation, title=f"Wires {number}", size=10, file_count=1)
    return investigation


@pytest.fixture
def draft(pi, session) -> Collection:
    return start_collection(actor=principal_of(pi), investigations=[session.uid])


def browser_of(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def fields_of(page, *names: str) -> dict[str, str]:
    """What a browser would send of the form: its inputs as they are shown."""
    context = page.context
    values = {"seen": context["seen"], **{one.path: one.value for one in context["inputs"].values()}}
    for name in names:
        for row in context[name]:
            values |= dict(row.hidden) | {one.path: one.value for one in row.inputs}
    return values


def describe(client: Client, draft: Collection, **changes: str):
    address = f"/doi/drafts/{draft.uid}/describe"
    return client.post(address, fields_of(client.get(address), "subjects", "related") | changes)


def people(client: Client, draft: Collection, **changes: str):
    address = f"/doi/drafts/{draft.uid}/people"
    values = fields_of(client.get(address), "creators", "contributors", "fundings")
    return client.post(address, values | changes)


def saved(draft: Collection):
    return text_of(Collection.objects.get(pk=draft.pk))


def test_a_selection_of_own_and_open_data_becomes_a_draft_and_says_what_is_left_out(pi, session):
    opened, closed = factories.make_dataset(is_open=True), factories.make_dataset()
    chosen = [*session.datasets.values_list("uid", flat=True), opened.uid, closed.uid]
    add_to_selection(actor=principal_of(pi), session={}, uids=chosen)
    client = browser_of(pi)
    assert "Get a DOI for these" in client.get("/selection").content.decode()
    page = client.post("/doi/new", {"from": "selection"}, follow=True)
    draft = Collection.objects.get()
    assert page.redirect_chain[-1][0] == f"/doi/drafts/{draft.uid}/what"
    assert draft.dataset_count == 3 and "1 of the chosen datasets cannot be published" in page.content.decode()


def test_datasets_and_investigations_offer_a_doi_to_those_who_read_them_in_full(pi, session):
    dataset = session.datasets.first()
    for path in (f"/datasets/{dataset.uid}", f"/investigations/{session.uid}"):
        assert "Get a DOI" in browser_of(pi).get(path).content.decode()
        assert "Get a DOI" not in browser_of(factories.make_user()).get(path).content.decode()
        assert "Get a DOI" not in browser_of(None).get(path).content.decode()
    browser_of(pi).post("/doi/new", {"from": "dataset", "dataset": dataset.uid})
    assert Collection.objects.get().title == dataset.title


def test_a_draft_is_nobody_elses_business(pi, draft):
    for client in (browser_of(factories.make_user()), browser_of(None)):
        for step in ("", "/what", "/describe", "/people", "/review", "/publish"):
            response = client.get(f"/doi/drafts/{draft.uid}{step}")
            assert response.status_code == 404 or response.url.startswith("/accounts/login/")
    assert browser_of(pi).get(f"/doi/drafts/{draft.uid}").status_code == 200


def test_members_are_added_by_search_by_doi_and_by_selection_and_taken_out(pi, draft, session):
    client, address = browser_of(pi), f"/doi/drafts/{draft.uid}/what"
    opened = factories.make_investigation(is_open=True, title="Cathodes in slices")
    hidden = factories.make_investigation(title="Cathodes of a competitor")
    found = client.get(address, {"q": "cathodes"}).context["found"]
    assert [one.uid for one in found] == [opened.uid]
    assert [one.uid for one in client.get(address, {"q": "MA-7"}).context["found"]] == [session.uid]
    client.post(address, {"action": "add", "from": "investigation", "investigation": opened.uid})
    assert draft.members.count() == 2
    refused = client.post(address, {"action": "add", "from": "investigation", "investigation": hidden.uid})
    assert "under embargo" in refused.content.decode()
    unknown = client.post(address, {"action": "add", "from": "doi", "doi": "10.5072/none"})
    assert "no DOI that this site has published" in unknown.content.decode()
    client.post(address, {"remove": f"investigation-{opened.uid}"})
    assert draft.members.get().investigation == session


def test_a_member_that_is_hidden_from_its_editor_meanwhile_is_named_by_nothing_and_can_be_taken_out(pi, draft, session):
    client, address = browser_of(pi), f"/doi/drafts/{draft.uid}/what"
    other = factories.make_dataset(factories.make_investigation(), title="Cathodes of a colleague")
    draft.members.create(dataset=other)
    factories.set_embargo_metadata("none")
    page = client.get(address).content.decode()
    assert session.title in page and other.title not in page and "Closed to you" in page
    client.post(address, {"remove": f"dataset-{other.uid}"})
    assert draft.members.get().investigation == session
    assert "Closed to you" not in client.get(address).content.decode()


def test_the_part_of_a_member_is_kept_and_a_colleagues_is_not_overwritten(pi, draft, session):
    client, address, key = browser_of(pi), f"/doi/drafts/{draft.uid}/what", f"investigation-{session.uid}"
    client.post(address, {f"role.{key}": "Figure 2", f"was.{key}": "", "action": "save"})
    assert draft.members.get().role == "Figure 2"
    page = client.post(address, {f"role.{key}": "Figure 3", f"was.{key}": "", "action": "save"})
    assert "Figure 2" in page.content.decode() and page.context["members"][0]["role"] == "Figure 3"
    assert draft.members.get().role == "Figure 2"
    untouched = {f"role.{key}": "", f"was.{key}": "", "action": "save"}
    assert client.post(address, untouched).status_code == 302
    assert draft.members.get().role == "Figure 2"


def test_each_step_saves_and_leads_to_the_next(pi, draft):
    client = browser_of(pi)
    assert client.post(f"/doi/drafts/{draft.uid}/what", {"action": "next"}).url.endswith("/describe")
    assert describe(client, draft, title="Wires for all", action="next").url.endswith("/people")
    assert people(client, draft, action="next").url.endswith("/review")
    assert describe(client, draft, abstract="Later", action="leave").url == "/me"
    assert (saved(draft).title, saved(draft).abstract) == ("Wires for all", "Later")
    dashboard = client.get("/me").content.decode()
    assert "Wires for all" in dashboard and f"/doi/drafts/{draft.uid}/what" in dashboard


def test_a_technique_becomes_a_subject_with_its_address_and_other_words_a_keyword(pi, draft):
    technique = Technique.objects.create(
        iri="http://purl.org/pan-science/PaNET/PaNET01113", label="tomography", source="PaNET"
    )
    client = browser_of(pi)
    assert '<option value="tomography">' in client.get(f"/doi/drafts/{draft.uid}/describe").content.decode()
    describe(client, draft, new_subject="Tomography", action="subject")
    describe(client, draft, new_subject="sausages", action="subject")
    first, second = saved(draft).subjects
    assert (first.term, first.scheme, first.value_uri) == ("tomography", "PaNET", technique.iri)
    assert (second.term, second.value_uri) == ("sausages", "")
    describe(client, draft, action="remove:subjects:0")
    assert [one.term for one in saved(draft).subjects] == ["sausages"]


def test_authors_are_added_put_in_order_and_removed_by_buttons(pi, draft):
    client = browser_of(pi)
    response = people(client, draft, action="add:creators:Personal")
    assert response.url.endswith("#creators-1")
    people(client, draft, **{"creators.1.family_name": "Curie"}, action="save")
    people(client, draft, action="up:creators:1")
    assert saved(draft).creators[0].family_name == "Curie"
    people(client, draft, action="add:creators:Organizational")
    people(client, draft, **{"creators.2.name": "Institute"}, action="save")
    people(client, draft, action="remove:creators:0")
    assert [one.is_organisation for one in saved(draft).creators] == [False, True]
    people(client, draft, action="team")
    assert len(saved(draft).creators) == 2


def test_a_wrong_check_digit_is_told_at_its_field_and_what_was_typed_is_kept(pi, draft):
    page = people(browser_of(pi), draft, **{"creators.0.orcid": "0000-0002-1825-0098"}, action="next")
    assert page.status_code == 422
    wrong = [one for one in page.context["creators"][0].inputs if one.errors]
    assert [(one.path, one.value) for one in wrong] == [("creators.0.orcid", "0000-0002-1825-0098")]
    assert 'aria-describedby="creators-0-orcid-error"' in page.content.decode()


def test_what_is_missing_holds_nobody_up_until_the_review_which_links_to_each_field(pi, draft):
    client = browser_of(pi)
    people(client, draft, action="add:fundings:")
    assert people(client, draft, action="next").status_code == 302
    describe(client, draft, title="", action="save")
    review = client.get(f"/doi/drafts/{draft.uid}/review")
    links = {problem["url"] for problem in review.context["problems"]}
    assert f"/doi/drafts/{draft.uid}/describe?check=1#title" in links
    assert f"/doi/drafts/{draft.uid}/people?check=1#fundings-0-funder_name" in links
    page = client.get(f"/doi/drafts/{draft.uid}/people?check=1").content.decode()
    assert 'id="fundings-0-funder_name"' in page and "Please give the name of the funder." in page


def test_the_page_saves_itself_and_answers_with_what_the_next_save_must_say(pi, draft):
    client, address = browser_of(pi), f"/doi/drafts/{draft.uid}/describe"
    values = fields_of(client.get(address), "subjects", "related")
    first = client.post(address, values | {"title": "One"}, headers={"HX-Request": "true"})
    assert "Saved" in first.content.decode() and saved(draft).title == "One"
    values["seen"] = first.context["seen"]
    client.post(address, values | {"title": "Two"}, headers={"HX-Request": "true"})
    assert saved(draft).title == "Two"


def test_of_two_editors_the_second_is_shown_both_versions_and_chooses(pi, session, draft):
    colleague = factories.make_user()
    factories.add_member(session, colleague)
    mine, theirs, address = browser_of(pi), browser_of(colleague), f"/doi/drafts/{draft.uid}/describe"
    opened = fields_of(theirs.get(address), "subjects", "related")
    describe(mine, draft, title="My title", action="save")
    of_itself = theirs.post(address, opened | {"title": "Their title"}, headers={"HX-Request": "true"})
    assert "Somebody else changed" in of_itself.content.decode() and saved(draft).title == "My title"
    page = theirs.post(address, opened | {"title": "Their title", "action": "next"})
    assert page.status_code == 409 and saved(draft).title == "My title"
    assert page.context["differing"] == [{"label": "Title", "theirs": ["My title"], "mine": ["Their title"]}]
    kept = fields_of(page, "subjects", "related") | {"action": "save"}
    assert theirs.post(address, kept).status_code == 302 and saved(draft).title == "Their title"


def test_two_editors_of_different_pages_do_not_meet(pi, draft):
    client = browser_of(pi)
    values = fields_of(client.get(f"/doi/drafts/{draft.uid}/people"), "creators", "contributors", "fundings")
    describe(client, draft, title="Changed meanwhile", action="save")
    response = client.post(
        f"/doi/drafts/{draft.uid}/people", values | {"creators.0.given_name": "Ada", "action": "next"}
    )
    assert response.status_code == 302
    assert (saved(draft).title, saved(draft).creators[0].given_name) == ("Changed meanwhile", "Ada")


def test_the_review_shows_what_opens_who_is_asked_and_the_very_metadata(pi, draft):
    other = factories.make_investigation(pi=factories.make_user(first_name="Otto"), title="Of somebody else")
    factories.make_grant(pi, investigation=other)
    factories.make_dataset(other, title="Slice 001")
    client = browser_of(pi)
    client.post(f"/doi/drafts/{draft.uid}/what", {"action": "add", "from": "investigation", "investigation": other.uid})
    page = client.get(f"/doi/drafts/{draft.uid}/review")
    assert page.context["closed"].datasets == 3 and set(page.context["closed_titles"]) >= {"Wires 1", "Slice 001"}
    assert {one["title"]: one["is_own"] for one in page.context["asked"]} == {
        "Growth of silicon nanowires": True,
        "Of somebody else": False,
    }
    assert f"/doi/drafts/{draft.uid}/metadata" in page.content.decode()
    metadata = client.get(f"/doi/drafts/{draft.uid}/metadata")
    assert '"schemaVersion"' in metadata.context["attributes"] and "<titles>" in metadata.context["xml"]


def test_who_leads_none_of_the_data_does_not_publish(session, draft):
    member = factories.make_user()
    factories.add_member(session, member)
    response = browser_of(member).get(f"/doi/drafts/{draft.uid}/publish")
    assert response.status_code == 403 and "ask one of them" in response.content.decode()
    assert browser_of(member).post(f"/doi/drafts/{draft.uid}/publish", {"confirm": "on"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_doi_is_reserved_and_published_after_a_second_confirmation(datacite, pi, draft):
    client = browser_of(pi)
    state = client.post(f"/doi/drafts/{draft.uid}/review", {"action": "reserve"}, follow=True)
    identifier = Identifier.objects.get(collection=draft)
    assert identifier.doi in state.content.decode() and state.context["status"].title == "Reserved"
    confirm = client.get(f"/doi/drafts/{draft.uid}/publish")
    version = str(confirm.context["record"].version)
    assert client.post(f"/doi/drafts/{draft.uid}/publish", {"version": version}).status_code == 422
    assert Collection.objects.get().state == "draft"
    done = client.post(f"/doi/drafts/{draft.uid}/publish", {"version": version, "confirm": "on"}, follow=True)
    assert done.context["status"].title == "Published"
    assert Dataset.objects.first().investigation.released_at is not None
    assert Collection.objects.get().doi == identifier.doi


@pytest.mark.django_db(transaction=True)
def test_what_was_changed_after_the_review_is_not_published_unseen(datacite, pi, draft):
    client = browser_of(pi)
    version = str(client.get(f"/doi/drafts/{draft.uid}/publish").context["record"].version)
    describe(client, draft, title="Changed by a colleague", action="save")
    response = client.post(f"/doi/drafts/{draft.uid}/publish", {"version": version, "confirm": "on"})
    assert response.status_code == 412 and Collection.objects.get().state == "draft"


@pytest.mark.django_db(transaction=True)
def test_what_is_not_complete_leads_from_publishing_back_to_its_fields(datacite, pi, draft):
    client = browser_of(pi)
    describe(client, draft, title="", action="save")
    version = str(client.get(f"/doi/drafts/{draft.uid}/publish").context["record"].version)
    page = client.post(f"/doi/drafts/{draft.uid}/publish", {"version": version, "confirm": "on"})
    assert page.status_code == 422
    assert f'href="/doi/drafts/{draft.uid}/describe?check=1#title"' in page.content.decode()
    assert Collection.objects.get().state == "draft" and not Identifier.objects.filter(collection=draft).exists()


@pytest.mark.django_db(transaction=True)
def test_a_colleagues_data_wait_for_the_colleague_who_reads_what_opens_and_answers(datacite, pi, draft):
    otto = factories.make_user("otto")
    other = factories.make_investigation(pi=otto, title="Of somebody else")
    factories.make_grant(pi, investigation=other)
    factories.make_dataset(other, title="Slice 001")
    client = browser_of(pi)
    client.post(f"/doi/drafts/{draft.uid}/what", {"action": "add", "from": "investigation", "investigation": other.uid})
    version = str(client.get(f"/doi/drafts/{draft.uid}/publish").context["record"].version)
    page = client.post(f"/doi/drafts/{draft.uid}/publish", {"version": version, "confirm": "on"}, follow=True)
    assert page.context["status"].title == "Waiting for consent" and "Of somebody else" in page.content.decode()
    consent = ReleaseConsent.objects.get(investigation=other)
    assert f"/consents/{consent.uid}" in browser_of(otto).get("/me").content.decode()
    assert browser_of(pi).get(f"/consents/{consent.uid}").status_code == 404
    question = browser_of(otto).get(f"/consents/{consent.uid}")
    assert "Slice 001" in question.content.decode() and str(pi.person) in question.content.decode()
    assert browser_of(otto).post(f"/consents/{consent.uid}", {"action": "refuse"}).status_code == 422
    assert browser_of(otto).post(f"/consents/{consent.uid}", {"action": "agree"}).status_code == 422
    browser_of(otto).post(f"/consents/{consent.uid}", {"action": "refuse", "reason": "Too early"})
    assert Collection.objects.get(pk=draft.pk).state == "draft"
    for address, reader in ((f"/consents/{consent.uid}", otto), (f"/doi/drafts/{draft.uid}/review", pi)):
        assert "Too early" in browser_of(reader).get(address).content.decode()


@pytest.mark.django_db(transaction=True)
def test_what_datacite_refused_is_told_at_its_field_and_does_not_hold_up_the_next_attempt(datacite, pi, draft):
    client = browser_of(pi)
    client.post(f"/doi/drafts/{draft.uid}/review", {"action": "reserve"})
    said = {"creators.0.given_name": ["Too short."], "": ["Ask the operator."]}
    Identifier.objects.filter(collection=draft).update(problem="refused", problems=said)
    state = client.get(f"/doi/drafts/{draft.uid}")
    assert state.context["status"].title == "DataCite refused it"
    links = {one["message"]: one["url"] for one in state.context["problems"]}
    assert links["Too short."] == f"/doi/drafts/{draft.uid}/people?check=1#creators-0-given_name"
    assert links["Ask the operator."] == ""
    assert "Too short." in client.get(f"/doi/drafts/{draft.uid}/people").content.decode()
    review = client.get(f"/doi/drafts/{draft.uid}/review")
    assert review.context["refused"] and not review.context["problems"]
    assert f"/doi/drafts/{draft.uid}/publish" in review.content.decode()


@pytest.mark.django_db(transaction=True)
def test_while_datacite_is_silent_the_page_says_so_and_when_it_is_tried_again(datacite, pi, draft):
    client = browser_of(pi)
    datacite.stop()
    client.post(f"/doi/drafts/{draft.uid}/review", {"action": "reserve"})
    page = client.get(f"/doi/drafts/{draft.uid}")
    status = page.context["status"]
    assert status.polls_every and status.may_retry and status.next_attempt_at
    assert "DataCite does not answer" in page.content.decode() and "Try again now" in page.content.decode()
    again = client.get(f"/doi/drafts/{draft.uid}", {"seen": status.key}, headers={"HX-Request": "true"})
    assert again.status_code == 204


def test_the_page_says_that_the_doi_of_all_versions_waits_and_tries_it_again(datacite, pi, draft):
    client, address = browser_of(pi), f"/doi/drafts/{draft.uid}"
    describe(client, draft, title="Nanowires", abstract="Pictures of nanowires.")
    version = str(Collection.objects.get(pk=draft.pk).version)
    client.post(f"{address}/publish", {"confirm": "on", "version": version})
    assert Collection.objects.get(pk=draft.pk).state == "published"
    datacite.stop()
    deliver()
    page = client.get(address).content.decode()
    assert "The DOI of all versions is not registered yet. DataCite does not answer" in page
    datacite.start()
    Identifier.objects.update(last_attempt_at=None)
    circuit_of("datacite", datacite.url, datacite.user).record_success()
    client.post(f"{address}/act", {"action": "retry"})
    assert "The DOI of all versions is not" not in client.get(address).content.decode()


@pytest.mark.django_db(transaction=True)
def test_what_is_published_is_corrected_as_a_whole_and_followed_by_a_new_version(datacite, pi, draft):
    client = browser_of(pi)
    version = str(client.get(f"/doi/drafts/{draft.uid}/publish").context["record"].version)
    client.post(f"/doi/drafts/{draft.uid}/publish", {"version": version, "confirm": "on"})
    assert client.get(f"/doi/drafts/{draft.uid}/what").url == f"/doi/drafts/{draft.uid}"
    people(client, draft, action="add:creators:Personal")
    assert len(saved(draft).creators) == 1
    assert describe(client, draft, title="", action="correct").status_code == 422
    assert describe(client, draft, title="Put right", action="correct").status_code == 302
    assert saved(draft).title == "Put right"
    response = client.post(f"/doi/drafts/{draft.uid}/act", {"action": "version"})
    second = Collection.objects.get(number=2)
    assert response.url == f"/doi/drafts/{second.uid}/what" and second.title == "Put right"
    response = client.post(f"/doi/drafts/{draft.uid}/act", {"action": "withdraw", "reason": "Wrong"})
    assert response.status_code == 403
    curator = browser_of(factories.make_curator())
    assert "Reason, shown to everyone" in curator.get(f"/doi/drafts/{draft.uid}").content.decode()
    curator.post(f"/doi/drafts/{draft.uid}/act", {"action": "withdraw", "reason": "Samples were exchanged"})
    assert Collection.objects.get(pk=draft.pk).state == "withdrawn"


def test_a_draft_is_removed_by_its_button(pi, draft):
    assert browser_of(pi).post(f"/doi/drafts/{draft.uid}/remove").url == "/me"
    assert not Collection.objects.exists()


def test_pages_of_a_thousand_members_cost_as_many_queries_as_of_sixty(pi, session, draft):
    client = browser_of(pi)

    def costs() -> dict[str, int]:
        found = {}
        for step in ("what", "describe", "people", "review", "publish"):
            client.get(f"/doi/drafts/{draft.uid}/{step}")
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"/doi/drafts/{draft.uid}/{step}").status_code == 200
            found[step] = len(queries)
        return found

    def grow(count: int) -> None:
        row = {"instrument": session.instrument, "investigation": session, "title": "Frame", "size": 1}
        registrant = session.datasets.first().registered_by
        Dataset.objects.bulk_create([Dataset(registered_by=registrant, **row) for _ in range(count)])
        add_members(actor=principal_of(pi), collection=Collection.objects.get(), datasets=Q(title="Frame"))

    grow(60)
    few = costs()
    grow(1000)
    assert few == costs()
