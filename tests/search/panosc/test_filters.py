"""What the PaNOSC search API takes, and the sentences with which it refuses the rest, in bounded time."""

import time
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client

from tests.search.panosc.asking import ask, listed, titles
from tests.search.panosc.world import make_archive

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

DEEP = {"title": "x"}
for _ in range(50):
    DEEP = {"and": [DEEP]}
ENDLESS = "x"
for _ in range(20):
    ENDLESS = [
        {"relation": "datasets", "scope": {"include": [{"relation": "documents", "scope": {"include": ENDLESS}}]}}
    ]
TEN_THOUSAND = ["x"] * 10_000


@pytest.fixture(autouse=True)
def archive(tmp_path):
    return make_archive(tmp_path)


REFUSED = {
    "no JSON": ("Datasets", "{", "not an object"),
    "a list": ("Datasets", "[]", "not an object"),
    "a text": ("Datasets", '"x"', "not an object"),
    "not a number": ("Datasets", '{"limit": NaN}', "not an object"),
    "brackets without end": ("Datasets", "[" * 50_000, "not an object"),
    "an unknown key": ("Datasets", {"wheer": {}}, "wheer"),
    "an unknown property": ("Datasets", {"where": {"titel": "x"}}, "titel"),
    "a property of another model": ("Instruments", {"where": {"title": "x"}}, "title"),
    "an unknown operator": ("Datasets", {"where": {"title": {"contains": "x"}}}, "contains"),
    "an operator that does not suit": ("Datasets", {"where": {"size": {"like": "1"}}}, "like"),
    "no operator": ("Datasets", {"where": {"title": {}}}, "operator"),
    "an unknown relation": ("Datasets", {"include": ["owners"]}, "owners"),
    "an include without a relation": ("Datasets", {"include": [{"scope": {}}]}, "include"),
    "an empty include": ("Datasets", {"include": ""}, "relation"),
    "a where that is a list": ("Datasets", {"where": []}, "object"),
    "an and that is no list": ("Datasets", {"where": {"and": {"title": "x"}}}, "list"),
    "an unknown property within": (
        "Datasets",
        {"include": [{"relation": "files", "scope": {"where": {"nam": 1}}}]},
        "nam",
    ),
    "a negative limit": ("Datasets", {"limit": -1}, "The limit parameter -1 is not valid"),
    "a negative skip": ("Datasets", {"skip": -100}, "The skip parameter -100 is not valid"),
    "a limit that is no number": ("Datasets", {"limit": "ten"}, "limit"),
    "a broken limit": ("Datasets", {"limit": 1.5}, "limit"),
    "a date that is none": ("Datasets", {"where": {"creationDate": {"gt": "yesterday"}}}, "date"),
    "a number that is none": ("Datasets", {"where": {"size": {"gt": "big"}}}, "number"),
    "a number beyond all": ("Datasets", {"where": {"size": 10**400}}, "number"),
    "half of between": ("Datasets", {"where": {"size": {"between": [1]}}}, "two"),
    "between mixed": (
        "Datasets",
        {"include": [{"relation": "parameters", "scope": {"where": {"value": {"between": [1, "b"]}}}}]},
        "two",
    ),
    "null compared": ("Datasets", {"where": {"title": {"gt": None}}}, "null"),
    "text where there is none": (
        "Datasets",
        {"include": [{"relation": "parameters", "scope": {"where": {"text": "x"}}}]},
        "text",
    ),
    "absurd depth": ("Datasets", {"where": DEEP}, "deep"),
    "absurd includes": ("Documents", {"include": ENDLESS}, "deep"),
    "ten thousand ids": ("Datasets", {"where": {"pid": {"inq": TEN_THOUSAND}}}, "1000"),
    "a thousand conditions": (
        "Datasets",
        {"where": {"or": [{"title": str(one)} for one in range(1000)]}},
        "conditions",
    ),
    "a hundred includes": ("Datasets", {"include": ["files"] * 100}, "includes"),
    "a catastrophic expression": ("Datasets", {"where": {"title": {"regexp": "(a+)+$"}}}, "repeat"),
    "another": ("Datasets", {"where": {"title": {"regexp": "(a|aa)*b"}}}, "repeat"),
    "a slow one": ("Datasets", {"where": {"title": {"regexp": "^[a-z]*[a-z]*[a-z]*[a-z]*!"}}}, "repeat"),
    "a backreference": ("Datasets", {"where": {"title": {"regexp": r"(.)\1"}}}, "backreferences"),
    "an assertion": ("Datasets", {"where": {"title": {"regexp": "(?=a)"}}}, "Assertions"),
    "an endless expression": ("Datasets", {"where": {"title": {"regexp": "a" * 1000}}}, "200 characters"),
    "a huge count": ("Datasets", {"where": {"title": {"regexp": "a{9999}"}}}, "20"),
    "many wildcards": ("Datasets", {"where": {"title": {"like": "%a" * 50}}}, "wildcards"),
    "a NUL": ("Datasets", {"where": {"title": "a\x00b"}}, "character"),
    "half a character": ("Datasets", {"where": {"title": "\ud800"}}, "character"),
    "an order by nothing": ("Datasets", {"order": "colour"}, "order"),
    "an order upwards": ("Datasets", {"order": "title UP"}, "order"),
    "fields of nothing": ("Datasets", {"fields": ["colour"]}, "colour"),
}


