"""What is citable of a record, in every state of access: valid by DataCite's schemas, and the same that its DOI tells."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue.access import ANONYMOUS, Level, Principal, principal_of
from catalogue.anonymity import anonymised
from catalogue.collection_facts import facts_of
from catalogue.collection_selectors import collection_records, get_collection_record
from catalogue.descriptions import describe_dataset, describe_investigation
from catalogue.interop.bibtex import bibtex_of
from catalogue.interop.datacite_xml import xml_of
from catalogue.interop.dublin_core import dublin_core_xml
from catalogue.interop.publications import collected_on, publication_of
from catalogue.models import Collection, CollectionMember, Concept, Technique
from catalogue.publication import Creator, PublicationDate, RelatedIdentifier
from doi import metadata
from doi.delivery import with_records
from doi.models import Identifier
from tests import described, factories
from tests.catalogue.interop.schemas import errors_of, needs_schemas
from tests.publications import PANET_SAXS

KERNEL = "datacite/kernel-4.6/metadata.xsd"
ANONYMOUS_LINK = Principal(share_link_ids=(1,), hides_people=True)
DATASET = described.dataset_record()
RECORDS = {
    "open dataset": DATASET,
    "closed dataset": described.closed_dataset(),
    "withdrawn dataset": described.dataset_record(access=described.access(withdrawn="Wrong sample"), description=""),
    "dataset by an anonymous link": anonymised(DATASET, ()),
    "dataset without people": described.dataset_record(people=(), doi=""),
    "open investigation": described.investigation_record(),
    "investigation without techniques": described.investigation_record(techniques=()),
    "closed investigation": described.investigation_record(access=described.access(is_open=False), doi=""),
    "withdrawn investigation": described.investigation_record(access=described.access(withdrawn="Gone"), abstract=""),
    "investigation by an anonymous link": anonymised(described.investigation_record(), ()),
    "open collection": described.collection_record(holds_closed_data=False, facility=described.FACILITY),
    "collection with closed members": described.collection_record(holds_closed_data=True),
    "withdrawn collection": described.collection_record(withdrawal_reason="Retracted", state="withdrawn"),
}


def published(record):
    return publication_of(record, site=described.SITE)


@needs_schemas
@pytest.mark.parametrize("name", RECORDS)
def test_every_record_in_every_state_is_valid_in_datacite_and_dublin_core(name):
    publication = published(RECORDS[name])
    assert errors_of(KERNEL, xml_of(publication)) == []
    assert errors_of("oai/oai_dc.xsd", dublin_core_xml(publication)) == []
    assert bibtex_of(publication)


@pytest.mark.parametrize(
    ("name", "rights", "year"),
    [
        ("open dataset", "open", 2026),
        ("closed dataset", "embargoed", 2029),
        ("withdrawn dataset", "metadata only", 2026),
        ("open investigation", "open", 2026),
        ("closed investigation", "embargoed", 2029),
        ("open collection", "open", 2026),
        ("collection with closed members", "embargoed", 2026),
        ("withdrawn collection", "metadata only", 2026),
    ],
)
def test_rights_and_year_are_those_of_the_moment_in_which_it_opens(name, rights, year):
    publication = published(RECORDS[name])
    assert (publication.access_rights, publication.publication_year) == (rights, year)


def test_an_open_dataset_tells_where_it_comes_from():
    publication = published(DATASET)
    site = described.SITE.url
    assert publication.url == f"{site}{DATASET.path}"
    assert publication.related == (
        RelatedIdentifier(f"{site}/investigations/{described.INVESTIGATION.uid}", "URL", "IsPartOf", "Collection"),
        RelatedIdentifier(described.INSTRUMENT.pid, "URL", "IsCollectedBy", "Instrument"),
        *(
            RelatedIdentifier(f"{site}/datasets/{one.uid}", "URL", "IsDerivedFrom", "Dataset")
            for one in DATASET.derived_from
        ),
        RelatedIdentifier(f"{site}/datasets/{DATASET.derivatives[0].uid}", "URL", "IsSourceOf", "Dataset"),
        RelatedIdentifier("10.1234/paper.2026", "DOI", "IsSupplementTo", "JournalArticle"),
    )
    assert publication.dates == (
        PublicationDate("Collected", "2026-01-31"), PublicationDate("Available", "2026-03-01", "09:30 UTC"),
    )  # fmt: skip
    assert [one.family_name for one in publication.text.contributors] == ["李"]
    assert publication.text.subjects[0].scheme == "PaNET"
    assert publication.resource_type == "Processed data"


def test_the_doi_of_its_session_stands_for_the_page_of_it():
    investigation = replace(described.INVESTIGATION, doi="10.5072/session")
    related = published(described.dataset_record(investigation=investigation)).related
    assert related[0] == RelatedIdentifier("10.5072/session", "DOI", "IsPartOf", "Collection")


def test_a_closed_dataset_tells_nothing_beyond_its_summary():
    publication = published(described.closed_dataset())
    assert publication.formats == ()
    assert {one.relation_type for one in publication.related} == {"IsPartOf", "IsCollectedBy"}


def test_by_an_anonymous_link_authors_are_there_and_not_named():
    for name in ("dataset by an anonymous link", "investigation by an anonymous link"):
        publication = published(RECORDS[name])
        assert [creator.display_name for creator in publication.text.creators] == ["Anonymous"]
        assert publication.text.contributors == ()
        for person in described.PEOPLE:
            assert person.family_name.encode() not in xml_of(publication) + dublin_core_xml(publication)


def test_where_nobody_is_named_the_facility_is_the_author():
    creators = published(described.dataset_record(people=())).text.creators
    assert creators == (Creator(name_type="Organizational", name="Example Light Source", ror=described.FACILITY.ror),)


def test_a_collection_says_which_version_of_what_it_is_and_who_publishes_it():
    publication = published(RECORDS["open collection"])
    assert publication.version == "2"
    assert publication.related[-1] == RelatedIdentifier("10.5072/faircat.2026.19", "DOI", "IsVersionOf", "Dataset")
    assert (publication.publisher_name, publication.publisher_ror) == (described.FACILITY.name, described.FACILITY.ror)
    assert published(described.collection_record(facility=None)).publisher_name == described.SITE.name
    assert publication.resource_type == "Data collection"
    assert published(described.collection_record(dataset_count=1)).resource_type == "Dataset"


def test_a_session_of_one_day_has_no_range():
    start = described.MEASURED
    assert collected_on(start, start + timedelta(hours=2)) == PublicationDate("Collected", "2026-01-31")
    assert collected_on(start, start + timedelta(days=2)).value == "2026-01-31/2026-02-02"
    assert collected_on(start) == PublicationDate("Collected", "2026-01-31")


def make_collection(*members, state="published", home=None):
    concept = Concept.objects.create()
    collection = Collection.objects.create(
        concept=concept,
        created_by=factories.make_user(),
        home=home,
        state=state,
        doi=f"10.5072/{concept.uid}",
        published_at=timezone.now(),
        title="Frames",
        text={"title": "Frames", "abstract": "Many.", "creators": [{"family_name": "Curie", "given_name": "Marie"}]},
    )
    CollectionMember.objects.bulk_create(CollectionMember(collection=collection, **member) for member in members)
    return collection


@pytest.mark.django_db
def test_a_collection_is_open_only_when_all_that_it_holds_is(django_assert_max_num_queries):
    now = timezone.now()
    opened, closed = factories.make_investigation(is_open=True), factories.make_investigation()
    public, hidden = factories.make_dataset(opened), factories.make_dataset(closed)
    gone = factories.make_dataset(closed, state="withdrawn", withdrawal_reason="Wrong")
    alone = make_collection({"dataset": public}, home=opened)
    mixed = make_collection({"dataset": public}, {"dataset": hidden})
    whole = make_collection({"investigation": closed})
    withdrawn = make_collection({"dataset": public}, {"dataset": gone})
    around = make_collection({"part": mixed})
    above = make_collection({"part": around}, {"part": alone})
    rows = [alone, mixed, whole, withdrawn, around, above]
    with django_assert_max_num_queries(9):
        facts = facts_of(rows, now=now)
    assert [facts[row.pk].holds_closed_data for row in rows] == [False, True, True, False, True, True]
    publishers = [facts[row.pk].facility for row in rows]
    assert publishers == [opened.facility, opened.facility, closed.facility, opened.facility, None, None]
    later = facts_of(rows, now=now + timedelta(days=5000))
    assert not any(one.holds_closed_data for one in later.values())


@pytest.mark.django_db
def test_a_page_of_collections_costs_no_more_than_one_of_them(django_assert_num_queries):
    session = factories.make_investigation(is_open=True)
    dataset = factories.make_dataset(session)
    rows = [make_collection({"dataset": dataset}, home=session) for _ in range(5)]
    found = list(Collection.objects.filter(pk__in=[row.pk for row in rows]).select_related("concept", "home__facility"))
    with django_assert_num_queries(3):
        assert len(collection_records(found, ANONYMOUS, now=timezone.now())) == 5


SHARED_FIELDS = (
    "doi", "resource_type_general", "resource_type", "publisher_name", "publisher_ror", "publication_year",
    "access_rights", "version", "size_bytes", "file_count",
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("is_open", [True, False])
def test_what_a_record_says_of_itself_its_doi_says_too(is_open):
    session = factories.make_investigation(is_open=is_open, pi=factories.make_user(), doi="10.5072/session")
    session.instrument.techniques.add(Technique.objects.create(iri=PANET_SAXS, label="SAXS", source="PaNET"))
    factories.make_dataset(session)
    collection = make_collection({"investigation": session}, home=session)
    for row in ({"investigation": session}, {"collection": collection}):
        doi = session.doi if "investigation" in row else collection.doi
        identifier = Identifier.objects.create(
            doi=doi, state="findable", wanted="findable", accepted_at=timezone.now(), **row
        )
        registered = metadata.publication_of(with_records(Identifier.objects.filter(pk=identifier.pk)).get())
        now = timezone.now()
        if "investigation" in row:
            ours = describe_investigation(session.uid, ANONYMOUS, now=now).publication
        else:
            ours = published(get_collection_record(ANONYMOUS, uid=collection.uid))
        for name in SHARED_FIELDS:
            assert getattr(ours, name) == getattr(registered, name), name
        assert ours.text == registered.text
        assert set(ours.dates) <= set(registered.dates)
        assert set(registered.alternate_identifiers) <= set(ours.alternate_identifiers)


@pytest.mark.django_db
def test_what_a_stranger_is_told_of_a_closed_dataset_its_team_is_told_with_more():
    pi = factories.make_user()
    dataset = factories.make_dataset(factories.make_investigation(pi=pi), format_label="TIFF")
    now = timezone.now()
    stranger = describe_dataset(dataset.uid, ANONYMOUS, now=now)
    member = describe_dataset(dataset.uid, principal_of(pi), now=now)
    assert (stranger.record.access.level, member.record.access.level) == (Level.SUMMARY, Level.FULL)
    assert (stranger.publication.formats, member.publication.formats) == ((), ("TIFF",))
    assert stranger.publication.access_rights == member.publication.access_rights == "embargoed"
