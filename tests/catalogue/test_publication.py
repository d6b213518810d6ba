"""What people write about a publication is kept as written, brought into one form, and checked field by field."""

import json
import time
from dataclasses import replace

import pytest

from catalogue.errors import InvalidInput
from catalogue.identifier_forms import address_of, form_problem
from catalogue.publication import Contributor, Creator, Funding, PublicationText, RelatedIdentifier, Subject
from catalogue.publication_checks import find_problems
from catalogue.vocabularies.datacite_types import RELATED_IDENTIFIER_TYPES
from tests.publications import TEXT, a_publication

RIGHT_FORMS = [
    ("ARK", "ark:/13030/tqb3kh97gh8w"),
    ("arXiv", "arXiv:2106.01234v2"),
    ("arXiv", "hep-th/9901001"),
    ("bibcode", "1974AJ.....79..819H"),
    ("CSTR", "31253.11.sciencedb.00001"),
    ("DOI", "10.1016/j.epsl.2011.11.037"),
    ("EAN13", "4006381333931"),
    ("EISSN", "1476-4687"),
    ("Handle", "10013/epic.10033"),
    ("IGSN", "IECUR0097"),
    ("ISBN", "978-3-16-148410-0"),
    ("ISBN", "0-306-40615-2"),
    ("ISSN", "0028-0836"),
    ("ISTC", "0A9-2002-12B4A105-7"),
    ("LISSN", "0028-0836"),
    ("LSID", "urn:lsid:ubio.org:namebank:11815"),
    ("PMID", "12082125"),
    ("PURL", "https://purl.org/dc/terms"),
    ("RAiD", "https://raid.org/10.82841/1d06ba29"),
    ("RRID", "RRID:SCR_014641"),
    ("SWHID", "swh:1:dir:d198bc9d7a6bcf6db04f476d29314f157507d505"),
    ("UPC", "036000291452"),
    ("URL", "https://example.org/paper?a=1"),
    ("URN", "urn:nbn:de:101:1-201102033592"),
    ("w3id", "https://w3id.org/games/spec/coil"),
]


def test_every_type_of_identifier_has_an_example_that_is_accepted():
    assert {kind for kind, _ in RIGHT_FORMS} == set(RELATED_IDENTIFIER_TYPES)


@pytest.mark.parametrize(("kind", "identifier"), RIGHT_FORMS)
def test_a_right_identifier_is_accepted(kind, identifier):
    assert form_problem(kind, identifier) == ""


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        ("DOI", "https://doi.org/10.1/x"),
        ("DOI", "10.1234/with space"),
        ("URL", "javascript:alert(1)"),
        ("URL", "https://"),
        ("URL", 'https://example.org/"><script>'),
        ("URL", "http://[broken"),
        ("ISBN", "978-3-16-148410-1"),
        ("ISBN", "0-306-40615-3"),
        ("ISSN", "0028-0837"),
        ("EAN13", "4006381333932"),
        ("UPC", "036000291453"),
        ("PMID", "PMC12"),
        ("arXiv", "2106.1"),
        ("PMID", "١٢٣"),
    ],
)
def test_a_wrong_identifier_is_told_in_words(kind, identifier):
    assert form_problem(kind, identifier).endswith(".")
    assert address_of(kind, identifier) == ""


@pytest.mark.parametrize(
    ("kind", "identifier", "address"),
    [
        ("DOI", "10.1234/a<b>#c", "https://doi.org/10.1234/a%3Cb%3E%23c"),
        ("arXiv", "arXiv:2106.01234", "https://arxiv.org/abs/2106.01234"),
        ("URL", "https://example.org/x", "https://example.org/x"),
        ("ISBN", "978-3-16-148410-0", ""),
    ],
)
def test_an_identifier_leads_to_where_it_is_resolved(kind, identifier, address):
    assert address_of(kind, identifier) == address


def test_a_text_survives_json():
    stored = json.loads(json.dumps(TEXT.to_json()))
    assert PublicationText.from_json(stored) == TEXT
    assert PublicationText.from_json({}) == PublicationText()


def test_identifiers_come_into_one_form_whatever_was_pasted():
    text = PublicationText.from_json(
        {
            "creators": [{"orcid": "https://orcid.org/0000-0002-1825-0097", "affiliation_ror": "02feahw73"}],
            "fundings": [
                {"funder_id": "10.13039/501100000780", "funder_id_type": "Crossref Funder ID"},
                {"funder_id": "ror.org/02feahw73", "funder_id_type": "ROR"},
            ],
            "related": [{"identifier": " https://doi.org/10.1234/ABC ", "identifier_type": "DOI"}],
        }
    )
    assert text.creators[0].orcid == "0000-0002-1825-0097"
    assert text.creators[0].affiliation_ror == "https://ror.org/02feahw73"
    assert text.fundings[0].funder_id == "https://doi.org/10.13039/501100000780"
    assert text.fundings[1].funder_id == "https://ror.org/02feahw73"
    assert text.related[0].identifier == "10.1234/abc"


