"""Collections: what may be put into them, how several people work on one, and what stays as it is once it is published."""

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue import events
from catalogue.access import ANONYMOUS, Principal, principal_of
from catalogue.collection_contents import datasets_in, investigations_in
from catalogue.collection_selectors import find_collection, find_editable, get_collection_record, member_page, text_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound, StaleVersion
from catalogue.models import AuditEntry, Collection, Concept, Dataset, Investigation, Organisation, Technique, User
from catalogue.models.investigations import TeamRole
from catalogue.services.collection_members import add_members, remove_members, set_role
from catalogue.services.collections import (
    add_team_as_authors,
    correct_text,
    new_version,
    remove_draft,
    save_text,
    start_collection,
    text_tag,
    withdraw_collection,
)
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

COMPLETE = {"title": "Wires", "creators": [{"family_name": "Curie"}]}


@pytest.fixture
def pi() -> User:
    return factories.make_user("regina")


@pytest.fixture
def actor(pi) -> Principal:
    return principal_of(pi)


@pytest.fixture
def session(pi) -> Investigation:
    """A closed investigation of the principal investigator, with two datasets."""
    investigation = factories.make_investigation(pi=pi)
    for size in (10, 20):
        factories.make_dataset(investigation, size=size, file_count=1)
    return investigation


def start(actor: Principal, *datasets: Dataset, **members) -> Collection:
    return start_collection(actor=actor, datasets=Q(uid__in=[one.uid for one in datasets]), **members)


def save(actor: Principal, collection: Collection, **changes) -> Collection:
    seen = text_tag(text_of(collection), changes)
    return save_text(actor=actor, collection=collection, changes=changes, seen=seen)


def publish(collection: Collection, doi: str = "10.5072/abcd") -> Collection:
    """What the app `doi` does once DataCite said yes."""
    rows = Collection.objects.filter(pk=collection.pk)
    rows.update(state="published", doi=doi, published_at=timezone.now())
    return Collection.objects.select_related("concept", "home").get(pk=collection.pk)


def test_a_collection_holds_datasets_investigations_and_collections_and_counts_each_dataset_once(actor, session):
    first, second = session.datasets.order_by("id")
    other = factories.make_dataset(is_open=True, size=100, file_count=3)
    part = publish(start(actor, second, other))
    collection = start(actor, first, investigations=[session.uid], dois=["https://doi.org/10.5072/ABCD"])
    assert (collection.member_count, collection.dataset_count) == (3, 3)
    assert (collection.file_count, collection.size) == (5, 130)
    assert set(datasets_in(collection)) == {first, second, other}
    assert set(investigations_in(collection)) == {session, other.investigation}
    assert {one.kind for one in member_page(collection, actor).records} == {"dataset", "investigation", "collection"}
    assert [one.doi for one in member_page(collection, actor).records if one.kind == "collection"] == [part.doi]


def test_a_dataset_under_embargo_of_another_team_is_refused_with_words_and_the_others_are_added(actor, session):
    closed = factories.make_dataset(title="Slice 001")
    collection = start(actor, session.datasets.first())
    with pytest.raises(InvalidInput) as refusal:
        add_members(actor=actor, collection=collection, datasets=Q(uid=closed.uid))
    assert "“Slice 001”" in refusal.value.message and "embargo" in refusal.value.message
    opened = factories.make_dataset(is_open=True)
    added = add_members(actor=actor, collection=collection, datasets=Q(uid__in=[closed.uid, opened.uid]))
    assert added.count == 1 and "Slice 001" in added.left_out
    assert not collection.members.filter(dataset=closed).exists()


def test_a_whole_investigation_of_another_team_is_refused_while_it_is_closed(actor):
    with pytest.raises(InvalidInput):
        start_collection(actor=actor, investigations=[factories.make_investigation().uid])
    assert not Collection.objects.exists() and not Concept.objects.exists()
    collection = start_collection(actor=actor, investigations=[factories.make_investigation(is_open=True).uid])
    assert collection.member_count == 1


def test_a_grant_lets_its_holder_put_data_into_a_draft(actor, pi):
    closed = factories.make_dataset()
    factories.make_grant(pi, dataset=closed)
    assert start(actor, closed).dataset_count == 1


def test_what_does_not_exist_or_is_withdrawn_is_not_added(actor):
    withdrawn = factories.make_dataset(is_open=True, state="withdrawn")
    curator = principal_of(factories.make_curator())
    assert start(actor, withdrawn).member_count == 0
    assert start(curator, withdrawn).member_count == 0
    with pytest.raises(InvalidInput, match="no DOI"):
        start_collection(actor=actor, dois=["10.5072/nobody"])


