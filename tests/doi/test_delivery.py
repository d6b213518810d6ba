"""Delivery to DataCite: nothing opens before it accepted, nothing is lost or told twice, whatever goes wrong on the way."""

import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue import access
from catalogue.access import ANONYMOUS, Level, principal_of
from catalogue.circuit import circuit_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed, StaleVersion, Unavailable
from catalogue.models import AuditEntry, Collection, OutboxEntry
from catalogue.models.collections import CollectionState
from doi import delivery, services
from doi.client import client_from_settings
from doi.models import Identifier, IdentifierState, Problem
from doi.standin.faults import Fault
from doi.status import status_of
from doi.sweep import sweep
from tests import factories
from tests.doi.world import Draft, deliver, make_draft, waiting, write_text
from tests.servers import DataCiteServer

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _closed_circuit(datacite: DataCiteServer):
    """Each test begins with a DataCite that nobody found dead."""
    circuit = circuit_of("datacite", datacite.url, datacite.user)
    circuit.record_success()
    yield
    circuit.record_success()


def is_open(draft: Draft) -> bool:
    draft.read_again()
    return access.dataset_level(draft.dataset, ANONYMOUS, now=timezone.now()) == Level.FULL


def states(draft: Draft) -> tuple[str, str, bool]:
    is_public = is_open(draft)
    return draft.collection.state, draft.identifier.state, is_public


def mints(datacite: DataCiteServer) -> dict[str, int]:
    return {doi: counts["mints"] for doi, counts in datacite.log()["dois"].items()}


def test_a_reserved_doi_is_known_to_datacite_and_to_nobody_else(datacite):
    draft = make_draft()
    identifier = services.reserve(actor=draft.actor, collection=draft.collection)
    deliver()
    found = client_from_settings().get(identifier.doi)
    assert found is not None and found.state == "draft"
    assert found.url == f"http://127.0.0.1:8000/doi/{identifier.doi}"
    assert states(draft) == ("draft", "draft", False)
    assert draft.collection.doi is None


def test_publishing_opens_the_members_when_datacite_has_accepted_and_not_before(datacite):
    draft = make_draft()
    identifier = draft.publish()
    assert states(draft) == ("publishing", "none", False)
    deliver()
    assert states(draft) == ("published", "findable", True)
    assert draft.collection.doi == identifier.doi
    assert draft.identifier.is_settled
    audit = AuditEntry.objects.get(action="publish", object_id=str(draft.collection.uid))
    assert audit.after["agreed"] == [draft.pi.username]
    release = AuditEntry.objects.get(action="release", object_id=str(draft.dataset.uid))
    assert release.after["agreed"] == draft.pi.username


def test_a_concept_doi_leads_to_the_newest_version_and_both_sides_say_so(datacite):
    draft = make_draft()
    draft.publish()
    deliver(passes=2)
    concept = Identifier.objects.get(concept=draft.collection.concept)
    assert concept.state == IdentifierState.FINDABLE
    assert concept.concept.doi == concept.doi
    client = client_from_settings()
    related = client.get(draft.identifier.doi).attributes["relatedIdentifiers"]
    assert (concept.doi, "IsVersionOf") in {(one["relatedIdentifier"], one["relationType"]) for one in related}
    back = client.get(concept.doi).attributes["relatedIdentifiers"]
    assert [(one["relatedIdentifier"], one["relationType"]) for one in back] == [(draft.identifier.doi, "HasVersion")]


@pytest.mark.parametrize("kind", ["429", "500", "503", "reset", "malformed_json", "lost_acknowledgement"])
def test_after_each_fault_nothing_is_open_until_it_is_known_to_be_accepted_and_then_all_is(datacite, kind):
    draft = make_draft()
    draft.publish()
    datacite.fail(Fault(kind=kind))
    deliver()
    collection, identifier, is_public = states(draft)
    assert (collection == "published") == (identifier == "findable") == is_public
    assert is_public is False
    assert draft.identifier.last_error
    datacite.fail()
    circuit_of("datacite", datacite.url, datacite.user).record_success()
    deliver()
    assert states(draft) == ("published", "findable", True)
    assert mints(datacite)[draft.identifier.doi] == 1
    assert draft.identifier.last_error == ""


def test_a_lost_acknowledgement_is_found_out_in_the_same_delivery(datacite):
    draft = make_draft()
    draft.publish()
    datacite.fail(Fault(kind="lost_acknowledgement", times=1, methods=("PUT",)))
    deliver()
    assert states(draft) == ("published", "findable", True)
    assert datacite.log()["dois"][draft.identifier.doi]["writes"] == 1


