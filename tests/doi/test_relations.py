"""Relations of DOIs: each is stated on both of its sides, of public DOIs only, and whoever it concerns is told."""

import pytest

from catalogue.access import SYSTEM
from catalogue.collection_selectors import text_of
from catalogue.models import Dataset
from catalogue.services.collection_members import add_members
from catalogue.services.collections import new_version
from doi.client import client_from_settings
from doi.metadata import publication_of
from doi.models import Identifier
from doi.sessions import ensure_session_dois
from tests import factories
from tests.doi.world import COMPLETE, Draft, deliver, draft_of, make_draft, write_text

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def related(doi: str) -> set[tuple[str, str]]:
    """(relation, DOI) pairs as DataCite has them."""
    found = client_from_settings().get(doi)
    assert found is not None, doi
    return {
        (one["relationType"], one["relatedIdentifier"])
        for one in found.attributes.get("relatedIdentifiers", [])
        if one["relatedIdentifierType"] == "DOI"
    }


def doi_of(record) -> str:
    return Identifier.objects.get(**{type(record).__name__.lower(): record}).doi


def published(draft: Draft) -> Draft:
    draft.publish()
    deliver(passes=4)
    draft.read_again()
    assert draft.collection.state == "published"
    return draft


def test_the_session_names_what_was_made_of_it_and_is_named_by_it(datacite):
    draft = make_draft()
    ensure_session_dois(actor=SYSTEM, investigations=[draft.investigation.uid])
    deliver()
    published(draft)
    session, collection = doi_of(draft.investigation), draft.collection.doi
    assert ("IsSourceOf", collection) in related(session)
    assert ("IsDerivedFrom", session) in related(collection)


def test_a_whole_investigation_is_a_part(datacite):
    draft = make_draft()
    add_members(actor=draft.actor, collection=draft.collection, investigations=[draft.investigation.uid])
    ensure_session_dois(actor=SYSTEM, investigations=[draft.investigation.uid])
    deliver()
    published(draft)
    session, collection = doi_of(draft.investigation), draft.collection.doi
    assert ("IsPartOf", collection) in related(session)
    assert ("HasPart", session) in related(collection)
    assert ("IsSourceOf", collection) not in related(session)


def test_processed_data_derive_from_the_session_of_their_raw_data(datacite):
    draft = make_draft()
    raw = factories.make_dataset(factories.make_investigation(is_open=True))
    draft.dataset.derived_from.add(raw)
    ensure_session_dois(actor=SYSTEM, investigations=[raw.investigation.uid])
    deliver()
    published(draft)
    assert ("IsDerivedFrom", doi_of(raw.investigation)) in related(draft.collection.doi)
    assert ("IsSourceOf", draft.collection.doi) in related(doi_of(raw.investigation))


def test_a_session_that_nobody_may_know_of_is_not_named(datacite):
    pi = factories.make_user()
    hidden = factories.make_investigation(pi=pi, instrument=factories.make_instrument(embargo_metadata="none"))
    draft = draft_of(pi, hidden, [factories.make_dataset(hidden), factories.make_dataset(hidden)][:1])
    ensure_session_dois(actor=SYSTEM, investigations=[hidden.uid])
    deliver()
    published(draft)
    assert doi_of(hidden) not in {doi for _, doi in related(draft.collection.doi)}


def test_versions_name_each_other_and_the_concept_names_all(datacite):
    first = published(make_draft())
    draft = new_version(actor=first.actor, collection=first.collection)
    second = published(Draft(first.pi, first.investigation, first.dataset, draft))
    one, two = first.read_again().collection.doi, second.collection.doi
    concept = doi_of(second.collection.concept)
    assert {("IsVersionOf", concept), ("IsPreviousVersionOf", two)} <= related(one)
    assert {("IsVersionOf", concept), ("IsNewVersionOf", one)} <= related(two)
    assert related(concept) == {("HasVersion", one), ("HasVersion", two)}


def test_a_collection_within_another_says_so(datacite):
    inner, outer = published(make_draft()), make_draft()
    add_members(actor=outer.actor, collection=outer.collection, dois=[inner.collection.doi])
    published(outer)
    assert ("HasPart", inner.collection.doi) in related(outer.collection.doi)
    assert ("IsPartOf", outer.collection.doi) in related(inner.collection.doi)


def test_who_is_cited_by_another_record_of_the_site_says_by_whom(datacite):
    cited, citing = published(make_draft()), make_draft()
    relation = {"identifier": cited.collection.doi, "identifier_type": "DOI", "relation_type": "Cites"}
    write_text(citing.actor, citing.collection, related=[relation])
    published(citing)
    assert ("IsCitedBy", citing.collection.doi) in related(cited.collection.doi)


def test_a_registered_relation_that_datacite_would_not_take_holds_up_nothing(datacite):
    investigation = factories.make_investigation(is_open=True)
    investigation.relations.create(relation_type="IsCitedBy", identifier="10.1234/paper")
    investigation.relations.create(relation_type="IsCitedBy", identifier="not a doi")
    investigation.relations.create(relation_type="Cites", identifier="x", identifier_type="Nonsense")
    ensure_session_dois(actor=SYSTEM, investigations=[investigation.uid])
    deliver()
    assert related(doi_of(investigation)) == {("IsCitedBy", "10.1234/paper")}


def test_what_a_closed_session_is_related_to_is_told_to_nobody_where_the_site_shows_summaries(datacite):
    investigation = factories.make_investigation()
    investigation.relations.create(relation_type="IsCitedBy", identifier="10.1234/paper")
    ensure_session_dois(actor=SYSTEM, investigations=[investigation.uid])
    deliver()
    assert related(doi_of(investigation)) == set()


def test_many_members_cost_as_many_queries_as_few(datacite, django_assert_max_num_queries):
    pi = factories.make_user()
    for many in (2, 60):
        sessions = [factories.make_investigation(pi=pi) for _ in range(many // 2)]
        datasets = [factories.make_dataset(session) for session in sessions for _ in range(2)]
        draft = draft_of(pi, sessions[0], datasets)
        identifier = draft.publish()
        with django_assert_max_num_queries(24):
            publication = publication_of(identifier)
        assert publication.text.title == COMPLETE["title"]
    assert text_of(draft.collection).title == COMPLETE["title"]
    assert Dataset.objects.filter(memberships__collection=draft.collection).count() == 60
