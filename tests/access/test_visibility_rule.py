"""The one rule, in all its forms: queryset filter, level of one, levels of a page, and the neutral filter agree everywhere."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from catalogue import access, neutral_access
from catalogue.access import ANONYMOUS, Level, Principal, principal_of
from catalogue.models import AccessGrant, Dataset, Investigation
from catalogue.models.investigations import TeamRole
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

DAY = timedelta(days=1)


def moments(now: datetime) -> dict[str, datetime | None]:
    return {"none": None, "past": now - DAY, "exactly now": now, "future": now + DAY}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def datasets(now: datetime) -> list[Dataset]:
    """Datasets in every combination of the states that the rule looks at."""
    times = moments(now)
    instrument = factories.make_instrument()
    found = []
    states = itertools.product(("past", "exactly now", "future"), ("none",), times, ("active", "withdrawn"))
    held = [("past", "future"), ("past", "exactly now"), ("exactly now", "future"), ("future", "far future")]
    times["far future"] = now + 2 * DAY
    for embargo, hold, released, state in [*states, *((*pair, "none", "active") for pair in held)]:
        investigation = factories.make_investigation(
            instrument=instrument,
            embargo_until=times[embargo],
            held_until=times[hold],
            released_at=times[released],
            state=state,
        )
        for own_embargo, own_released, own_state in itertools.product(
            ("none", "past", "future"), ("none", "past", "future"), ("active", "withdrawn")
        ):
            found.append(
                factories.make_dataset(
                    investigation, embargo_until=times[own_embargo], released_at=times[own_released], state=own_state
                )
            )
    return list(Dataset.objects.select_related("investigation", "instrument__facility").order_by("pk"))


@pytest.fixture
def askers(datasets: list[Dataset], now: datetime) -> dict[str, Principal]:
    """One principal for each way to have, or not to have, access to all of the datasets."""
    group = Group.objects.create(name="partners")
    people = {
        name: factories.make_user(name)
        for name in ("stranger", "pi", "member", "contact", "granted", "expired", "of the dataset", "former member")
    }
    partner = factories.make_user("partner")
    partner.groups.add(group)
    roles = {"pi": TeamRole.PI, "member": TeamRole.MEMBER, "contact": TeamRole.LOCAL_CONTACT}
    curator = factories.make_curator("curator")
    for investigation in Investigation.objects.all():
        for name, role in roles.items():
            factories.add_member(investigation, people[name], role=role)
        factories.make_grant(people["granted"], granted_by=curator, investigation=investigation, expires_at=now + DAY)
        factories.make_grant(people["expired"], granted_by=curator, investigation=investigation, expires_at=now)
        AccessGrant.objects.create(group=group, investigation=investigation, granted_by=curator)
    for dataset in datasets:
        factories.make_grant(people["of the dataset"], granted_by=curator, dataset=dataset)
    inactive = people["former member"]
    factories.add_member(datasets[0].investigation, inactive)
    inactive.is_active = False
    inactive.save()
    instrument = factories.make_instrument_account(datasets[0].instrument, "instrument")
    everything = frozenset({"read", "register"})
    return {
        "visitor": ANONYMOUS,
        "partner": principal_of(partner),
        "curator": principal_of(curator),
        "instrument": principal_of(instrument, scopes=everything),
        "token that may read": principal_of(people["pi"], scopes=frozenset({"read"})),
        "token that may only register": principal_of(people["pi"], scopes=frozenset({"register"})),
        "curator's token that may only register": principal_of(curator, scopes=frozenset({"register"})),
        **{name: principal_of(user) for name, user in people.items()},
    }


READERS = {"partner", "pi", "member", "contact", "granted", "of the dataset", "token that may read"}


def expected_level(dataset: Dataset, name: str, now: datetime) -> Level:
    """The rule once more, spelled out from the policy's words for this test only."""
    if name == "curator":
        return Level.FULL
    investigation = dataset.investigation
    if "withdrawn" in (dataset.state, investigation.state):
        return Level.TOMBSTONE
    released = any(moment is not None and moment <= now for moment in (dataset.released_at, investigation.released_at))
    ends = [dataset.embargo_until] if dataset.embargo_until else [investigation.embargo_until, investigation.held_until]
    has_passed = all(moment <= now for moment in ends if moment is not None)
    if released or has_passed or name in READERS:
        return Level.FULL
    return Level.SUMMARY


def pairs(askers: dict[str, Principal], datasets: list[Dataset]) -> Iterator[tuple[str, Principal, Dataset]]:
    return ((name, principal, dataset) for name, principal in askers.items() for dataset in datasets)


def test_everyone_sees_of_every_dataset_what_the_policy_says(askers, datasets, now):
    for name, principal, dataset in pairs(askers, datasets):
        level = access.dataset_level(dataset, principal, now=now)
        assert level == expected_level(dataset, name, now), f"{name}, dataset {dataset.pk}"


def test_the_queryset_filter_gives_exactly_the_datasets_whose_level_is_full(askers, datasets, now):
    for name, principal in askers.items():
        listed = set(access.full_datasets(principal, now=now).values_list("pk", flat=True))
        assert listed == {d.pk for d in datasets if expected_level(d, name, now) == Level.FULL}, name


def test_the_levels_of_a_page_are_those_of_its_datasets_and_cost_one_query(
    askers, datasets, now, django_assert_max_num_queries
):
    for name, principal in askers.items():
        with django_assert_max_num_queries(1):
            levels = access.dataset_levels(datasets, principal, now=now)
        assert levels == {d.pk: expected_level(d, name, now) for d in datasets}, name


