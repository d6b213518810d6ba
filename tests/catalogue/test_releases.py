"""Release, withdrawal, embargoes of single datasets, and telling of what has opened."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue import access
from catalogue.access import ANONYMOUS, SYSTEM, Level, principal_of
from catalogue.embargo_selectors import embargo_history, followers_within, what_becomes_public
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import AuditEntry, Dataset, ExtensionRequest, Investigation, OutboxEntry
from catalogue.models.investigations import TeamRole
from catalogue.services.embargoes import set_dataset_embargo
from catalogue.services.openings import announce_datasets, announce_openings
from catalogue.services.releases import release_datasets, release_investigation
from catalogue.services.withdrawals import withdraw_dataset, withdraw_investigation
from tests import factories
from tests.refusals import refuse_row

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY = timedelta(days=1)


@pytest.fixture
def lab() -> SimpleNamespace:
    """A closed investigation with three datasets, and people around it."""
    users = {name: factories.make_user(name) for name in ("pi", "contact", "member", "stranger")}
    curator = factories.make_curator("curator")
    investigation = factories.make_investigation(pi=users["pi"])
    factories.add_member(investigation, users["contact"], role=TeamRole.LOCAL_CONTACT)
    factories.add_member(investigation, users["member"])
    datasets = [factories.make_dataset(investigation, file_count=2, size=10) for _ in range(3)]
    people = {name: principal_of(user) for name, user in users.items()} | {"curator": principal_of(curator)}
    return SimpleNamespace(investigation=investigation, datasets=datasets, **people)


def is_public(dataset: Dataset) -> bool:
    return access.full_datasets(ANONYMOUS, now=timezone.now()).filter(pk=dataset.pk).exists()


def mails_to(principal: access.Principal) -> list[str]:
    rows = OutboxEntry.objects.filter(topic="mail").order_by("pk")
    return [row.payload["subject"] for row in rows if row.payload["user"] == principal.user_id]


@pytest.mark.parametrize("name", ["contact", "member", "stranger"])
def test_only_the_principal_investigator_and_curators_release(lab: SimpleNamespace, name: str) -> None:
    actor = getattr(lab, name)
    with pytest.raises(NotAllowed):
        release_investigation(actor=actor, investigation=lab.investigation)
    with pytest.raises(NotAllowed):
        release_datasets(actor=actor, investigation=lab.investigation, uids=[lab.datasets[0].uid])
    with pytest.raises(NotAllowed):
        set_dataset_embargo(actor=actor, dataset=lab.datasets[0], until=timezone.now() + DAY)
    with pytest.raises(NotAllowed):
        what_becomes_public(lab.investigation, principal=actor, now=timezone.now())
    assert not any(is_public(dataset) for dataset in lab.datasets)


@pytest.mark.parametrize("name", ["pi", "curator"])
def test_a_release_opens_everything_at_once_is_logged_and_tells_the_team(lab: SimpleNamespace, name: str) -> None:
    promised = what_becomes_public(lab.investigation, principal=getattr(lab, name), now=timezone.now())
    assert (promised.dataset_count, promised.file_count, promised.size) == (3, 6, 30)
    assert promised.titles == tuple(dataset.title for dataset in lab.datasets)
    release_investigation(actor=getattr(lab, name), investigation=lab.investigation)
    assert all(is_public(dataset) for dataset in lab.datasets)
    entry = AuditEntry.objects.get(action="release")
    assert (entry.object_id, entry.actor_label) == (str(lab.investigation.uid), name)
    assert [mails_to(one) for one in (lab.pi, lab.member, lab.stranger)].count([]) == 1
    assert announce_openings(actor=SYSTEM) == 0
    assert what_becomes_public(lab.investigation, principal=lab.pi, now=timezone.now()).dataset_count == 0


def test_a_release_is_done_once(lab: SimpleNamespace) -> None:
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    first = Investigation.objects.get().released_at
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    assert Investigation.objects.get().released_at == first
    assert AuditEntry.objects.filter(action="release").count() == 1


def test_chosen_datasets_open_and_the_others_stay_closed(lab: SimpleNamespace) -> None:
    first, second, third = lab.datasets
    promised = what_becomes_public(lab.investigation, principal=lab.pi, now=timezone.now(), uids=[first.uid])
    assert (promised.dataset_count, promised.file_count, promised.size, promised.titles) == (1, 2, 10, (first.title,))
    assert release_datasets(actor=lab.pi, investigation=lab.investigation, uids=[first.uid, second.uid]) == 2
    assert [is_public(dataset) for dataset in (first, second, third)] == [True, True, False]
    assert release_datasets(actor=lab.pi, investigation=lab.investigation, uids=[first.uid]) == 0
    assert [event.text for event in embargo_history(lab.investigation, lab.pi)] == ["2 datasets released by decision"]


def test_datasets_of_others_are_not_released_with_ones_own(lab: SimpleNamespace) -> None:
    foreign = factories.make_dataset()
    with pytest.raises(NotFound):
        release_datasets(actor=lab.pi, investigation=lab.investigation, uids=[lab.datasets[0].uid, foreign.uid])
    with pytest.raises(InvalidInput):
        release_datasets(actor=lab.pi, investigation=lab.investigation, uids=[])
    assert not is_public(foreign) and not is_public(lab.datasets[0])


def test_a_thousand_datasets_are_released_by_as_many_statements_as_ten(lab: SimpleNamespace) -> None:
    def statements(count: int) -> int:
        uids = [factories.make_dataset(lab.investigation).uid for _ in range(count)]
        with CaptureQueriesContext(connection) as queries:
            assert release_datasets(actor=lab.pi, investigation=lab.investigation, uids=uids) == count
        return len(queries)

    assert statements(400) == statements(10)


def test_processed_data_open_with_what_was_chosen_unless_somebody_says_otherwise(lab: SimpleNamespace) -> None:
    raw, other, third = lab.datasets
    follower, kept, of_kept = (factories.make_dataset(lab.investigation, kind="processed") for _ in range(3))
    follower.derived_from.add(raw)
    kept.derived_from.add(raw)
    of_kept.derived_from.add(kept)
    now = timezone.now()
    assert followers_within(lab.investigation, [raw.uid], now=now) == [follower, kept, of_kept]
    release_datasets(actor=lab.pi, investigation=lab.investigation, uids=[raw.uid], stays_closed=[kept.uid])
    assert [is_public(one) for one in (raw, follower, kept, of_kept, other)] == [True, True, False, False, False]
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    assert is_public(kept) and is_public(of_kept)


def test_a_dataset_with_an_embargo_of_its_own_opens_by_it(lab: SimpleNamespace) -> None:
    dataset = lab.datasets[0]
    until = timezone.now() + 2 * DAY
    set_dataset_embargo(actor=lab.pi, dataset=dataset, until=until)
    dataset.refresh_from_db()
    assert access.opens_at(dataset) == until
    for wrong in (timezone.now() - DAY, timezone.now() + timedelta(days=366 * 6)):
        with pytest.raises(InvalidInput):
            set_dataset_embargo(actor=lab.pi, dataset=dataset, until=wrong)
    release_datasets(actor=lab.pi, investigation=lab.investigation, uids=[dataset.uid])
    with pytest.raises(Conflict):
        set_dataset_embargo(actor=lab.pi, dataset=dataset, until=until)


def test_who_leads_keeps_a_dataset_closed_no_longer_than_the_rest_and_a_curator_may(lab: SimpleNamespace) -> None:
    dataset = lab.datasets[0]
    later = lab.investigation.embargo_until + DAY
    with pytest.raises(InvalidInput):
        set_dataset_embargo(actor=lab.pi, dataset=dataset, until=later)
    set_dataset_embargo(actor=lab.curator, dataset=dataset, until=later)
    dataset.refresh_from_db()
    assert access.opens_at(dataset) == later
    set_dataset_embargo(actor=lab.pi, dataset=dataset, until=later - 2 * DAY)
    dataset.refresh_from_db()
    assert access.opens_at(dataset) == later - 2 * DAY


def test_the_team_is_told_once_of_datasets_that_opened_before_the_rest(lab: SimpleNamespace) -> None:
    now = timezone.now()
    for dataset in lab.datasets[:2]:
        set_dataset_embargo(actor=lab.pi, dataset=dataset, until=now + DAY)
    assert announce_datasets(actor=SYSTEM, now=now) == 0
    assert announce_datasets(actor=SYSTEM, now=now + DAY) == 2
    assert announce_datasets(actor=SYSTEM, now=now + 2 * DAY) == 0
    assert mails_to(lab.member) == [f"Some of your data are open: {lab.investigation.title}"]
    body = OutboxEntry.objects.filter(topic="mail").first().payload["body"]
    assert all(dataset.title in body for dataset in lab.datasets[:2]) and lab.datasets[2].title not in body


def test_what_was_released_is_told_of_once_and_not_again_when_its_embargo_would_have_ended(
    lab: SimpleNamespace,
) -> None:
    until = timezone.now() + DAY
    set_dataset_embargo(actor=lab.pi, dataset=lab.datasets[0], until=until)
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    assert announce_datasets(actor=SYSTEM, now=until) == 0


def test_a_withdrawn_investigation_is_a_tombstone_at_once_and_stays_one(lab: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        withdraw_investigation(actor=lab.pi, investigation=lab.investigation, reason="No.")
    with pytest.raises(InvalidInput):
        withdraw_investigation(actor=lab.curator, investigation=lab.investigation, reason=" ")
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    withdraw_investigation(actor=lab.curator, investigation=lab.investigation, reason="A person is to be seen.")
    assert not any(is_public(dataset) for dataset in lab.datasets)
    dataset = Dataset.objects.select_related("investigation", "instrument__facility").first()
    assert access.dataset_level(dataset, lab.pi, now=timezone.now()) == Level.TOMBSTONE
    with pytest.raises(Conflict):
        withdraw_investigation(actor=lab.curator, investigation=lab.investigation, reason="Again.")
    with pytest.raises(Conflict):
        release_datasets(actor=lab.pi, investigation=lab.investigation, uids=[dataset.uid])
    assert Dataset.objects.count() == 3


def test_a_withdrawn_dataset_leaves_the_others_as_they_are(lab: SimpleNamespace) -> None:
    first, second, _ = lab.datasets
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    with pytest.raises(NotAllowed):
        withdraw_dataset(actor=lab.pi, dataset=first, reason="No.")
    withdraw_dataset(actor=lab.curator, dataset=first, reason="Of another sample.")
    assert not is_public(first) and is_public(second)
    assert AuditEntry.objects.get(action="withdraw").after == {"reason": "Of another sample."}


def test_what_the_clock_opened_is_told_of_once(lab: SimpleNamespace) -> None:
    end = lab.investigation.embargo_until
    assert announce_openings(actor=SYSTEM, now=end - DAY) == 0
    assert announce_openings(actor=SYSTEM, now=end) == 1
    assert announce_openings(actor=SYSTEM, now=end + DAY) == 0
    assert mails_to(lab.member) == [f"Your data are open: {lab.investigation.title}"]
    assert mails_to(lab.stranger) == []


def test_one_record_that_fails_stops_no_other(lab: SimpleNamespace) -> None:
    """A trigger of the database refuses to write one of three."""
    others = [factories.make_investigation(is_open=True) for _ in range(3)]
    refuse_row("UPDATE OF opening_announced_at", "catalogue_investigation", f"OLD.id = {others[1].pk}")
    assert announce_openings(actor=SYSTEM) == 2
    told = Investigation.objects.filter(opening_announced_at__isnull=False)
    assert set(told) == {others[0], others[2]}
    now = timezone.now()
    assert access.is_open(Investigation.objects.get(pk=others[1].pk), now=now), "open whatever the job does"


def test_the_team_and_curators_read_the_history_of_an_embargo_and_others_do_not(lab: SimpleNamespace) -> None:
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    assert [event.who for event in embargo_history(lab.investigation, lab.member)] == [""]
    assert [event.who for event in embargo_history(lab.investigation, lab.curator)] == ["pi"]
    assert embargo_history(lab.investigation, lab.stranger) == embargo_history(lab.investigation, ANONYMOUS) == []
    assert not ExtensionRequest.objects.exists()
