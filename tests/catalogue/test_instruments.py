"""Instruments for machines: at addresses of their own and by Accept, linked from the page, without the serial number."""

from uuid import UUID

import jsonschema
import pytest

from tests.catalogue.interop.pidinst_schema import SCHEMA
from tests.factories import make_facility, make_instrument

pytestmark = pytest.mark.django_db


def test_each_form_has_an_address_and_the_page_links_to_it(client, settings):
    instrument = make_instrument(facility=make_facility(ror="https://ror.org/02550n020"), serial_number="SN-SECRET-1")
    page = client.get(f"/instruments/{instrument.uid}")
    for suffix, media_type in (("pidinst.json", "application/json"), ("pidinst.xml", "application/xml")):
        response = client.get(f"/instruments/{instrument.uid}.{suffix}")
        assert (response.status_code, response.headers["Content-Type"]) == (200, media_type)
        assert b"SN-SECRET-1" not in response.content
        address = f"{settings.SITE_URL}/instruments/{instrument.uid}.{suffix}"
        assert f'<{address}>; rel="describedby"; type="{media_type}"' in page.headers["Link"]
    jsonschema.validate(client.get(f"/instruments/{instrument.uid}.pidinst.json").json(), SCHEMA)


def test_the_page_answers_what_is_asked_for(client):
    path = f"/instruments/{make_instrument().uid}"
    assert client.get(path, headers={"Accept": "*/*"}).headers["Content-Type"].startswith("text/html")
    json_answer = client.get(path, headers={"Accept": "application/json, text/html;q=0.5"})
    assert json_answer.json()["schemaVersion"] == "1.0"
    assert json_answer.headers["Content-Location"] == f"{path}.pidinst.json"
    assert "Accept" in json_answer.headers["Vary"]
    assert client.get(path, headers={"Accept": "application/xml"}).content.startswith(b"<?xml")


def test_what_there_is_not_is_refused_with_what_there_is(client):
    answer = client.get(f"/instruments/{make_instrument().uid}", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "application/json" in answer.content.decode()


def test_an_unchanged_record_is_not_sent_again(client):
    path = f"/instruments/{make_instrument().uid}.pidinst.json"
    tag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_an_instrument_that_does_not_exist_is_not_found(client):
    assert client.get(f"/instruments/{UUID(int=1)}.pidinst.json").status_code == 404
