"""Documents of a PaNOSC database: proposals become investigations, publications become published collections.

Both are open from the day of their release on. Their DOIs were registered elsewhere: nothing is asked of DataCite here.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from catalogue import changes
from catalogue.audit import write_audit
from catalogue.collection_selectors import text_of
from catalogue.entries import InvestigationEntry, PersonEntry
from catalogue.interop.panosc_checks import PROPOSAL, PUBLICATION, doi_of, proposals_of
from catalogue.interop.panosc_database import Row
from catalogue.models import Collection, Dataset, Investigation, Person, TeamMember
from catalogue.models.foreign import ForeignKind
from catalogue.models.investigations import TeamRole
from catalogue.publication import Creator, PublicationText, Subject, normalise_doi
from catalogue.publication_checks import find_problems
from catalogue.services.collection_release import begin_publication, publish_collection
from catalogue.services.collections import save_text, start_collection, text_tag
from catalogue.services.investigations import create_investigation, find_or_create_person
from catalogue.services.panosc_context import NO_PROPOSAL, SAME_AS, Import, about, as_visit, refusal, same_as
from catalogue.services.panosc_identifiers import keep_identifiers

LONGEST_NUMBER, LONGEST_TITLE = 60, 500
ROLES = {"principal investigator": TeamRole.PI, "pi": TeamRole.PI, "local contact": TeamRole.LOCAL_CONTACT}


def import_proposals(current: Import) -> None:
    """Investigations by the pid of each dataset, those that exist included."""
    proposals = proposals_of(current.database)
    data: dict[str, list[str]] = {}
    for dataset in current.database.of("Dataset"):
        for document in proposals.get(dataset, ()):
            data.setdefault(document, []).append(dataset)
    people = _People(current)
    by_document = {}
    for pid, row in current.database.of("Document").items():
        if row["type"] == PROPOSAL:
            with about("Document", pid):
                existing = _existing(current, pid, row, data[pid][0])
                by_document[pid] = existing or _new_investigation(current, people, pid, row, data[pid])
    without = _without_proposal(
        current, people, [one for one in current.database.of("Dataset") if not proposals.get(one)]
    )
    named = {dataset: by_document[document] for document, datasets in data.items() for dataset in datasets}
    current.investigations = named | without


def _existing(current: Import, pid: str, row: Row, dataset: str) -> Investigation | None:
    """The investigation that came from this document, or that has its DOI."""
    doi = doi_of(pid, row.get("doi", ""))
    found = Investigation.objects.filter(doi=doi).first() if doi else None
    facility = current.instruments[current.database.of("Dataset")[dataset]["instrumentId"]].facility
    named = Investigation.objects.filter(facility=facility, visit_id=as_visit(pid))
    return (
        found or named.filter(relations__relation_type=SAME_AS, relations__identifier=same_as(pid).identifier).first()
    )


def _new_investigation(current: Import, people: "_People", pid: str, row: Row, datasets: list[str]) -> Investigation:
    rows = [current.database.of("Dataset")[one] for one in datasets]
    ended_at = row.get("endDate")
    doi = doi_of(pid, row.get("doi", ""))
    started_at = row.get("startDate") or min(one["creationDate"] for one in rows)
    entry = InvestigationEntry(
        instrument=str(current.instruments[rows[0]["instrumentId"]].uid),
        visit_id=as_visit(pid),
        title=row["title"],
        abstract=row.get("summary", ""),
        started_at=min(started_at, ended_at) if ended_at else started_at,
        ended_at=ended_at,
        proposal=pid if len(pid) <= LONGEST_NUMBER else "",
        proposal_title=row["title"],
        licence=row.get("license", ""),
        relations=() if doi == normalise_doi(pid) else (same_as(pid),),
    )
    investigation = create_investigation(actor=current.actor, entry=entry)
    people.join(investigation, pid)
    released_at = row.get("releaseDate") or min(current.now, entry.ended_at or entry.started_at)
    _open(current, investigation, released_at, pid=pid, doi=doi or None)
    current.done.proposals += 1
    return investigation


def _without_proposal(current: Import, people: "_People", datasets: Iterable[str]) -> dict[str, Investigation]:
    """One investigation for each publication and facility, with the people of the publication; one for each instrument else."""
    rows, documents = current.database.of("Dataset"), current.database.linked("DocumentDataset")
    holders: dict[tuple[str, int], list[str]] = {}
    for dataset in datasets:
        instrument = current.instruments[rows[dataset]["instrumentId"]]
        document = next(iter(documents.get(dataset, ())), "")
        holders.setdefault((document, instrument.facility_id if document else instrument.pk), []).append(dataset)
    found = {}
    for (document, _), names in holders.items():
        with about("Dataset", names[0]):
            found.update(dict.fromkeys(names, _holder(current, people, document, names)))
    return found


def _holder(current: Import, people: "_People", document: str, datasets: list[str]) -> Investigation:
    """The investigation of data that no proposal is named for, as it was made before or anew."""
    rows = [current.database.of("Dataset")[name] for name in datasets]
    instrument = current.instruments[rows[0]["instrumentId"]]
    whose = current.database.of("Document")[document]["title"] if document else instrument.name
    entry = InvestigationEntry(
        instrument=str(instrument.uid),
        visit_id=as_visit(f"data-of-{document or instrument.short_name}"),
        title=f"Data of {whose}"[:LONGEST_TITLE],
        investigation_type=NO_PROPOSAL,
        started_at=min(row["creationDate"] for row in rows),
    )
    known = Investigation.objects.filter(facility=instrument.facility, investigation_type=NO_PROPOSAL)
    investigation = known.filter(visit_id=entry.visit_id).first()
    if investigation is None:
        investigation = create_investigation(actor=current.actor, entry=entry)
        people.join(investigation, document)
        _open(current, investigation, entry.started_at)
    return investigation


def _open(current: Import, investigation: Investigation, moment: datetime, **values: Any) -> None:
    """Released at `moment`, of which nobody is told: it was so before it came here."""
    pid = values.pop("pid", "")
    opened = min(moment, current.now)
    values |= {"embargo_until": opened, "released_at": opened, "opening_announced_at": current.now}
    Investigation.objects.filter(pk=investigation.pk).update(**values)
    investigation.refresh_from_db()
    after = {"pid": pid, "doi": investigation.doi or "", "released_at": opened.isoformat()}
    write_audit(actor=current.actor, action="import", record=investigation, after=after)
    changes.investigation_changed(investigation)


class _People:
    """The people of one import, each made once, whose ids mean the same in all documents of the file."""

    def __init__(self, current: Import) -> None:
        self._current = current
        self._people: dict[str, Person] = {}
        self._members = current.database.belonging("Member", "documentId")

    def join(self, investigation: Investigation, document: str) -> None:
        """Make the members of a document the team, leaders first where somebody has two roles."""
        team: dict[int, tuple[TeamMember, str, Row]] = {}
        members = self._members.get(document, ())
        entries = [(person_entry(self._current, row), key, row) for key, row in members]
        for entry, key, row in sorted(entries, key=lambda one: one[0].role != TeamRole.PI):
            person = self._person(entry, row["personId"])
            member = TeamMember(investigation=investigation, person=person, role=entry.role, position=len(team))
            team.setdefault(person.pk, (member, key, row))
        TeamMember.objects.bulk_create(member for member, _, _ in team.values())
        self._keep_identifiers(list(team.values()))

    def _person(self, entry: PersonEntry, key: str) -> Person:
        with about("Person", key):
            person = self._people.get(key) or find_or_create_person(entry)
        if key not in self._people:
            self._current.done.people += 1
            self._people[key] = person
        return person

    def _keep_identifiers(self, team: list[tuple[TeamMember, str, Row]]) -> None:
        """Of the members, of the people they are, of where these work, and the words for their roles where ours are others."""
        keep_identifiers(ForeignKind.MEMBER, [(member.pk, key) for member, key, _ in team])
        roles = [
            (member.pk, row["role"]) for member, _, row in team if row.get("role", "") not in ("", _role_of(member))
        ]
        keep_identifiers(ForeignKind.MEMBER_ROLE, roles)
        keep_identifiers(ForeignKind.PERSON, [(member.person_id, row["personId"]) for member, _, row in team])
        known = self._current.database.of("Affiliation")
        places = [(member.person.affiliation, row.get("affiliationId", "")) for member, _, row in team]
        keep_identifiers(
            ForeignKind.AFFILIATION,
            [(place.pk, key) for place, key in places if place and key and place.name == known[key]["name"]],
        )


def _role_of(member: TeamMember) -> str:
    return TeamRole(member.role).label


def person_entry(current: Import, member: Row) -> PersonEntry:
    """The person of a member with affiliation and role. Of a full name the last word is the family name."""
    row = current.database.of("Person")[member["personId"]]
    given, _, family = row["fullName"].rpartition(" ")
    affiliation = current.database.of("Affiliation").get(member.get("affiliationId", ""), {})
    return PersonEntry(
        family_name=row.get("lastName") or family,
        given_name=row.get("firstName") or ("" if row.get("lastName") else given),
        orcid=row.get("orcid", ""),
        affiliation=affiliation.get("name", ""),
        role=ROLES.get(member.get("role", "").lower(), TeamRole.MEMBER).value,
    )


def import_publications(current: Import) -> None:
    """After their datasets."""
    rows = {pid: row for pid, row in current.database.of("Document").items() if row["type"] == PUBLICATION}
    dois = {pid: doi_of(pid, row.get("doi", "")) for pid, row in rows.items()}
    known = set(Collection.objects.filter(doi__in=dois.values()).values_list("doi", flat=True))
    data: dict[str, list[Dataset]] = {}
    for dataset, document in dict.fromkeys(current.database.links["DocumentDataset"]):
        data.setdefault(document, []).append(current.datasets[dataset])
    for pid, row in rows.items():
        if dois[pid] not in known:
            with about("Document", pid):
                _publish(current, pid, row, dois[pid], data.get(pid, []))


def _publish(current: Import, pid: str, row: Row, doi: str, datasets: list[Dataset]) -> None:
    text = _text_of(current, pid, row, datasets)
    if problems := find_problems(text):
        raise refusal([f"{field}: {message}" for field, messages in problems.items() for message in messages])
    actor = current.actor
    collection = start_collection(actor=actor, datasets=Q(pk__in=[one.pk for one in datasets]) if datasets else None)
    changed = {name: value for name, value in text.to_json().items() if value != text_of(collection).to_json()[name]}
    collection = save_text(
        actor=actor, collection=collection, changes=changed, seen=text_tag(text_of(collection), changed)
    )
    begin_publication(actor=actor, collection=collection, expected_version=None)
    publish_collection(actor=actor, collection=collection, doi=doi)
    published_at = row.get("releaseDate") or row.get("endDate") or row.get("startDate") or current.now
    Collection.objects.filter(pk=collection.pk).update(published_at=min(published_at, current.now))
    write_audit(actor=actor, action="import", record=collection, after={"pid": pid, "doi": doi})
    current.done.publications += 1


def _text_of(current: Import, pid: str, row: Row, datasets: list[Dataset]) -> PublicationText:
    members = current.database.belonging("Member", "documentId").get(pid, ())
    people = {member["personId"]: person_entry(current, member) for _, member in members}
    creators = tuple(
        Creator(family_name=one.family_name, given_name=one.given_name, orcid=one.orcid, affiliation=one.affiliation)
        for one in people.values()
    )
    makers = (one.instrument.facility.name for one in datasets)
    organisation = Creator(name_type="Organizational", name=next(makers, "Authors that are not named"))
    return PublicationText(
        title=row["title"],
        abstract=row.get("summary", ""),
        creators=creators or (organisation,),
        subjects=tuple(Subject(term=word) for word in row.get("keywords", ())),
        **({"licence_id": row["license"]} if row.get("license") else {}),
    )
