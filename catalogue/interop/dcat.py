"""DCAT-AP 3: a record as a dcat:Dataset, for data portals. Turtle, JSON-LD and RDF/XML of one graph. Pure.

A whole session and a collection are datasets that have parts, not a dcat:DatasetSeries: the profile gives a series neither
identifier, creators, access rights nor distributions, and theirs are what they are cited and found by.
Source: https://semiceu.github.io/DCAT-AP/releases/3.0.1/.
"""

from collections.abc import Iterable

from rdflib import DCTERMS, FOAF, ORG, PROV, RDF, RDFS, SKOS, Graph, Literal, URIRef

from catalogue.identifier_forms import address_of, is_web_address
from catalogue.interop.citation import publication_citation
from catalogue.interop.dcat_files import add_distributions, licence_of
from catalogue.interop.dcat_provenance import add_parameters, add_provenance
from catalogue.interop.dcat_terms import (
    ACCESS_RIGHTS,
    ADMS,
    DATA_THEMES,
    DATASET_STATUS,
    DCAT,
    VCARD,
    add,
    day,
    in_json_ld,
    in_rdf_xml,
    in_turtle,
    iri,
    moment,
    new_graph,
    text,
)
from catalogue.interop.description import FEW_MEMBERS, Description, Site
from catalogue.publication import Creator, RelatedIdentifier, Subject
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord

MOST_PEOPLE = 100
MOST_RELATED = 100
_SCIENCE = DATA_THEMES.TECH
_RELATIONS = {
    "HasPart": DCTERMS.hasPart,
    "IsPartOf": DCTERMS.isPartOf,
    "IsVersionOf": DCAT.isVersionOf,
    "HasVersion": DCAT.hasVersion,
    "IsNewVersionOf": DCAT.previousVersion,
    "IsPreviousVersionOf": DCTERMS.isReplacedBy,
    "Obsoletes": DCTERMS.replaces,
    "IsObsoletedBy": DCTERMS.isReplacedBy,
    "IsDerivedFrom": PROV.wasDerivedFrom,
    "References": DCTERMS.references,
    "Cites": DCTERMS.references,
    "IsSupplementTo": DCTERMS.isReferencedBy,
    "IsCitedBy": DCTERMS.isReferencedBy,
    "IsReferencedBy": DCTERMS.isReferencedBy,
    "IsDescribedBy": DCTERMS.isReferencedBy,
    "IsDocumentedBy": DCTERMS.isReferencedBy,
}


def turtle(description: Description) -> bytes:
    return in_turtle(graph_of(description))


def json_ld(description: Description) -> bytes:
    return in_json_ld(graph_of(description))


def rdf_xml(description: Description) -> bytes:
    return in_rdf_xml(graph_of(description))


def graph_of(description: Description) -> Graph:
    graph = new_graph()
    node = add_entry(graph, description)
    _add_versions(graph, node, description)
    _add_relations(graph, node, description)
    add_provenance(graph, node, description, graph.objects(node, DCTERMS.creator))
    add_parameters(graph, node, description)
    return graph


def add_entry(graph: Graph, description: Description) -> URIRef:
    """A record as lists tell of it, without relations and provenance; its node, which is the address of its page."""
    node = iri(description.url)
    _add_text(graph, node, description)
    for place, creator in enumerate(description.publication.text.creators[:MOST_PEOPLE], start=1):
        graph.add((node, DCTERMS.creator, _add_agent(graph, node, creator, f"creator-{place}")))
    _add_publisher(graph, node, description)
    _add_access(graph, node, description)
    _add_subjects(graph, node, description.publication.text.subjects)
    _add_period(graph, node, description)
    if isinstance(description.record, DatasetRecord):
        whole = iri(f"{description.site.url}/investigations/{description.record.investigation.uid}")
        graph.add((node, DCTERMS.isPartOf, whole))
    add_distributions(graph, node, description)
    return node


