"""Registration by hand: a draft saved on every step, and registered as a whole or not at all.

A draft's content is what the person typed: texts under the names of DESCRIPTION, the chosen files, and corrections. It may
be incomplete; `register_draft` makes an entry of it and leaves all checking to the registration service.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from catalogue import access
from catalogue.access import Principal
from catalogue.entries import DatasetEntry, FileEntry, ParameterEntry, PersonEntry
from catalogue.errors import InvalidInput, NotAllowed, NotFound
from catalogue.identifiers import normalise_orcid
from catalogue.models import Dataset, Instrument, Investigation, Person, RegistrationDraft, TeamMember
from catalogue.models.datasets import Source
from catalogue.models.investigations import TeamRole
from catalogue.services.investigations import update_investigation
from catalogue.services.registration import register_dataset
from catalogue.units import parse_quantity

DESCRIPTION = (
    "instrument",
    "investigation",
    "title",
    "kind",
    "description",
    "technique",
    "sample",
    "acquired_at",
    "licence",
)
MOST_DRAFTS = 50
MOST_FILES = 2000
SEPARATOR = "\x1f"


def own_drafts(principal: Principal) -> QuerySet[RegistrationDraft]:
    return RegistrationDraft.objects.filter(owner_id=principal.user_id) if principal.user_id else _none()


def _none() -> QuerySet[RegistrationDraft]:
    return RegistrationDraft.objects.none()


def find_draft(uid: UUID, principal: Principal) -> RegistrationDraft:
    draft = own_drafts(principal).filter(uid=uid).first()
    if draft is None:
        raise NotFound("There is no such draft of yours; perhaps it was registered already.")
    return draft


def registrable_investigations(principal: Principal, *, instrument: str = "") -> QuerySet[Investigation]:
    """The investigations in which this person may register, the newest first; those at `instrument` where it is given."""
    investigations = Investigation.objects.select_related("instrument", "facility", "proposal").filter(state="active")
    if instrument:
        named = Q(instrument__name__iexact=instrument) | Q(instrument__short_name__iexact=instrument)
        investigations = investigations.filter(named)
    if principal.is_curator or principal.is_administrator:
        return investigations.order_by("-id")
    if principal.user_id is None or principal.instrument_id is not None:
        return investigations.none()
    return investigations.filter(team__person__user_id=principal.user_id).order_by("-id")


def start_draft(*, actor: Principal, has_files: bool) -> RegistrationDraft:
    """Begin a registration; `has_files` tells whether the person will choose files from a storage."""
    if actor.is_anonymous or actor.instrument_id is not None:
        raise NotAllowed("Registering by hand needs a person's account.")
    if own_drafts(actor).count() >= MOST_DRAFTS:
        raise InvalidInput(
            f"You have {MOST_DRAFTS} drafts. Finish or remove some of them first.", code="too-many-drafts"
        )
    return RegistrationDraft.objects.create(owner_id=actor.user_id, content={"has_files": has_files})


def save_description(*, actor: Principal, draft: RegistrationDraft, values: Mapping[str, str]) -> None:
    _save(actor, draft, {"description": {name: values.get(name, "") for name in DESCRIPTION}})


def save_files(*, actor: Principal, draft: RegistrationDraft, files: list[dict[str, Any]]) -> None:
    """Keep the chosen files: dictionaries of storage (uid), path, size and modified_at (ISO)."""
    if len(files) > MOST_FILES:
        raise InvalidInput(
            f"Choose at most {MOST_FILES} files; register more by the API.", fields={"path": ["Too many."]}
        )
    _save(actor, draft, {"files": files})


def save_corrections(*, actor: Principal, draft: RegistrationDraft, corrections: Mapping[str, str]) -> None:
    """Keep what the person wrote instead of a value; keys are `correction_key(group, name)`."""
    _save(actor, draft, {"corrections": {key: text for key, text in corrections.items() if text}})


def remove_draft(*, actor: Principal, draft: RegistrationDraft) -> None:
    _check_owner(actor, draft)
    draft.delete()


def correction_key(group: str, name: str) -> str:
    return f"{group}{SEPARATOR}{name}"


def _save(actor: Principal, draft: RegistrationDraft, changes: dict[str, Any]) -> None:
    _check_owner(actor, draft)
    draft.content = draft.content | changes
    draft.save(update_fields=["content", "updated_at"])


def _check_owner(actor: Principal, draft: RegistrationDraft) -> None:
    if draft.owner_id != actor.user_id:
        raise NotAllowed("This draft belongs to somebody else.")


def investigation_of(draft: RegistrationDraft, principal: Principal) -> Investigation | None:
    """The investigation that the draft names, if the person may register in it."""
    try:
        uid = UUID(draft.content.get("description", {}).get("investigation", ""))
    except ValueError:
        return None
    investigation = Investigation.objects.select_related("instrument", "facility", "proposal").filter(uid=uid).first()
    if investigation is None or not access.may_register_in(investigation, principal):
        return None
    return investigation


def instrument_problem(instrument: str, investigation: Investigation) -> str:
    """What is wrong where somebody names an instrument at which `investigation` did not measure; empty where nothing is."""
    used = investigation.instrument
    if not instrument or instrument.casefold() in (used.name.casefold(), used.short_name.casefold()):
        return ""
    return f"This investigation measured at {used.name}. Choose another investigation, or leave the instrument empty."


def suggestions(principal: Principal, investigation: Investigation | None, *, most: int) -> dict[str, list[str]]:
    """Names to choose from: instruments of the person's investigations, samples of the chosen one, and the people with an
    ORCID iD who were in teams at its instrument, as far as the person may know of these teams."""
    own = registrable_investigations(principal).order_by()
    found: dict[str, QuerySet[Any, Any]] = {
        "instruments": Instrument.objects.filter(investigations__in=own).distinct().values_list("name", flat=True)
    }
    if investigation:
        known = access.listed_investigations(principal, now=timezone.now()).filter(
            instrument=investigation.instrument_id
        )
        people = Person.objects.filter(memberships__investigation__in=known, orcid__isnull=False).distinct()
        found["samples"] = investigation.samples.values_list("name", flat=True)
        found["people"] = people.annotate(
            text=Concat("given_name", Value(" "), "family_name", Value(" "), "orcid")
        ).values_list("text", flat=True)
    return {name: list(values[:most]) for name, values in found.items()}


def add_person(*, actor: Principal, draft: RegistrationDraft, text: str, role: str) -> Investigation:
    """Add somebody to the team of the chosen investigation: "Marie Curie", with or without an ORCID iD behind the name.

    An ORCID iD that is known here needs no name. Raises InvalidInput, and what `update_investigation` does.
    """
    investigation = investigation_of(draft, actor)
    if investigation is None:
        raise InvalidInput("Choose an investigation first.", fields={"person": ["Choose an investigation first."]})
    new = _person(text, role or TeamRole.MEMBER.value)
    present = [_member_entry(member) for member in investigation.team.select_related("person__affiliation")]
    return update_investigation(
        actor=actor,
        uid=investigation.uid,
        changes={"team": [*present, new]},
        expected_version=investigation.version,
    )


def _person(text: str, role: str) -> PersonEntry:
    name, _, last = text.strip().rpartition(" ")
    try:
        orcid = normalise_orcid(last)
    except ValueError as error:
        if any(character.isdigit() for character in last):
            raise InvalidInput(str(error), fields={"person": [str(error)]}) from None
        return PersonEntry(family_name=last, given_name=name, role=role)
    known = Person.objects.filter(orcid=orcid).first()
    if known:
        return PersonEntry(family_name=known.family_name, given_name=known.given_name, orcid=orcid, role=role)
    given_name, _, family_name = name.strip().rpartition(" ")
    if not family_name:
        message = "Nobody here has this ORCID iD yet: write the name before it."
        raise InvalidInput(message, fields={"person": [message]})
    return PersonEntry(family_name=family_name, given_name=given_name, orcid=orcid, role=role)


def _member_entry(member: TeamMember) -> PersonEntry:
    person = member.person
    return PersonEntry(
        family_name=person.family_name, given_name=person.given_name, orcid=person.orcid or "", role=member.role
    )


def register_draft(*, actor: Principal, draft: RegistrationDraft) -> Dataset:
    """Register what the draft describes and remove the draft, in one transaction. The draft's uid is the registration key,
    so that a second click finds the dataset that the first one made."""
    _check_owner(actor, draft)
    investigation = investigation_of(draft, actor)
    if investigation is None:
        raise InvalidInput("Choose an investigation.", fields={"investigation": ["Choose one of yours."]})
    if problem := instrument_problem(draft.content["description"].get("instrument", ""), investigation):
        raise InvalidInput(problem, fields={"instrument": [problem]})
    with transaction.atomic():
        dataset = register_dataset(actor=actor, entry=entry_of(draft, investigation))
        draft.delete()
    return dataset


def entry_of(draft: RegistrationDraft, investigation: Investigation) -> DatasetEntry:
    values = draft.content.get("description", {})
    return DatasetEntry(
        investigation=str(investigation.uid),
        title=values.get("title", ""),
        kind=values.get("kind") or "raw",
        description=values.get("description", ""),
        acquired_at=_moment(values.get("acquired_at", ""), investigation.facility.time_zone),
        techniques=(values["technique"],) if values.get("technique") else (),
        sample=values.get("sample", ""),
        licence=values.get("licence", ""),
        registration_key=f"draft-{draft.uid}",
        files=tuple(_file(entry) for entry in draft.content.get("files", [])),
        parameters=tuple(correction_entry(key, text) for key, text in draft.content.get("corrections", {}).items()),
    )


def _file(entry: Mapping[str, Any]) -> FileEntry:
    modified_at = entry.get("modified_at")
    return FileEntry(
        storage=entry["storage"],
        path=entry["path"],
        size=entry.get("size"),
        modified_at=datetime.fromisoformat(modified_at) if modified_at else None,
    )


def correction_entry(key: str, text: str) -> ParameterEntry:
    """A person's text: a number with its unit where it is one, else the words themselves."""
    group, _, name = key.partition(SEPARATOR)
    quantity = parse_quantity(text)
    value, unit = quantity if quantity else (text, "")
    return ParameterEntry(name=name, group=group, value=value, unit=unit or "", source=Source.PERSON.value)


def _moment(text: str, time_zone: str) -> datetime | None:
    """A local time of the facility, as the form's field gives it."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text[:40]!r} is no time such as 2026-05-03T10:00."
        raise InvalidInput(message, fields={"acquired_at": [message]}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))