def test_a_busy_datacite_is_left_alone_for_as_long_as_it_asks(datacite):
    draft = make_draft()
    draft.publish()
    datacite.fail(Fault(kind="429", retry_after=1800, times=1))
    deliver()
    entry = OutboxEntry.objects.get(topic="doi")
    assert timedelta(minutes=29) < entry.available_at - timezone.now() < timedelta(minutes=37)
    status = status_of(draft.identifier)
    assert (draft.identifier.problem, status.next_attempt_at) == (Problem.LATER, entry.available_at)
    assert status.text.startswith("DataCite does not answer at present.") and status.may_retry


def test_what_datacite_refuses_makes_a_draft_again_with_the_reason_and_is_not_repeated(datacite):
    draft = make_draft()
    datacite.stop()
    draft.publish()
    # What the site accepts and DataCite does not: its account is restricted to other domains.
    Collection.objects.filter(pk=draft.collection.pk).update(text=draft.collection.text | {"title": ""})
    datacite.start()
    deliver()
    assert states(draft) == ("draft", "none", False)
    assert waiting() == 0
    assert draft.identifier.problem == Problem.REFUSED
    assert "title" in draft.identifier.problems
    assert sweep(actor=access.SYSTEM) == 0
    write_text(draft.actor, draft.collection, title="A title")
    draft.publish()
    deliver()
    assert states(draft) == ("published", "findable", True)


def test_what_datacite_would_refuse_is_told_at_its_field_and_never_sent(datacite):
    draft = make_draft(creators=[])
    with pytest.raises(InvalidInput) as refusal:
        draft.publish()
    assert "creators" in refusal.value.fields
    assert draft.read_again().collection.state == CollectionState.DRAFT
    assert not Identifier.objects.filter(collection=draft.collection).exists()
    assert datacite.log()["requests"] == {}


def test_wrong_credentials_are_the_operators_matter_and_call_nothing_off(datacite, settings):
    draft = make_draft()
    draft.publish()
    right, settings.DATACITE_PASSWORD = settings.DATACITE_PASSWORD, "wrong"
    deliver()
    assert states(draft) == ("publishing", "none", False)
    assert draft.identifier.problem == Problem.OPERATOR
    settings.DATACITE_PASSWORD = right
    deliver()
    assert states(draft) == ("published", "findable", True)


def test_publishing_what_was_changed_meanwhile_is_refused(datacite):
    draft = make_draft()
    with pytest.raises(StaleVersion):
        services.publish(actor=draft.actor, collection=draft.collection, expected_version=draft.collection.version - 1)


def test_strangers_neither_reserve_nor_publish(datacite):
    draft, stranger = make_draft(), principal_of(factories.make_user())
    for act in (services.reserve, services.publish):
        extra = {"expected_version": None} if act is services.publish else {}
        with pytest.raises(NotAllowed):
            act(actor=stranger, collection=draft.collection, **extra)
    assert not Identifier.objects.filter(collection=draft.collection).exists()


def test_a_site_without_an_account_makes_no_dois(settings):
    draft = make_draft()
    settings.DATACITE_URL = ""
    with pytest.raises(Unavailable):
        draft.publish()


def test_a_publication_is_called_off_while_datacite_has_not_accepted(datacite):
    draft = make_draft()
    datacite.stop()
    draft.publish()
    deliver()
    services.cancel_publication(actor=draft.actor, collection=draft.collection)
    datacite.start()
    circuit_of("datacite", datacite.url, datacite.user).record_success()
    deliver()
    assert states(draft) == ("draft", "draft", False)


def test_a_publication_that_may_have_been_accepted_is_not_called_off(datacite):
    draft = make_draft()
    draft.publish()
    datacite.fail(Fault(kind="lost_acknowledgement"))
    deliver()
    with pytest.raises(Conflict):
        services.cancel_publication(actor=draft.actor, collection=draft.collection)


def test_what_became_public_although_it_was_called_off_is_hidden_and_never_opened(datacite):
    draft = make_draft()
    identifier = draft.publish()
    deliver_without_answer(datacite, identifier)
    Identifier.objects.filter(pk=identifier.pk).update(claimed_until=None, problem="")
    services.cancel_publication(actor=draft.actor, collection=draft.collection)
    deliver(passes=2)
    assert states(draft) == ("draft", "registered", False)
    draft.publish()
    deliver()
    assert states(draft) == ("published", "findable", True)


def deliver_without_answer(datacite: DataCiteServer, identifier: Identifier) -> None:
    """DataCite accepts, and the deliverer dies before it hears so."""
    from catalogue.interop.datacite import attributes_of
    from doi.metadata import publication_of

    row = delivery.with_records(Identifier.objects.filter(pk=identifier.pk)).get()
    client_from_settings().put(row.doi, attributes_of(publication_of(row)) | {"event": "publish"})


def test_a_deliverer_that_died_is_followed_by_another_when_its_lease_has_ended(datacite):
    draft = make_draft()
    identifier = draft.publish()
    deliver_without_answer(datacite, identifier)
    lately = timezone.now() - timedelta(seconds=1)
    Identifier.objects.filter(pk=identifier.pk).update(claimed_until=lately)
    OutboxEntry.objects.update(claimed_until=lately)
    deliver()
    assert states(draft) == ("published", "findable", True)
    assert mints(datacite)[identifier.doi] == 1


