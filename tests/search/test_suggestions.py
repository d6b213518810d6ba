"""Suggestions while somebody types: of what they may see, with the address that each leads to."""

import pytest

from tests.search.conftest import SECRET


def suggested(client, text: str) -> dict[str, dict]:
    response = client.get("/search/suggestions", {"q": text})
    assert response.status_code == 200
    return {f"{one['kind']}: {one['text']}": one for one in response.json()["suggestions"]}


@pytest.mark.parametrize(
    ("text", "expected", "address"),
    [
        ("nov", "Person: Ana Novak", "/search?person=Ana+Novak"),
        ("zno", "Sample: ZnO-7", "/search?sample=ZnO-7"),
        ("emission micro", "Instrument: Field emission microscope", "/search?instrument=fem"),
        ("electron mic", "Technique: scanning electron microscopy", None),
        (
            "volt",
            "Parameter: Accelerating voltage (V)",
            "/search?has=accelerating_voltage&histogram=accelerating_voltage",
        ),
        ("nanow", "Shows: Nanowires", "/search?category=Nanowires"),
        ("nanowires over", "Dataset: Nanowires, overview", None),
    ],
)
def test_a_beginning_of_a_name_leads_to_what_it_names(client, laboratory, text, expected, address):
    found = suggested(client, text)
    assert expected in found
    assert address is None or found[expected]["url"] == address
    assert client.get(found[expected]["url"]).status_code == 200


def test_counts_are_of_what_the_address_finds(client, laboratory):
    assert suggested(client, "nov")["Person: Ana Novak"]["count"] == 3


def test_what_is_closed_is_suggested_to_its_readers_only(signed_in, client, laboratory):
    assert f"Sample: {SECRET} 4" in suggested(signed_in, SECRET[:4])
    client.logout()
    assert suggested(client, SECRET[:4]) == {}


@pytest.mark.parametrize("text", ["", "n", "   ", "*", "??", "%%", "(((", "\U0001f600"])
def test_too_little_or_odd_text_suggests_nothing_and_breaks_nothing(client, laboratory, text):
    assert suggested(client, text) == {}


def test_without_an_index_there_are_no_suggestions(client, db, build_index):
    assert suggested(client, "nov") == {}
