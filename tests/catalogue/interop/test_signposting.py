"""Signposting over a live server, as the package `signposting` reads it: headers of pages, and linksets in JSON and text."""

import json
import urllib.request
import warnings
from dataclasses import replace

import pytest
from signposting import find_signposting_http, find_signposting_linkset
from signposting.linkheader import find_signposting_http_link

from catalogue.interop.forms import FORMS, page_links
from catalogue.interop.signposting import MOST_HEADER_BYTES, link_header, linkset_json, linkset_text
from catalogue.models import Dataset, Person
from catalogue.publication import Creator, PublicationText
from tests.access.world import make_world
from tests.described import a_file, a_member, closed_dataset, collection_record, dataset_record, describe

DESCRIBED_BY = {form.media_type for form in FORMS.values() if not form.is_linkset and form.suits is None}
ORCID = "0000-0002-1825-0097"


@pytest.fixture
def world(tmp_path, transactional_db, live_server, settings):
    settings.SITE_URL = live_server.url
    world = make_world(tmp_path)
    Person.objects.filter(user=world.users["pi"]).update(orcid=ORCID)
    return world


def targets(found) -> list[str]:
    return [str(one.target) for one in found]


def test_the_page_of_an_open_dataset_leads_to_everything(world, live_server):
    dataset = world.datasets["open"]
    page = f"{live_server.url}/datasets/{dataset.uid}"
    found = find_signposting_http(page)
    assert str(found.citeAs.target) == page
    assert set(targets(found.types)) == {"https://schema.org/AboutPage", "https://schema.org/Dataset"}
    assert targets(found.authors) == [f"https://orcid.org/{ORCID}"]
    assert str(found.license.target).startswith("https://spdx.org/licenses/CC-BY-4.0")
    assert [str(found.collection.target)] == [f"{live_server.url}/investigations/{dataset.investigation.uid}"]
    assert f"{page}/download.zip" in targets(found.items)
    assert {str(one.type) for one in found.describedBy} == DESCRIBED_BY
    assert {str(one.type) for one in found.linksets} == {"application/linkset+json", "application/linkset"}
    for one in found.describedBy:
        answer = urllib.request.urlopen(str(one.target))
        assert answer.headers["Content-Type"].partition(";")[0] == str(one.type)
        back = find_signposting_http_link([answer.headers["Link"]], str(one.target))
        assert targets(back.signposts) == [page]
        assert all(f'<{profile}>; rel="profile"' in answer.headers["Link"] for profile in one.profiles)


@pytest.mark.parametrize("suffix", ["linkset.json", "linkset"])
def test_a_linkset_has_all_links_of_the_page_and_the_ways_back(suffix, world, live_server):
    dataset = world.datasets["open"]
    page = f"{live_server.url}/datasets/{dataset.uid}"
    of_page, of_linkset = find_signposting_http(page), find_signposting_linkset(f"{page}.{suffix}")
    links = of_linkset.for_context(page)
    for relation in ("cite-as", "type", "license", "author", "describedby", "item", "collection"):
        assert {str(one.target) for one in of_page.signposts if one.rel == relation} <= {
            str(one.target) for one in links.signposts if one.rel == relation
        }, relation
    archive = of_linkset.for_context(f"{page}/download.zip")
    assert str(archive.collection.target) == page
    assert {one.profiles for one in links.describedBy} == {one.profiles for one in of_page.describedBy}


def test_landing_pages_and_investigations_have_their_signposts(world, live_server):
    for path, doi in (
        (f"/doi/{world.published.doi}", world.published.doi),
        ("/doi/10.5072/session-closed", "10.5072/session-closed"),
        (f"/investigations/{world.investigations['open'].uid}", "10.5072/session-open"),
    ):
        found = find_signposting_http(live_server.url + path)
        assert str(found.citeAs.target) == f"https://doi.org/{doi}"
        assert {str(one.type) for one in found.describedBy} == DESCRIBED_BY
        assert found.linksets and found.license and len(found.types) == 2


def test_a_closed_dataset_names_no_file_and_a_withdrawn_one_has_no_signposts(world, live_server):
    closed = find_signposting_http(f"{live_server.url}/datasets/{world.datasets['closed'].uid}")
    assert not closed.items and closed.describedBy
    linkset = urllib.request.urlopen(f"{live_server.url}/datasets/{world.datasets['closed'].uid}.linkset.json").read()
    assert not [word for word in world.canaries.values() if word in linkset.decode()]
    Dataset.objects.filter(pk=world.datasets["open"].pk).update(state="withdrawn", withdrawal_reason="Wrong.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        withdrawn = find_signposting_http(f"{live_server.url}/datasets/{world.datasets['open'].uid}")
    assert not withdrawn.signposts


def test_the_header_stays_short_and_the_linkset_has_what_it_leaves_out():
    files = tuple(a_file(f"a folder/frame {number:05}.tif") for number in range(1000))
    description = describe(dataset_record(file_count=100_000), files=files)
    links = page_links(description)
    header = link_header(links)
    assert len(header.encode()) <= MOST_HEADER_BYTES
    assert 'rel="cite-as"' in header and header.count('rel="linkset"') == 2
    assert header.count('rel="describedby"') == len([one for one in links if one.relation == "describedby"])
    page = next(one for one in linkset_json(links, page=description.url)["linkset"] if one["anchor"] == description.url)
    assert len(page["item"]) == 1000  # no archive holds 100,000 files
    assert len(linkset_text(links, page=description.url).splitlines()) == len(links) + 1000 + header.count(
        "describedby"
    )


def test_ten_thousand_authors_and_a_thousand_members_fit():
    authors = tuple(Creator(family_name=str(number), orcid=ORCID) for number in range(10_000))
    text = PublicationText(title="Many", creators=authors)
    members = tuple(a_member(place) for place in range(1000))
    links = page_links(describe(collection_record(text=text), members=members))
    assert len(link_header(links).encode()) <= MOST_HEADER_BYTES
    assert len(json.dumps(linkset_json(links, page="https://faircat.example/doi/x"))) < 600_000


def test_nothing_that_people_write_ends_a_link_or_the_header():
    text = 'x"\r\nSet-Cookie: a=b, <https://evil.example>; rel="item'
    file = replace(a_file(text), media_type=text)
    description = describe(dataset_record(file_count=1), files=(file,))
    for written in (link_header(page_links(description)), linkset_text(page_links(description), page=description.url)):
        assert "evil.example>" not in written and "\r" not in written
        found = find_signposting_http_link([written.replace("\n", " ")], description.url)
        assert all(one.target.startswith("https://") for one in found.signposts)


def test_a_summary_of_closed_data_leads_to_no_file():
    links = page_links(describe(closed_dataset(), files=(a_file("secret.tif"),)))
    assert not [link for link in links if link.relation == "item"]