def test_visitors_and_instruments_begin_no_collection(session):
    instrument = factories.make_instrument_account(session.instrument)
    for nobody in (
        ANONYMOUS,
        principal_of(instrument),
        principal_of(factories.make_user(), scopes=frozenset({"read"})),
    ):
        with pytest.raises(NotAllowed):
            start_collection(actor=nobody)


def test_members_leave_and_get_roles_by_their_kind_and_uid(actor, session):
    first, second = session.datasets.order_by("id")
    collection = start(actor, first, second, investigations=[session.uid])
    set_role(
        actor=actor,
        collection=collection,
        roles={("dataset", first.uid): " Figure 2 ", ("investigation", session.uid): "All raw data"},
    )
    roles = {one.uid: one.role for one in member_page(collection, actor).records}
    assert roles == {first.uid: "Figure 2", second.uid: "", session.uid: "All raw data"}
    assert remove_members(actor=actor, collection=collection, members=[("investigation", session.uid)]) == 1
    assert remove_members(actor=actor, collection=collection, members=[("dataset", first.uid)]) == 1
    assert (collection.member_count, collection.dataset_count, collection.size) == (1, 1, second.size)


def test_a_collection_never_holds_a_version_of_itself_at_any_depth(actor, session):
    inner = publish(start(actor, session.datasets.first()), "10.5072/inner")
    outer = publish(start_collection(actor=actor, dois=["10.5072/inner"]), "10.5072/outer")
    again = new_version(actor=actor, collection=inner)
    for doi in ("10.5072/inner", "10.5072/outer"):
        with pytest.raises(InvalidInput) as refusal:
            add_members(actor=actor, collection=again, dois=[doi])
        assert refusal.value.code == "collection-cycle"
    assert outer.dataset_count == 1


def test_the_doi_of_a_concept_means_its_newest_version_and_that_of_a_session_the_session(actor, session):
    collection = publish(start(actor, session.datasets.first()), "10.5072/one")
    Concept.objects.filter(pk=collection.concept_id).update(doi="10.5072/concept")
    newest = publish(new_version(actor=actor, collection=collection), "10.5072/two")
    Investigation.objects.filter(pk=session.pk).update(doi="10.5072/session")
    other = start_collection(actor=actor, dois=["10.5072/concept", "10.5072/session"])
    assert {row.part or row.investigation for row in other.members.all()} == {newest, session}
    assert find_collection(ANONYMOUS, doi="10.5072/concept") == newest


def test_a_new_collection_says_what_is_known_of_its_members(actor, pi, session):
    institute = Organisation.objects.create(name="Institute", ror="https://ror.org/02feahw73")
    pi.person.__class__.objects.filter(pk=pi.person.pk).update(orcid="0000-0002-1825-0097", affiliation=institute)
    factories.add_member(session, factories.make_user(), role=TeamRole.LOCAL_CONTACT)
    factories.add_member(session, factories.make_user())
    technique = Technique.objects.create(
        iri="http://purl.org/pan-science/PaNET/PaNET01113", label="tomography", source="PaNET"
    )
    session.datasets.first().techniques.add(technique)
    text = text_of(start_collection(actor=actor, investigations=[session.uid]))
    assert (text.title, text.abstract, text.licence_id) == (session.title, session.abstract, "CC-BY-4.0")
    first = text.creators[0]
    assert (first.orcid, first.affiliation_ror) == ("0000-0002-1825-0097", "https://ror.org/02feahw73")
    assert len(text.creators) == 3 and text.creators[-1].family_name == session.team.all()[1].person.family_name
    assert [(one.scheme, one.value_uri) for one in text.subjects] == [("PaNET", technique.iri)]


def test_the_team_joins_the_authors_once(actor, session):
    collection = start_collection(actor=actor, investigations=[session.uid])
    save(actor, collection, creators=[{"family_name": "Curie", "given_name": "Marie"}])
    for _ in range(2):
        add_team_as_authors(actor=actor, collection=collection)
        assert len(text_of(collection).creators) == 2


def test_an_unfinished_text_is_kept_as_it_was_typed(actor):
    collection = start_collection(actor=actor)
    save(actor, collection, title="", creators=[{"family_name": "Curie", "orcid": "0000-0002-1825-0098"}])
    assert text_of(Collection.objects.get()).creators[0].orcid == "0000-0002-1825-0098"