@pytest.mark.parametrize("route, filter, told", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_with_a_sentence_and_at_once(route, filter, told):
    started = time.process_time()
    status, answer = ask(route, filter=filter)
    assert time.process_time() - started < 1
    assert status == 400, answer
    assert set(answer) == {"error"}
    assert answer["error"]["statusCode"] == 400
    assert told in answer["error"]["message"]


@pytest.mark.parametrize("filter", ["", "{}", "null"])
def test_an_empty_filter_is_none(filter):
    assert len(listed("Datasets", filter=filter)) == 8


def test_a_count_refuses_as_a_list_does():
    for where in ("[]", '{"titel": "x"}', '{"title": {"regexp": "(a+)+"}}'):
        assert ask("Datasets/count", where=where)[0] == 400


BRACKETS = {
    "filter[where][name]=LoKI": ["LoKI"],
    "filter[where][name][like]=o": ["LoKI"],
    "filter[where][name][inq]=LoKI&filter[where][name][inq]=DREAM": ["LoKI", "DREAM"],
    "filter[where][name][inq][]=DREAM": ["DREAM"],
    "filter[where][or][0][name]=LoKI&filter[where][or][1][name]=DREAM": ["LoKI", "DREAM"],
    "filter[limit]=1": ["LoKI"],
    "filter[skip]=1": ["DREAM"],
    "filter[offset]=1": ["DREAM"],
    "filter[order]=name%20ASC": ["DREAM", "LoKI"],
    "filter[order][0]=facility&filter[order][1]=name DESC": ["LoKI", "DREAM"],
    "filter[include][0][relation]=datasets&filter[include][0][scope][where][title]=scan 100%25 Ni": ["LoKI", "DREAM"],
}


@pytest.mark.parametrize("query, expected", BRACKETS.items(), ids=BRACKETS)
def test_brackets_say_the_same_as_json(query, expected):
    assert [one["name"] for one in Client().get(f"/panosc/api/Instruments?{query}").json()] == expected


def test_brackets_know_numbers_where_parameters_are_asked_for():
    scope = "filter[include][0][scope][where]"
    query = f"filter[include][0][relation]=parameters&{scope}[name]=temperature&{scope}[value][lt]=5&{scope}[unit]=K"
    assert [one["title"] for one in Client().get(f"/panosc/api/Datasets?{query}").json()] == ["Scan of steel"]


@pytest.mark.parametrize(
    "query", ["filter[where]=x", "filter[where][a]=1&filter[where][a][b]=2", "filter[" * 30, "filter[x]y=1"]
)
def test_broken_brackets_are_refused(query):
    assert Client().get(f"/panosc/api/Datasets?{quote(query, safe='=&')}").status_code == 400


def test_several_operators_under_one_key_all_hold():
    assert titles("Instruments", filter={"where": {"name": {"gt": "D", "lt": "F"}}}) == ["DREAM"]


def test_text_is_looked_for_as_a_whole_anywhere_in_a_where():
    assert titles("Instruments", filter={"where": {"text": "loki"}}) == ["LoKI"]
    assert titles("Instruments", filter={"where": {"text": "loki ess"}}) == []
    assert titles("Instruments", filter={"where": {"or": [{"text": "lok"}, {"and": [{"text": "rea"}]}]}}) == [
        "LoKI",
        "DREAM",
    ]
    assert ask("Instruments/count", where={"text": "ess"}) == (200, {"count": 2})


def test_wildcards_and_letters_of_other_alphabets_are_what_they_are():
    assert titles("Datasets", filter={"where": {"title": {"ilike": "ångSTRÖM"}}}) == ["Ångström_run"] * 2
    assert titles("Datasets", filter={"where": {"title": {"like": "100\\%"}}}) == ["scan 100% Ni"] * 2
    assert titles("Datasets", filter={"where": {"title": {"like": "S%l"}}}) == ["Scan of steel"] * 2
    assert titles("Datasets", filter={"where": {"title": {"like": "[m"}}}) == ["[map] LoKI"] * 2
    assert titles("Datasets", filter={"where": {"title": {"like": "s_an"}}}) == ["scan 100% Ni"] * 2


def test_the_limit_counts_after_the_join():
    scope = {"relation": "datasets", "scope": {"where": {"size": {"gt": 0}, "title": "Scan of steel"}}}
    assert titles("Instruments", filter={"include": [scope], "limit": 1}) == ["DREAM"]
    assert titles("Instruments", filter={"include": [scope], "limit": 1, "skip": 1}) == []


def test_the_same_relation_twice_asks_for_both_and_shows_both():
    scopes = [
        {"relation": "parameters", "scope": {"where": {"name": name}}} for name in ("photon_energy", "temperature")
    ]
    found = listed("Datasets", filter={"include": scopes, "limit": 1})
    assert [one["name"] for one in found[0]["parameters"]] == ["temperature", "photon_energy"]


def test_related_things_are_ordered_and_limited_by_their_scope():
    scope = {"relation": "parameters", "scope": {"order": "name DESC", "limit": 2, "fields": ["name"]}}
    found = listed("Datasets", filter={"include": [scope], "limit": 1, "skip": 1})
    assert found[0]["parameters"] == [{"name": "temperature"}, {"name": "strange"}]


def test_orders_go_by_code_point_and_what_is_absent_comes_last():
    assert titles("Documents", filter={"order": ["endDate DESC"]}) == [
        "Nickel at 4 K",
        "Copper under load",
        "A publication",
    ]
    assert titles("Documents", filter={"order": "endDate ASC"})[-1] == "A publication"
    assert (
        titles("Datasets", filter={"order": "title", "limit": 4, "skip": 2})
        == ["[map] LoKI"] * 2 + ["scan 100% Ni"] * 2
    )


@pytest.mark.parametrize("first", range(5))
def test_documents_of_both_kinds_are_one_list_to_page_through(first):
    everything = titles("Documents")
    assert len(everything) == 3
    assert titles("Documents", filter={"skip": first, "limit": 2}) == everything[first : first + 2]
    ordered = titles("Documents", filter={"order": "title"})
    assert titles("Documents", filter={"order": "title", "skip": first, "limit": 2}) == ordered[first : first + 2]


def test_no_more_is_given_than_the_site_gives_at_once(settings):
    settings.PANOSC_LIMIT, settings.PANOSC_MOST = 2, 3
    assert [
        len(listed("Datasets", filter={} if limit is None else {"limit": limit})) for limit in (None, 1, 0, 99)
    ] == [2, 1, 3, 3]


def test_fields_choose_what_is_shown_and_the_score_stays():
    assert listed("Instruments", filter={"fields": ["name"], "limit": 1}) == [{"name": "LoKI", "score": 0}]
    hidden = listed("Instruments", filter={"fields": {"pid": False, "facility": False}, "limit": 1})
    assert hidden == [{"name": "LoKI", "score": 0}]


def test_names_of_routes_are_found_in_any_case():
    for path in ("datasets", "DATASETS", "Datasets/", "dataSETS/Count"):
        cache.clear()
        assert Client().get(f"/panosc/api/{path}").status_code == 200
    assert Client().get("/panosc/API/instruments").status_code == 200


@pytest.mark.parametrize("where", [{"doi": None}, {"doi": {"eq": None}}])
def test_what_is_absent_can_be_asked_for(where):
    assert titles("Documents", filter={"where": where}) == ["Nickel at 4 K"]
    assert titles("Documents", filter={"where": {"doi": {"neq": None}}}) == ["Copper under load", "A publication"]


def test_json_with_a_number_too_long_to_read_is_refused():
    assert ask("Datasets", filter='{"limit": ' + "9" * 5000 + "}")[0] == 400
