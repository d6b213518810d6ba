"""The second before and after an embargo's end: every public route agrees, with no job running, and nothing else moves it."""

import json
import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.changes import datasets_changed, investigation_changed
from catalogue.models import Dataset, Investigation
from catalogue.oaipmh.repository import identifier_of
from catalogue.services.withdrawals import withdraw_dataset, withdraw_investigation
from tests.access.test_canaries import everything_in
from tests.access.world import World, make_world

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def closed(world: World) -> Dataset:
    return world.datasets["closed"]


def search_names(path: str) -> Callable[[World], bool]:
    """Whether a list at `path`, filtered by a value that only readers may know of, holds the dataset."""

    def is_shown(world: World) -> bool:
        closed = world.datasets["closed"]
        return (
            str(closed.uid).encode()
            in get(path.format(format=quote(closed.format_label), sample=closed.sample.uid)).content
        )

    return is_shown


def get(path: str):
    return Client(raise_request_exception=False).get(path)


def page_shows(part: str) -> Callable[[World], bool]:
    def is_shown(world: World) -> bool:
        text = get(f"/datasets/{world.datasets['closed'].uid}").content
        return world.canaries[part].encode() in text

    return is_shown


def answers(path: str) -> Callable[[World], bool]:
    def is_shown(world: World) -> bool:
        closed = world.datasets["closed"]
        name = quote(closed.files.get().name)
        url = path.format(uid=closed.uid, investigation=closed.investigation.uid, sample=closed.sample.uid, name=name)
        return get(url).status_code == 200

    return is_shown


def api_shows_parameters(world: World) -> bool:
    record = get(f"/api/v1/datasets/{world.datasets['closed'].uid}").json()
    assert record["access"]["is_open"] == bool(record["parameters"])
    return bool(record["parameters"])


def json_ld_says_so(world: World) -> bool:
    return b'"conditionsOfAccess": "Open since' in get(f"/datasets/{world.datasets['closed'].uid}").content


def investigation_zip_has_files(world: World) -> bool:
    response = get(f"/investigations/{world.investigations['closed'].uid}/download.zip")
    content = world.canaries["content of the closed dataset"].encode()
    return response.status_code == 200 and content in everything_in(response)


def selection_downloads(world: World) -> bool:
    client = Client(raise_request_exception=False)
    client.post("/selection", {"action": "add", "dataset": str(world.datasets["closed"].uid)})
    checksum = world.canaries["checksum of the closed dataset"].encode()
    return checksum in b"".join(client.get("/selection/files.sha256"))


def home_lists_it(world: World) -> bool:
    return str(world.datasets["closed"].uid).encode() in get("/").content


def form_tells(suffix: str, *, of: str = "", text: str = "") -> Callable[[World], bool]:
    """Whether a form of the dataset says `text`, or names the canary `of`."""

    def is_shown(world: World) -> bool:
        response = get(f"/datasets/{world.datasets['closed'].uid}{suffix}")
        assert response.status_code in (200, 410)
        return (world.canaries[of] if of else text).encode() in everything_in(response)

    return is_shown


def lists_it(path: str) -> Callable[[World], bool]:
    """Whether what is sent from `path`, with all that it is continued by, names the dataset."""

    def is_shown(world: World) -> bool:
        closed, address = world.datasets["closed"], path
        while address:
            response = get(address)
            assert response.status_code in (200, 404), address
            text = re.sub(r'<header status="deleted">.*?</header>', "", everything_in(response).decode())
            if str(closed.uid) in text:
                return True
            token = re.search(r"<resumptionToken[^>]*>([^<]+)<", text)
            address = f"/oai?verb=ListIdentifiers&resumptionToken={quote(token[1])}" if token else ""
        return False

    return is_shown


def catalogued_as_open(path: str) -> Callable[[World], bool]:
    """Whether the catalogue at `path`, in as many pages as it has, calls the dataset public; withdrawn ones it does not name."""

    def is_shown(world: World) -> bool:
        node, address = f"{settings.SITE_URL}/datasets/{world.datasets['closed'].uid}", path
        while address:
            response = get(address)
            assert response.status_code == 200, address
            if told := catalogued(response.content.decode(), node):
                return "access-right/PUBLIC" in told
            following = re.search(r'<[^>]+(/catalog[^>]+)>; rel="next"', response.get("Link", ""))
            address = following[1] if following else ""
        return False

    return is_shown


def catalogued(page: str, node: str) -> str:
    """What a page of the catalogue says of a record, in Turtle or JSON-LD; empty where it is not there."""
    if page.startswith("{"):
        return next((json.dumps(one) for one in json.loads(page)["@graph"] if one["@id"] == node), "")
    return next((block for block in page.split("\n\n") if block.startswith(f"<{node}> ")), "")


def harvested_as_open(world: World) -> bool:
    """It is in the set of what is open where its metadata say so, and only there."""
    name = identifier_of(f"datasets/{world.datasets['closed'].uid}")
    text = everything_in(get(f"/oai?verb=GetRecord&metadataPrefix=oai_datacite&identifier={name}")).decode()
    assert "<header" in text
    is_in_set = "<setSpec>access:open</setSpec>" in text and 'status="deleted"' not in text
    assert is_in_set == ("access_right/c_abf2" in text), text
    return is_in_set


