"""BibTeX, RIS and CSL-JSON of a publication say what it says, as programs that we did not write read them."""

import json
import re
from dataclasses import replace
from uuid import UUID

import pytest
import rispy
from hypothesis import given, settings
from pybtex.database import Person, parse_string
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from catalogue.anonymity import anonymised
from catalogue.interop.bibtex import bibtex_of
from catalogue.interop.citation import publication_citation
from catalogue.interop.citation_styles import styled_citation
from catalogue.interop.csl import csl_item
from catalogue.interop.publications import publication_of
from catalogue.interop.ris import ris_of
from catalogue.publication import Creator
from tests import described
from tests.publications import TEXT, a_publication, publications

# Three characters of LaTeX's own that the reader does not know, or prints as a typographic sign.
LATEX = get_default_latex_context_db()
LATEX.add_context_category(
    "plain",
    prepend=True,
    macros=[
        MacroTextSpec("textbraceleft", "{"),
        MacroTextSpec("textbraceright", "}"),
        MacroTextSpec("textasciicircum", "^"),
    ],
)


def bibtex_entry(publication):
    entries = parse_string(bibtex_of(publication), "bibtex").entries
    assert len(entries) == 1
    return next(iter(entries.values()))


def as_printed(latex: str) -> str:
    return on_one_line(LatexNodes2Text(latex_context=LATEX).latex_to_text(latex))


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def test_a_dataset_in_bibtex_is_as_written_down_here():
    dataset = a_publication(resource_type_general="Dataset", text=replace(TEXT, abstract="", subjects=()))
    assert bibtex_of(dataset) == (
        "@dataset{GarciaMarquez-2026-faircat-2026-1,\n"
        "  author = {García-Márquez, Ana María and 李, 明 and {Strain \\& Stress Consortium}},\n"
        "  title = {{Grain boundaries in Ti-6Al-4V \\& their strain}},\n"
        "  publisher = {Example Light Source},\n"
        "  year = {2026},\n"
        "  version = {2},\n"
        "  doi = {10.5072/faircat.2026.1},\n"
        "  url = {https://doi.org/10.5072/faircat.2026.1},\n"
        "  copyright = {Creative Commons Attribution 4.0 International},\n"
        "}\n"
    )


@pytest.mark.parametrize(
    "title",
    ["50 % of {all} $x_1^2$ # & ~ \\alpha", "} lone brace", "{ lone brace", "C:\\data\\", "ends in \\", "@comment{x}"],
)
def test_characters_with_a_meaning_in_tex_are_printed_as_themselves(title):
    assert as_printed(bibtex_entry(a_publication(text=replace(TEXT, title=title))).fields["title"]) == title


@pytest.mark.parametrize(
    ("creator", "last", "first"),
    [
        (Creator(family_name="van der Berg", given_name="Jan"), "van der Berg", "Jan"),
        (Creator(family_name="Smith, Jr.", given_name="A. and B."), "Smith, Jr.", "A. and B."),
        (Creator(family_name="Suharto"), "Suharto", ""),
        (Creator(name_type="Organizational", name="Research and Development, Inc."), "Research and Development, Inc.", ""),
        (Creator(family_name="others"), "others", ""),
        (Creator(family_name="الخوارزمي", given_name="محمد"), "الخوارزمي", "محمد"),
    ],
)  # fmt: skip
def test_a_name_is_one_person_with_its_parts(creator, last, first):
    authors = bibtex_entry(a_publication(text=replace(TEXT, creators=(creator, Creator(family_name="Li"))))).persons
    person = authors["author"][0]
    assert len(authors["author"]) == 2
    assert as_printed(" ".join([*person.prelast_names, *person.last_names])) == last
    assert as_printed(" ".join([*person.first_names, *person.middle_names])) == first


@given(publications)
@settings(max_examples=100, deadline=None)
def test_whatever_people_write_bibtex_reads_one_entry_with_all_authors(publication):
    entry = bibtex_entry(publication)
    authors: list[Person] = entry.persons["author"]
    assert len(authors) == len(publication.text.creators)
    assert entry.fields["year"] == str(publication.publication_year)
    assert entry.fields["doi"] == publication.doi
    if not re.search(r"--|''|``|[?!]`|'|`|\"|<<|>>|,,|[^\x20-\x7e]", publication.text.title):  # TeX's ligatures
        assert as_printed(entry.fields["title"]) == on_one_line(publication.text.title)


def test_braces_and_spaces_in_an_identifier_do_not_end_its_field():
    assert bibtex_entry(a_publication(doi="10.5072/a}b c")).fields["doi"] == "10.5072/a%7Db%20c"


