"""Every address at which programs read the archive, walked to its end: lists page after page, records in every form."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from django.test import Client

from catalogue.interop.forms import FORMS
from catalogue.models import Collection, Dataset, Instrument, Investigation
from catalogue.oaipmh.formats import FORMATS
from catalogue.oaipmh.repository import identifier_of
from search.panosc.schema import MODELS
from tests.access import dois
from tests.access.world import World

ROOT = "http://testserver"
MOST_PAGES = 50
_TOKEN = re.compile(r"<resumptionToken[^>]*>([^<]+)</resumptionToken>")
_SET = re.compile(r"<setSpec>([^<]+)</setSpec>")
_NEXT = re.compile(r'(?:hydra:next|ldp:nextPage|rel="next")[^<"]*[<"]([^>"]+)[>"]|<([^>]+)>; rel="?next')
_LOCATION = re.compile(r"<loc>([^<]+)</loc>")
# What leads from each model to others; two steps are the deepest that an include goes.
LISTED = ("Datasets", "Documents", "Instruments")


def local(address: str) -> str:
    """An absolute address of this site as its own client asks for it."""
    return re.sub(r"^https?://[^/]+", "", address.replace("&amp;", "&"))


def text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode("utf-8", "replace")


def oai_lists(client: Client) -> Iterator[tuple[str, str]]:
    """Everything in every format, every set in one of them, and the sets themselves."""
    sets = [""]
    for url, text in oai_pages(client, "verb=ListSets"):
        sets += _SET.findall(text)
        yield url, text
    for name in FORMATS:
        yield from oai_pages(client, f"verb=ListRecords&metadataPrefix={name}")
    for spec in dict.fromkeys(sets):
        chosen = f"&set={quote(spec, safe='')}" if spec else ""
        yield from oai_pages(client, f"verb=ListIdentifiers&metadataPrefix=oai_dc{chosen}")
    yield "/oai?verb=Identify", text_of(client.get("/oai?verb=Identify"))


def oai_pages(client: Client, arguments: str) -> Iterator[tuple[str, str]]:
    url = f"/oai?{arguments}"
    for _ in range(MOST_PAGES):
        text = text_of(client.get(url))
        yield url, text
        token = _TOKEN.search(text)
        if not token:
            return
        url = (
            f"/oai?verb={arguments.partition('&')[0].removeprefix('verb=')}&resumptionToken={quote(token[1], safe='')}"
        )
    raise AssertionError(f"{arguments} does not end")


def oai_records(client: Client) -> Iterator[tuple[str, str]]:
    """Each record by its identifier, be it open or not, in every format."""
    kinds = {"datasets": Dataset, "investigations": Investigation, "collections": Collection}
    for folder, model in kinds.items():
        for uid in model._default_manager.values_list("uid", flat=True):
            for name in FORMATS:
                asked = {"verb": "GetRecord", "metadataPrefix": name, "identifier": identifier_of(f"{folder}/{uid}")}
                url = f"/oai?{urlencode(asked)}"
                yield url, text_of(client.get(url))


def records_in_forms(client: Client, world: World) -> Iterator[tuple[str, Any]]:
    """Pages of records, each form by its address and by Accept, landing pages and archives."""
    folders = [f"/datasets/{one.uid}" for one in world.datasets.values()]
    folders += [f"/investigations/{one.uid}" for one in world.investigations.values()]
    names = [*(dois.doi_of_session(state) for state in world.investigations), dois.PUBLISHED, dois.RESERVED]
    for page, start in [*((one, one) for one in folders), *((f"/doi/{doi}", f"/cite/{doi}") for doi in names)]:
        yield page, client.get(page)
        for form in FORMS.values():
            yield f"{start}.{form.suffix}", client.get(f"{start}.{form.suffix}")
        for media_type in ("application/ld+json", "text/turtle", "application/vnd.citationstyles.csl+json"):
            yield f"{page} as {media_type}", client.get(page, headers={"Accept": media_type})
    collections = [f"/collections/{one.uid}" for one in (world.published, world.collection)]
    for folder in (*folders, *collections):
        for bag in ("", "?form=bagit"):
            yield f"{folder}/download.zip{bag}", client.get(f"{folder}/download.zip{bag}")
    for uid in Instrument.objects.values_list("uid", flat=True):
        for suffix in ("", ".pidinst.json", ".pidinst.xml"):
            yield f"/instruments/{uid}{suffix}", client.get(f"/instruments/{uid}{suffix}")


def site_lists(client: Client) -> Iterator[tuple[str, str]]:
    """Catalogue, sitemap, feeds, and what tells crawlers of the site."""
    for url in ("/catalog.ttl", "/catalog.jsonld"):
        yield from _following_next(client, url)
    for url in ("/feeds/new.atom", "/search.atom", "/robots.txt", "/llms.txt", "/.well-known/api-catalog", "/"):
        yield url, text_of(client.get(url))
    index = text_of(client.get("/sitemap.xml"))
    yield "/sitemap.xml", index
    for address in _LOCATION.findall(index):
        yield local(address), text_of(client.get(local(address)))


def _following_next(client: Client, url: str) -> Iterator[tuple[str, str]]:
    seen = set()
    while url and url not in seen and len(seen) < MOST_PAGES:
        seen.add(url)
        response = client.get(url)
        text = text_of(response)
        yield url, text
        match = _NEXT.search(response.get("Link", "")) or _NEXT.search(text)
        url = local(match[1] or match[2]) if match else ""


def panosc(client: Client, path: str, **arguments: Any) -> Any:
    sent = {name: value if isinstance(value, str) else json.dumps(value) for name, value in arguments.items()}
    return client.get(f"/panosc/api/{path}", sent)


def panosc_lists(client: Client) -> Iterator[tuple[str, str]]:
    """Each list with everything that it can include, two steps deep."""
    for name in LISTED:
        relations = MODELS[name.removesuffix("s")].relations
        include = [{"relation": one, "scope": {"include": list(MODELS[to].relations)}} for one, to in relations.items()]
        yield name, text_of(panosc(client, name, filter={"include": include, "limit": 0}))


def panosc_oracles(word: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Questions whether `word` stands in any text property of any model that a list leads to in two steps."""
    for name in LISTED:
        model = name.removesuffix("s")
        yield name, {"query": word}
        yield name, {"where": {"text": word}}
        for condition in _conditions(model, word):
            yield name, {"where": condition}
        for relation, target in MODELS[model].relations.items():
            for condition in _conditions(target, word):
                yield name, {"include": [{"relation": relation, "scope": {"where": condition}}]}
            for further, last in MODELS[target].relations.items():
                for condition in _conditions(last, word):
                    inner = {"relation": further, "scope": {"where": condition}}
                    yield name, {"include": [{"relation": relation, "scope": {"include": [inner]}}]}


def _conditions(model: str, word: str) -> Iterator[dict[str, Any]]:
    for name, holds in MODELS[model].properties.items():
        if "text" in holds.value:
            yield {name: {"ilike": f"%{word}%"}}
            yield {name: {"regexp": f"/{word}/i"}}
