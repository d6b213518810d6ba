"""The DataCite metadata of a publication: complete, the same in JSON and XML, and with the same hash for the same content."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from lxml import etree

from catalogue.interop.datacite import attributes_of, payload_hash
from catalogue.interop.datacite_xml import xml_of
from catalogue.publication import Contributor, Creator
from tests.publications import PANET_SAXS, TEXT, a_publication, publications

NAMESPACE = {"d": "http://datacite.org/schema/kernel-4"}


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
@settings(max_examples=60, deadline=None)
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
