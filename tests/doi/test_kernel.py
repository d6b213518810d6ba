"""What DataCite's schema refuses is told before anything is sent, in words and at the field of the form."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from catalogue.interop.datacite import attributes_of
from catalogue.interop.datacite_xml import xml_of_attributes
from catalogue.publication_checks import find_problems as find_problems_of_text
from catalogue.vocabularies.datacite_types import NEW_IN_4_7
from doi.kernel import Problem, find_problems, map_refusal
from doi.kernel_rules import is_date_or_range
from tests.publications import TEXT, a_publication, publications

KERNELS = Path(__file__).parents[2] / "../shared/conformance-schemas/datacite"
needs_schemas = pytest.mark.skipif(not KERNELS.exists(), reason="the official schemas of DataCite are not here")
GARBAGE = [
    None, "", " ", 12, [], {}, ["x"], "x" * 30, "Other", "http://[x", "http://x:99999999/", "%zz", "a:b", "http://x/%zz",
    "en_GB", "2026", "٢٠٢٦", "12345", "\x0b", [{}], [{"name": ""}], [{"nameIdentifier": "x"}],
    [{"nameIdentifierScheme": "x"}],
]  # fmt: skip


@pytest.fixture(scope="module")
def schemas():
    return {
        version: etree.XMLSchema(file=str(KERNELS / f"kernel-{version}/metadata.xsd")) for version in ("4.6", "4.7")
    }


def errors_of(schema: etree.XMLSchema, attributes: dict) -> list[str]:
    schema.validate(etree.fromstring(xml_of_attributes(attributes)))
    return [error.message for error in schema.error_log]


def values_of_4_7(attributes: dict) -> bool:
    used = {str(value) for name in ("relatedIdentifiers", "types") for value in leaves(attributes[name])}
    return bool(used & {value for values in NEW_IN_4_7.values() for value in values})


def leaves(value):
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if items is None else [leaf for item in items for leaf in leaves(item)]


@needs_schemas
def test_a_complete_publication_is_valid_by_our_rules_and_by_the_schemas(schemas):
    attributes = attributes_of(a_publication())
    assert find_problems(attributes) == []
    assert errors_of(schemas["4.6"], attributes) == errors_of(schemas["4.7"], attributes) == []


@given(publications)
@settings(max_examples=150, deadline=None)
def test_what_the_form_accepts_the_kernel_accepts(publication):
    assert find_problems_of_text(publication.text) == {}
    assert find_problems(attributes_of(publication)) == []


@needs_schemas
@given(publications)
@settings(max_examples=150, deadline=None)
def test_what_we_accept_the_schemas_accept(schemas, publication):
    attributes = attributes_of(publication)
    assert errors_of(schemas["4.7"], attributes) == []
    if not values_of_4_7(attributes):
        assert errors_of(schemas["4.6"], attributes) == []


def places(value, path=()):
    """Every path into nested dicts and lists."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [deeper for key, item in items for deeper in places(item, (*path, key))]


PLACES = places(attributes_of(a_publication()))


def broken(path: tuple, garbage: object, *, is_removed: bool) -> dict:
    attributes = copy.deepcopy(attributes_of(a_publication()))
    parent = attributes
    for key in path[:-1]:
        parent = parent[key]
    if is_removed:
        del parent[path[-1]]
    else:
        parent[path[-1]] = garbage
    return attributes


@needs_schemas
@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_what_the_schema_refuses_we_refuse_first(schemas, path):
    for attributes in (broken(path, None, is_removed=True), *(broken(path, bad, is_removed=False) for bad in GARBAGE)):
        if not find_problems(attributes):
            assert errors_of(schemas["4.7"], attributes) == []


