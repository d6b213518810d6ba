"""How the DOIs of this site relate to each other: each relation is read from rows, and is stated on both of its sides.

Only DOIs that are public are named. At most MOST_RELATED of each kind go into one record: DataCite's pages and files do
not bear more, and the other side of every relation is stated whatever their number.
"""

from collections.abc import Iterable, Iterator

from django.db.models import Q, QuerySet
from django.utils import timezone

from catalogue import access
from catalogue.access import Level
from catalogue.collection_selectors import text_of
from catalogue.identifier_forms import form_problem
from catalogue.interop.publications import COLLECTION_TYPE, SESSION_TYPE
from catalogue.models import Collection, CollectionMember, Concept, Dataset, Investigation, Relation
from catalogue.models.collections import CollectionState
from catalogue.publication import RelatedIdentifier, normalise_doi
from catalogue.vocabularies.datacite_types import INVERSE_RELATIONS, RELATED_IDENTIFIER_TYPES, RESOURCE_TYPES
from doi.models import Identifier, IdentifierState, Link
from doi.wanted import PUBLIC

MOST_RELATED = 1_000


def relations_of_session(investigation: Investigation) -> Iterator[RelatedIdentifier]:
    yield from _stated_of_session(investigation)
    yield from _to(_names(collections_with(investigation, wholly=True)), "IsPartOf", COLLECTION_TYPE)
    yield from _to(_names(collections_with(investigation, wholly=False)), "IsSourceOf", COLLECTION_TYPE)


def relations_of_collection(collection: Collection, concept_doi: str) -> Iterator[RelatedIdentifier]:
    yield from _to([concept_doi], "IsVersionOf", COLLECTION_TYPE)
    older = published_versions(collection).filter(number__lt=collection.number).order_by("-number")[:1]
    newer = published_versions(collection).filter(number__gt=collection.number).order_by("number")[:1]
    yield from _to(_names(older), "IsNewVersionOf", COLLECTION_TYPE)
    yield from _to(_names(newer), "IsPreviousVersionOf", COLLECTION_TYPE)
    yield from _to(_names(_published().filter(memberships__collection=collection)), "HasPart", COLLECTION_TYPE)
    yield from _to(_names(_published().filter(members__part=collection)), "IsPartOf", COLLECTION_TYPE)
    yield from _to(_public_dois(whole_sessions_in(collection)), "HasPart", SESSION_TYPE)
    yield from _to(_public_dois(sources_of(collection)), "IsDerivedFrom", SESSION_TYPE)


def relations_of_concept(concept: Concept) -> Iterator[RelatedIdentifier]:
    versions = Collection.objects.filter(concept=concept, doi__isnull=False).order_by("-number")
    yield from _to(_names(versions), "HasVersion", COLLECTION_TYPE)


def relations_back(identifier: Identifier) -> Iterator[RelatedIdentifier]:
    """The other side of what the authors of other records of this site state about this one."""
    links = Link.objects.filter(target_id=identifier.pk, source__state=IdentifierState.FINDABLE)
    for doi, relation_type in links.order_by("source_id").values_list("source__doi", "relation_type")[:MOST_RELATED]:
        yield RelatedIdentifier(doi, "DOI", INVERSE_RELATIONS[relation_type])


def stated_relations(identifier: Identifier) -> tuple[RelatedIdentifier, ...]:
    """What the record itself was registered or described with; a concept says nothing of its own."""
    if identifier.collection is not None:
        return text_of(identifier.collection).related
    if identifier.investigation is not None:
        return tuple(_stated_of_session(identifier.investigation))
    return ()


def neighbours_of(identifier: Identifier) -> QuerySet[Identifier]:
    """The identifiers whose metadata name this one, or leave off naming it, when its state changes."""
    record = identifier.record
    if isinstance(record, Investigation):
        holding = [collections_with(record, wholly=wholly).order_by().values("pk") for wholly in (True, False)]
        return Identifier.objects.filter(Q(collection__in=holding[0]) | Q(collection__in=holding[1]))
    if isinstance(record, Concept):
        return Identifier.objects.none()
    sessions = [found.order_by().values("pk") for found in (whole_sessions_in(record), sources_of(record))]
    parts = record.members.filter(part__isnull=False).order_by().values("part_id")
    return Identifier.objects.filter(
        Q(concept=record.concept_id)
        | Q(collection__in=published_versions(record).exclude(pk=record.pk).order_by().values("pk"))
        | Q(collection__in=parts)
        | Q(investigation__in=sessions[0])
        | Q(investigation__in=sessions[1])
    )


