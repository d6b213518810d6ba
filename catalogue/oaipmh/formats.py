"""The formats in which records are harvested. Each is written by a pure function of `catalogue/interop/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings

from catalogue.interop import datacite_xml, dublin_core
from catalogue.interop.datacite import SCHEMA_VERSION
from catalogue.interop.description import Description, Site
from catalogue.interop.publications import publication_of
from catalogue.oaipmh.items import Record

_DECLARATION_END = b"?>"


@dataclass(frozen=True)
class Format:
    """`write` gives the element of a record in UTF-8, without an XML declaration."""

    schema: str
    namespace: str
    write: Callable[[Record, Site], bytes]


def _dublin_core(record: Record, site: Site) -> bytes:
    return dublin_core.dublin_core_xml(publication_of(record, site=site))


def _oai_datacite(record: Record, site: Site) -> bytes:
    publication = publication_of(record, site=site)
    return datacite_xml.oai_datacite_of(publication, repository=settings.OAI_REPOSITORY_SYMBOL)


def _datacite(record: Record, site: Site) -> bytes:
    return datacite_xml.element_of(publication_of(record, site=site))


def _dcat(record: Record, site: Site) -> bytes:
    """Files and members are told of on the record's own page: a harvest reads neither."""
    from catalogue.interop import dcat  # rdflib takes long to load, and most processes never need it

    written = dcat.rdf_xml(Description(site, record, publication_of(record, site=site)))
    return written.partition(_DECLARATION_END)[2].lstrip() if written.startswith(b"<?xml") else written


FORMATS: Mapping[str, Format] = {
    "oai_dc": Format(dublin_core.SCHEMA, dublin_core.NAMESPACE, _dublin_core),
    "oai_datacite": Format(datacite_xml.OAI_SCHEMA, datacite_xml.OAI_NAMESPACE, _oai_datacite),
    "datacite": Format(datacite_xml.SCHEMA, SCHEMA_VERSION, _datacite),
    "dcat": Format("http://www.openarchives.org/OAI/2.0/rdf.xsd", "http://www.w3.org/1999/02/22-rdf-syntax-ns#", _dcat),
}