def test_one_deliverer_at_a_time_speaks_of_a_doi(datacite):
    draft = make_draft()
    identifier = draft.publish()
    Identifier.objects.filter(pk=identifier.pk).update(claimed_until=timezone.now() + timedelta(seconds=30))
    deliver()
    assert states(draft) == ("publishing", "none", False)
    assert datacite.log()["requests"] == {}


def test_a_delivery_whose_intent_was_lost_is_found_by_the_sweep(datacite):
    draft = make_draft()
    draft.publish()
    OutboxEntry.objects.all().delete()
    assert sweep(actor=access.SYSTEM) == 1
    assert sweep(actor=access.SYSTEM) == 0
    deliver()
    assert states(draft) == ("published", "findable", True)


def test_publishing_now_shows_the_result_at_once(datacite):
    draft = make_draft()
    identifier = delivery.deliver_soon(draft.publish())
    assert identifier.state == IdentifierState.FINDABLE
    assert states(draft) == ("published", "findable", True)


def test_publishing_now_with_datacite_down_leaves_it_to_the_queue(datacite):
    draft = make_draft()
    datacite.stop()
    identifier = delivery.deliver_soon(draft.publish())
    assert (identifier.state, identifier.problem) == (IdentifierState.NONE, Problem.LATER)
    assert waiting() == 1
    other = make_draft()
    before = timezone.now()
    assert delivery.deliver_soon(other.publish()).last_attempt_at is None
    assert timezone.now() - before < timedelta(seconds=1)
    datacite.start()
    circuit_of("datacite", datacite.url, datacite.user).record_success()
    deliver()
    assert states(draft) == states(other) == ("published", "findable", True)


def test_nobody_waits_long_for_a_datacite_that_takes_connections_and_says_nothing(datacite, settings):
    draft = make_draft()
    identifier = draft.publish()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.DATACITE_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        silent.settimeout(5)
        before = timezone.now()
        identifier = delivery.deliver_soon(identifier)
        waited = timezone.now() - before
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(100).startswith(b"GET /heartbeat")
    assert waited < timedelta(seconds=delivery.QUICK_TIMEOUT)
    # Nothing that might have been accepted was sent, so that it can be called off.
    assert (identifier.state, identifier.problem) == (IdentifierState.NONE, Problem.LATER)
    settings.DATACITE_URL = datacite.url
    OutboxEntry.objects.update(available_at=timezone.now())
    deliver()
    assert states(draft) == ("published", "findable", True)


def test_corrections_reach_datacite_and_what_did_not_change_is_not_sent(datacite):
    from catalogue.collection_selectors import text_of
    from catalogue.services.collections import correct_text, text_tag
    from doi.receivers import on_collections_changed

    draft = make_draft()
    draft.publish()
    deliver(passes=3)
    writes = datacite.log()["dois"][draft.identifier.doi]["writes"]
    on_collections_changed(uids=[draft.collection.uid])
    deliver()
    assert datacite.log()["dois"][draft.identifier.doi]["writes"] == writes
    draft.read_again()
    seen = text_tag(text_of(draft.collection), {"title": ""})
    correct_text(actor=draft.actor, collection=draft.collection, changes={"title": "Better"}, seen=seen)
    on_collections_changed(uids=[draft.collection.uid])
    deliver()
    concept = Identifier.objects.get(concept=draft.collection.concept_id)
    for doi in (draft.identifier.doi, concept.doi):
        assert client_from_settings().get(doi).attributes["titles"][0]["title"] == "Better"


def test_a_withdrawn_collection_is_hidden_at_datacite_and_stays_in_the_record(datacite):
    from catalogue.services.collections import withdraw_collection
    from doi.receivers import on_collections_changed

    draft = make_draft()
    draft.publish()
    deliver(passes=3)
    draft.read_again()
    curator = principal_of(factories.make_curator())
    withdraw_collection(actor=curator, collection=draft.collection, reason="Wrong sample.")
    on_collections_changed(uids=[draft.collection.uid])
    deliver()
    assert draft.identifier.state == IdentifierState.REGISTERED
    assert client_from_settings().get(draft.identifier.doi).state == "registered"
    assert draft.read_again().collection.state == CollectionState.WITHDRAWN


def test_a_refusal_after_a_lost_acceptance_leaves_published_what_was_published(datacite):
    draft = make_draft()
    deliver_without_answer(datacite, draft.publish())
    Collection.objects.filter(pk=draft.collection.pk).update(text=draft.collection.text | {"creators": []})
    deliver()
    assert states(draft) == ("published", "findable", True)
    assert draft.identifier.accepted_hash == "", "what DataCite has is not what we say, which the night finds"