@needs_schemas
@given(st.sampled_from(PLACES), st.text(max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_text_that_the_schema_refuses_we_refuse_first(schemas, path, text):
    attributes = broken(path, text, is_removed=False)
    if not find_problems(attributes):
        assert errors_of(schemas["4.7"], attributes) == []


@pytest.mark.parametrize("path", PLACES)
def test_a_number_where_text_is_expected_is_told_wherever_it_stands(path):
    ignored = path == ("publicationYear",)
    assert bool(find_problems(broken(path, 2026, is_removed=False))) is not ignored


@pytest.mark.parametrize(
    ("changes", "source", "field"),
    [
        ({"titles": []}, "titles", "title"),
        ({"titles": [{"title": ""}]}, "titles", "title"),
        ({"titles": ["A title"]}, "titles", "title"),
        ({"titles": "A title"}, "titles", "title"),
        ({"titles": [{"title": "x", "lang": "en_GB"}]}, "titles", "title"),
        ({"creators": []}, "creators", "creators"),
        ({"creators": [{"name": "Li"}, {"name": ""}]}, "creators", "creators.1.family_name"),
        ({"creators": [{"nameType": "Organizational"}]}, "creators", "creators.0.name"),
        ({"creators": [{"name": "Li", "nameIdentifiers": [
            {"nameIdentifier": "https://orcid.org/0000-0002-1825-0098", "nameIdentifierScheme": "ORCID"}]}]},
         "creators", "creators.0.orcid"),
        ({"creators": [{"name": "Li", "affiliation": [{"affiliationIdentifier": "https://ror.org/02feahw73"}]}]},
         "creators", "creators.0.affiliation"),
        ({"creators": [{"name": "Li", "affiliation": ["Institute"]}]}, "creators", "creators.0"),
        ({"contributors": [{"name": "Li", "contributorType": "Friend"}]}, "contributors", "contributors.0.role"),
        ({"publicationYear": 20261}, "publication_year", ""),
        ({"publicationYear": True}, "publication_year", ""),
        ({"publisher": None}, "publisher", ""),
        ({"publisher": {"name": "X", "publisherIdentifier": "x", "publisherIdentifierScheme": "ROR"}}, "publisher", ""),
        ({"types": {"resourceType": "x"}}, "types", ""),
        ({"url": None}, "url", ""),
        ({"doi": "10.5072/a+b"}, "doi", ""),
        ({"schemaVersion": "http://datacite.org/schema/kernel-3"}, "schema_version", ""),
        ({"language": "english, please"}, "language", "language"),
        ({"dates": [{"date": "yesterday", "dateType": "Issued"}]}, "dates", ""),
        ({"dates": [{"date": "2026", "dateType": "Born"}]}, "dates", ""),
        ({"rightsList": [{"rights": "x" * 2001}]}, "rights_list", "licence_id"),
        ({"descriptions": [{"description": "x"}]}, "descriptions", "abstract"),
        ({"subjects": [{"subject": "x", "valueUri": "PaNET01188"}]}, "subjects", "subjects.0.value_uri"),
        ({"alternateIdentifiers": [{"alternateIdentifier": "x"}]}, "identifiers", ""),
        ({"relatedIdentifiers": [{"relatedIdentifier": "10.1234/a", "relatedIdentifierType": "DOI"}]},
         "related_identifiers", "related.0.relation_type"),
        ({"relatedIdentifiers": [
            {"relatedIdentifier": "x", "relatedIdentifierType": "DOI", "relationType": "Cites"}]},
         "related_identifiers", "related.0.identifier"),
        ({"fundingReferences": [{"funderName": "F", "funderIdentifier": "x"}]},
         "funding_references", "fundings.0.funder_id_type"),
        ({"fundingReferences": [{"awardNumber": "1"}]}, "funding_references", "fundings.0.funder_name"),
        ({"sizes": [5]}, "sizes", ""),
        ({"titles": [{"title": "a\x0bb"}]}, "titles", "title"),
    ],
)  # fmt: skip
def test_a_problem_names_datacites_attribute_and_the_field_of_the_form(changes, source, field):
    problems = find_problems(attributes_of(a_publication()) | changes)
    assert [(problem.source, problem.field) for problem in problems] == [(source, field)]
    assert problems[0].message


@pytest.mark.parametrize("payload", [None, [], "text", {}])
def test_metadata_that_are_missing_altogether_are_a_problem(payload):
    assert find_problems(payload)


@pytest.mark.parametrize(
    "text",
    ["2026", "2026-03", "2026-03-01", "2026-03-01T12:00Z", "2026-03-01T12:00:00.5+01:00", "2026-01-31/2026-02-02",
     "2026/2027", "2026-03/", "/2026", "2026-03-05/2026-03"],
)  # fmt: skip
def test_dates_and_ranges_of_the_documentation_are_accepted(text):
    assert is_date_or_range(text)


@pytest.mark.parametrize(
    "text",
    ["", "/", "26", "2026-3-1", "2026-02-30", "2026-13", "2026-03-01T12:00", "2026-03-01 12:00Z", "2026-03-01Z",
     "2026-02-02/2026-01-31", "2026/x", "2026/2027/2028", "2026-03-01T25:00Z", "٢٠٢٦"],
)  # fmt: skip
def test_other_dates_are_refused(text):
    assert not is_date_or_range(text)


def test_a_refusal_by_datacite_is_shown_at_the_field_of_the_form():
    errors = [
        {
            "source": "creators",
            "title": "DOI 10.5072/x: Missing child element(s). at line 4, column 0",
            "uid": "10.5072/x",
        },
        {"source": "related_identifiers", "title": "Is invalid"},
        {"source": "awardNumber", "title": "Is invalid"},
        {"source": "url", "title": "Can't be blank"},
        {"title": "Something else"},
    ]
    assert [problem.field for problem in map_refusal(errors)] == ["creators", "related", "fundings", "", ""]
    assert map_refusal(errors)[3] == Problem("url", "Can't be blank", "")


@pytest.mark.parametrize("errors", [None, "x", {}, [None, "x", {"source": "creators"}]])
def test_a_refusal_of_another_shape_names_no_field(errors):
    assert map_refusal(errors) == []


def test_ten_thousand_authors_are_accepted():
    publication = a_publication(text=replace(TEXT, creators=TEXT.creators * 3334))
    assert find_problems(attributes_of(publication)) == []