def test_of_two_editors_of_one_field_the_second_is_asked_and_nothing_is_overwritten(actor, session):
    collection = start_collection(actor=actor, investigations=[session.uid])
    colleague = factories.make_user()
    factories.add_member(session, colleague)
    theirs = Collection.objects.get(pk=collection.pk)
    seen = text_tag(text_of(theirs), {"title"})
    save(actor, collection, title="Mine")
    with pytest.raises(StaleVersion):
        save_text(actor=principal_of(colleague), collection=theirs, changes={"title": "Theirs"}, seen=seen)
    assert text_of(Collection.objects.get()).title == "Mine"
    save_text(
        actor=principal_of(colleague),
        collection=theirs,
        changes={"title": "Theirs"},
        seen=text_tag(text_of(theirs), {"title"}),
    )
    assert Collection.objects.get().title == "Theirs"


def test_editors_of_different_fields_and_of_members_do_not_hinder_each_other(actor, session):
    collection = start_collection(actor=actor, investigations=[session.uid])
    theirs = Collection.objects.get(pk=collection.pk)
    seen = text_tag(text_of(theirs), {"abstract"})
    save(actor, collection, title="Mine")
    add_members(actor=actor, collection=collection, datasets=Q(investigation=session))
    save_text(actor=actor, collection=theirs, changes={"abstract": "Theirs"}, seen=seen)
    text = text_of(Collection.objects.get())
    assert (text.title, text.abstract) == ("Mine", "Theirs")


def test_every_change_raises_the_version_so_that_what_was_reviewed_is_what_is_published(actor, session):
    collection = start_collection(actor=actor)
    versions = [collection.version]
    add_members(actor=actor, collection=collection, datasets=Q(investigation=session))
    versions.append(collection.version)
    remove_members(actor=actor, collection=collection, members=[("dataset", session.datasets.first().uid)])
    versions.append(collection.version)
    versions.append(save(actor, collection, title="New").version)
    assert versions == sorted(set(versions))


def test_a_draft_is_edited_by_its_maker_the_team_of_its_home_and_curators_and_unknown_to_others(actor, session):
    colleague, stranger = factories.make_user(), factories.make_user()
    factories.add_member(session, colleague)
    collection = start(actor, factories.make_dataset(is_open=True), *session.datasets.all())
    assert collection.home == session
    for user in (colleague, factories.make_curator()):
        assert find_editable(collection.uid, principal_of(user)) == collection
    for nobody in (ANONYMOUS, principal_of(stranger), principal_of(colleague, scopes=frozenset({"read"}))):
        with pytest.raises(NotFound):
            find_editable(collection.uid, nobody)
        with pytest.raises(NotFound):
            get_collection_record(nobody, uid=collection.uid)
        with pytest.raises(NotAllowed):
            save(nobody, collection, title="Taken over")
        with pytest.raises(NotAllowed):
            add_members(actor=nobody, collection=collection, datasets=Q())


def test_members_of_what_is_published_cannot_change(actor, session):
    collection = publish(start(actor, *session.datasets.all()))
    member = ("dataset", session.datasets.first().uid)
    with pytest.raises(Conflict):
        add_members(actor=actor, collection=collection, datasets=Q())
    with pytest.raises(Conflict):
        remove_members(actor=actor, collection=collection, members=[member])
    with pytest.raises(Conflict):
        set_role(actor=actor, collection=collection, roles={member: "Figure"})
    with pytest.raises(Conflict):
        save(actor, collection, title="Another")
    with pytest.raises(Conflict):
        remove_draft(actor=actor, collection=collection)
    assert collection.members.count() == 2


def test_a_correction_is_logged_with_what_was_said_before_and_told_to_others(
    actor, session, django_capture_on_commit_callbacks
):
    collection = start(actor, *session.datasets.all())
    save(actor, collection, **COMPLETE)
    collection = publish(collection)
    told = []
    events.collections_changed.connect(receiver := lambda uids, **_: told.extend(uids))
    seen = text_tag(text_of(collection), {"title"})
    with django_capture_on_commit_callbacks(execute=True):
        correct_text(actor=actor, collection=collection, changes={"title": "Silicon wires"}, seen=seen)
    events.collections_changed.disconnect(receiver)
    entry = AuditEntry.objects.get(action="correct-text")
    assert (entry.before, entry.after) == ({"title": "Wires"}, {"title": "Silicon wires"})
    assert told == [collection.uid] and Collection.objects.get().title == "Silicon wires"


def test_a_correction_that_leaves_the_text_incomplete_is_refused_at_its_field(actor, session):
    collection = start(actor, *session.datasets.all())
    save(actor, collection, **COMPLETE)
    collection = publish(collection)
    with pytest.raises(InvalidInput) as refusal:
        seen = text_tag(text_of(collection), {"title"})
        correct_text(actor=actor, collection=collection, changes={"title": ""}, seen=seen)
    assert list(refusal.value.fields) == ["title"]