def test_lists_hold_all_that_was_not_withdrawn_because_summaries_are_public(askers, datasets, now):
    active = {d.pk for d in datasets if d.state == "active" and d.investigation.state == "active"}
    for principal in askers.values():
        assert set(access.listed_datasets(principal, now=now).values_list("pk", flat=True)) == active


def test_a_site_without_public_summaries_lists_to_each_only_what_they_read(askers, datasets, now):
    factories.set_embargo_metadata("none")
    active = {d.pk for d in datasets if d.state == "active" and d.investigation.state == "active"}
    for name, principal in askers.items():
        readable = {d.pk for d in datasets if expected_level(d, name, now) == Level.FULL} & active
        assert set(access.listed_datasets(principal, now=now).values_list("pk", flat=True)) == readable, name


def test_a_site_that_publishes_metadata_under_embargo_still_keeps_the_files(datasets, now):
    factories.set_embargo_metadata("full")
    datasets = list(Dataset.objects.select_related("investigation", "instrument__facility"))
    closed = [d for d in datasets if expected_level(d, "visitor", now) == Level.SUMMARY]
    assert closed
    assert {access.dataset_level(d, ANONYMOUS, now=now) for d in closed} == {Level.METADATA}


def kept_documents(neutral: neutral_access.NeutralFilter, dataset: Dataset) -> list[str]:
    values = {
        "opens_at": access.opens_at(dataset),
        "dataset": dataset.pk,
        "investigation": dataset.investigation_id,
        "instrument": dataset.instrument_id,
    }
    return [kind for kind in ("full", "summary") if neutral.keeps(document=kind, **values)]


@pytest.mark.parametrize("policy", ["summary", "none"])
def test_the_neutral_filter_keeps_exactly_one_document_of_what_may_be_found(askers, datasets, now, policy):
    factories.set_embargo_metadata(policy)
    for name, principal, dataset in pairs(askers, datasets):
        if expected_level(dataset, name, now) == Level.TOMBSTONE or name == "curator" and access.is_withdrawn(dataset):
            continue
        neutral = neutral_access.neutral_filter(principal, now=now)
        kept = kept_documents(neutral, dataset)
        if expected_level(dataset, name, now) == Level.FULL:
            assert kept == ["full"], name
        else:
            assert kept == (["summary"] if policy == "summary" else []), name


def test_each_instrument_may_show_something_else_of_closed_data(now):
    """One facility, three instruments: the rule is that of the instrument in every form that it has."""
    facility = factories.make_facility(embargo_metadata="none")
    expected = {"": Level.NOTHING, "summary": Level.SUMMARY, "full": Level.METADATA}
    for shown, level in expected.items():
        instrument = factories.make_instrument(facility=facility, embargo_metadata=shown)
        closed = factories.make_dataset(factories.make_investigation(instrument=instrument))
        opened = factories.make_dataset(factories.make_investigation(instrument=instrument, is_open=True))
        listed = set(access.listed_datasets(ANONYMOUS, now=now).filter(instrument=instrument))
        rows = {row.pk: row for row in Dataset.objects.select_related("investigation", "instrument__facility")}
        assert access.dataset_levels([rows[closed.pk], rows[opened.pk]], ANONYMOUS, now=now) == {
            closed.pk: level,
            opened.pk: Level.FULL,
        }
        assert listed == ({opened} if level == Level.NOTHING else {opened, closed})
        investigations = access.listed_investigations(ANONYMOUS, now=now).filter(instrument=instrument)
        assert set(investigations) == {row.investigation for row in listed}
        kept = kept_documents(neutral_access.neutral_filter(ANONYMOUS, now=now), rows[closed.pk])
        assert kept == ([] if level == Level.NOTHING else ["summary"])
    assert access.hides_records()


def test_data_open_at_the_very_second_of_the_embargos_end_without_any_job(now):
    dataset = factories.make_dataset(factories.make_investigation(embargo_until=now + DAY))
    end = now + DAY
    before, after = end - timedelta(microseconds=1), end
    assert not access.full_datasets(ANONYMOUS, now=before).exists()
    assert access.full_datasets(ANONYMOUS, now=after).get() == dataset
    assert access.dataset_level(dataset, ANONYMOUS, now=before) == Level.SUMMARY
    assert access.dataset_level(dataset, ANONYMOUS, now=after) == Level.FULL


def test_a_grant_that_ends_closes_search_at_that_moment_without_a_new_index(now):
    granted = factories.make_user("granted")
    dataset = factories.make_dataset(factories.make_investigation())
    factories.make_grant(granted, dataset=dataset, expires_at=now + DAY)
    for moment, kept in ((now, ["full"]), (now + DAY, ["summary"])):
        assert kept_documents(neutral_access.neutral_filter(principal_of(granted), now=moment), dataset) == kept


@pytest.mark.parametrize("kind", ["dataset", "investigation"])
def test_a_site_without_public_summaries_hides_what_was_withdrawn_before_it_opened(now, kind):
    pi = factories.make_user("pi")

    def level(principal: Principal, *, is_open: bool) -> Level:
        investigation = factories.make_investigation(pi=pi, is_open=is_open, state="withdrawn")
        factories.set_embargo_metadata("none")
        investigation = Investigation.objects.get(pk=investigation.pk)
        if kind == "investigation":
            return access.investigation_level(investigation, principal, now=now)
        return access.dataset_level(factories.make_dataset(investigation), principal, now=now)

    assert level(ANONYMOUS, is_open=False) == Level.NOTHING
    assert level(ANONYMOUS, is_open=True) == Level.TOMBSTONE
    assert level(principal_of(pi), is_open=False) == Level.TOMBSTONE
