"""Every form in which a record is given to machines: one row each, and which of them a record has. Pure.

A form is written from a Description, which holds what its reader may see and nothing else. Addresses of forms are those of
their record and the suffix: `/datasets/<uid>.jsonld`, `/cite/<doi>.bib`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalogue.interop import schema_org
from catalogue.interop.bibtex import bibtex_of
from catalogue.interop.croissant import croissant, is_image_set
from catalogue.interop.csl import csl_item
from catalogue.interop.datacite import SCHEMA_VERSION, document_of
from catalogue.interop.datacite_xml import xml_of
from catalogue.interop.description import FEW_FILES, FEW_MEMBERS, MOST_FILES, MOST_IMAGES, MOST_MEMBERS, Description
from catalogue.interop.dublin_core import dublin_core_xml
from catalogue.interop.ris import ris_of
from catalogue.interop.ro_crate import crate
from catalogue.interop.signposting import Link, links_of_page, linkset_json, linkset_text
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord

LD_JSON = "application/ld+json"
CROISSANT = "http://mlcommons.org/croissant/1.1"
RO_CRATE = "https://w3id.org/ro/crate/1.2"
DCAT_AP = "http://data.europa.eu/r5r/"
KINDS = frozenset({"dataset", "investigation", "collection"})


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of records of `kinds`.

    `aliases` are other names by which clients ask for it. What `is_citable` tells no more than a citation does, so that a
    tombstone has it too. What `is_heavy` takes long to write and is kept. What `is_download` is saved by people as a file.
    `most_files` is how many files of a dataset, the first ones, it is written from, `most_members` how many members of others,
    and `most_images` how many labelled images. What only `names_files` tells no more of them than their names and types.
    `suits` tells whether a record has the form, and `needs` in words what it must be for that.
    """

    suffix: str
    name: str
    standard: str
    media_type: str
    write: Callable[[Description], bytes]
    profile: str = ""
    aliases: tuple[str, ...] = ()
    kinds: frozenset[str] = KINDS
    is_citable: bool = False
    is_heavy: bool = False
    is_linkset: bool = False
    is_download: bool = False
    most_files: int = 0
    names_files: bool = False
    most_members: int = 0
    most_images: int = 0
    suits: Callable[[Description], bool] | None = None
    needs: str = ""

    @property
    def content_type(self) -> str:
        """With its profile where the media type has that parameter (RFC 6906; JSON-LD 1.1 section 4.1)."""
        return f'{self.media_type}; profile="{self.profile}"' if self.media_type == LD_JSON else self.media_type

    @property
    def accepted_types(self) -> tuple[str, ...]:
        return (self.content_type, *self.aliases)


def kind_of(record: DatasetRecord | InvestigationRecord | CollectionRecord) -> str:
    if isinstance(record, DatasetRecord):
        return "dataset"
    return "investigation" if isinstance(record, InvestigationRecord) else "collection"


def forms_of(description: Description, *, is_citable_only: bool = False) -> list[Form]:
    """The forms that a record has, the most asked for first; a tombstone has those that are citable only."""
    kind = kind_of(description.record)
    forms = (form for form in FORMS.values() if kind in form.kinds and (form.is_citable or not is_citable_only))
    return [form for form in forms if form.suits is None or form.suits(description)]


def form_links(description: Description, address: str) -> list[Link]:
    """Links to the forms of a record whose addresses begin with `address`, linksets before the others."""
    forms = sorted(forms_of(description), key=lambda form: not form.is_linkset)
    return [
        Link(
            target=f"{address}.{form.suffix}",
            relation="linkset" if form.is_linkset else "describedby",
            media_type=form.media_type,
            profile=form.profile,
        )
        for form in forms
    ]


def page_links(description: Description) -> list[Link]:
    """All links of the page of a record: by its DOI where it has its landing page there, else at its own address."""
    page = description.publication.url
    return links_of_page(description, page=page, forms=form_links(description, address_of_forms(page)))


def address_of_forms(page: str) -> str:
    """What the addresses of forms begin with: the page itself, for landing pages beside it, since a DOI may end in a suffix."""
    return page.replace("/doi/", "/cite/", 1)


