"""The DataCite metadata of a publication: complete, the same in JSON and XML, and with the same hash for the same content."""

from dataclasses import replace

import pytest
from datacite import schema45
from hypothesis import given, settings
from lxml import etree

from catalogue.interop.datacite import attributes_of, document_of, payload_hash
from catalogue.interop.datacite_xml import element_of, oai_datacite_of, readable_xml_of, xml_of
from catalogue.publication import Contributor, Creator
from tests.catalogue.interop.schemas import errors_of, needs_schemas
from tests.publications import PANET_SAXS, TEXT, a_publication, publications

NAMESPACE = {"d": "http://datacite.org/schema/kernel-4", "o": "http://schema.datacite.org/oai/oai-1.1/"}
KERNELS = ("datacite/kernel-4.6/metadata.xsd", "datacite/kernel-4.7/metadata.xsd")


def found(publication, path: str) -> list:
    return etree.fromstring(xml_of(publication)).xpath(path, namespaces=NAMESPACE)


def test_people_carry_their_identifiers_and_institutions():
    attributes = attributes_of(a_publication())
    assert attributes["creators"][0] == {
        "name": "García-Márquez, Ana María",
        "nameType": "Personal",
        "givenName": "Ana María",
        "familyName": "García-Márquez",
        "nameIdentifiers": [
            {
                "nameIdentifier": "https://orcid.org/0000-0002-1825-0097",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ],
        "affiliation": [
            {
                "name": "Example Institute",
                "affiliationIdentifier": "https://ror.org/02feahw73",
                "affiliationIdentifierScheme": "ROR",
                "schemeUri": "https://ror.org",
            }
        ],
    }
    assert attributes["creators"][2]["nameIdentifiers"][0]["nameIdentifierScheme"] == "ROR"
    assert "familyName" not in attributes["creators"][2]


def test_the_publisher_hosts_the_data_unless_somebody_else_is_named():
    roles = [person["contributorType"] for person in attributes_of(a_publication())["contributors"]]
    assert roles == ["DataCollector", "HostingInstitution"]
    host = Contributor(name_type="Organizational", name="Archive of Elsewhere", role="HostingInstitution")
    named = attributes_of(a_publication(text=replace(TEXT, contributors=(host,))))["contributors"]
    assert [person["name"] for person in named] == ["Archive of Elsewhere"]


@pytest.mark.parametrize(("rights", "code"), [("open", "c_abf2"), ("embargoed", "c_f1cf"), ("metadata only", "c_14cb")])
def test_rights_state_the_licence_and_who_has_access(rights, code):
    licence, access = attributes_of(a_publication(access_rights=rights))["rightsList"]
    assert (licence["rightsIdentifier"], licence["rightsIdentifierScheme"]) == ("CC-BY-4.0", "SPDX")
    assert licence["rightsUri"] == "https://creativecommons.org/licenses/by/4.0/"
    assert access["rightsUri"] == f"http://purl.org/coar/access_right/{code}"


def test_what_is_empty_is_stated_so_that_a_merge_clears_it():
    bare = attributes_of(a_publication(text=replace(TEXT, fundings=(), abstract="", language=""), version="", dates=()))
    assert (bare["fundingReferences"], bare["descriptions"], bare["dates"]) == ([], [], [])
    assert (bare["language"], bare["version"]) == (None, None)
    assert set(bare) == set(attributes_of(a_publication()))


def test_a_relation_that_authors_and_system_both_state_is_sent_once():
    related = a_publication().related
    assert len(attributes_of(a_publication(related=related + related))["relatedIdentifiers"]) == len(related)


def test_the_xml_says_what_the_json_says():
    publication = a_publication()
    assert found(publication, "string(d:identifier[@identifierType='DOI'])") == publication.doi
    assert found(publication, "string(d:titles/d:title[@xml:lang='en'])") == TEXT.title
    assert found(publication, "d:creators/d:creator/d:creatorName/text()") == [
        "García-Márquez, Ana María", "李, 明", "Strain & Stress Consortium",
    ]  # fmt: skip
    assert found(publication, "string(d:subjects/d:subject[@subjectScheme='PaNET']/@valueURI)") == PANET_SAXS
    assert found(publication, "d:sizes/d:size/text()") == ["5368709120 bytes", "1200 files"]
    assert found(publication, "string(d:descriptions/d:description)") == TEXT.abstract
    assert found(publication, "string(d:dates/d:date[@dateType='Collected'])") == "2026-01-31/2026-02-02"
    assert found(publication, "string(d:fundingReferences/d:fundingReference[1]/d:awardNumber/@awardURI)").endswith(
        "823852"
    )


def texts_in(value) -> set[str]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return {str(value)} if items is None else {text for item in items for text in texts_in(item)}


@given(publications)
@settings(max_examples=30, deadline=None)
def test_no_text_of_the_json_is_missing_or_different_in_the_xml(publication):
    attributes = attributes_of(publication)
    root = etree.fromstring(xml_of(publication))
    in_xml = {text for element in root.iter() for text in (element.text, *element.attrib.values()) if text}
    expected = texts_in({name: value for name, value in attributes.items() if name not in ("url", "schemaVersion")})
    assert expected - {"None", ""} <= in_xml


def test_characters_that_xml_cannot_hold_are_left_out_of_both():
    publication = a_publication(publisher_name="Light\x00 Source\ud800\ufffe")
    assert attributes_of(publication)["publisher"]["name"] == "Light Source"
    assert found(publication, "string(d:publisher)") == "Light Source"


def test_what_is_no_orcid_goes_as_it_is_for_the_check_to_tell():
    text = replace(TEXT, creators=(Creator(family_name="Li", orcid="1234"),))
    assert attributes_of(a_publication(text=text))["creators"][0]["nameIdentifiers"][0]["nameIdentifier"] == "1234"


def test_the_hash_depends_on_the_content_alone():
    attributes = attributes_of(a_publication())
    turned = dict(reversed(attributes.items()))
    assert payload_hash(attributes) == payload_hash(turned)
    assert payload_hash(attributes) != payload_hash(attributes | {"version": "3"})
    assert len(payload_hash(attributes)) == 64


def test_a_small_publication_in_xml_is_as_written_down_here():
    small = a_publication(
        text=replace(TEXT, creators=TEXT.creators[1:], contributors=(), fundings=(), subjects=TEXT.subjects[1:]),
        dates=(), formats=(), size_bytes=0, file_count=1, related=(), alternate_identifiers=(), publisher_ror="",
    )  # fmt: skip
    assert xml_of(small).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<resource xmlns="http://datacite.org/schema/kernel-4" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://datacite.org/schema/kernel-4 https://schema.datacite.org/meta/kernel-4/metadata.xsd">\n'
        '<identifier identifierType="DOI">10.5072/faircat.2026.1</identifier>\n'
        "<creators>\n"
        '<creator>\n<creatorName nameType="Personal">李, 明</creatorName>\n'
        "<givenName>明</givenName>\n<familyName>李</familyName>\n</creator>\n"
        '<creator>\n<creatorName nameType="Organizational">Strain &amp; Stress Consortium</creatorName>\n'
        '<nameIdentifier nameIdentifierScheme="ROR" schemeURI="https://ror.org">https://ror.org/05gzmn429'
        "</nameIdentifier>\n</creator>\n"
        "</creators>\n"
        '<titles>\n<title xml:lang="en">Grain boundaries in Ti-6Al-4V &amp; their strain</title>\n</titles>\n'
        "<publisher>Example Light Source</publisher>\n"
        "<publicationYear>2026</publicationYear>\n"
        '<resourceType resourceTypeGeneral="Collection">Collection of datasets</resourceType>\n'
        "<subjects>\n<subject>titanium</subject>\n</subjects>\n"
        '<contributors>\n<contributor contributorType="HostingInstitution">\n'
        '<contributorName nameType="Organizational">Example Light Source</contributorName>\n'
        "</contributor>\n</contributors>\n"
        "<language>en</language>\n"
        "<sizes>\n<size>1 file</size>\n</sizes>\n"
        "<version>2</version>\n"
        '<rightsList>\n<rights rightsURI="https://creativecommons.org/licenses/by/4.0/" rightsIdentifier="CC-BY-4.0" '
        'rightsIdentifierScheme="SPDX" schemeURI="https://spdx.org/licenses/">'
        "Creative Commons Attribution 4.0 International</rights>\n"
        '<rights rightsURI="http://purl.org/coar/access_right/c_abf2" rightsIdentifier="c_abf2" '
        'rightsIdentifierScheme="COAR Access Rights" schemeURI="http://purl.org/coar/access_right/">'
        "open access</rights>\n</rightsList>\n"
        '<descriptions>\n<description descriptionType="Abstract" xml:lang="en">First lines.\n\n'
        "And &lt;more&gt; of it.</description>\n</descriptions>\n"
        "</resource>\n"
    )


