"""The page about the syntax promises what the parser keeps."""

import pytest
from django.test import Client

from search.question.parameters import known_parameters, standard_names_for
from search.question.parsing import read_text
from search.views.help import SECTIONS

EXAMPLES = [example for section in SECTIONS for example in section.examples]


@pytest.mark.parametrize("text", [example.text for example in EXAMPLES])
def test_every_example_is_understood(text: str) -> None:
    reading = read_text(text)
    assert reading.clause is not None
    assert reading.notes == ()


def test_every_name_in_the_table_means_its_parameter() -> None:
    for parameter in known_parameters():
        for name in parameter.names:
            assert parameter.name in standard_names_for(name)


@pytest.mark.django_db
def test_examples_are_links_to_their_search(client: Client) -> None:
    page = client.get("/help/search").content.decode()
    assert 'href="/search?q=voltage%3A5..10+kV"' in page
    assert all(example.url.replace("&", "&amp;") in page for example in EXAMPLES)
