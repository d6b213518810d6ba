"""The rows of a page are what the models would read, in two statements that are made once; and what strangers are told."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.access import ANONYMOUS, SYSTEM, Principal, principal_of
from catalogue.collection_selectors import member_of
from catalogue.descriptions import dataset_members, describe_dataset, description_of_investigation
from catalogue.editions import dataset_edition, edition_of_investigation
from catalogue.errors import NotFound
from catalogue.member_rows import datasets_by_key
from catalogue.models import (
    Annotation,
    Dataset,
    DatasetRevision,
    Instrument,
    Investigation,
    Proposal,
    Sample,
    Technique,
)
from catalogue.neutral_access import neutral_filter
from catalogue.page_rows import rows_of
from catalogue.selectors import find_investigation, records_of, with_references
from tests import factories
from tests.access.world import make_world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def rich(tmp_path) -> Dataset:
    investigation = factories.make_investigation(pi=factories.make_user())
    investigation.proposal = Proposal.objects.create(facility=investigation.facility, number="P-1")
    investigation.save()
    sample = Sample.objects.create(investigation=investigation, name="Wafer", formula="TiO2")
    dataset = factories.make_dataset(
        investigation,
        sample=sample,
        acquired_at=timezone.now(),
        extraction_notes=["one", "two"],
        storage=factories.make_storage(tmp_path),
        files={"a.tif": b"a"},
    )
    dataset.techniques.add(Technique.objects.create(iri="https://example.org/sem", label="SEM", source="own"))
    file = dataset.files.get()
    Annotation.objects.create(dataset=dataset, datafile=file, kind="category", label="Tips", confidence=0.5)
    return dataset


def told(dataset: Dataset) -> list:
    """All columns of a dataset and of what it names."""
    investigation, instrument = dataset.investigation, dataset.instrument
    named = [investigation, investigation.proposal, instrument, instrument.facility, dataset.sample, dataset.licence]
    for member in investigation.team.all():
        named += [member, member.person, member.person.affiliation]
    rows = [dataset, *(one for one in named if one is not None)]
    columns = [(type(one).__name__, name, getattr(one, name)) for one in rows for name in attributes(one)]
    return [*columns, dataset.own_doi, dataset.technique_terms, dataset.annotation_rows]


def attributes(row) -> list[str]:
    return [field.attname for field in row._meta.concrete_fields]


def test_they_are_what_the_models_read(rich):
    bare = factories.make_dataset()
    with CaptureQueriesContext(connection) as captured:
        rows = rows_of([bare.pk, rich.pk])
        assert [told(row) for row in rows]
    assert len(captured) == 2
    expected = {row.pk: row for row in with_references(Dataset.objects.all())}
    assert [told(row) for row in rows] == [told(expected[bare.pk]), told(expected[rich.pk])]
    assert rows[1].extraction_notes == ["one", "two"] and rows[1].annotation_rows[0]["label"] == "Tips"


def test_they_come_in_the_order_asked_for_without_those_that_are_gone(rich):
    others = [factories.make_dataset(rich.investigation) for _ in range(3)]
    keys = [others[2].pk, rich.pk, others[0].pk]
    rows = rows_of([keys[0], 10**9, *keys[1:]])
    assert [row.pk for row in rows] == keys
    assert len({id(row.investigation) for row in rows}) == 1
    assert rows_of([]) == []


def test_they_are_read_anew_each_time(rich):
    rows_of([rich.pk])
    Dataset.objects.filter(pk=rich.pk).update(title="Another")
    Investigation.objects.update(embargo_until=timezone.now() + timedelta(days=9))
    (row,) = rows_of([rich.pk])
    assert row.title == "Another" and row.investigation.embargo_until > timezone.now() + timedelta(days=8)


def test_a_row_can_be_changed_as_any_other(rich):
    (row,) = rows_of([rich.pk])
    row.title = "Changed"
    row.save(update_fields=["title"])
    assert Dataset.objects.get(pk=rich.pk).title == "Changed"


def test_what_is_kept_back_is_asked_of_the_present_moment(rich):
    now = timezone.now()
    Instrument.objects.update(embargo_metadata="none")
    assert neutral_filter(ANONYMOUS, now=now).hidden_instruments == {rich.instrument_id}
    Instrument.objects.update(embargo_metadata="")
    DatasetRevision.objects.filter(dataset=rich).update(is_pending=True, opens_at=now)
    Investigation.objects.update(embargo_until=now + timedelta(days=1))
    assert neutral_filter(ANONYMOUS, now=now).withheld == {rich.pk}
    assert neutral_filter(ANONYMOUS, now=now - timedelta(seconds=1)).withheld == frozenset()
    assert neutral_filter(ANONYMOUS, now=now).hidden_instruments == frozenset()


# Strangers' statements are made once; those of anybody else with the same rights are made anew each time.
NOBODY = Principal(label="nobody in particular")


def told_of(world, principal, now) -> list:
    """What `principal` is told of every record, and in which edition."""
    records, editions, members = [], [], []
    for dataset in world.datasets.values():
        with suppress(NotFound):
            records.append(describe_dataset(dataset.uid, principal, now=now))
            editions.append(dataset_edition(dataset.uid, principal, now=now))
    for investigation in world.investigations.values():
        with suppress(NotFound):
            found, level = find_investigation(investigation.uid, principal, now=now)
            records.append(description_of_investigation(found, level, principal, now=now))
            editions.append(edition_of_investigation(found, level, principal, now=now))
            members.append(dataset_members(found, principal, now=now))
    return [records, members, editions]


@pytest.mark.parametrize("policy", ["summary", "full", "none"])
def test_strangers_are_told_by_statements_that_are_kept_what_anybody_is_told(policy, tmp_path):
    world = make_world(tmp_path)
    factories.set_embargo_metadata(policy)
    world.datasets["closed"].derived_from.add(world.datasets["open"])
    for days in (0, 10_000):
        now = timezone.now() + timedelta(days=days)
        of_strangers, of_nobody = told_of(world, ANONYMOUS, now), told_of(world, NOBODY, now)
        assert of_strangers == of_nobody
        assert any(record.record.access.is_open for record in of_strangers[0])


def test_what_opens_between_two_readers_is_told_to_the_second(tmp_path):
    world, now = make_world(tmp_path), timezone.now()
    closed = world.datasets["closed"]
    assert not describe_dataset(closed.uid, ANONYMOUS, now=now).files
    assert describe_dataset(closed.uid, ANONYMOUS, now=now + timedelta(days=10_000)).files
    assert not describe_dataset(closed.uid, ANONYMOUS, now=now).files


@pytest.mark.parametrize("policy", ["summary", "none"])
def test_a_member_is_told_as_its_record_tells_it(policy, tmp_path):
    world, now = make_world(tmp_path), timezone.now()
    factories.set_embargo_metadata(policy)
    keys = list(Dataset.objects.order_by("id").values_list("pk", flat=True))
    users = [user for user in world.users.values() if user is not None]
    for principal in (ANONYMOUS, SYSTEM, *map(principal_of, users)):
        records = records_of(rows_of(keys), principal, now=now)
        members = datasets_by_key(keys, principal, now=now)
        assert {one.uid: one for one in members.values()} == {one.uid: member_of(one) for one in records}
