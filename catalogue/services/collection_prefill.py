"""What a new collection says before anybody has written a word: title, authors, subjects and licence of its members.

These are proposals in a draft. Nothing here decides what is published.
"""

from collections.abc import Iterable
from dataclasses import replace

from catalogue.collection_contents import datasets_in, investigations_in
from catalogue.models import Collection, Investigation, Person, TeamMember, Technique
from catalogue.models.investigations import TeamRole
from catalogue.publication import Creator, PublicationText, Subject, term_subject
from catalogue.vocabularies.licences import DEFAULT_LICENCE

MOST_AUTHORS = 100
MOST_SUBJECTS = 20
_ORDER = {TeamRole.PI: 0, TeamRole.MEMBER: 1, TeamRole.LOCAL_CONTACT: 2}


def first_text(collection: Collection) -> PublicationText:
    """The description of a new collection, made of what is known of its members."""
    investigations = list(investigations_in(collection).select_related("licence").order_by("id")[:2])
    text = PublicationText(
        subjects=tuple(subject_of(technique) for technique in _techniques(collection)),
        licence_id=_licence(investigations),
    )
    text = with_team_as_authors(collection, text)
    if len(investigations) != 1:
        return text
    dataset = collection.members.filter(dataset__isnull=False).select_related("dataset").first()
    if dataset is not None and dataset.dataset is not None and collection.member_count == 1:
        return replace(text, title=dataset.dataset.title, abstract=dataset.dataset.description)
    return replace(text, title=investigations[0].title, abstract=investigations[0].abstract)


def with_team_as_authors(collection: Collection, text: PublicationText) -> PublicationText:
    """`text` with the teams of the data appended to its authors: leaders first, nobody twice."""
    members = (
        TeamMember.objects.filter(investigation__in=investigations_in(collection).order_by().values("pk"))
        .select_related("person__affiliation")
        .order_by("investigation_id", "position", "id")[: MOST_AUTHORS * 5]
    )
    ordered = sorted(members, key=lambda member: (member.investigation_id, _ORDER[TeamRole(member.role)]))
    known = {_who(creator) for creator in text.creators}
    added: list[Creator] = []
    for member in ordered:
        creator = creator_of(member.person)
        if _who(creator) not in known and len(added) < MOST_AUTHORS:
            known.add(_who(creator))
            added.append(creator)
    return replace(text, creators=(*text.creators, *added))


def creator_of(person: Person) -> Creator:
    affiliation = person.affiliation
    return Creator(
        family_name=person.family_name,
        given_name=person.given_name,
        orcid=person.orcid or "",
        affiliation=affiliation.name if affiliation else "",
        affiliation_ror=(affiliation.ror or "") if affiliation else "",
    )


def subject_of(technique: Technique) -> Subject:
    return term_subject(technique.label, technique.iri)


def subject_named(term: str) -> Subject:
    """The technique of that name, or a free keyword."""
    technique = Technique.objects.filter(label__iexact=term.strip()).order_by("id").first()
    return subject_of(technique) if technique else Subject(term=term.strip())


def _who(creator: Creator) -> str:
    return creator.orcid or creator.inverted_name.casefold()


def _techniques(collection: Collection) -> Iterable[Technique]:
    used = Technique.objects.filter(datasets__in=datasets_in(collection).order_by().values("pk"))
    return used.distinct().order_by("label")[:MOST_SUBJECTS]


def _licence(investigations: list[Investigation]) -> str:
    return investigations[0].licence.spdx_id if investigations else DEFAULT_LICENCE