def write_links(identifier: Identifier, related: Iterable[RelatedIdentifier]) -> list[int]:
    """Keep which DOIs of this site the record's own relations name; the keys of the identifiers that gained or lost one."""
    stated = {
        (one.identifier, one.relation_type)
        for one in related
        if one.identifier_type == "DOI" and one.relation_type in INVERSE_RELATIONS
    }
    known = dict(Identifier.objects.filter(doi__in={doi for doi, _ in stated}).values_list("doi", "pk"))
    wanted = {(known[doi], kind) for doi, kind in stated if doi in known and known[doi] != identifier.pk}
    present = set(identifier.links.values_list("target_id", "relation_type"))
    for target, kind in present - wanted:
        identifier.links.filter(target_id=target, relation_type=kind).delete()
    Link.objects.bulk_create(
        Link(source=identifier, target_id=target, relation_type=kind) for target, kind in wanted - present
    )
    return [target for target, _ in wanted ^ present]


def collections_with(investigation: Investigation, *, wholly: bool) -> QuerySet[Collection]:
    """The published collections that hold the whole of an investigation, or else something measured or made of its data."""
    whole = CollectionMember.objects.filter(investigation=investigation).values("collection_id")
    if wholly:
        return _published().filter(pk__in=whole)
    made_of_it = Dataset.objects.filter(derived_from__investigation=investigation)
    members = CollectionMember.objects.filter(
        Q(dataset__in=Dataset.objects.filter(investigation=investigation).values("pk"))
        | Q(dataset__in=made_of_it.values("pk"))
        | Q(investigation__in=made_of_it.values("investigation_id"))
    )
    return _published().filter(pk__in=members.values("collection_id")).exclude(pk__in=whole)


def whole_sessions_in(collection: Collection) -> QuerySet[Investigation]:
    return Investigation.objects.filter(memberships__collection=collection)


def sources_of(collection: Collection) -> QuerySet[Investigation]:
    """The investigations, beside whole members, in which the datasets of a collection or their raw data were measured."""
    whole = whole_sessions_in(collection).order_by().values("pk")
    named = Dataset.objects.filter(memberships__collection=collection)
    raw = Dataset.objects.filter(derivatives__memberships__collection=collection)
    raw_of_whole = Dataset.objects.filter(derivatives__investigation__in=whole)
    return Investigation.objects.filter(
        Q(pk__in=named.order_by().values("investigation_id"))
        | Q(pk__in=raw.order_by().values("investigation_id"))
        | Q(pk__in=raw_of_whole.order_by().values("investigation_id"))
    ).exclude(pk__in=whole)


def published_versions(collection: Collection) -> QuerySet[Collection]:
    return _published().filter(concept_id=collection.concept_id)


def _published() -> QuerySet[Collection]:
    return Collection.objects.filter(state=CollectionState.PUBLISHED)


def _names(collections: QuerySet[Collection]) -> list[str]:
    rows = collections if collections.query.is_sliced else collections.order_by("-pk")
    return [doi for doi in rows.values_list("doi", flat=True)[:MOST_RELATED] if doi]


def _public_dois(investigations: QuerySet[Investigation]) -> list[str]:
    public = investigations.filter(identifier__state__in=PUBLIC).order_by("pk")
    return list(public.values_list("identifier__doi", flat=True)[:MOST_RELATED])


def _to(dois: Iterable[str], relation_type: str, resource_type: str) -> Iterator[RelatedIdentifier]:
    for doi in dois:
        yield RelatedIdentifier(doi, "DOI", relation_type, resource_type)


def _stated_of_session(investigation: Investigation) -> Iterator[RelatedIdentifier]:
    """What its registration says it is related to, where everybody may read that: a summary names no related works."""
    is_open = access.is_open(investigation, now=timezone.now())
    if is_open or (not access.is_withdrawn(investigation) and access.public_level(investigation) == Level.METADATA):
        yield from _stated(Relation.objects.filter(investigation=investigation))


def _stated(relations: QuerySet[Relation]) -> Iterator[RelatedIdentifier]:
    """What a registration says its record is related to; what DataCite would not take is left out."""
    for row in relations.order_by("pk")[:MOST_RELATED]:
        is_known = row.identifier_type in RELATED_IDENTIFIER_TYPES
        identifier = normalise_doi(row.identifier) if row.identifier_type == "DOI" else row.identifier
        if is_known and not form_problem(row.identifier_type, identifier):
            resource_type = row.resource_type if row.resource_type in RESOURCE_TYPES else ""
            yield RelatedIdentifier(identifier, row.identifier_type, row.relation_type, resource_type)