def add_contact(graph: Graph, node: URIRef, site: Site) -> None:
    """Whom to ask: the catalogue's own address, since those of people are kept from the public."""
    contact = iri(f"{site.url}/#contact")
    add(
        graph,
        contact,
        (RDF.type, VCARD.Organization),
        (RDF.type, VCARD.Kind),
        (VCARD.fn, text(site.name)),
        (VCARD.hasEmail, iri(f"mailto:{site.email}") if site.email else None),
        (VCARD.hasURL, iri(f"{site.url}/")),
    )
    graph.add((node, DCAT.contactPoint, contact))


def _add_text(graph: Graph, node: URIRef, description: Description) -> None:
    record, publication = description.record, description.publication
    language = publication.text.language if isinstance(record, CollectionRecord) else ""
    identifiers = {publication.doi_url or description.url, f"urn:uuid:{record.uid}"}
    add(
        graph,
        node,
        (RDF.type, DCAT.Dataset),
        (RDF.type, FOAF.Document),
        (DCTERMS.title, text(publication.text.title or "Untitled", language)),
        (DCTERMS.description, text(_description(description), language)),
        *((DCTERMS.identifier, text(identifier)) for identifier in sorted(identifiers)),
        (DCTERMS.bibliographicCitation, text(publication_citation(publication))),
        (DCAT.landingPage, node),
        (FOAF.page, iri(publication.doi_url) if publication.doi else None),
    )
    if publication.doi:
        graph.add((iri(publication.doi_url), RDF.type, FOAF.Document))
    _add_numbers(graph, node, description)


def _description(description: Description) -> str:
    """The profile asks for one even where nobody wrote any."""
    record, publication = description.record, description.publication
    reason = record.withdrawal_reason if isinstance(record, CollectionRecord) else record.access.withdrawal_reason
    if reason:
        return f"Withdrawn: {reason}"
    measured = "" if isinstance(record, CollectionRecord) else f" measured at {record.instrument.name}"
    return publication.text.abstract or f"{publication.resource_type}{measured}, {publication.publisher_name}."


def _add_numbers(graph: Graph, node: URIRef, description: Description) -> None:
    """Visit and proposal, by which the facility knows the data."""
    for kind, number in description.publication.alternate_identifiers:
        if kind == "UUID":
            continue
        named = iri(f"{description.url}#{kind.lower()}")
        add(graph, named, (RDF.type, ADMS.Identifier), (SKOS.notation, text(number)), (RDFS.label, text(kind)))
        graph.add((node, ADMS.identifier, named))


def _add_versions(graph: Graph, node: URIRef, description: Description) -> None:
    version, concept = description.publication.version, getattr(description.record, "concept_doi", "")
    if version:
        of_all = f" of all that {concept} names" if concept else ""
        add(graph, node, (DCAT.version, text(version)), (ADMS.versionNotes, text(f"Version {version}{of_all}.")))


def _add_agent(graph: Graph, node: URIRef, creator: Creator, name: str) -> URIRef:
    """A person or an organisation by ORCID or ROR; without one by its place in the record."""
    address = creator.ror if creator.is_organisation else f"https://orcid.org/{creator.orcid}" if creator.orcid else ""
    agent = iri(address or f"{node}#{name}")
    add(
        graph,
        agent,
        (RDF.type, FOAF.Agent),
        (RDF.type, FOAF.Organization if creator.is_organisation else FOAF.Person),
        (RDF.type, PROV.Agent),
        (FOAF.name, text(creator.display_name or "Unnamed")),
    )
    if not creator.is_organisation:
        add(graph, agent, (FOAF.givenName, text(creator.given_name)), (FOAF.familyName, text(creator.family_name)))
    if creator.affiliation:
        organisation = iri(creator.affiliation_ror or f"{node}#{name}-affiliation")
        add_organisation(graph, organisation, creator.affiliation)
        graph.add((agent, ORG.memberOf, organisation))
    return agent


def add_organisation(graph: Graph, node: URIRef, name: str) -> None:
    add(graph, node, (RDF.type, FOAF.Agent), (RDF.type, FOAF.Organization), (FOAF.name, text(name)))


