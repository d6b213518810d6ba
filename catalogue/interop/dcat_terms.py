"""The vocabularies of DCAT-AP and how values become nodes of a graph in them. No record is known here.

Sources: DCAT-AP 3.0.1 (https://semiceu.github.io/DCAT-AP/releases/3.0.1/), the authority tables of the EU's Publications
Office, PROV-O. There are no blank nodes: a part of a record is named within it, so that the same record gives the same text.
"""

import re
from datetime import date, datetime
from urllib.parse import quote

from rdflib import DCTERMS, FOAF, ORG, PROV, RDF, RDFS, SDO, SKOS, XSD, Graph, Literal, Namespace, URIRef

from catalogue.interop.rdf_text import json_ld_of, turtle_of
from catalogue.interop.xml_text import without_illegal

# rdflib's own list of DCAT's terms is of version 2.
DCAT = Namespace("http://www.w3.org/ns/dcat#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
ACCESS_RIGHTS = Namespace("http://publications.europa.eu/resource/authority/access-right/")
DATA_THEMES = Namespace("http://publications.europa.eu/resource/authority/data-theme/")
DATASET_STATUS = Namespace("http://publications.europa.eu/resource/authority/dataset-status/")
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"

PREFIXES = {
    "adms": ADMS,
    "dcat": DCAT,
    "dct": DCTERMS,
    "foaf": FOAF,
    "hydra": HYDRA,
    "org": ORG,
    "prov": PROV,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SDO,
    "skos": SKOS,
    "spdx": SPDX,
    "vcard": VCARD,
    "xsd": XSD,
}
_CONTEXT = {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_W3CDTF = {4: XSD.gYear, 7: XSD.gYearMonth, 10: XSD.date}
_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)

Value = URIRef | Literal


def new_graph() -> Graph:
    """An empty graph that knows our prefixes, and none besides. It keeps the order in which facts are added."""
    graph = Graph(store="SimpleMemory", bind_namespaces="none")
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    return graph


def add(graph: Graph, subject: URIRef, *facts: tuple[URIRef, Value | None]) -> None:
    """The facts of one subject; those without a value are left out."""
    for predicate, value in facts:
        if value is not None:
            graph.add((subject, predicate, value))


def iri(address: str) -> URIRef:
    """The node of that address. Characters that could end an IRI, and all that are not ASCII, are percent-encoded."""
    return URIRef(quote(without_illegal(address), safe=":/?#[]@!$&'()*+,;=%~"))


def text(value: str, language: str = "") -> Literal | None:
    """A literal that every syntax can hold; None for an empty text. What is no language tag is no language."""
    is_tag = _LANGUAGE.fullmatch(language) is not None
    return Literal(without_illegal(value), lang=language if is_tag else None) if value else None


def day(value: str) -> Literal | None:
    """A year, a month or a day of W3CDTF; None for anything else."""
    return Literal(value, datatype=_W3CDTF[len(value)], normalize=False) if _DAY.fullmatch(value) else None


def moment(value: datetime | date | None) -> Literal | None:
    if value is None:
        return None
    return Literal(value.isoformat(), datatype=XSD.dateTime if isinstance(value, datetime) else XSD.date)


def whole_number(value: int) -> Literal:
    return Literal(str(value), datatype=XSD.nonNegativeInteger, normalize=False)


def in_turtle(graph: Graph) -> bytes:
    return turtle_of(graph, _CONTEXT)


def in_json_ld(graph: Graph) -> bytes:
    return json_ld_of(graph, _CONTEXT)


def in_rdf_xml(graph: Graph) -> bytes:
    return graph.serialize(format="xml", encoding="utf-8")
