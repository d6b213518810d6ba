"""Investigations, their teams and samples: registered and updated, with the embargo that the facility's policy gives."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.audit import write_audit
from catalogue.changes import investigation_changed, row_changed
from catalogue.entries import InvestigationEntry, PersonEntry, RelationEntry, SampleEntry
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.identifiers import normalise_orcid, normalise_ror
from catalogue.models import (
    Facility,
    Instrument,
    Investigation,
    Licence,
    Organisation,
    Person,
    Proposal,
    Relation,
    Sample,
    TeamMember,
)
from catalogue.models.investigations import TeamRole
from catalogue.policy import Policy, embargo_end, policy_of
from catalogue.services.followers import follow_investigations
from catalogue.services.versions import write_version
from catalogue.vocabularies.datacite_types import RELATION_TYPES

VISIT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PLAIN_FIELDS = ("title", "abstract", "investigation_type", "started_at", "ended_at")


def find_instrument(name: str) -> Instrument:
    """An instrument by its short name or uid."""
    query = Q(short_name=name)
    try:
        query |= Q(uid=UUID(name))
    except ValueError:
        pass
    instrument = Instrument.objects.select_related("facility").filter(query).first()
    if instrument is None:
        raise InvalidInput(
            f"There is no instrument {name[:60]!r}. An administrator adds instruments.",
            fields={"instrument": ["Give the short name or the uid of an instrument."]},
        )
    return instrument


def create_investigation(*, actor: Principal, entry: InvestigationEntry) -> Investigation:
    """Register one session; its visit id must be new to the facility."""
    instrument = find_instrument(entry.instrument)
    if not access.may_register_at(instrument, actor):
        raise NotAllowed("This account may not register investigations at this instrument.")
    _check(entry)
    facility = instrument.facility
    policy = policy_of(facility, instrument)
    licence = _licence(entry.licence)
    try:
        with transaction.atomic():
            investigation = Investigation.objects.create(
                facility=facility,
                instrument=instrument,
                proposal=_proposal(facility, entry),
                visit_id=entry.visit_id,
                licence_id=licence.pk if licence else policy.licence_id,
                **_first_embargo(policy, entry),
                **{name: getattr(entry, name) for name in PLAIN_FIELDS},
            )
            _set_team(investigation, entry.team)
            _set_relations(investigation, entry.relations)
            write_audit(actor=actor, action="create", record=investigation, after=_snapshot(investigation))
            investigation_changed(investigation)
    except IntegrityError as error:
        raise Conflict(
            f"The visit {entry.visit_id!r} is registered already at {facility.short_name}. Update it instead.",
            code="already-registered",
        ) from error
    return investigation


def update_investigation(
    *, actor: Principal, uid: UUID, changes: dict[str, Any], expected_version: int | None
) -> Investigation:
    """Change some fields of an investigation; `changes` holds values of InvestigationEntry by name.

    The embargo follows a new end of the session as long as the policy alone set it, and never moves once it has passed.
    """
    investigation = changeable_investigation(uid, actor)
    _authorise_change(investigation, actor, changes)
    before = _snapshot(investigation)
    values = {name: changes[name] for name in PLAIN_FIELDS if name in changes}
    started_at = values.get("started_at", investigation.started_at)
    ended_at = values.get("ended_at", investigation.ended_at)
    _check_times(started_at, ended_at)
    if "title" in values and not values["title"].strip():
        raise InvalidInput("An investigation needs a title.", fields={"title": ["Required."]})
    if changes.get("licence"):
        values["licence"] = _licence(changes["licence"])
    moved = _moved_embargo(investigation, started_at, ended_at)
    with transaction.atomic():
        write_version(investigation, values | moved, expected_version)
        if moved:
            follow_investigations(actor=actor, investigation_ids=[investigation.pk])
        if "team" in changes:
            _set_team(investigation, changes["team"])
        if "relations" in changes:
            _set_relations(investigation, changes["relations"])
        investigation.refresh_from_db()
        write_audit(actor=actor, action="update", record=investigation, before=before, after=_snapshot(investigation))
        investigation_changed(investigation)
    return investigation


def changeable_investigation(uid: UUID, actor: Principal) -> Investigation:
    """The active investigation in which `actor` may register; NotFound where the actor may not even know of it."""
    rows = Investigation.objects.select_related("facility", "instrument", "licence", "proposal")
    investigation = rows.filter(uid=uid).first()
    if investigation is not None and access.may_register_in(investigation, actor):
        if access.is_withdrawn(investigation):
            raise Conflict("This investigation was withdrawn and is not changed any more.", code="withdrawn")
        return investigation
    if investigation is None or access.investigation_level(investigation, actor, now=timezone.now()) == Level.NOTHING:
        raise NotFound("There is no such investigation.")
    raise NotAllowed("This account may not change this investigation.")


def _authorise_change(investigation: Investigation, actor: Principal, changes: dict[str, Any]) -> None:
    """The team decides who reads closed data: only its leaders and curators change it, never an instrument's token."""
    if actor.instrument_id is not None and not (actor.is_curator or actor.is_administrator):
        if "team" in changes:
            raise NotAllowed("An instrument may not change the team of an investigation that exists.")
    elif not may_change_team(investigation, actor):
        raise NotAllowed("Only the principal investigator and the local contact may change the investigation.")


