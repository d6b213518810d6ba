"""The page of results: what it shows of an answer, to whom, at which price."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.access import ANONYMOUS, Principal
from catalogue.models import Dataset
from search.models import IndexBuild
from search.question.query_reading import parse_query
from search.results.pages import page_of
from tests.search.conftest import SECRET, make_number

MOST_QUERIES = 3


def page(client, **parameters) -> str:
    response = client.get("/search", parameters)
    assert response.status_code == 200
    return response.content.decode()


def titles(html: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", title) for title in re.findall(r"<h3><a [^>]*>(.*?)</a></h3>", html)]


def count_of(html: str, facet: str, value: str) -> int | None:
    """The number beside a choice."""
    match = re.search(
        rf'name="{facet}" value="{re.escape(value)}"[^>]*>\s*<span>[^<]*</span>(?:<span class="num">([^<]*))?', html
    )
    return int(match[1]) if match and match[1] else None


def test_found_words_are_marked_and_everything_else_is_escaped(client, laboratory):
    html = page(client, q="nanowire")
    assert sorted(titles(html)) == ["Nanowire forest", "Nanowires, overview"]
    assert "<mark>Nanowires</mark>, overview" in html
    assert "<mark>Nanowires</mark> &amp; &lt;wires&gt; on silicon" in html


def test_a_facet_counts_as_if_its_own_choice_were_off(client, laboratory):
    html = page(client, kind="raw", q="nanowire OR platinum")
    assert (count_of(html, "kind", "raw"), count_of(html, "kind", "processed")) == (2, 1)
    assert count_of(html, "instrument", "fem") == 2


def test_images_are_chosen_by_bins_of_their_scale_in_the_order_of_sizes(client, laboratory, build_index):
    for dataset, size in ((laboratory.wires, "8e-8"), (laboratory.forest, "3e-8"), (laboratory.catalyst, "2e-9")):
        dataset.parameters.filter(name="pixel_size_x").delete()
        make_number(dataset, "pixel_size_x", size, "m", float(size), "m")
    build_index()

    html = page(client, scale="1..10nm")

    assert titles(html) == ["Platinum catalyst"]
    assert (count_of(html, "scale", "1..10nm"), count_of(html, "scale", "10..100nm")) == (1, 2)
    assert html.index("1 to 10 nm a pixel</span>") < html.index("10 to 100 nm a pixel</span>")
    assert sorted(titles(page(client, q="scale:10..100nm"))) == ["Nanowire forest", "Nanowires, overview"]


def test_a_broader_technique_finds_the_narrower_ones(client, laboratory):
    html = page(client, technique=laboratory.technique.iri)
    assert titles(html) == ["Platinum catalyst"]
    assert ">spectroscopy</span>" in html


def test_what_a_model_says_of_an_image_stands_beside_the_hit(client, laboratory):
    assert "Nanowires 97 %" in page(client, q="overview")


def test_a_form_is_put_into_the_one_address_of_its_question(client, laboratory):
    sent = {
        "q": "",
        "p.accelerating_voltage.from": "4",
        "p.accelerating_voltage.to": "6",
        "p.accelerating_voltage.unit": "kV",
    }
    response = client.get("/search", sent)
    assert response.status_code == 302
    assert response.url == "/search?p.accelerating_voltage=4..6+kV"
    assert titles(page(client, **{"p.accelerating_voltage": "4..6 kV"})) == ["Nanowires, overview"]


def test_another_unit_keeps_what_the_numbers_mean(client, laboratory):
    name = "p.accelerating_voltage"
    sent = {f"{name}.from": "4", f"{name}.to": "6", f"{name}.unit": "V", f"{name}.was": "4..6 kV"}
    assert client.get("/search", sent).url == "/search?p.accelerating_voltage=4000..6000+V"
    changed = sent | {f"{name}.from": "5500", f"{name}.to": "6000"}
    assert client.get("/search", changed).url == "/search?p.accelerating_voltage=5500..6000+V"


def test_a_histogram_is_drawn_with_its_numbers_in_the_chosen_unit(client, laboratory):
    html = page(client, histogram="accelerating_voltage|V")
    chart = re.search(r'<svg [^>]*aria-label="(Accelerating voltage[^"]*)"', html)
    assert chart and "5000" in chart[1] and "10000 V" in chart[1]
    assert '<option value="V" selected>' in html
    assert "77000" not in html


def test_the_periodic_table_offers_what_samples_hold(client, laboratory):
    html = page(client)
    assert re.search(r'<input[^>]*id="cell-Zn"', html)
    assert not re.search(r'<input[^>]*id="cell-U"', html)


def test_values_are_found_by_typing_without_a_script(client, laboratory):
    html = page(client, **{"find.person": "nov"})
    assert 'name="person" value="Ana Novak"' in html
    assert "Nothing with “nobody”" in page(client, **{"find.person": "nobody"})


def test_people_are_counted_when_somebody_asks_for_them(client, laboratory):
    assert "Ana Novak" not in page(client).split('id="facet-person"')[1].split("</details>")[0]
    asked = page(client, **{"find.person": "*"}).split('id="facet-person"')[1]
    assert 'name="person" value="Ana Novak">' in asked and 'id="find-person" name="find.person" value=""' in asked
    sent = {"q": "", "find.person": ["", "*"]}
    assert client.get("/search", sent).url == "/search?find.person=%2A"
    chosen = page(client, person="Ana Novak")
    assert 'name="person" value="Ana Novak" checked' in chosen


@pytest.mark.parametrize("text", ["*", "nov"])
def test_people_are_not_listed_for_who_is_not_to_know_them(laboratory, text):
    anonymous = Principal(share_link_ids=(1,), hides_people=True)
    for principal, names in ((ANONYMOUS, ["Ana Novak"]), (anonymous, [])):
        query = parse_query({}, principal).query
        shown = page_of(query, {"person": text}, now=timezone.now()).facets["person"].values
        assert [value.value for value in shown if value.value == "Ana Novak"] == names
    assert "person" not in page_of(query, {}, now=timezone.now()).facets


def test_a_parameter_is_found_by_its_name(client, laboratory):
    html = page(client, **{"find.parameter": "volt"})
    assert 'href="/search?histogram=accelerating_voltage"' in html


def test_nothing_found_names_the_filter_to_drop_and_words_that_were_meant(client, laboratory):
    html = page(client, q="nanowyre", kind="raw")
    assert "0 datasets" in html
    assert re.search(r"Did you mean <a[^>]*>nanowire</a> <span class=\"soft\">\(2\)", html)
    assert "without <b>Words: nanowyre</b> there are 3" in html


def test_each_chip_leads_to_the_question_without_it(client, laboratory):
    html = page(client, q="nanowire", **{"p.accelerating_voltage": "..6 kV"})
    assert 'href="/search?p.accelerating_voltage=..6+kV"' in html
    assert "up to 6 kV" in html


def test_others_like_a_dataset_are_found_without_itself(client, laboratory):
    html = page(client, like=str(laboratory.wires.uid))
    assert titles(html)[0] == "Nanowire forest"
    assert "More like this" in html


def test_like_a_dataset_that_is_not_there_finds_nothing(client, laboratory):
    assert titles(page(client, like="00000000-0000-7000-8000-000000000000")) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": SECRET},
        {"q": f"{SECRET[:6]}*"},
        {"sample": f"{SECRET} 4"},
        {"category": SECRET},
        {"format": SECRET},
        {"element": "U"},
        {"p.accelerating_voltage": "70..80 kV"},
    ],
    ids=str,
)
def test_what_is_closed_is_neither_found_nor_counted_for_strangers(client, laboratory, parameters):
    assert "0 datasets" in page(client, **parameters)


@pytest.mark.parametrize("facet", ["sample", "format", "category"])
def test_values_of_what_is_closed_are_offered_to_its_readers_only(signed_in, client, laboratory, facet):
    looked_for = {f"find.{facet}": SECRET[:5]}
    assert SECRET in page(signed_in, **looked_for)
    client.logout()
    assert SECRET not in page(client, **looked_for)


def test_the_team_finds_what_is_closed_by_its_content_and_counts_it(signed_in, laboratory):
    assert titles(page(signed_in, q=SECRET)) == ["Slice 1"]
    assert count_of(page(signed_in), "instrument", "fem") == 3


def test_a_closed_dataset_is_found_by_what_its_summary_says(client, laboratory):
    html = page(client, q="slice")
    assert titles(html) == ["Slice 1"]
    assert SECRET not in html and "not open yet" in html


def test_an_index_that_lags_behind_shows_records_as_they_are_now(client, laboratory):
    wires = Dataset.objects.filter(pk=laboratory.wires.pk)
    wires.update(embargo_until=timezone.now() + timedelta(days=90))
    html = page(client, q="overview")
    assert titles(html) == ["Nanowires, overview"]
    assert "Nanowires 97 %" not in html and "not open yet" in html
    wires.update(state="withdrawn", withdrawal_reason="Wrong")
    assert titles(page(client, q="overview")) == []


def test_a_page_costs_a_visitor_three_queries_however_many_hits_it_has(client, laboratory):
    page(client)
    for parameters in (
        {},
        {"q": "nanowire", "technique": laboratory.technique.iri},
        {"histogram": "accelerating_voltage"},
    ):
        with CaptureQueriesContext(connection) as queries:
            page(client, **parameters)
        assert len(queries) <= MOST_QUERIES, [query["sql"][:80] for query in queries]


def test_while_there_is_no_index_the_database_answers_and_the_page_says_so(client, db, build_index):
    IndexBuild.objects.create(name="first", started_at=timezone.now(), written=20, expected=80)
    html = page(client, q="wires", element="Zn")
    assert "The search index is being built (25 % done)." in html
    assert "Left out, because a plain list cannot tell: Element: Zn." in html


def test_the_answer_to_a_swap_says_the_address_that_the_browser_is_to_show(client, laboratory):
    response = client.get("/search", {"q": "", "kind": "raw"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert response["HX-Push-Url"] == "/search?kind=raw"


def test_an_embargo_that_ends_opens_what_is_found_in_that_second_without_indexing(client, laboratory):
    ends_at = laboratory.hidden.investigation.embargo_until
    for moment, expected in ((ends_at - timedelta(seconds=1), []), (ends_at, ["Slice 1"])):
        with time_machine.travel(moment, tick=False):
            cache.clear()
            html = page(client, q=SECRET)
            assert titles(html) == expected
            assert (f"{SECRET} 4" in page(client, **{"find.sample": SECRET[:4]})) is bool(expected)


def test_words_bring_their_own_order_unless_another_was_chosen(client, laboratory):
    assert '<option value="" selected>newest</option>' in page(client)
    html = page(client, q="nanowire", sort="title")
    assert '<option value="">relevance</option>' in html
    assert '<option value="title" selected>title</option>' in html
