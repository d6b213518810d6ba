"""Citations are complete and safe in every style, whatever stands in titles and names."""

import re
import time
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given, settings

from catalogue.interop.citation import publication_citation
from catalogue.interop.citation_styles import STYLES, citations, styled_citation
from catalogue.publication import Creator
from tests.publications import TEXT, a_publication, publications

ADA = Creator(family_name="Lovelace", given_name="Ada King")
PLAIN = a_publication(
    resource_type_general="Dataset", version="", text=replace(TEXT, title="Notes on an engine", creators=(ADA,))
)
DOI = "10.5072/faircat.2026.1"


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("apa", f"Lovelace, A. K. (2026). Notes on an engine [Dataset]. Example Light Source. https://doi.org/{DOI}"),
        ("chicago", f"Lovelace, Ada King. 2026. “Notes on an Engine”. Example Light Source. https://doi.org/{DOI}."),
        ("harvard", "Lovelace, A.K. (2026) “Notes on an engine”. Example Light Source. "
                    f"Available at: https://doi.org/{DOI}."),
        ("ieee", f"A. K. Lovelace, “Notes on an engine”. Example Light Source, 2026. doi: {DOI}."),
        ("mla", f"Lovelace, Ada King. “Notes on an Engine”. Example Light Source, 2026, https://doi.org/{DOI}."),
        ("nature", f"Lovelace, A. K. Notes on an engine. Example Light Source https://doi.org/{DOI} (2026)."),
        ("vancouver", f"Lovelace AK. Notes on an engine. Example Light Source; 2026. doi:{DOI}"),
    ],
)  # fmt: skip
def test_each_style_writes_its_own_form(style, expected):
    assert styled_citation(PLAIN, style).text == expected


def test_every_style_of_the_list_is_tried_above():
    assert [citation.key for citation in citations(PLAIN)] == list(STYLES)
    assert len(STYLES) == 7


def test_html_is_escaped_and_only_italics_are_added():
    text = replace(TEXT, title="<b>&amp; <script>alert(1)</script>", creators=(ADA,))
    html = styled_citation(a_publication(text=text), "apa").html
    assert "<i>&lt;b&gt;&amp;amp; &lt;script&gt;alert(1)&lt;/script&gt;</i>" in html


def letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


@given(publications)
@settings(max_examples=40, deadline=None)
def test_whatever_people_write_can_be_cited_and_put_on_a_page(publication):
    for citation in citations(publication):
        assert set(re.findall(r"<[^>]*>", citation.html)) <= {"<i>", "</i>"}
        assert unescape(re.sub(r"</?i>", "", citation.html)) == citation.text
        assert str(publication.publication_year) in citation.text
        assert publication.doi in citation.text
        assert letters(publication.text.title) in letters(citation.text)


@pytest.mark.parametrize(
    ("creator", "written"),
    [
        (Creator(family_name="Beethoven", given_name="Ludwig van"), "Beethoven, L. van"),
        (Creator(family_name="Sartre", given_name="Jean-Paul"), "Sartre, J.-P."),
        (Creator(family_name="李", given_name="明"), "李 明"),
        (Creator(family_name="الخوارزمي", given_name="محمد"), "الخوارزمي محمد"),
        (Creator(family_name="Suharto"), "Suharto"),
        (Creator(name_type="Organizational", name="strain & stress"), "strain & stress"),
    ],
)
def test_names_of_every_kind_are_shortened_rightly_or_not_at_all(creator, written):
    text = replace(TEXT, title="T", creators=(creator,))
    cited = styled_citation(a_publication(text=text), "apa").text
    assert cited.startswith(f"{written.removesuffix('.')}. (2026). ")


def test_a_title_that_ends_with_a_stop_or_a_question_is_not_followed_by_another():
    for title, end in (("Why is it so?", "Why is it so? "), ("It is so.", "It is so. ")):
        assert end in styled_citation(a_publication(text=replace(TEXT, title=title)), "nature").text


def test_ten_thousand_authors_are_cited_and_asking_again_costs_nothing():
    many = a_publication(text=replace(TEXT, creators=(ADA,) * 10_000))
    started = time.process_time()
    first = citations(PLAIN), citations(many)
    assert time.process_time() - started < 5
    started = time.process_time()
    assert citations(PLAIN) == first[0]
    assert time.process_time() - started < 0.01
    assert "et al" in first[1][-1].text


def test_the_plain_citation_is_the_form_that_datacite_recommends():
    assert publication_citation(PLAIN) == (
        f"Lovelace, Ada King (2026): Notes on an engine. Example Light Source. Dataset. https://doi.org/{DOI}"
    )
    many = a_publication(doi="", text=replace(TEXT, creators=(ADA,) * 11))
    assert "; et al. (2026)" in publication_citation(many)
    assert publication_citation(many).endswith(many.url)
