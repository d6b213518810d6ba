"""The service of investigations: embargo by policy, teams, and who may change what."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.entries import InvestigationEntry, PersonEntry, SampleEntry
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound, StaleVersion
from catalogue.models import AuditEntry, Investigation, Organisation, Person, Proposal
from catalogue.services.investigations import create_investigation, save_sample, update_investigation
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
START = datetime(2026, 1, 31, 8, tzinfo=UTC)


@pytest.fixture
def lab() -> SimpleNamespace:
    facility = factories.make_facility(embargo_months=37)
    instrument = factories.make_instrument(facility=facility, short_name="sem")
    return SimpleNamespace(
        facility=facility, instrument=instrument, machine=principal_of(factories.make_instrument_account(instrument))
    )


def make(lab: SimpleNamespace, **changes: object) -> Investigation:
    values = {"instrument": "sem", "visit_id": "visit-1", "title": "Grains", "started_at": START}
    return create_investigation(actor=lab.machine, entry=InvestigationEntry(**(values | changes)))


def test_the_embargo_ends_so_many_months_after_the_session(lab: SimpleNamespace) -> None:
    assert make(lab).embargo_until == datetime(2029, 2, 28, 8, tzinfo=UTC)
    ended_at = START + timedelta(days=1)
    assert make(lab, visit_id="visit-2", ended_at=ended_at).embargo_until == datetime(2029, 3, 1, 8, tzinfo=UTC)


def test_the_embargo_follows_the_end_of_the_session_while_the_policy_alone_set_it(lab: SimpleNamespace) -> None:
    recent = timezone.now() - timedelta(days=2)
    investigation = make(lab, started_at=recent)
    changes = {"ended_at": recent + timedelta(days=1)}
    moved = update_investigation(actor=lab.machine, uid=investigation.uid, changes=changes, expected_version=1)
    assert moved.embargo_until > investigation.embargo_until
    Investigation.objects.update(embargo_until=timezone.now() + timedelta(days=5))
    changes = {"ended_at": recent + timedelta(days=2)}
    kept = update_investigation(actor=lab.machine, uid=investigation.uid, changes=changes, expected_version=2)
    assert kept.embargo_until < timezone.now() + timedelta(days=6)


def test_what_is_open_never_closes_again_by_a_new_end(lab: SimpleNamespace) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    investigation = make(lab, started_at=long_ago)
    changes = {"ended_at": timezone.now()}
    changed = update_investigation(actor=lab.machine, uid=investigation.uid, changes=changes, expected_version=None)
    assert changed.embargo_until == investigation.embargo_until


def test_people_are_found_by_orcid_and_never_by_name(lab: SimpleNamespace) -> None:
    marie = PersonEntry(family_name="Curie", orcid="https://orcid.org/0000-0002-1825-0097", affiliation="Sorbonne")
    namesake = PersonEntry(family_name="Curie", affiliation="Sorbonne", role="pi")
    make(lab, team=(marie, namesake, marie))
    make(lab, visit_id="visit-2", team=(marie, namesake))
    assert Person.objects.filter(orcid="0000-0002-1825-0097").count() == 1
    assert Person.objects.filter(orcid=None).count() == 2
    assert Organisation.objects.count() == 1
    assert not Person.objects.exclude(orcid_verified_at=None).exists()


def test_a_proposal_is_made_once(lab: SimpleNamespace) -> None:
    make(lab, proposal="20260117", proposal_title="Magnetite")
    make(lab, visit_id="visit-2", proposal="20260117")
    assert Proposal.objects.get().investigations.count() == 2


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"title": " "}, "title"),
        ({"visit_id": "a/b"}, "visit_id"),
        ({"started_at": datetime(2026, 1, 1)}, "started_at"),
        ({"ended_at": START - timedelta(days=1)}, "ended_at"),
        ({"licence": "Mine"}, "licence"),
        ({"team": (PersonEntry(family_name="A", role="boss"),)}, "team"),
        ({"team": (PersonEntry(family_name="A", affiliation_ror="https://ror.org/000"),)}, "team"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(lab: SimpleNamespace, changes: dict, place: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        make(lab, **changes)
    assert list(refusal.value.fields) == [place]
    assert not Investigation.objects.exists()
    assert not Person.objects.exists()


def test_a_visit_id_is_unique_within_its_facility_only(lab: SimpleNamespace) -> None:
    make(lab)
    with pytest.raises(Conflict) as refusal:
        make(lab)
    assert refusal.value.code == "already-registered"
    other = factories.make_instrument(short_name="tem")
    actor = principal_of(factories.make_instrument_account(other))
    entry = InvestigationEntry(instrument="tem", visit_id="visit-1", title="Other", started_at=START)
    assert create_investigation(actor=actor, entry=entry).facility == other.facility


def test_only_leaders_and_curators_change_an_investigation(lab: SimpleNamespace) -> None:
    pi, member = factories.make_user(), factories.make_user()
    investigation = factories.make_investigation(instrument=lab.instrument, pi=pi)
    factories.add_member(investigation, member)

    def change(user: object, **changes: object) -> Investigation:
        values = changes or {"abstract": "New"}
        actor = principal_of(user)
        return update_investigation(actor=actor, uid=investigation.uid, changes=values, expected_version=None)

    for allowed in (pi, factories.make_curator()):
        assert change(allowed).abstract == "New"
    for refused in (member, factories.make_user()):
        with pytest.raises(NotAllowed):
            change(refused)
    with pytest.raises(InvalidInput):
        change(pi, title=" ")
    with pytest.raises(NotFound):
        update_investigation(actor=principal_of(pi), uid=pi.person.uid, changes={}, expected_version=None)


def test_a_stale_change_changes_nothing_at_all(lab: SimpleNamespace) -> None:
    investigation = make(lab, team=(PersonEntry(family_name="Curie"),))
    curator = principal_of(factories.make_curator())
    changes = {"title": "New", "team": ()}
    with pytest.raises(StaleVersion):
        update_investigation(actor=curator, uid=investigation.uid, changes=changes, expected_version=7)
    assert investigation.team.count() == 1
    assert not AuditEntry.objects.filter(action="update").exists()


def test_a_sample_belongs_to_its_investigation(lab: SimpleNamespace) -> None:
    investigation = make(lab)
    sample, is_new = save_sample(actor=lab.machine, investigation=investigation, entry=SampleEntry(name="film"))
    assert is_new
    changed = SampleEntry(name="film", formula="Fe3O4")
    again, is_new = save_sample(actor=lab.machine, investigation=investigation, entry=changed, expected_version=1)
    assert (again.pk, again.formula, again.version, is_new) == (sample.pk, "Fe3O4", 2, False)
    with pytest.raises(StaleVersion):
        save_sample(actor=lab.machine, investigation=investigation, entry=changed, expected_version=0)
    with pytest.raises(NotAllowed):
        save_sample(actor=principal_of(factories.make_user()), investigation=investigation, entry=changed)
    with pytest.raises(InvalidInput):
        save_sample(actor=lab.machine, investigation=investigation, entry=SampleEntry(name=" "))
