"""Searches as CSV, JSON Lines and Atom: the same hits as the page, masked for the same eyes."""

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from catalogue.models import Dataset
from tests.search.conftest import SECRET

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def text_of(response) -> str:
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


def rows(client, **parameters) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(client.get("/search.csv", parameters)))))


def test_csv_has_the_hits_of_the_page_in_its_order(client, laboratory):
    found = rows(client, q="nanowire", sort="oldest")
    assert [row["title"] for row in found] == ["Nanowires, overview", "Nanowire forest"]
    assert found[0]["sample"] == "ZnO-7" and found[0]["shows"] == "Nanowires"


def test_json_lines_are_the_records_of_the_api(client, laboratory):
    lines = [json.loads(line) for line in text_of(client.get("/search.jsonl", {"q": "overview"})).splitlines()]
    listed = client.get("/api/v1/datasets?q=overview").json()["results"]
    assert lines == listed


def test_atom_names_itself_and_its_entries_by_what_stays(client, laboratory):
    feed = ElementTree.fromstring(text_of(client.get("/search.atom", {"q": "nanowire", "sort": "oldest"})))
    assert [entry.text for entry in feed.findall("a:entry/a:title", ATOM)] == ["Nanowires, overview", "Nanowire forest"]
    assert feed.find("a:entry/a:id", ATOM).text == f"urn:uuid:{laboratory.wires.uid}"
    own = feed.find("a:link[@rel='self']", ATOM).get("href")
    assert own.endswith("/search.atom?q=nanowire&sort=oldest")


@pytest.mark.parametrize("name", ["csv", "jsonl", "atom"])
def test_exports_hold_nothing_of_what_is_closed_for_strangers(signed_in, client, laboratory, name):
    assert SECRET in text_of(signed_in.get("/search.jsonl"))
    client.logout()
    assert SECRET not in text_of(client.get(f"/search.{name}"))


def test_a_title_is_no_formula_for_a_spreadsheet(client, laboratory):
    Dataset.objects.filter(pk=laboratory.forest.pk).update(title="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in [row["title"] for row in rows(client)]


def test_exports_need_an_index_and_say_so(client, db, build_index):
    response = client.get("/search.csv")
    assert response.status_code == 503
    assert "The search index is not there yet." in response.content.decode()


def test_somebody_who_asks_too_often_is_told_to_wait(client, laboratory):
    statuses = {client.get("/search.atom", REMOTE_ADDR="192.0.2.9").status_code for _ in range(22)}
    assert statuses == {200, 429}
