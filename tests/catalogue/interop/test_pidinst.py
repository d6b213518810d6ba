"""Instruments after PIDINST: what the schema demands is there, what it does not know is not, and no serial number leaves."""

import json
from datetime import date
from uuid import UUID

import jsonschema
import pytest
from lxml import etree

from catalogue.interop.pidinst import UNKNOWN, json_of, pidinst, xml_of
from tests.catalogue.interop.pidinst_schema import SCHEMA
from tests.described import FACILITY, INSTRUMENT, SITE, instrument_record

BARE = instrument_record(
    pid="", manufacturer="", model="", instrument_type="", description="", url="", measured_variables=(),
    techniques=(), commissioned_on=None,
)  # fmt: skip


@pytest.mark.parametrize("instrument", [instrument_record(), BARE], ids=["full", "bare"])
def test_the_record_is_as_the_schema_demands(instrument):
    document = json.loads(json_of(instrument, site=SITE))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_the_check_of_the_schema_is_one():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(pidinst(instrument_record(), site=SITE) | {"serialNumber": "1"}, SCHEMA)


def test_the_record_of_an_instrument_is_as_written_down_here():
    document = pidinst(instrument_record(decommissioned_on=date(2026, 1, 1)), site=SITE)
    assert document["identifier"] == {"identifier": "21.T11998/0000-001A-3905-1", "identifierType": "Handle"}
    assert document["landingPage"] == f"{SITE.url}/instruments/{INSTRUMENT.uid}"
    assert document["owners"] == [
        {
            "ownerName": "Example Light Source",
            "ownerIdentifier": {"ownerIdentifier": FACILITY.ror, "ownerIdentifierType": "ROR"},
        }
    ]
    assert document["manufacturers"] == [{"manufacturerName": "Zeiss"}]
    assert document["model"] == {"modelName": "Sigma"}
    assert document["measuredVariables"] == ["secondary electrons", "backscattered electrons"]
    assert document["dates"] == [
        {"date": "2019-05-01", "dateType": "Commissioned"},
        {"date": "2026-01-01", "dateType": "DeCommissioned"},
    ]
    assert [one["instrumentTypeName"] for one in document["instrumentTypes"]] == [
        "Scanning electron microscope",
        "small angle x-ray scattering",
        "scanning electron microscopy",
    ]


@pytest.mark.parametrize(
    ("pid", "expected"),
    [
        ("https://doi.org/10.5442/NI000001", ("DOI", "10.5442/NI000001")),
        ("http://hdl.handle.net/21.T11998/1", ("Handle", "21.T11998/1")),
        ("https://els.example/pid/7", ("URL", "https://els.example/pid/7")),
        ("", ("URL", f"{SITE.url}/instruments/{UUID(int=2)}")),
    ],
)
def test_the_identifier_has_its_type_and_without_one_the_page_names_the_instrument(pid, expected):
    identifier = pidinst(instrument_record(pid=pid), site=SITE)["identifier"]
    assert (identifier["identifierType"], identifier["identifier"]) == expected


def test_a_manufacturer_that_nobody_named_is_not_invented():
    assert pidinst(BARE, site=SITE)["manufacturers"] == [{"manufacturerName": UNKNOWN}]


def test_the_xml_says_the_same_and_holds_hostile_characters():
    hostile = "\x00]]> <b> & \"quotes\" 'too' \ud800\u202eטקסט"
    instrument = instrument_record(name=hostile, model=hostile, measured_variables=(hostile,), short_name='"<&>')
    root = etree.fromstring(xml_of(instrument, site=SITE))
    assert root.tag == "instrument"
    assert root.findtext("name") == "]]> <b> & \"quotes\" 'too' \u202eטקסט"
    assert root.find("identifier").get("identifierType") == "Handle"
    assert root.findtext("owners/owner/ownerName") == "Example Light Source"
    assert root.find("owners/owner/ownerIdentifier").get("ownerIdentifierType") == "ROR"
    assert root.find("dates/date").get("dateType") == "Commissioned"
    assert root.findtext("alternateIdentifiers/alternateIdentifier") == '"<&>'
    assert [child.tag for child in root] == list(pidinst(instrument, site=SITE))