@needs_schemas
@given(publications)
@settings(max_examples=30, deadline=None)
def test_with_and_without_a_doi_the_newest_kernel_accepts_what_people_write(publication):
    assert errors_of(KERNELS[1], xml_of(publication)) == []
    assert errors_of(KERNELS[1], xml_of(replace(publication, doi=""))) == []


@needs_schemas
def test_what_has_no_doi_is_named_by_its_page():
    without = a_publication(doi="")
    assert found(without, "string(d:identifier[@identifierType='URL'])") == without.url
    assert [errors_of(kernel, xml_of(without)) for kernel in KERNELS] == [[], []]
    assert "doi" not in document_of(without)


@pytest.mark.parametrize("changes", [{}, {"doi": ""}, {"text": replace(TEXT, abstract="", contributors=())}])
def test_the_document_of_json_fits_the_schema_of_datacite(changes):
    document = document_of(a_publication(**changes))
    # The schema wants as a string the year that DataCite gives as a number, and forgot the schemes of funders.
    document["publicationYear"] = str(document["publicationYear"])
    for funding in document["fundingReferences"]:
        funding.pop("schemeUri", None)
    assert [error.message for error in schema45.validator.iter_errors(document)] == []


@needs_schemas
def test_the_envelope_of_oai_names_kernel_and_repository_around_the_same_metadata():
    publication = a_publication()
    envelope = oai_datacite_of(publication, repository="EXAMPLE.ARCHIVE & CO")
    assert errors_of("oai/oai_datacite-1.1.xsd", envelope) == []
    root = etree.fromstring(envelope)
    assert root.xpath("string(o:schemaVersion)", namespaces=NAMESPACE) == "4.6"
    assert root.xpath("string(o:datacentreSymbol)", namespaces=NAMESPACE) == "EXAMPLE.ARCHIVE & CO"
    (payload,) = root.xpath("o:payload/*", namespaces=NAMESPACE)
    assert etree.tostring(payload, method="c14n", exclusive=True) == etree.tostring(
        etree.fromstring(xml_of(publication)), method="c14n", exclusive=True
    )


def test_alone_within_another_document_and_indented_it_is_the_same_record():
    publication = a_publication()
    whole = etree.fromstring(xml_of(publication))
    assert etree.tostring(etree.fromstring(element_of(publication))) == etree.tostring(whole)
    indented = etree.fromstring(readable_xml_of(attributes_of(publication)))
    assert [(one.tag, one.attrib, (one.text or "").strip()) for one in indented.iter()] == [
        (one.tag, one.attrib, (one.text or "").strip()) for one in whole.iter()
    ]


@pytest.mark.parametrize("title", ["شبكات \u202bبلورية\u202c & 50 %", "粒界 𝛼-Fe <b>", "a \"quoted\" 'title'"])
def test_every_script_and_every_sign_of_xml_comes_back_as_written(title):
    assert found(a_publication(text=replace(TEXT, title=title)), "string(d:titles/d:title)") == title


def test_ten_thousand_authors_and_an_empty_abstract_are_no_matter():
    many = a_publication(text=replace(TEXT, abstract="", creators=TEXT.creators[:1] * 10_000))
    assert found(many, "count(d:creators/d:creator)") == 10_000
    assert found(many, "d:descriptions") == []
