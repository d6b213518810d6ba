"""Consents: closed data of others are published only when their principal investigator agreed, and then by name."""

from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from catalogue import access
from catalogue.access import principal_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.invariants import find_violations
from catalogue.models import AuditEntry, Collection, OutboxEntry, ReleaseConsent
from catalogue.services.collection_members import add_members, remove_members
from catalogue.services.consents import ask_consents, decide_consent, open_consents
from doi import services
from doi.receivers import on_collections_changed
from doi.status import name_of, status_of
from tests import factories
from tests.doi.world import Draft, deliver, make_draft, waiting, write_text

# Rows made straight in the database are counted nowhere.
COUNTED = {"check_counts_of_investigations", "check_dataset_counts"}
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def other_pi():
    return factories.make_user("other-pi", first_name="Lise", last_name="Meitner")


@pytest.fixture
def draft(datacite, other_pi) -> Draft:
    """A draft that holds, beside the maker's own dataset, the whole of an investigation that another leads."""
    draft = make_draft()
    theirs = factories.make_investigation(pi=other_pi, title="Theirs")
    factories.make_dataset(theirs)
    factories.add_member(theirs, draft.pi)
    add_members(actor=draft.actor, collection=draft.collection, investigations=[theirs.uid])
    return draft


def the_question() -> ReleaseConsent:
    return ReleaseConsent.objects.get(state="open")


def answer(user, *, agrees: bool, reason: str = "") -> None:
    consent = the_question()
    decide_consent(actor=principal_of(user), consent=consent, agrees=agrees, reason=reason)
    on_collections_changed(uids=[consent.collection.uid])


def test_a_publication_waits_for_the_leader_whose_data_it_would_open(draft, other_pi):
    draft.publish()
    deliver()
    draft.read_again()
    assert draft.collection.state == "publishing"
    assert draft.identifier.state == "draft"
    asked = f"Asked: {name_of(other_pi)} for “Theirs”. Nothing is public until they have agreed."
    assert status_of(draft.identifier).text == asked
    assert list(open_consents(principal_of(other_pi))) == [the_question()]
    answer(other_pi, agrees=True)
    deliver()
    draft.read_again()
    theirs = ReleaseConsent.objects.get(investigation__title="Theirs").investigation
    assert (draft.collection.state, draft.identifier.state) == ("published", "findable")
    assert theirs.released_at is not None
    assert draft.investigation.released_at is None, "only the dataset that was named is released"
    assert draft.dataset.released_at is not None
    audit = AuditEntry.objects.get(action="publish", object_id=str(draft.collection.uid)).after
    assert audit["agreed"] == sorted([draft.pi.username, "Lise Meitner"])
    assert (audit["released_investigations"], audit["released_datasets"]) == (1, 1)


def test_a_refusal_makes_a_draft_again_and_opens_nothing(draft, other_pi):
    draft.publish()
    answer(other_pi, agrees=False, reason="The paper is not accepted yet.")
    deliver()
    draft.read_again()
    assert (draft.collection.state, draft.identifier.state) == ("draft", "draft")
    assert draft.dataset.released_at is None
    audit = AuditEntry.objects.filter(action="return-to-draft").get()
    assert "The paper is not accepted yet." in audit.after["reason"]
    draft.publish()
    assert the_question().decided_at is None, "a new attempt asks anew"


def test_nobody_but_the_leader_and_curators_answers(draft, other_pi):
    draft.publish()
    for user in (draft.pi, factories.make_user()):
        with pytest.raises(NotAllowed):
            decide_consent(actor=principal_of(user), consent=the_question(), agrees=True)
        assert not open_consents(principal_of(user)).exists()
    curator = principal_of(factories.make_curator())
    with pytest.raises(InvalidInput):
        decide_consent(actor=curator, consent=the_question(), agrees=True)
    decide_consent(actor=curator, consent=the_question(), agrees=True, reason="The leader left the university.")


def test_a_question_is_answered_once(draft, other_pi):
    draft.publish()
    consent = the_question()
    answer(other_pi, agrees=True)
    with pytest.raises(Conflict):
        decide_consent(actor=principal_of(other_pi), consent=consent, agrees=False, reason="No.")


