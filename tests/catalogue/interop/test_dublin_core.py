"""Dublin Core says of a publication what fifteen elements can say, validly, whatever people wrote."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from lxml import etree

from catalogue.interop.dublin_core import dublin_core_xml
from catalogue.publication import Creator, PublicationDate, RelatedIdentifier
from tests.catalogue.interop.schemas import errors_of, needs_schemas
from tests.publications import TEXT, a_publication, publications

SCHEMA = "oai/oai_dc.xsd"
DC = "{http://purl.org/dc/elements/1.1/}"


def values(publication, name: str) -> list[str]:
    return [element.text for element in etree.fromstring(dublin_core_xml(publication)).iter(DC + name)]


def test_a_publication_in_dublin_core_is_as_written_down_here():
    root = etree.fromstring(dublin_core_xml(a_publication()))
    assert root.tag == "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"
    assert [(element.tag.removeprefix(DC), element.text) for element in root] == [
        ("title", "Grain boundaries in Ti-6Al-4V & their strain"),
        ("creator", "García-Márquez, Ana María"),
        ("creator", "李, 明"),
        ("creator", "Strain & Stress Consortium"),
        ("subject", "small angle x-ray scattering"),
        ("subject", "titanium"),
        ("description", "First lines.\n\nAnd <more> of it."),
        ("publisher", "Example Light Source"),
        ("contributor", "Okafor, Chidi"),
        ("date", "2026-03-01"),
        ("type", "Collection"),
        ("type", "Collection of datasets"),
        ("format", "application/x-hdf5"),
        ("format", "image/tiff"),
        ("format", "5368709120 bytes"),
        ("format", "1200 files"),
        ("identifier", "https://doi.org/10.5072/faircat.2026.1"),
        ("identifier", "https://faircat.example/doi/10.5072/faircat.2026.1"),
        ("identifier", "Proposal 20260123"),
        ("language", "en"),
        ("relation", "https://doi.org/10.1234/paper.2026"),
        ("relation", "https://doi.org/10.5072/faircat.2026.0"),
        ("coverage", "2026-01-31/2026-02-02"),
        ("rights", "info:eu-repo/semantics/openAccess"),
        ("rights", "https://creativecommons.org/licenses/by/4.0/"),
        ("rights", "Creative Commons Attribution 4.0 International"),
    ]


@needs_schemas
@given(publications)
@settings(max_examples=100, deadline=None)
def test_whatever_people_write_the_official_schema_accepts(publication):
    assert errors_of(SCHEMA, dublin_core_xml(publication)) == []


@needs_schemas
def test_the_schema_that_is_asked_refuses_what_is_wrong():
    assert errors_of(SCHEMA, dublin_core_xml(a_publication()).replace(b"dc:title", b"dc:heading"))


def test_an_embargo_is_stated_with_its_end():
    closed = a_publication(access_rights="embargoed", dates=(PublicationDate("Available", "2029-05-03", "22:00 UTC"),))
    assert values(closed, "date") == ["2029-05-03", "info:eu-repo/date/embargoEnd/2029-05-03"]
    assert values(closed, "rights")[0] == "info:eu-repo/semantics/embargoedAccess"


def test_a_collection_that_is_issued_while_parts_are_closed_names_no_end():
    closed = a_publication(access_rights="embargoed")
    assert values(closed, "date") == ["2026-03-01"]


def test_what_was_withdrawn_is_closed_without_an_end():
    gone = a_publication(access_rights="metadata only", dates=())
    assert (values(gone, "rights")[0], values(gone, "date")) == ("info:eu-repo/semantics/closedAccess", ["2026"])


def test_sources_stand_apart_from_other_relations_each_by_its_address():
    related = (
        RelatedIdentifier("https://faircat.example/datasets/1", "URL", "IsDerivedFrom", "Dataset"),
        RelatedIdentifier("2106.01234", "arXiv", "IsDescribedBy"),
        RelatedIdentifier("31253.11.sciencedb.00001", "CSTR", "References"),
        RelatedIdentifier("10.1234/a<b>&c", "DOI", "Cites"),
        RelatedIdentifier("10.1234/a<b>&c", "DOI", "References"),
    )
    publication = a_publication(related=related)
    assert values(publication, "source") == ["https://faircat.example/datasets/1"]
    assert values(publication, "relation") == [
        "https://arxiv.org/abs/2106.01234", "CSTR 31253.11.sciencedb.00001", "https://doi.org/10.1234/a<b>&c",
    ]  # fmt: skip


def test_without_a_doi_the_page_is_the_first_identifier():
    publication = a_publication(doi="", alternate_identifiers=(("UUID", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),))
    assert values(publication, "identifier") == [
        publication.url, "urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff",
    ]  # fmt: skip


def test_an_empty_abstract_and_an_unknown_language_make_no_element():
    bare = a_publication(text=replace(TEXT, abstract="", language="", subjects=(), contributors=()))
    for name in ("description", "language", "subject", "contributor"):
        assert values(bare, name) == []


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Si\x00 wa\x0bfer\x1f \ud800\ufffe", "Si wafer "),
        ("شبكات \u202bبلورية\u202c", "شبكات \u202bبلورية\u202c"),
        ("]]> & <b>", "]]> & <b>"),
        ("one\r\ntwo", "one\ntwo"),
        ("粒界 𝛼-Fe", "粒界 𝛼-Fe"),
    ],
)
def test_only_characters_that_xml_forbids_are_left_out(written, kept):
    assert values(a_publication(text=replace(TEXT, title=written)), "title") == [kept]


def test_ten_thousand_authors_are_all_named():
    creators = tuple(Creator(family_name=f"Name {number}") for number in range(10_000))
    assert len(values(a_publication(text=replace(TEXT, creators=creators)), "creator")) == 10_000