def may_change_team(investigation: Investigation, actor: Principal) -> bool:
    """Whether `actor` is a curator, or leads the investigation."""
    if actor.is_curator or actor.is_administrator:
        return True
    leaders = (TeamRole.PI, TeamRole.LOCAL_CONTACT)
    return actor.instrument_id is None and access.is_team_member(investigation, actor, roles=leaders)


def _moved_embargo(
    investigation: Investigation, started_at: datetime, ended_at: datetime | None
) -> dict[str, datetime | None]:
    policy = policy_of(investigation.facility, investigation.instrument)
    by_policy = embargo_end(policy, investigation.started_at, investigation.ended_at)
    has_passed = access.opens_at(investigation) <= timezone.now()
    moved = embargo_end(policy, started_at, ended_at)
    if has_passed or investigation.embargo_until != by_policy or moved == by_policy:
        return {}
    is_held = investigation.held_until is not None and bool(policy.extension_hold)
    return {"embargo_until": moved, "held_until": moved + policy.extension_hold if is_held else None}


def _first_embargo(policy: Policy, entry: InvestigationEntry) -> dict[str, datetime | None]:
    """By policy. Of what was over long before it is registered here, nobody is told that it has opened."""
    until, now = embargo_end(policy, entry.started_at, entry.ended_at), timezone.now()
    return {"embargo_until": until, "opening_announced_at": now if until <= now else None}


def _check(entry: InvestigationEntry) -> None:
    missing = [name for name in ("visit_id", "title") if not getattr(entry, name).strip()]
    if missing:
        raise InvalidInput("Some values are missing.", fields={name: ["Required."] for name in missing})
    if not VISIT_ID.fullmatch(entry.visit_id):
        raise InvalidInput(
            "A visit id names a folder: use letters, digits, dots, hyphens and underscores.",
            fields={"visit_id": ["1 to 100 of A-Z a-z 0-9 . _ -, beginning with a letter or digit."]},
        )
    _check_times(entry.started_at, entry.ended_at)