def test_a_new_version_begins_with_the_members_and_text_of_the_one_before(actor, session):
    collection = start(actor, *session.datasets.all())
    set_role(actor=actor, collection=collection, roles={("dataset", session.datasets.first().uid): "Figure 1"})
    save(actor, collection, **COMPLETE)
    collection = publish(collection)
    draft = new_version(actor=actor, collection=collection)
    assert (draft.number, draft.concept, draft.state, draft.doi) == (2, collection.concept, "draft", None)
    columns = ("dataset", "investigation", "part", "role")
    assert list(draft.members.values_list(*columns)) == list(collection.members.values_list(*columns))
    assert (draft.size, draft.member_count, draft.text) == (collection.size, 2, collection.text)
    with pytest.raises(Conflict):
        new_version(actor=actor, collection=collection)
    add_members(actor=actor, collection=draft, investigations=[session.uid])
    second = publish(draft, "10.5072/second")
    with pytest.raises(Conflict):
        new_version(actor=actor, collection=collection)
    assert new_version(actor=actor, collection=second).number == 3


def test_a_draft_is_removed_with_its_members_and_its_concept_but_not_with_that_of_other_versions(actor, session):
    collection = publish(start(actor, *session.datasets.all()))
    remove_draft(actor=actor, collection=new_version(actor=actor, collection=collection))
    remove_draft(actor=actor, collection=start(actor, *session.datasets.all()))
    assert Collection.objects.get() == collection and Concept.objects.get() == collection.concept
    assert collection.members.count() == 2


def test_a_curator_withdraws_what_is_published_with_a_reason_and_its_record_stays(actor, session):
    collection = publish(start(actor, *session.datasets.all()))
    with pytest.raises(NotAllowed):
        withdraw_collection(actor=actor, collection=collection, reason="Wrong")
    curator = principal_of(factories.make_curator())
    with pytest.raises(InvalidInput):
        withdraw_collection(actor=curator, collection=collection, reason=" ")
    withdraw_collection(actor=curator, collection=collection, reason="Samples were exchanged.")
    record = get_collection_record(ANONYMOUS, doi=collection.doi)
    assert record.is_withdrawn and record.withdrawal_reason == "Samples were exchanged."
    with pytest.raises(Conflict):
        withdraw_collection(actor=curator, collection=collection, reason="Again")


def test_a_published_collection_shows_its_members_at_the_level_of_the_reader(actor, session):
    collection = publish(start(actor, *session.datasets.all()))
    seen = member_page(collection, ANONYMOUS).records
    assert [one.access.is_full for one in seen] == [False, False] and seen[0].title
    assert all(one.access.is_full for one in member_page(collection, actor).records)
    factories.set_embargo_metadata("none")
    assert member_page(collection, ANONYMOUS).records == []
    assert get_collection_record(ANONYMOUS, uid=collection.uid).dataset_count == 2


def test_a_reader_of_an_anonymous_link_sees_no_people(actor, session):
    collection = publish(start_collection(actor=actor, investigations=[session.uid]))
    assert get_collection_record(ANONYMOUS, uid=collection.uid).text.creators
    record = get_collection_record(Principal(hides_people=True), uid=collection.uid)
    assert record.text.creators == () and record.text.title


def test_members_come_in_pages_that_end(actor, session):
    for _ in range(5):
        factories.make_dataset(session)
    collection = start(actor, *session.datasets.all(), investigations=[session.uid])
    found, cursor = [], ""
    while page := member_page(collection, actor, cursor=cursor, limit=3):
        found += [one.key for one in page.records]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(found) == len(set(found)) == 8
    with pytest.raises(InvalidInput):
        member_page(collection, actor, cursor="dataset-nonsense")


def number_of_queries(action) -> int:
    with CaptureQueriesContext(connection) as queries:
        action()
    return len(queries)


def test_thousands_of_members_cost_as_many_queries_as_ten(actor, session):
    def grow(count: int) -> None:
        row = {"instrument": session.instrument, "investigation": session, "title": "Frame", "size": 1}
        registrant = session.datasets.first().registered_by
        Dataset.objects.bulk_create([Dataset(registered_by=registrant, **row) for _ in range(count)])

    def costs(collection: Collection) -> list[int]:
        return [
            number_of_queries(
                lambda: add_members(actor=actor, collection=collection, datasets=Q(investigation=session))
            ),
            number_of_queries(lambda: member_page(collection, actor)),
            number_of_queries(lambda: publish(collection, f"10.5072/{collection.pk}")),
            number_of_queries(lambda: new_version(actor=actor, collection=find_collection(actor, uid=collection.uid))),
        ]

    grow(60)
    few = costs(start_collection(actor=actor))
    grow(3000)
    many = costs(start_collection(actor=actor))
    assert few == many
    assert Collection.objects.order_by("-id").first().dataset_count == 3062