def _add_publisher(graph: Graph, node: URIRef, description: Description) -> None:
    publication = description.publication
    publisher = iri(publication.publisher_ror or f"{description.url}#publisher")
    add_organisation(graph, publisher, publication.publisher_name)
    graph.add((node, DCTERMS.publisher, publisher))
    add_contact(graph, node, description.site)


def _add_access(graph: Graph, node: URIRef, description: Description) -> None:
    record, publication = description.record, description.publication
    issued, available = _moments(record)
    is_withdrawn = publication.access_rights == "metadata only"
    is_draft = isinstance(record, CollectionRecord) and record.published_at is None
    licence = licence_of(description)
    rights = access_right("metadata only" if is_draft else publication.access_rights)
    add(graph, rights, (RDF.type, DCTERMS.RightsStatement))
    add(graph, licence, (RDF.type, DCTERMS.LicenseDocument), (RDFS.label, text(publication.licence.name)))
    add(
        graph,
        node,
        (DCTERMS.accessRights, rights),
        (DCTERMS.license, licence),
        (DCTERMS.issued, issued),
        (DCTERMS.available, available),
        (DCTERMS.modified, moment(record.updated_at)),
        (ADMS.status, DATASET_STATUS.WITHDRAWN if is_withdrawn else None),
    )


def access_right(access_rights: str) -> URIRef:
    """The term of the EU's authority table for the access rights of a publication."""
    names = {"open": "PUBLIC", "embargoed": "RESTRICTED"}
    return ACCESS_RIGHTS[names.get(access_rights, "NON_PUBLIC")]


def _moments(record: DatasetRecord | InvestigationRecord | CollectionRecord) -> tuple[Literal | None, Literal | None]:
    """When the data were published, and from when everybody has them: closed data have the second only."""
    if isinstance(record, CollectionRecord):
        return moment(record.published_at), moment(record.published_at)
    opens_at = moment(record.access.opens_at)
    return (opens_at, opens_at) if record.access.is_open else (None, None if record.access.is_withdrawn else opens_at)


def _add_subjects(graph: Graph, node: URIRef, subjects: Iterable[Subject]) -> None:
    """Terms of vocabularies as themes beside the EU's theme for science, each term a keyword too."""
    themes = [(_SCIENCE, text("Science and technology", "en"))]
    for subject in subjects:
        add(graph, node, (DCAT.keyword, text(subject.term)))
        if is_web_address(subject.value_uri):
            themes.append((iri(subject.value_uri), text(subject.term or subject.value_uri)))
    for theme, label in themes:
        add(graph, theme, (RDF.type, SKOS.Concept), (SKOS.prefLabel, label))
        graph.add((node, DCAT.theme, theme))


def _add_period(graph: Graph, node: URIRef, description: Description) -> None:
    collected = [date.value for date in description.publication.dates if date.date_type == "Collected"]
    if not collected:
        return
    start, _, end = collected[0].partition("/")
    period = iri(f"{description.url}#period")
    add(
        graph,
        period,
        (RDF.type, DCTERMS.PeriodOfTime),
        (DCAT.startDate, day(start)),
        (DCAT.endDate, day(end or start)),
    )
    graph.add((node, DCTERMS.temporal, period))


def _add_relations(graph: Graph, node: URIRef, description: Description) -> None:
    """Parts, wholes, versions, and works about the data. What the data come from is told as provenance."""
    for member in description.members[:FEW_MEMBERS]:
        graph.add((node, DCTERMS.hasPart, iri(description.site.url + member.path)))
    for related in description.publication.related[:MOST_RELATED]:
        _add_relation(graph, node, related)


def _add_relation(graph: Graph, node: URIRef, related: RelatedIdentifier) -> None:
    address = address_of(related.identifier_type, related.identifier)
    if not address or related.relation_type == "IsCollectedBy":
        return
    if related.relation_type == "IsSourceOf":
        graph.add((iri(address), PROV.wasDerivedFrom, node))
    else:
        graph.add((node, _RELATIONS.get(related.relation_type, DCTERMS.relation), iri(address)))
