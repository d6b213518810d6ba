"""One page of the whole catalogue as a dcat:Catalog: its records in short, and where the next page is. Pure.

Sources: DCAT-AP 3.0.1, Hydra Core Vocabulary (PartialCollectionView, https://www.hydra-cg.com/spec/latest/core/).
"""

from collections.abc import Sequence

from rdflib import DCTERMS, FOAF, RDF, SKOS, Graph, URIRef

from catalogue.interop.catalog_page import Listed, PageLinks
from catalogue.interop.dcat import add_contact, add_entry, add_organisation
from catalogue.interop.dcat_terms import (
    DATA_THEMES,
    DCAT,
    HYDRA,
    add,
    in_json_ld,
    in_turtle,
    iri,
    moment,
    new_graph,
    text,
)
from catalogue.interop.description import Site

_THEMES = URIRef(str(DATA_THEMES).rstrip("/"))


def turtle(site: Site, listed: Sequence[Listed], links: PageLinks) -> bytes:
    return in_turtle(graph_of(site, listed, links))


def json_ld(site: Site, listed: Sequence[Listed], links: PageLinks) -> bytes:
    return in_json_ld(graph_of(site, listed, links))


def graph_of(site: Site, listed: Sequence[Listed], links: PageLinks) -> Graph:
    graph = new_graph()
    catalog = iri(f"{site.url}/")
    _add_catalog(graph, catalog, site)
    _add_services(graph, catalog, site)
    for one in listed:
        dataset = add_entry(graph, one.description)
        record = iri(f"{one.description.url}#record")
        add(
            graph,
            record,
            (RDF.type, DCAT.CatalogRecord),
            (FOAF.primaryTopic, dataset),
            (DCTERMS.modified, moment(one.stamp)),
        )
        add(graph, catalog, (DCAT.dataset, dataset), (DCAT.record, record))
    page = iri(links.this)
    add(
        graph,
        page,
        (RDF.type, HYDRA.PartialCollectionView),
        (HYDRA.first, iri(links.first)),
        (HYDRA.next, iri(links.following) if links.following else None),
    )
    graph.add((catalog, HYDRA.view, page))
    return graph


def _add_catalog(graph: Graph, catalog: URIRef, site: Site) -> None:
    publisher = iri(f"{site.url}/#publisher")
    add_organisation(graph, publisher, site.name)
    add(graph, _THEMES, (RDF.type, SKOS.ConceptScheme), (DCTERMS.title, text("Data theme", "en")))
    told = f"Data that {site.name} holds: all that is open, and summaries of what is still under embargo."
    add(
        graph,
        catalog,
        (RDF.type, DCAT.Catalog),
        (RDF.type, FOAF.Document),
        (DCTERMS.title, text(site.name)),
        (DCTERMS.description, text(told, "en")),
        (DCTERMS.publisher, publisher),
        (FOAF.homepage, catalog),
        (DCAT.themeTaxonomy, _THEMES),
    )
    add_contact(graph, catalog, site)


def _add_services(graph: Graph, catalog: URIRef, site: Site) -> None:
    """By which programs read the same records: OAI-PMH and our own API."""
    for path, title, described in (("/oai", "OAI-PMH", "/oai?verb=Identify"), ("/api/v1", "REST API", "/api/schema")):
        service = iri(site.url + path)
        add(
            graph,
            service,
            (RDF.type, DCAT.DataService),
            (DCTERMS.title, text(title)),
            (DCAT.endpointURL, service),
            (DCAT.endpointDescription, iri(site.url + described)),
        )
        graph.add((catalog, DCAT.service, service))