def _check_times(started_at: datetime, ended_at: datetime | None) -> None:
    for name, moment in (("started_at", started_at), ("ended_at", ended_at)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput("Times need a zone.", fields={name: ["Write it as 2026-05-03T10:00:00+02:00."]})
    if ended_at is not None and ended_at < started_at:
        raise InvalidInput(
            "The session ends before it starts.", fields={"ended_at": ["Must not lie before the start."]}
        )


def _licence(spdx_id: str) -> Licence | None:
    if not spdx_id:
        return None
    licence = Licence.objects.filter(spdx_id=spdx_id).first()
    if licence is None:
        raise InvalidInput(
            f"{spdx_id[:40]!r} is no SPDX licence known here.",
            fields={"licence": ["Give an SPDX id such as CC-BY-4.0."]},
        )
    return licence


def _proposal(facility: Facility, entry: InvestigationEntry) -> Proposal | None:
    if not entry.proposal:
        return None
    proposal, _ = Proposal.objects.get_or_create(
        facility=facility, number=entry.proposal, defaults={"title": entry.proposal_title}
    )
    return proposal


def _set_team(investigation: Investigation, team: Sequence[PersonEntry]) -> None:
    """Whoever is in the team already and has no ORCID iD is known by name there, and stays the same person."""
    nameless = investigation.team.filter(person__orcid__isnull=True).select_related("person")
    present = {(one.person.given_name, one.person.family_name): one.person for one in nameless}
    investigation.team.all().delete()
    members: dict[int, TeamMember] = {}
    for position, entry in enumerate(team):
        if entry.role not in TeamRole.values:
            raise InvalidInput("Unknown role.", fields={"team": [f"A role is one of {', '.join(TeamRole.values)}."]})
        name = (entry.given_name.strip(), entry.family_name.strip())
        person = present.get(name) if not entry.orcid else None
        person = person or find_or_create_person(entry)
        members.setdefault(
            person.pk, TeamMember(investigation=investigation, person=person, role=entry.role, position=position)
        )
    TeamMember.objects.bulk_create(members.values())


def find_or_create_person(entry: PersonEntry, *, affiliation: Organisation | None = None) -> Person:
    """The person by ORCID. Without one, a new person: two people of one name are never made one by guessing.

    The `affiliation` of a new person is found by what the entry says of it, where it is not given.
    """
    if not entry.family_name.strip():
        raise InvalidInput("A person needs a family name.", fields={"team": ["Give a family name."]})
    try:
        orcid = normalise_orcid(entry.orcid) if entry.orcid else None
        ror = normalise_ror(entry.affiliation_ror) if entry.affiliation_ror else None
    except ValueError as error:
        raise InvalidInput(str(error), fields={"team": [str(error)]}) from error
    affiliation = affiliation or _organisation(entry.affiliation, ror)
    names = {
        "given_name": entry.given_name.strip(),
        "family_name": entry.family_name.strip(),
        "affiliation": affiliation,
    }
    if orcid is None:
        return Person.objects.create(**names)
    return Person.objects.get_or_create(orcid=orcid, defaults=names)[0]


def _organisation(name: str, ror: str | None) -> Organisation | None:
    if ror:
        return Organisation.objects.get_or_create(ror=ror, defaults={"name": name or ror})[0]
    if name:
        return Organisation.objects.filter(name=name).order_by("pk").first() or Organisation.objects.create(name=name)
    return None


def _set_relations(investigation: Investigation, relations: Sequence[RelationEntry]) -> None:
    check_relations(relations)
    investigation.relations.all().delete()
    Relation.objects.bulk_create([relation_row(entry, investigation=investigation) for entry in relations])


def relation_row(entry: RelationEntry, **subject: Any) -> Relation:
    return Relation(
        relation_type=entry.relation_type,
        identifier=entry.identifier,
        identifier_type=entry.identifier_type,
        resource_type=entry.resource_type,
        title=entry.title,
        **subject,
    )


def check_relations(relations: Sequence[RelationEntry]) -> None:
    for entry in relations:
        if entry.relation_type not in RELATION_TYPES or not entry.identifier:
            raise InvalidInput(
                f"{entry.relation_type[:40]!r} is no DataCite relation type, or its identifier is empty.",
                fields={"relations": ["Give a relation type such as IsSupplementTo and an identifier."]},
            )
    if len({(entry.relation_type, entry.identifier) for entry in relations}) < len(relations):
        raise InvalidInput("A relation is given twice.", fields={"relations": ["Send each relation once."]})


def save_sample(
    *, actor: Principal, investigation: Investigation, entry: SampleEntry, expected_version: int | None = None
) -> tuple[Sample, bool]:
    """Make or update the sample of that name in `investigation`; the second value says whether it is new.

    `expected_version` is the version that is changed, 0 for one that must not exist yet, None for either.
    """
    if not access.may_register_in(investigation, actor):
        raise NotAllowed("This account may not register samples in this investigation.")
    if not entry.name.strip():
        raise InvalidInput("A sample needs a name.", fields={"name": ["Required."]})
    details = {"formula": entry.formula, "description": entry.description, "sample_type": entry.sample_type}
    with transaction.atomic():
        sample, is_new = Sample.objects.get_or_create(investigation=investigation, name=entry.name, defaults=details)
        if is_new and expected_version:
            raise NotFound("There is no such sample.")
        before = {} if is_new else {name: getattr(sample, name) for name in details}
        if not is_new:
            write_version(sample, details, expected_version)
            sample.refresh_from_db()
            row_changed(sample)
        write_audit(actor=actor, action="create" if is_new else "update", record=sample, before=before, after=details)
    return sample, is_new


def _snapshot(investigation: Investigation) -> dict[str, Any]:
    return {
        "title": investigation.title,
        "abstract": investigation.abstract,
        "visit_id": investigation.visit_id,
        "started_at": investigation.started_at.isoformat(),
        "ended_at": investigation.ended_at.isoformat() if investigation.ended_at else None,
        "embargo_until": investigation.embargo_until.isoformat(),
        "licence": investigation.licence_id,
        "team": [[str(member.person), member.role] for member in investigation.team.select_related("person")],
    }