ROUTES: dict[str, Callable[[World], bool]] = {
    "page: parameters": page_shows("parameter text of the closed dataset"),
    "page: files": page_shows("file name of the closed dataset"),
    "page: sample": page_shows("sample name of the closed dataset"),
    "JSON-LD": json_ld_says_so,
    "API: record": api_shows_parameters,
    "API: files": answers("/api/v1/datasets/{uid}/files"),
    "API: sample": answers("/api/v1/samples/{sample}"),
    "API: filter by a hidden value": search_names("/api/v1/datasets?sample={sample}"),
    "API: what is open": search_names("/api/v1/datasets?access=open"),
    "search by a hidden value": search_names("/search?format={format}"),
    "search of what is open": search_names("/search?access=open"),
    "file": answers("/datasets/{uid}/files/{name}"),
    "zip of the dataset": answers("/datasets/{uid}/download.zip"),
    "zip of the investigation": investigation_zip_has_files,
    "checksums": answers("/datasets/{uid}/files.sha256"),
    "list for aria2": answers("/datasets/{uid}/files.aria2.txt"),
    "list for rclone": answers("/datasets/{uid}/files.rclone.txt"),
    "thumbnail": answers("/datasets/{uid}/thumbnail.webp"),
    "preview": answers("/datasets/{uid}/preview.webp"),
    "sample page": answers("/samples/{sample}"),
    "selection": selection_downloads,
    "home": home_lists_it,
    "OAI-PMH: record": harvested_as_open,
    "OAI-PMH: what is open": lists_it("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&set=access:open"),
    "sitemap": lists_it("/sitemap-datasets-1.xml"),
    "feed": lists_it("/feeds/new.atom"),
    "PaNOSC": lists_it("/panosc/api/Datasets"),
    "form JSON-LD": form_tells(".jsonld", text="Open since"),
    "form DataCite": form_tells(".datacite.xml", text="access_right/c_abf2"),
    "form Dublin Core": form_tells(".dc.xml", text="info:eu-repo/semantics/openAccess"),
    "form DCAT": form_tells(".ttl", of="file name of the closed dataset"),
    "catalogue in Turtle": catalogued_as_open("/catalog.ttl"),
    "catalogue in JSON-LD": catalogued_as_open("/catalog.jsonld"),
    "form RO-Crate": form_tells(".crate.json", of="file name of the closed dataset"),
}


def shown(world: World) -> dict[str, bool]:
    cache.clear()
    return {name: is_shown(world) for name, is_shown in ROUTES.items()}


def assert_opens_at(world: World, moment: datetime, but: Collection[str] = ()) -> None:
    for when, is_open in ((moment - SECOND, False), (moment, True), (moment + SECOND, True)):
        with time_machine.travel(when, tick=False):
            wrong = [name for name, one in shown(world).items() if one is not is_open and name not in but]
            assert not wrong, f"at {when}, {moment} being the end"


def test_everything_opens_in_the_second_in_which_the_embargo_ends(world, closed):
    assert_opens_at(world, closed.investigation.embargo_until)


def test_an_open_request_for_more_time_moves_that_second_everywhere(world, closed):
    held_until = closed.investigation.embargo_until + timedelta(days=30)
    Investigation.objects.filter(pk=closed.investigation_id).update(held_until=held_until)
    investigation_changed(closed.investigation)
    closed.refresh_from_db()
    with time_machine.travel(closed.investigation.embargo_until, tick=False):
        assert not any(shown(world).values())
    assert_opens_at(world, held_until)


def test_an_embargo_of_its_own_counts_in_place_of_that_of_the_investigation(world, closed):
    """But for the sample, which belongs to the investigation."""
    own = closed.investigation.embargo_until + timedelta(days=10)
    Dataset.objects.filter(pk=closed.pk).update(embargo_until=own)
    datasets_changed([closed])
    assert_opens_at(world, own, but=("API: sample", "sample page"))


def test_a_withdrawn_record_is_not_opened_by_the_clock(world, closed):
    whole = Investigation.objects.filter(pk=closed.investigation_id)
    whole.update(state="withdrawn", withdrawal_reason="By mistake.")
    investigation_changed(closed.investigation)
    with time_machine.travel(closed.investigation.embargo_until + SECOND, tick=False):
        assert not any(shown(world).values())
    assert timezone.now() < closed.investigation.embargo_until


@pytest.mark.parametrize("kind", ["dataset", "investigation"])
def test_what_was_open_is_gone_by_every_route_in_the_second_of_its_withdrawal(world, closed, kind):
    """Whatever was read and kept before. A sample belongs to the investigation and stays with it."""
    curator = principal_of(world.users["curator"])
    with time_machine.travel(closed.investigation.embargo_until + SECOND, tick=False):
        assert all(shown(world).values())
        if kind == "dataset":
            withdraw_dataset(actor=curator, dataset=closed, reason="A person is to be seen.")
        else:
            withdraw_investigation(actor=curator, investigation=closed.investigation, reason="A person is to be seen.")
        left = {name for name, is_shown in ROUTES.items() if is_shown(world)}
    assert left == ({"API: sample", "sample page"} if kind == "dataset" else set())