def test_calling_off_takes_the_questions_back(draft, other_pi):
    draft.publish()
    services.cancel_publication(actor=draft.actor, collection=draft.collection)
    assert not open_consents(principal_of(other_pi)).exists()
    with pytest.raises(Conflict):
        decide_consent(
            actor=principal_of(other_pi), consent=ReleaseConsent.objects.get(investigation__title="Theirs"), agrees=True
        )


def test_open_data_need_no_consent(datacite):
    draft = make_draft()
    open_one = factories.make_dataset(is_open=True)
    add_members(actor=draft.actor, collection=draft.collection, datasets=Q(pk=open_one.pk))
    draft.publish()
    deliver()
    assert draft.read_again().collection.state == "published"
    open_one.refresh_from_db()
    assert open_one.released_at is None, "what was open already is not touched"
    assert waiting() == 1, "the concept is told next"


def test_the_leader_is_told_by_mail_once_and_the_asker_hears_the_answer(draft, other_pi):
    factories.add_member(draft.investigation, other_pi)
    draft.publish()
    mails = OutboxEntry.objects.filter(topic="mail")
    assert [mail.payload["user"] for mail in mails] == [other_pi.pk]
    answer(other_pi, agrees=True)
    assert [mail.payload["user"] for mail in mails.order_by("pk")] == [other_pi.pk, draft.pi.pk]


def test_many_investigations_are_asked_for_at_a_constant_number_of_statements(
    datacite, other_pi, django_assert_max_num_queries
):
    draft = make_draft()
    for _ in range(30):
        theirs = factories.make_investigation(pi=other_pi)
        factories.add_member(theirs, draft.pi)
        add_members(actor=draft.actor, collection=draft.collection, investigations=[theirs.uid])
    with django_assert_max_num_queries(12):
        assert len(ask_consents(actor=draft.actor, collection=draft.collection)) == 30


def test_what_was_made_of_published_data_and_is_no_member_stays_closed(datacite):
    draft = make_draft()
    result = factories.make_dataset(draft.investigation, kind="processed")
    result.derived_from.add(draft.dataset)
    draft.publish()
    deliver()
    result.refresh_from_db()
    assert draft.read_again().dataset.released_at is not None
    assert not access.is_open(result, now=timezone.now())
    assert result.follows_raw_data is False, "its team was asked for the raw data only"
    assert [str(one) for one in find_violations() if "follower" in one.check] == []


def test_a_whole_investigation_is_released_as_by_its_leader(datacite):
    draft = make_draft()
    add_members(actor=draft.actor, collection=draft.collection, investigations=[draft.investigation.uid])
    request = draft.investigation.extension_requests.create(
        requested_by=draft.pi, reason="More time.", until=timezone.now() + timedelta(days=800)
    )
    draft.publish()
    deliver()
    request.refresh_from_db()
    assert draft.read_again().investigation.released_at is not None
    assert request.state == "withdrawn", "nobody decides about the embargo of what is open"
    assert [str(one) for one in find_violations() if one.check not in COUNTED] == []


def test_a_consent_is_for_what_was_shown_and_not_for_what_is_added_later(draft, other_pi):
    draft.publish()
    answer(other_pi, agrees=True)
    Collection.objects.update(text=draft.collection.text | {"creators": []})
    deliver()
    assert draft.read_again().collection.state == "draft", "DataCite would refuse it"
    theirs = ReleaseConsent.objects.get(investigation__title="Theirs").investigation
    secret = factories.make_dataset(theirs, title="Not shown to the leader")
    remove_members(actor=draft.actor, collection=draft.collection, members=[("investigation", theirs.uid)])
    add_members(actor=draft.actor, collection=draft.collection, datasets=Q(pk=secret.pk))
    write_text(draft.actor, draft.collection, creators=[{"family_name": "Curie"}])
    draft.publish()
    deliver()
    secret.refresh_from_db()
    assert secret.released_at is None
    assert the_question().investigation == theirs
