"""A harvester for tests, and the official schemas that every answer is checked against."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.test import Client
from lxml import etree

from tests.catalogue.interop.schemas import FOLDER, _NoNetwork

OAI = "{http://www.openarchives.org/OAI/2.0/}"
SCHEMAS = {
    "http://www.openarchives.org/OAI/2.0/": "oai/OAI-PMH.xsd",
    "http://www.openarchives.org/OAI/2.0/oai_dc/": "oai/oai_dc.xsd",
    "http://www.openarchives.org/OAI/2.0/oai-identifier": "oai/oai-identifier.xsd",
    "http://schema.datacite.org/oai/oai-1.1/": "oai/oai_datacite-1.1.xsd",
    "http://datacite.org/schema/kernel-4": "datacite/kernel-4.6/metadata.xsd",
}
# RDF has no XML schema that says what may stand in it: the payload of `dcat` is read by rdflib instead.
RDF = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><xs:element name="RDF"><xs:complexType><xs:sequence>
  <xs:any processContents="skip" maxOccurs="unbounded"/></xs:sequence><xs:anyAttribute processContents="skip"/>
  </xs:complexType></xs:element></xs:schema>"""


class _Rdf(etree.Resolver):
    def resolve(self, url, public_id, context):
        return self.resolve_string(RDF, context) if url == "rdf.xsd" else None


@cache
def protocol() -> etree.XMLSchema:
    """The protocol's schema together with those of all payloads, which it holds strictly."""
    places = {space: (FOLDER / path).resolve().as_uri() for space, path in SCHEMAS.items()}
    places["http://www.w3.org/1999/02/22-rdf-syntax-ns#"] = "rdf.xsd"
    imports = "".join(f'<xs:import namespace="{space}" schemaLocation="{place}"/>' for space, place in places.items())
    parser = etree.XMLParser()
    parser.resolvers.add(_NoNetwork())
    parser.resolvers.add(_Rdf())
    text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(text, parser))


@dataclass(frozen=True)
class Found:
    """One record as a harvester keeps it."""

    identifier: str
    datestamp: str
    is_deleted: bool
    sets: frozenset[str]
    payload: bytes


def ask(**arguments: str) -> bytes:
    """The answer to a question, which has to be valid where the schemas are at hand; `from_` is `from`."""
    return checked(Client().get("/oai", {name.rstrip("_"): value for name, value in arguments.items()}))


def checked(response) -> bytes:
    assert response.status_code == 200
    assert response["Content-Type"] == "text/xml; charset=utf-8"
    body = response.getvalue() if response.streaming else response.content
    if FOLDER.is_dir():
        schema = protocol()
        assert schema.validate(etree.fromstring(body)), f"{schema.error_log}\n{body.decode()}"
    return body


def error_of(body: bytes) -> str:
    found = etree.fromstring(body).find(f"{OAI}error")
    return found.get("code") if found is not None else ""


def token_of(body: bytes) -> str:
    return etree.fromstring(body).findtext(f".//{OAI}resumptionToken") or ""


def records_in(body: bytes) -> Iterator[Found]:
    for header in etree.fromstring(body).iter(f"{OAI}header"):
        payload = header.getparent().find(f"{OAI}metadata")
        yield Found(
            header.findtext(f"{OAI}identifier"),
            header.findtext(f"{OAI}datestamp"),
            header.get("status") == "deleted",
            frozenset(spec.text for spec in header.findall(f"{OAI}setSpec")),
            b"" if payload is None else etree.tostring(payload[0]),
        )


def pages(**arguments: str) -> Iterator[bytes]:
    """The pages of a list, each asked for when the one before it was read."""
    verb = arguments.get("verb", "ListRecords")
    body = ask(**({"verb": verb, "metadataPrefix": "oai_dc"} | arguments))
    yield body
    while token := token_of(body):
        body = ask(verb=verb, resumptionToken=token)
        yield body


def harvest(**arguments: str) -> list[Found]:
    """All records of a list; nothing where nothing matches."""
    return [found for page in pages(**arguments) if error_of(page) != "noRecordsMatch" for found in records_in(page)]


def name_of(record) -> str:
    """The last part of the identifier of a dataset, an investigation or a collection."""
    return f"{record._meta.model_name}s/{record.uid}"


def names(found: list[Found]) -> list[str]:
    return [one.identifier.rpartition(":")[2] for one in found]


def sets_in(body: bytes) -> list[str]:
    return [element.text for element in etree.fromstring(body).iter(f"{OAI}setSpec")]