def _json(document: Any) -> bytes:
    """On one line, since Python writes indented JSON several times slower."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def _dcat(name: str) -> Callable[[Description], bytes]:
    def write(description: Description) -> bytes:
        from catalogue.interop import dcat  # rdflib takes long to load, and most processes never need it

        return getattr(dcat, name)(description)

    return write


_FORMS = (
    Form(
        suffix="jsonld",
        name="JSON-LD",
        standard="schema.org Dataset, Bioschemas Dataset 1.0",
        media_type=LD_JSON,
        profile="https://schema.org/",
        aliases=(
            f'{LD_JSON}; profile="http://schema.org/"',
            f'{LD_JSON}; profile="https://schema.org"',
            f'{LD_JSON}; profile="http://schema.org"',
            "application/vnd.schemaorg.ld+json",
        ),
        most_files=schema_org.MOST_FILES,
        most_members=schema_org.MOST_PARTS,
        write=lambda description: _json(schema_org.json_ld(description)),
    ),
    Form(
        suffix="datacite.json",
        name="DataCite JSON",
        standard="DataCite Metadata Schema 4",
        media_type="application/vnd.datacite.datacite+json",
        profile=SCHEMA_VERSION,
        is_citable=True,
        write=lambda description: _json(document_of(description.publication)),
    ),
    Form(
        suffix="datacite.xml",
        name="DataCite XML",
        standard="DataCite Metadata Schema 4",
        media_type="application/vnd.datacite.datacite+xml",
        profile=SCHEMA_VERSION,
        is_citable=True,
        write=lambda description: xml_of(description.publication),
    ),
    Form(
        suffix="dc.xml",
        name="Dublin Core",
        standard="Dublin Core in XML (oai_dc)",
        media_type="application/xml",
        profile="http://www.openarchives.org/OAI/2.0/oai_dc/",
        aliases=("text/xml",),
        is_citable=True,
        write=lambda description: dublin_core_xml(description.publication),
    ),
    Form(
        suffix="ttl",
        name="DCAT-AP",
        standard="DCAT-AP 3.0.1, in Turtle",
        media_type="text/turtle",
        profile=DCAT_AP,
        is_heavy=True,
        most_files=FEW_FILES,
        most_members=FEW_MEMBERS,
        write=_dcat("turtle"),
    ),
    Form(
        suffix="rdf",
        name="DCAT-AP in RDF/XML",
        standard="DCAT-AP 3.0.1, in RDF/XML",
        media_type="application/rdf+xml",
        profile=DCAT_AP,
        is_heavy=True,
        most_files=FEW_FILES,
        most_members=FEW_MEMBERS,
        write=_dcat("rdf_xml"),
    ),
    Form(
        suffix="dcat.json",
        name="DCAT-AP in JSON-LD",
        standard="DCAT-AP 3.0.1, in JSON-LD",
        media_type=LD_JSON,
        profile=DCAT_AP,
        is_heavy=True,
        most_files=FEW_FILES,
        most_members=FEW_MEMBERS,
        write=_dcat("json_ld"),
    ),
    Form(
        suffix="crate.json",
        name="RO-Crate",
        standard="RO-Crate 1.2",
        media_type=LD_JSON,
        profile=RO_CRATE,
        is_heavy=True,
        most_files=MOST_FILES,
        most_members=MOST_MEMBERS,
        write=lambda description: _json(crate(description)),
    ),
    Form(
        suffix="croissant.json",
        name="Croissant",
        standard="Croissant 1.1",
        media_type=LD_JSON,
        profile=CROISSANT,
        kinds=frozenset({"dataset", "collection"}),
        is_heavy=True,
        write=lambda description: _json(croissant(description)),
        most_images=MOST_IMAGES,
        suits=is_image_set,
        needs="Its images carry no labels.",
    ),
    Form(
        suffix="bib",
        name="BibTeX",
        standard="BibTeX",
        media_type="application/x-bibtex",
        aliases=("text/x-bibtex",),
        is_citable=True,
        is_download=True,
        write=lambda description: bibtex_of(description.publication).encode("utf-8", "replace"),
    ),
    Form(
        suffix="ris",
        name="RIS",
        standard="RIS",
        media_type="application/x-research-info-systems",
        is_citable=True,
        is_download=True,
        write=lambda description: ris_of(description.publication).encode("utf-8", "replace"),
    ),
    Form(
        suffix="csl.json",
        name="CSL-JSON",
        standard="Citation Style Language JSON",
        media_type="application/vnd.citationstyles.csl+json",
        is_citable=True,
        is_download=True,
        write=lambda description: _json(csl_item(description.publication)),
    ),
    Form(
        suffix="linkset.json",
        name="Linkset",
        standard="FAIR Signposting level 2, RFC 9264",
        media_type="application/linkset+json",
        is_linkset=True,
        most_files=MOST_FILES,
        names_files=True,
        most_members=MOST_MEMBERS,
        most_images=1,
        write=lambda description: _json(linkset_json(page_links(description), page=description.publication.url)),
    ),
    Form(
        suffix="linkset",
        name="Linkset as text",
        standard="FAIR Signposting level 2, RFC 9264",
        media_type="application/linkset",
        is_linkset=True,
        most_files=MOST_FILES,
        names_files=True,
        most_members=MOST_MEMBERS,
        most_images=1,
        write=lambda description: linkset_text(page_links(description), page=description.publication.url).encode(),
    ),
)
FORMS = {form.suffix: form for form in _FORMS}
