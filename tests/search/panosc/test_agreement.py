"""Filters of every kind, made up by Hypothesis, find in the database what plain loops find in the whole answer."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from search.panosc.schema import MODELS, Holds
from tests.search.panosc import reference
from tests.search.panosc.asking import ask, narrower_terms
from tests.search.panosc.world import TERMS, make_archive

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

WHOLE = {
    "Dataset": [
        *({"relation": name} for name in ("documents", "techniques", "instrument", "files", "parameters", "samples")),
    ],
    "Document": [
        {
            "relation": "datasets",
            "scope": {
                "include": [{"relation": one} for one in ("techniques", "instrument", "files", "parameters", "samples")]
            },
        },
        {"relation": "members", "scope": {"include": [{"relation": "person"}, {"relation": "affiliation"}]}},
    ],
    "Instrument": [
        {"relation": "datasets", "scope": {"include": [{"relation": "parameters"}, {"relation": "techniques"}]}}
    ],
}
ROUTES = {"Dataset": "Datasets", "Document": "Documents", "Instrument": "Instruments"}
DATES = (
    "2020-05-05T10:00:00.123Z",
    "2020-05-05T15:01:02.341Z",
    "2020-05-06T00:00:00.000Z",
    "2030-01-01",
    "2019-12-31T23:00:00+02:00",
)
WORDS = (
    "Scan of steel", "scan 100% Ni", "Ångström_run", "[map] LoKI", "LoKI", "DREAM", "ESS", "proposal", "publication",
    "solid", "solid copper 1", "temperature", "photon_energy", "K", "keV", "file_0.hdf", "Öberg", "Ada Öberg",
    "principal investigator", "CC0-1.0", "10.5072/session-0", "XES", "zzz", "", "a",
)  # fmt: skip
LIKES = ("scan%", "%of%", "100\\%", "s_an", "å", "Å", "[m", "*", "ENERGY", "0")
EXPRESSIONS = (
    "^L",
    "/^l/i",
    "LO.*",
    "[A-Z]{2,}",
    "n$",
    "(steel|Ni)$",
    "^[a-z]+ [0-9]+",
    "\\d+%",
    "/ÅNG/i",
    "^$",
    "_.un",
)
UNITS = ("K", "degC", "celsius", "Å", "nm", "angstrom", "eV", "keV", "J", "", "furlongs per yoghurt")
NUMBERS = (0.0, 1.0, 4.2, 12.5, 12500.0, 24.2, -268.95, 300.0, 0.1, 2.0, 1e-10)


def conditions_on(model: str, name: str) -> st.SearchStrategy:
    holds = MODELS[model].properties[name]
    words = st.sampled_from(WORDS)
    if holds is Holds.BOOLEAN:
        return st.one_of(st.booleans(), st.fixed_dictionaries({"neq": st.booleans()}))
    if holds is Holds.TEXT:
        values: st.SearchStrategy = words
    elif holds is Holds.DATE:
        values = st.sampled_from(DATES)
    elif holds is Holds.NUMBER:
        values = st.sampled_from((0, 1, 2, 3, 5))
    else:
        values = st.one_of(st.sampled_from(NUMBERS), st.sampled_from(WORDS))
    return st.one_of(values, _operators(values, is_text=holds in (Holds.TEXT, Holds.QUANTITY)))


def _operators(values: st.SearchStrategy, *, is_text: bool) -> st.SearchStrategy:
    pair = st.tuples(values, values).filter(lambda two: isinstance(two[0], str) == isinstance(two[1], str)).map(list)
    choices = [
        *(st.fixed_dictionaries({op: values}) for op in ("eq", "neq", "gt", "gte", "lt", "lte")),
        *(st.fixed_dictionaries({op: st.lists(values, max_size=3)}) for op in ("inq", "nin")),
        st.fixed_dictionaries({"between": pair}),
        st.fixed_dictionaries({"gte": values, "lt": values}),
    ]
    if is_text:
        patterns = st.sampled_from((*WORDS, *LIKES))
        choices += [st.fixed_dictionaries({op: patterns}) for op in ("like", "nlike", "ilike", "nilike")]
        choices.append(st.fixed_dictionaries({"regexp": st.sampled_from(EXPRESSIONS)}))
    return st.one_of(choices)


def wheres(model: str) -> st.SearchStrategy:
    if model == "Technique":
        leaf = st.one_of(
            st.fixed_dictionaries({"name": st.sampled_from([*TERMS, "zzz"])}),
            st.fixed_dictionaries({"name": st.fixed_dictionaries({"neq": st.sampled_from(list(TERMS))})}),
            st.fixed_dictionaries(
                {"name": st.fixed_dictionaries({"nin": st.lists(st.sampled_from(list(TERMS)), max_size=2)})}
            ),
            st.fixed_dictionaries({"name": st.fixed_dictionaries({"like": st.sampled_from(("S", "X"))})}),
        )
    else:
        names = [
            name for name in MODELS[model].properties if name not in ("id", "datasetId", "instrumentId", "releaseDate")
        ]
        tests = [st.fixed_dictionaries({name: conditions_on(model, name)}) for name in names if name != "unit"]
        if model == "Parameter":
            tests.append(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(("temperature", "photon_energy", "incident_wavelength"))}
                )
            )
            tests.append(quantities())
        if MODELS[model].texts:
            tests.append(st.fixed_dictionaries({"text": st.sampled_from(("scan", "loki", "copper", "Ness", "ö"))}))
        leaf = st.one_of(tests)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.fixed_dictionaries({"and": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"or": st.lists(inner, min_size=1, max_size=3)}),
        ),
        max_leaves=4,
    )


def quantities() -> st.SearchStrategy:
    numbers = st.sampled_from(NUMBERS)
    values = st.one_of(numbers, _operators(numbers, is_text=False))
    flat = st.fixed_dictionaries({"value": values, "unit": st.sampled_from(UNITS)})
    return st.one_of(flat, flat.map(lambda one: {"and": [{name: value} for name, value in one.items()]}))


def filters(model: str, levels: int = 2) -> st.SearchStrategy:
    parts: dict[str, st.SearchStrategy] = {"where": wheres(model)}
    scope = st.fixed_dictionaries({}, optional=parts)
    relations = {
        name: child
        for name, child in MODELS[model].relations.items()
        if levels and name != "parameters" or model == "Dataset"
    }
    if not levels or not relations:
        return scope
    includes = [
        st.fixed_dictionaries({"relation": st.just(name), "scope": filters(child, levels - 1)})
        for name, child in relations.items()
        if not (model == "Dataset" and name == "documents" and levels == 1)
        and (model, name) != ("Document", "parameters")
    ]
    parts["include"] = st.lists(st.one_of(includes), max_size=2)
    return st.fixed_dictionaries({}, optional=parts)


@pytest.fixture
def archive(tmp_path):
    return make_archive(tmp_path)


def check(model: str, filter: dict[str, Any], whole: Callable[[str], list]) -> None:
    expected = reference.found(whole(model), model, filter, narrower_terms())
    status, answered = ask(ROUTES[model], filter=filter)
    assert status == 200, answered
    assert [one["pid"] for one in answered] == [one["pid"] for one in expected], filter


@pytest.fixture
def whole(archive) -> Callable[[str], list]:
    answers = {model: ask(ROUTES[model], filter={"include": includes})[1] for model, includes in WHOLE.items()}
    assert [len(one) for one in answers.values()] == [8, 3, 2]
    return lambda model: answers[model]


MANY = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(filter=filters("Dataset", 1))
@example(filter={"include": [{"relation": "parameters", "scope": {"where": {"value": {"neq": 5.0}, "unit": ""}}}]})
def test_datasets_are_found_as_by_plain_loops(whole, filter):
    check("Dataset", filter, whole)


@MANY
@given(filter=filters("Document"))
def test_documents_are_found_as_by_plain_loops(whole, filter):
    check("Document", filter, whole)


@MANY
@given(filter=filters("Instrument"))
def test_instruments_are_found_as_by_plain_loops(whole, filter):
    check("Instrument", filter, whole)