def test_an_unfinished_identifier_is_kept_as_it_was_typed():
    assert PublicationText.from_json({"creators": [{"orcid": "0000-0002"}]}).creators[0].orcid == "0000-0002"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"titel": "x"}, "titel"),
        ({"creators": [{"family_name": "Li"}, {"familyname": "Li"}]}, "creators.1.familyname"),
        ({"creators": {"family_name": "Li"}}, "creators"),
        ({"creators": ["Li"]}, "creators.0"),
        ({"title": 12}, "title"),
        ({"related": [{"identifier": None}]}, "related.0.identifier"),
        ({"title": "a\x00b"}, "title"),
        ({"abstract": "\ud800"}, "abstract"),
        (["title"], "text"),
        ({"creators": [{"creators": []}]}, "creators.0.creators"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_field(data, path):
    with pytest.raises(InvalidInput) as refusal:
        PublicationText.from_json(data)
    assert list(refusal.value.fields) == [path]


def test_a_complete_text_has_no_problems():
    assert find_problems(TEXT) == {}


def test_an_empty_text_lacks_title_and_authors():
    assert set(find_problems(PublicationText())) == {"title", "creators"}


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"title": "a\x0cb"}, {"title"}),
        ({"title": "two\nlines"}, {"title"}),
        ({"title": "x" * 501}, {"title"}),
        ({"abstract": "two\nlines"}, set()),
        ({"abstract": "a\x00b"}, {"abstract"}),
        ({"language": "english please"}, {"language"}),
        ({"language": "zh-Hant-TW"}, set()),
        ({"licence_id": "my own"}, {"licence_id"}),
        ({"creators": (Creator(),)}, {"creators.0.family_name"}),
        ({"creators": (Creator(family_name="Li", orcid="0000-0002-1825-0098"),)}, {"creators.0.orcid"}),
        ({"creators": (Creator(family_name="Li", affiliation_ror="https://ror.org/02feahw74"),)},
         {"creators.0.affiliation_ror", "creators.0.affiliation"}),
        ({"creators": (Creator(family_name="Li", name_type="Robot"),)}, {"creators.0.name_type"}),
        ({"creators": (Creator(name_type="Organizational", orcid="0000-0002-1825-0097"),)},
         {"creators.0.name", "creators.0.orcid"}),
        ({"contributors": (Contributor(family_name="Li"),)}, {"contributors.0.role"}),
        ({"fundings": (Funding(award_uri="ftp:x"),)},
         {"fundings.0.funder_name", "fundings.0.award_uri", "fundings.0.award_number"}),
        ({"fundings": (Funding("F", "https://doi.org/10.1234/1", "Crossref Funder ID"),)}, {"fundings.0.funder_id"}),
        ({"fundings": (Funding("F", "x", "GRID"), Funding("F", "1", "ISNI"), Funding("F", "grid.5333.6", "GRID"))},
         {"fundings.0.funder_id", "fundings.1.funder_id"}),
        ({"fundings": (Funding("F", "x"), Funding("F", "", "ROR"))},
         {"fundings.0.funder_id_type", "fundings.1.funder_id"}),
        ({"subjects": (Subject(value_uri="PaNET01188"),)}, {"subjects.0.term", "subjects.0.value_uri"}),
        ({"related": (RelatedIdentifier("10.1/x"),)}, {"related.0.relation_type", "related.0.identifier"}),
        ({"related": (RelatedIdentifier("x", "Name", "Cites", "Thing"), RelatedIdentifier("", "DOI", "Cites"))},
         {"related.0.identifier_type", "related.0.resource_type_general", "related.1.identifier"}),
    ],
)  # fmt: skip
def test_a_problem_is_told_at_its_field(changes, paths):
    assert set(find_problems(replace(TEXT, **changes))) == paths


def test_right_to_left_text_and_all_scripts_are_fine():
    creator = Creator(family_name="الخوارزمي", given_name="محمد")
    assert find_problems(replace(TEXT, title="حدود الحبيبات 粒界 𝛼-Ti", creators=(creator,))) == {}


def test_ten_thousand_authors_are_checked_and_stored_within_a_second_or_so():
    creators = tuple(replace(TEXT.creators[0], given_name=f"A{number}") for number in range(10_000))
    text = replace(TEXT, creators=creators)
    started = time.perf_counter()
    assert find_problems(text) == {}
    assert PublicationText.from_json(text.to_json()) == text
    assert time.perf_counter() - started < 3


def test_names_are_said_and_sorted_as_each_kind_wants():
    person, single, organisation = TEXT.creators[0], Creator(family_name="Suharto"), TEXT.creators[2]
    assert (person.display_name, person.inverted_name) == ("Ana María García-Márquez", "García-Márquez, Ana María")
    assert (single.display_name, single.inverted_name) == ("Suharto", "Suharto")
    assert organisation.display_name == organisation.inverted_name == "Strain & Stress Consortium"


def test_the_doi_is_resolved_at_its_address():
    assert a_publication().doi_url == "https://doi.org/10.5072/faircat.2026.1"
    assert a_publication(doi="").doi_url == ""
