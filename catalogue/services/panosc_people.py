"""People of a PaNOSC database: members of its documents, the persons whom they are, and where these work.

A proposal's members become the team of the investigation, in which each person is once. What is said of each member there
is kept beside the team, and of the members of a publication beside its collection.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from catalogue.audit import write_audit
from catalogue.entries import PersonEntry
from catalogue.interop.panosc_database import Row
from catalogue.models import Collection, ForeignMember, Investigation, Organisation, Person, TeamMember
from catalogue.models.investigations import TeamRole
from catalogue.services.investigations import find_or_create_person
from catalogue.services.panosc_context import Import, about

ROLES = {"principal investigator": TeamRole.PI, "pi": TeamRole.PI, "local contact": TeamRole.LOCAL_CONTACT}
PLACE = ("address", "city", "country")


class _Part(NamedTuple):
    """A member of a document: its id and row there, the role here, the person and where this one works."""

    key: str
    row: Row
    role: str
    person: Person
    affiliation: Organisation | None


class People:
    """The people of one import, each made once, whose ids mean the same in all documents of the file."""

    def __init__(self, current: Import) -> None:
        self._current = current
        self._people: dict[str, Person] = {}
        self._organisations: dict[str, Organisation] = {}
        self._members = current.database.belonging("Member", "documentId")

    def join(self, investigation: Investigation, document: str) -> dict[int, TeamMember]:
        """Make the members of a document the team, leaders first where somebody has two roles. By the key of the person."""
        team: dict[int, TeamMember] = {}
        for part in self._parts(document):
            member = TeamMember(investigation=investigation, person=part.person, role=part.role, position=len(team))
            team.setdefault(part.person.pk, member)
        TeamMember.objects.bulk_create(team.values())
        return team

    def keep(
        self, document: str, *, team: Mapping[int, TeamMember] | None = None, collection: Collection | None = None
    ) -> None:
        """What the document says of its members, beside the `team` or the `collection` that it became."""
        ForeignMember.objects.bulk_create(
            ForeignMember(
                collection=collection,
                team_member=team[part.person.pk] if team else None,
                person=part.person,
                affiliation=part.affiliation,
                role=part.row.get("role", ""),
                identifier=part.key,
                person_identifier=part.row["personId"],
                affiliation_identifier=part.row.get("affiliationId", ""),
            )
            for part in self._parts(document)
        )

    def _parts(self, document: str) -> Iterator[_Part]:
        """Leaders first."""
        members = self._members.get(document, ())
        entries = [(key, row, person_entry(self._current, row)) for key, row in members]
        for key, row, entry in sorted(entries, key=lambda one: one[2].role != TeamRole.PI):
            affiliation = self._organisation(row.get("affiliationId", ""))
            yield _Part(key, row, entry.role, self._person(entry, row["personId"], affiliation), affiliation)

    def _person(self, entry: PersonEntry, key: str, affiliation: Organisation | None) -> Person:
        if key not in self._people:
            with about("Person", key):
                self._people[key] = find_or_create_person(entry, affiliation=affiliation)
            self._current.done.people += 1
        return self._people[key]

    def _organisation(self, key: str) -> Organisation | None:
        if key and key not in self._organisations:
            self._organisations[key] = self._find_or_create(self._current.database.of("Affiliation")[key])
        return self._organisations.get(key)

    def _find_or_create(self, row: Row) -> Organisation:
        """The one of this name and address. One that is known by its name alone takes the address."""
        place = {name: row.get(name, "") for name in PLACE}
        named = Organisation.objects.filter(name=row["name"]).order_by("pk")
        if found := named.filter(**place).first():
            return found
        bare = named.filter(**dict.fromkeys(PLACE, "")).first()
        if bare is None:
            return Organisation.objects.create(name=row["name"], **place)
        Organisation.objects.filter(pk=bare.pk).update(**place)
        before = dict.fromkeys(PLACE, "")
        write_audit(actor=self._current.actor, action="update", record=bare, before=before, after=place)
        return bare


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