@given(publications)
@settings(max_examples=100, deadline=None)
def test_ris_carries_every_field_one_a_line(publication):
    text = ris_of(publication)
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in text.split("\r\n")[:-1])
    (entry,) = rispy.loads(text)
    assert entry["title"] == on_one_line(publication.text.title)
    assert entry["authors"] == [on_one_line(creator.inverted_name) for creator in publication.text.creators]
    assert entry["year"] == str(publication.publication_year)
    assert entry["doi"] == publication.doi
    assert entry.get("keywords", []) == [on_one_line(subject.term) for subject in publication.text.subjects]
    assert entry.get("abstract", "") == on_one_line(publication.text.abstract)


def test_a_text_cannot_end_the_record_of_ris_early():
    publication = a_publication(text=replace(TEXT, abstract="One.\r\nER  - \r\nTY  - BOOK\r\nTI  - Forged"))
    assert [entry["title"] for entry in rispy.loads(ris_of(publication))] == [TEXT.title]


def test_csl_json_has_the_names_that_reference_managers_expect():
    item = csl_item(a_publication())
    assert json.loads(json.dumps(item)) == item
    assert item["type"] == "dataset"
    assert item["author"] == [
        {"family": "García-Márquez", "given": "Ana María"},
        {"family": "李", "given": "明"},
        {"literal": "Strain & Stress Consortium"},
    ]
    assert item["issued"] == {"date-parts": [[2026]]}
    assert item["DOI"] == "10.5072/faircat.2026.1"


# Of the JSON schema of CSL (https://github.com/citation-style-language/schema, csl-data.json), what we may write.
CSL_TEXTS = {
    "genre", "title", "publisher", "version", "abstract", "keyword", "language", "license", "DOI", "URL",
}  # fmt: skip
CSL_NAME_PARTS = {"family", "given", "literal"}


def csl_problems(item) -> list[str]:
    """What the schema of CSL-JSON has against an item."""
    problems = [name for name in ("id", "type") if not item.get(name)]
    problems += sorted(set(item) - CSL_TEXTS - {"id", "type", "author", "issued"})
    problems += [name for name in CSL_TEXTS & set(item) if not isinstance(item[name], str)]
    problems += [str(name) for name in item["author"] if not name or set(name) - CSL_NAME_PARTS]
    if item["type"] not in ("dataset", "software"):
        problems.append(item["type"])
    (parts,) = item["issued"]["date-parts"]
    return problems + [str(part) for part in parts if not isinstance(part, int)]


@given(publications)
@settings(max_examples=50, deadline=None)
def test_whatever_people_write_csl_json_keeps_to_its_schema(publication):
    assert csl_problems(csl_item(publication)) == []
    assert csl_problems(csl_item(replace(publication, doi=""))) == []


RECORDS = {
    "dataset": described.dataset_record(doi=""),
    "closed dataset": described.closed_dataset(),
    "withdrawn dataset": described.dataset_record(doi="", access=described.access(withdrawn="Wrong"), description=""),
    "dataset by an anonymous link": anonymised(described.dataset_record(), ()),
    "dataset of a facility": described.dataset_record(doi="", people=()),
    "investigation": described.investigation_record(doi=""),
}


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_cited_without_a_doi_by_its_page(name):
    publication = publication_of(RECORDS[name], site=described.SITE)
    page = described.SITE.url + RECORDS[name].path
    entry = bibtex_entry(publication)
    assert entry.type == "dataset"
    assert (entry.fields["url"], "doi" in entry.fields) == (page, False)
    assert as_printed(entry.fields["title"]) == on_one_line(RECORDS[name].title)
    (reference,) = rispy.loads(ris_of(publication))
    assert (reference["urls"], "doi" in reference) == ([page], False)
    item = csl_item(publication)
    assert csl_problems(item) == []
    assert (item["id"], item["URL"], "DOI" in item) == (page, page, False)
    assert page in publication_citation(publication)
    assert page in styled_citation(publication, "apa").text


def test_keys_of_bibtex_tell_records_of_one_author_and_year_apart():
    records = [described.dataset_record(doi="", uid=UUID(int=number)) for number in range(3)]
    keys = {
        next(iter(parse_string(bibtex_of(publication_of(one, site=described.SITE)), "bibtex").entries))
        for one in records
    }
    assert len(keys) == 3


def test_control_characters_reach_no_citation():
    title = "Si\x00 wa\x07fer\x1b[31m \u202bشبكات\u202c"
    publication = a_publication(text=replace(TEXT, title=title))
    for text in (bibtex_of(publication), ris_of(publication)):
        assert "Si wafer[31m \u202bشبكات\u202c" in text


def test_ten_thousand_authors_are_one_entry():
    many = a_publication(
        text=replace(TEXT, abstract="", creators=(Creator(family_name="Li", given_name="Na"),) * 10_000)
    )
    assert bibtex_of(many).count(" and ") == 9_999
    assert ris_of(many).count("AU  - ") == 10_000


def test_without_a_doi_the_page_stands_for_it():
    publication = a_publication(doi="")
    assert csl_item(publication)["URL"] == publication.url
    assert "DO  - " not in ris_of(publication)
    assert bibtex_entry(publication).fields["url"] == publication.url
