"""The stand-in for DataCite keeps to the contract of the real one, sentence by sentence."""

import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings

from doi.standin.faults import Fault
from tests.doi.metadata import LANDING_PAGE, complete
from tests.servers import DataCiteServer, datacite_server
from tests.services import free_port

DOI = "10.5072/abc"
NOT_FOUND = [{"status": "404", "title": "The resource you are looking for doesn't exist."}]
FORBIDDEN = [{"status": "403", "title": "You are not authorized to access this resource."}]
BAD_CREDENTIALS = [{"status": "401", "title": "Bad credentials."}]


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def attributes(self) -> dict[str, Any]:
        return self.json["data"]["attributes"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return self.json["errors"]

    @property
    def messages(self) -> dict[str, str]:
        """The title of each source of a 422."""
        return {error["source"]: error["title"] for error in self.errors}


@dataclass
class Caller:
    """Sends plain requests as the repository, as somebody else or as nobody."""

    port: int
    account: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, content: Any = None, *, raw: bytes | None = None, **headers: str) -> Reply:
        sent = dict(self.headers) | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.account:
            sent["Authorization"] = "Basic " + base64.b64encode(self.account.encode()).decode()
        body = raw if content is None else json.dumps(content).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def put(self, doi: str = DOI, /, **attributes: Any) -> Reply:
        return self.ask("PUT", f"/dois/{doi}", {"data": {"type": "dois", "attributes": attributes}})

    def post(self, **attributes: Any) -> Reply:
        return self.ask("POST", "/dois", {"data": {"type": "dois", "attributes": attributes}})

    def get(self, doi: str = DOI, **headers: str) -> Reply:
        return self.ask("GET", f"/dois/{doi}", **headers)

    def state(self, doi: str = DOI) -> str:
        return self.get(doi).attributes["state"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DataCiteServer]:
    with datacite_server(tmp_path / "names.sqlite3") as server:
        yield server


@pytest.fixture
def us(server: DataCiteServer) -> Caller:
    return Caller(server.port, f"{server.user}:{server.password}")


@pytest.fixture
def them(server: DataCiteServer) -> Caller:
    return Caller(server.port, f"{server.stranger.user}:{server.stranger.password}")


@pytest.fixture
def nobody(server: DataCiteServer) -> Caller:
    return Caller(server.port)


# Accounts and errors


@pytest.mark.parametrize("account", ["", "TEST.FAIRCAT:wrong", "NO.ONE:secret", "no colon"])
def test_writes_need_right_credentials(us: Caller, account: str):
    us.put()
    caller = Caller(us.port, account)
    for method, path in (("PUT", "/dois/10.5072/abc"), ("POST", "/dois"), ("DELETE", "/dois/10.5072/abc")):
        reply = caller.ask(method, path, {"data": {"attributes": {}}})
        assert (reply.status, reply.errors) == (401, BAD_CREDENTIALS)
    assert us.state() == "draft"


def test_a_token_is_nobody_s(us: Caller):
    reply = us.ask("PUT", f"/dois/{DOI}", {"data": {"attributes": {}}})
    assert reply.status == 201
    other = Caller(us.port, headers={"Authorization": "Bearer abc"}).put()
    assert other.status == 401


def test_the_account_s_case_does_not_matter(server: DataCiteServer):
    assert Caller(server.port, f"{server.user.lower()}:{server.password}").put().status == 201


@pytest.mark.parametrize("doi", ["10.5555/abc", "10.1/abc", "nonsense/abc", "nonsense"])
def test_a_prefix_outside_of_its_rights_is_forbidden(us: Caller, doi: str):
    reply = us.put(doi)
    assert (reply.status, reply.errors) == (403, FORBIDDEN)


def test_the_names_of_another_repository_are_its_own(us: Caller, them: Caller):
    assert us.put(**complete(event="publish")).status == 201
    for reply in (them.put(titles=[{"title": "Mine"}]), them.ask("DELETE", f"/dois/{DOI}")):
        assert (reply.status, reply.errors) == (403, FORBIDDEN)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_name_that_is_not_there_is_not_found(us: Caller, method: str):
    reply = us.ask(method, f"/dois/{DOI}")
    assert (reply.status, reply.errors) == (404, NOT_FOUND)


def test_an_unknown_address_is_not_found_and_an_unknown_method_not_allowed(us: Caller):
    assert us.ask("GET", "/providers").status == 404
    reply = us.ask("POST", f"/dois/{DOI}", {"data": {"attributes": {}}})
    assert (reply.status, reply.errors) == (405, [{"status": "405", "title": "Method not allowed"}])


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": null}', b'{"data": {}}', b"[]", b"not json", b"[" * 100_000])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_payload_without_data_is_refused(us: Caller, method: str, body: bytes):
    reply = us.ask(method, "/dois" if method == "POST" else f"/dois/{DOI}", raw=body)
    title = "You need to provide a payload following the JSONAPI spec"
    assert (reply.status, reply.errors) == (400, [{"status": "400", "title": title}])


def test_a_refusal_of_values_names_attribute_and_name_and_has_no_status(us: Caller):
    reply = us.put(url="nowhere", titles=["only text"], rightsList=[{"rights": "x" * 2001}])
    assert reply.status == 422
    assert reply.errors == [
        {"source": "url", "title": "URL is not valid", "uid": DOI},
        {"source": "titles", "title": "Title 'only text' should be an object instead of a string.", "uid": DOI},
        {
            "source": "rights_list",
            "title": "Rights should not have a length of more than 2000 characters.",
            "uid": DOI,
        },
    ]
    assert us.get().status == 404, "nothing was kept"


def test_one_error_for_each_attribute_the_first(us: Caller):
    reply = us.put(titles=["one", "two"])
    assert [error["title"] for error in reply.errors] == ["Title 'one' should be an object instead of a string."]


# States and events


def test_a_name_begins_as_a_draft_that_accepts_nearly_anything(us: Caller):
    reply = us.put(creators=[], publicationYear="soon", types={"resourceTypeGeneral": "Nothing"})
    assert (reply.status, reply.attributes["state"], reply.attributes["isActive"]) == (201, "draft", False)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (["publish"], "findable"),
        (["register"], "registered"),
        (["register", "publish"], "findable"),
        (["publish", "hide"], "registered"),
        (["publish", "hide", "show"], "findable"),
        (["hide"], "draft"),
        (["show"], "draft"),
        (["publish", "register"], "findable"),
        (["register", "hide"], "registered"),
        (["publish", "publish"], "findable"),
        (["publish", "show"], "findable"),
        (["explode"], "draft"),
        ([["publish"]], "draft"),
        ([""], "draft"),
        ([None], "draft"),
    ],
)
def test_events_lead_from_state_to_state_and_impossible_ones_are_ignored(us: Caller, events: list, state: str):
    us.put(**complete())
    for event in events:
        assert us.put(event=event).status == 200
    attributes = us.get().attributes
    assert attributes["state"] == state
    assert attributes["isActive"] is (state == "findable")


def test_no_way_leads_back_to_a_draft_and_states_cannot_be_written(us: Caller):
    us.put(**complete(event="publish"))
    assert us.put(state="draft", isActive=False).attributes["state"] == "findable"


def test_hiding_keeps_its_reason(us: Caller):
    us.put(**complete(event="publish"))
    us.put(event="hide", reason="withdrawn by its authors")
    assert us.get().attributes["reason"] == "withdrawn by its authors"


@pytest.mark.parametrize("event", ["publish", "register"])
def test_a_name_that_resolves_needs_an_address(us: Caller, event: str):
    reply = us.put(**complete(event=event, url=None))
    assert (reply.status, reply.messages) == (422, {"url": "Can't be blank"})
    us.put(**complete(event=event))
    assert us.put(url="").messages == {"url": "Can't be blank"}
    assert us.get().attributes["url"] == LANDING_PAGE


@pytest.mark.parametrize(
    ("url", "is_valid"),
    [
        ("http://a.example/1", True),
        ("https://a.example/1", True),
        ("ftp://a.example/1", True),
        ("mailto:a@a.example", False),
        ("a.example/1", False),
        (7, False),
    ],
)
def test_an_address_has_one_of_three_schemes(us: Caller, url: Any, is_valid: bool):
    reply = us.put(url=url)
    assert reply.status == (201 if is_valid else 422)
    assert is_valid or reply.messages == {"url": "URL is not valid"}


def test_an_account_may_be_restricted_to_domains_once_a_name_resolves(tmp_path: Path):
    with datacite_server(tmp_path / "names.sqlite3", domains=("data.example.org", "*.example.net")) as server:
        us = Caller(server.port, f"{server.user}:{server.password}")
        assert us.put(**complete(url="https://elsewhere.example/1")).status == 201
        title = "URL https://elsewhere.example/1 is not allowed by repository test.faircat domain settings."
        assert us.put(event="publish").messages == {"url": title}
        assert us.put(event="publish", url="https://sub.example.net/1").status == 200


# Metadata


@pytest.mark.parametrize(
    ("attribute", "thing"),
    [
        ("titles", "Title"),
        ("creators", "Creator"),
        ("contributors", "Contributor"),
        ("subjects", "Subject"),
        ("descriptions", "Description"),
        ("rightsList", "Rights"),
        ("identifiers", "Identifier"),
        ("relatedIdentifiers", "Related identifier"),
        ("fundingReferences", "Funding reference"),
        ("geoLocations", "Geolocation"),
    ],
)
def test_lists_of_texts_are_refused_even_in_drafts(us: Caller, attribute: str, thing: str):
    reply = us.put(**{attribute: ["text"]})
    source = re.sub("([A-Z])", lambda match: f"_{match.group().lower()}", attribute)
    assert reply.messages == {source: f"{thing} 'text' should be an object instead of a string."}
    assert us.put(**{attribute: "text"}).messages == reply.messages


def test_contributors_have_a_known_role(us: Caller):
    reply = us.put(contributors=[{"name": "A", "contributorType": "Friend"}])
    assert reply.messages == {"contributors": "Contributor type Friend is not supported in schema 4."}
    assert us.put(contributors=[{"name": "A", "contributorType": "DataCollector"}]).status == 201


def test_other_identifiers_are_no_dois(us: Caller):
    reply = us.put(identifiers=[{"identifier": "10.1/a", "identifierType": "DOI"}])
    assert reply.messages["identifiers"].startswith("IdentifierType DOI not supported")


def test_metadata_are_checked_when_a_name_becomes_public(us: Caller):
    us.put(**complete(publicationYear="soon"))
    reply = us.put(event="publish")
    assert reply.status == 422
    assert list(reply.messages) == ["publication_year"]
    assert re.fullmatch(rf"DOI {DOI}: .+ at line \d+, column \d+", reply.messages["publication_year"])
    assert us.state() == "draft"
    assert us.put(event="publish", publicationYear=2026).status == 200
    assert us.put(publicationYear="soon").status == 422, "and every time after"


def test_a_missing_creator_is_told_as_the_schema_does(us: Caller):
    missing = "Missing child element(s). Expected is ( {http://datacite.org/schema/kernel-4}creator )."
    reply = us.put(**complete(event="publish", creators=[]))
    assert reply.messages["creators"].startswith(f"DOI {DOI}: {missing}")


def test_too_little_to_publish_is_no_metadata_at_all(us: Caller):
    reply = us.post(doi=DOI, event="publish", url=LANDING_PAGE)
    assert (reply.status, reply.messages) == (422, {"metadata": "Is invalid"})


@pytest.mark.parametrize("kernel", ["kernel-2.2", "kernel-3", "kernel-3.1"])
def test_old_kernels_are_refused(us: Caller, kernel: str):
    schema = f"http://datacite.org/schema/{kernel}"
    message = {"xml": f"DOI {DOI}: Schema {schema} is no longer supported"}
    xml = base64.b64encode(f'<resource xmlns="{schema}"/>'.encode()).decode()
    assert us.put(**complete(event="publish", schemaVersion=schema)).messages == message
    assert us.put(**complete(event="publish", xml=xml)).messages == message


@pytest.mark.parametrize("suffix", ["abc", "a-b._;()/:*~$=z", "ABC", "a/b/c"])
def test_names_have_these_characters(us: Caller, suffix: str):
    assert us.put(f"10.5072/{suffix}").status == 201


@pytest.mark.parametrize("suffix", ["a+b", "a%20b", "%C3%A4", "a%3Cb", ""])
def test_and_no_others(us: Caller, suffix: str):
    reply = us.put(f"10.5072/{suffix}")
    assert (reply.status, reply.messages) == (422, {"doi": "Is invalid"})


def test_names_are_kept_in_lower_case_and_found_in_any(us: Caller):
    assert us.put("10.5072/AbC").json["data"]["id"] == "10.5072/abc"
    assert us.get("10.5072/ABC").attributes["doi"] == "10.5072/abc"
    assert us.put("10.5072/aBc").status == 200
    assert us.get(quote("10.5072/ABC", safe="")).status == 200


# Addresses


def test_the_heart_beats(nobody: Caller):
    reply = nobody.ask("GET", "/heartbeat")
    assert (reply.status, reply.body) == (200, b"OK")
    assert reply.headers["content-type"].startswith("text/plain")


def test_post_creates_says_where_and_never_twice(us: Caller):
    reply = us.post(doi=DOI, **complete())
    assert reply.status == 201
    assert reply.headers["location"] == f"http://127.0.0.1:{us.port}/dois/{DOI}"
    again = us.post(doi=DOI.upper(), titles=[{"title": "Other"}])
    assert (again.status, again.messages) == (422, {"doi": "This DOI has already been taken"})
    assert us.get().attributes["titles"] == complete()["titles"]


def test_post_with_a_prefix_draws_a_name_with_a_checksum(us: Caller):
    names = {us.post(prefix="10.5072").json["data"]["id"] for _ in range(20)}
    assert len(names) == 20
    for name in names:
        suffix = re.fullmatch(r"10\.5072/([0-9a-hjkmnp-tv-z]{4})-([0-9a-hjkmnp-tv-z]{2})(\d\d)", name)
        assert suffix
        number = 0
        for letter in suffix.group(1) + suffix.group(2):
            number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(letter)
        assert (number * 100 + int(suffix.group(3))) % 97 == 1
    assert us.post(prefix="10.5555").status == 403
    assert us.post().status == 422


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_put_and_patch_create_or_change_what_is_sent_only(us: Caller, method: str):
    def send(**attributes: Any) -> Reply:
        return us.ask(method, f"/dois/{DOI}", {"data": {"attributes": attributes}})

    assert send(**complete(language="en", subjects=[{"subject": "x-rays"}])).status == 201
    reply = send(titles=[{"title": "New"}], language=None, subjects=[])
    assert reply.status == 200
    expected = complete()
    assert reply.attributes["titles"] == [{"title": "New"}]
    assert reply.attributes["publicationYear"] == expected["publicationYear"]
    assert reply.attributes["url"] == expected["url"]
    assert (reply.attributes["language"], reply.attributes["subjects"]) == (None, [])


def test_read_only_attributes_are_ignored(us: Caller):
    before = us.put(**complete()).attributes
    read_only = {
        "doi": "10.5072/other",
        "client": "other",
        "created": "1999",
        "registered": "1999",
        "updated": "1999",
        "published": "1999",
        "viewCount": 7,
        "prefix": "10.1",
        "suffix": "x",
        "invented": "y",
    }
    after = us.put(**read_only).attributes
    for name in ("doi", "created", "registered", "published", "viewCount", "prefix", "suffix"):
        assert after[name] == before[name]
    assert "invented" not in after
    assert us.get("10.5072/other").status == 404


def test_findable_names_are_public_and_others_their_owner_s(us: Caller, them: Caller, nobody: Caller):
    us.put(**complete())
    for event, is_public in ((None, False), ("register", False), ("publish", True), ("hide", False)):
        us.put(event=event)
        assert us.get().status == 200
        for caller in (them, nobody):
            assert caller.get().status == (200 if is_public else 404)
            assert is_public or caller.get().errors == NOT_FOUND


def test_drafts_can_be_deleted_and_nothing_else(us: Caller):
    us.put()
    reply = us.ask("DELETE", f"/dois/{DOI}")
    assert (reply.status, reply.body) == (204, b"")
    assert us.get().status == 404
    us.put(**complete(event="register"))
    reply = us.ask("DELETE", f"/dois/{DOI}")
    assert (reply.status, reply.errors) == (405, [{"status": "405", "title": "Method not allowed"}])
    assert "GET" in reply.headers["allow"] and "DELETE" not in reply.headers["allow"]


def test_random_names_are_given_without_being_kept(nobody: Caller, us: Caller):
    dois = nobody.ask("GET", "/dois/random?prefix=10.5072&number=3").json["dois"]
    assert len(set(dois)) == 3 and us.get(dois[0]).status == 404
    reply = nobody.ask("GET", "/dois/random")
    assert (reply.status, reply.errors[0]["status"]) == (422, "422")


def test_get_url_tells_where_a_name_leads(us: Caller, nobody: Caller):
    us.put(**complete())
    assert us.get(f"{DOI}/get-url").json == {"url": LANDING_PAGE}
    reply = nobody.get(f"{DOI}/get-url")
    assert (reply.status, reply.errors) == (404, [{"status": 404, "title": "Not found"}])


def test_validate_says_what_publishing_would_and_keeps_nothing(us: Caller):
    def validate(**attributes: Any) -> Reply:
        return us.ask("POST", "/dois/validate", {"data": {"attributes": attributes}})

    good = validate(doi=DOI, **complete())
    assert (good.status, good.attributes["doi"]) == (200, DOI)
    bad = validate(doi=DOI, **complete(titles=[]))
    assert bad.status == 200 and list(bad.messages) == ["titles"]
    assert us.get().status == 404


def test_what_is_not_built_says_so(us: Caller):
    assert us.ask("GET", "/dois/status").status == 501
    assert us.ask("POST", "/dois/undo", {}).status == 501


def test_lists_have_pages_totals_and_links(us: Caller, nobody: Caller):
    for number in range(5):
        us.put(f"10.5072/n{number}", **complete(event="publish" if number < 3 else None))
    mine = us.ask("GET", "/dois?" + urlencode({"page[size]": 2, "page[number]": 2})).json
    assert [item["id"] for item in mine["data"]] == ["10.5072/n2", "10.5072/n3"]
    assert mine["meta"] == {"total": 5, "totalPages": 3, "page": 2}
    assert nobody.ask("GET", "/dois").json["meta"]["total"] == 3
    last = us.ask("GET", "/dois?" + urlencode({"page[size]": 2, "page[number]": 3})).json
    assert len(last["data"]) == 1 and "next" not in last["links"]


def test_lists_are_walked_by_cursor(us: Caller):
    for number in range(5):
        us.put(f"10.5072/n{number}")
    found, address = [], "/dois?" + urlencode({"page[size]": 2, "page[cursor]": 1})
    while address:
        page = us.ask("GET", address).json
        found += [item["id"] for item in page["data"]]
        address = page["links"].get("next", "").removeprefix(f"http://127.0.0.1:{us.port}")
    assert found == [f"10.5072/n{number}" for number in range(5)]


def test_lists_are_searched(us: Caller, them: Caller):
    us.put("10.5072/one", **complete(event="publish", titles=[{"title": "Radium salts"}]))
    us.put("10.5072/two", **complete())
    them.put("10.5555/three", **complete(event="publish"))

    def found(**query: str) -> list[str]:
        return [item["id"] for item in us.ask("GET", f"/dois?{urlencode(query)}").json["data"]]

    assert found(query="radium salts") == ["10.5072/one"]
    assert found(prefix="10.5555") == ["10.5555/three"]
    assert found(state="draft") == ["10.5072/two"]
    assert found(**{"client-id": "other.place"}) == ["10.5555/three"]
    assert found(query="' OR 1=1 --") == []


def test_other_formats_are_given_by_accept_or_in_the_path(us: Caller, nobody: Caller):
    us.put(**complete(event="publish"))
    for kind, mark in (("datacite+json", b'"Radioactive'), ("datacite+xml", b"http://datacite.org/schema/kernel-4")):
        media_type = f"application/vnd.datacite.{kind}"
        for reply in (nobody.get(Accept=media_type), nobody.get(f"{media_type}/{DOI}")):
            assert reply.status == 200 and reply.headers["content-type"] == media_type
            assert mark in reply.body
    for accepted in ("application/vnd.api+json", "application/json", "*/*", "text/html, */*;q=0.1"):
        assert nobody.get(Accept=accepted).json["data"]["id"] == DOI
    reply = nobody.get(Accept="application/x-unheard")
    assert (reply.status, reply.errors) == (406, [{"status": "406", "title": "The content type is not recognized."}])


# Representation


def test_a_name_is_written_down_as_by_datacite(us: Caller):
    sent = complete(
        alternateIdentifiers=[{"alternateIdentifier": "run-1", "alternateIdentifierType": "local"}],
        creators=[{"name": "Curie", "affiliation": [{"name": "University", "affiliationIdentifier": "x"}]}],
        dates=[{"date": "2026-05-01", "dateType": "Issued"}],
        publicationYear="2026",
    )
    data = us.put(**sent).json["data"]
    attributes = data["attributes"]

    assert (data["id"], data["type"]) == (DOI, "dois")
    assert data["relationships"]["client"]["data"] == {"id": "test.faircat", "type": "clients"}
    assert (attributes["prefix"], attributes["suffix"]) == ("10.5072", "abc")
    assert attributes["publisher"] == "Institute of Radium"
    assert attributes["publicationYear"] == 2026
    assert attributes["creators"] == [{"name": "Curie", "affiliation": ["University"], "nameIdentifiers": []}]
    assert attributes["identifiers"] == [{"identifier": "run-1", "identifierType": "local"}]
    assert attributes["alternateIdentifiers"] == sent["alternateIdentifiers"]
    assert attributes["types"] == {
        "ris": "DATA",
        "bibtex": "misc",
        "citeproc": "dataset",
        "schemaOrg": "Dataset",
        "resourceTypeGeneral": "Dataset",
        "resourceType": "Dataset",
    }
    assert attributes["schemaVersion"] == "http://datacite.org/schema/kernel-4"
    assert attributes["published"] == "2026-05-01"
    assert attributes["metadataVersion"] == 1
    assert attributes["contributors"] == attributes["subjects"] == []


def test_objects_are_given_on_request(us: Caller):
    us.put(**complete(creators=[{"name": "Curie", "affiliation": ["University"]}]))
    attributes = us.ask("GET", f"/dois/{DOI}?publisher=true&affiliation=true").attributes
    assert attributes["publisher"] == {"name": "Institute of Radium"}
    assert attributes["creators"][0]["affiliation"] == [{"name": "University"}]


def test_registration_comes_after_publishing_and_once(us: Caller):
    us.put(**complete())
    assert us.get().attributes["registered"] is None
    assert us.get().attributes["registered"] is None, "a draft is never registered"
    assert us.put(event="publish").attributes["registered"] is None
    assert us.get().attributes["registered"] is None
    registered = us.get().attributes["registered"]
    assert registered
    us.put(event="hide")
    assert us.put(event="show").attributes["registered"] == registered


def test_registration_may_be_at_once_or_late(tmp_path: Path):
    for reads in (0, 3):
        with datacite_server(tmp_path / f"{reads}.sqlite3", reads_until_registered=reads) as server:
            us = Caller(server.port, f"{server.user}:{server.password}")
            us.put(**complete(event="publish"))
            assert [bool(us.get().attributes["registered"]) for _ in range(4)] == [False] * reads + [True] * (4 - reads)


# Faults and counts


def test_faults_are_set_seen_and_ended_by_addresses_of_their_own(us: Caller, nobody: Caller):
    reply = nobody.ask("PUT", "/faults", {"seed": 4, "faults": [{"kind": "500", "times": 2}]})
    assert reply.status == 200
    assert [us.put().status for _ in range(3)] == [500, 500, 201]
    assert nobody.ask("GET", "/faults").json["drawn"] == {"500": 2}
    nobody.ask("PUT", "/faults", {"faults": [{"kind": "503"}]})
    assert us.put().status == 503
    assert nobody.ask("DELETE", "/faults").json["faults"] == []
    assert us.put().status == 200


@pytest.mark.parametrize(
    "plan",
    [
        {"faults": [{"kind": "fire"}]},
        {"faults": [{"kind": "500", "probability": 2}]},
        {"faults": [{"kind": "500", "often": 2}]},
        {"faults": 7},
        {},
        [],
    ],
)
def test_a_plan_that_is_none_is_refused(nobody: Caller, us: Caller, plan: Any):
    assert nobody.ask("PUT", "/faults", plan).status == 422
    assert us.put().status == 201


@pytest.mark.parametrize(
    ("kind", "is_done"),
    [
        ("429", False),
        ("500", False),
        ("503", False),
        ("reset", False),
        ("lost_acknowledgement", True),
        ("malformed_json", True),
        ("delay", True),
        ("slow_answer", True),
    ],
)
def test_each_fault_comes_before_or_after_the_change(server: DataCiteServer, us: Caller, kind: str, is_done: bool):
    server.fail(Fault(kind, times=1, seconds=0.2, retry_after=9))
    started = time.monotonic()
    try:
        reply = us.put()
    except (http.client.HTTPException, OSError) as error:
        assert kind in ("reset", "lost_acknowledgement"), error
        assert isinstance(error, http.client.RemoteDisconnected if kind == "lost_acknowledgement" else OSError)
    else:
        assert kind not in ("reset", "lost_acknowledgement")
        assert reply.status == {"429": 429, "500": 500, "503": 503}.get(kind, 201)
        assert kind != "429" or reply.headers["retry-after"] == "9"
        assert kind != "malformed_json" or len(reply.body) > 10
        if kind == "malformed_json":
            with pytest.raises(ValueError):
                reply.json  # noqa: B018
    assert (time.monotonic() - started >= 0.2) is (kind in ("delay", "slow_answer"))
    assert us.get().status == (200 if is_done else 404)


def test_faults_meet_the_requests_they_name_only(server: DataCiteServer, us: Caller):
    server.fail(Fault("500", methods=("put",), path="/dois/10.5072/bad"))
    assert us.put("10.5072/bad").status == 500
    assert us.put("10.5072/good").status == 201
    assert us.get("10.5072/bad").status == 404
    assert us.ask("GET", "/heartbeat").status == 200


def test_faults_at_random_repeat_with_their_seed(server: DataCiteServer, us: Caller):
    def outcomes(seed: int) -> list[int]:
        server.fail(Fault("500", probability=0.3), Fault("503", probability=0.3), seed=seed)
        return [us.put().status // 100 for _ in range(40)]

    first, again, other = outcomes(5), outcomes(5), outcomes(6)
    assert first == again != other
    assert 5 < first.count(5) < 35


def test_the_log_counts_writes_creations_and_mints(us: Caller, nobody: Caller):
    us.put(**complete())
    us.put(event="publish")
    us.put(event="hide")
    us.put(event="publish")
    us.put(titles=["refused"])
    us.put("10.5072/gone")
    us.ask("DELETE", "/dois/10.5072/gone")
    us.put("10.5072/gone")
    log = nobody.ask("GET", "/log").json
    assert log["dois"] == {
        DOI: {"writes": 4, "creations": 1, "mints": 1},
        "10.5072/gone": {"writes": 2, "creations": 2, "mints": 0},
    }
    assert log["requests"] == {"PUT": 7, "DELETE": 1}


def test_an_idle_or_nonsensical_connection_harms_nobody(us: Caller):
    with socket.create_connection(("127.0.0.1", us.port)) as idle:
        idle.sendall(b"PUT /dois/10.5072/abc HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{")
        assert us.put().status == 201
    with socket.create_connection(("127.0.0.1", us.port)) as rude:
        rude.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in rude.recv(1000)
    assert us.ask("PUT", f"/dois/{DOI}", raw=None, Content_Length="many").status in (400, 413)
    assert us.put().status == 200


def test_writers_at_once_lose_nothing(server: DataCiteServer, us: Caller):
    def write(number: int) -> int:
        return us.put(
            **{("language", "version", "sizes", "formats")[number % 4]: ["en"] if number % 4 > 1 else "en"}
        ).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(write, range(80)))
    assert sorted(set(statuses)) == [200, 201] and statuses.count(201) == 1
    assert server.log()["dois"][DOI]["writes"] == 80
    attributes = us.get().attributes
    assert (attributes["language"], attributes["version"]) == ("en", "en")
    assert (attributes["sizes"], attributes["formats"], attributes["metadataVersion"]) == (["en"], ["en"], 80)


def test_the_command_keeps_every_acknowledged_name_when_it_is_killed(tmp_path: Path):
    port, data = free_port(), tmp_path / "names.sqlite3"
    command = [sys.executable, "manage.py", "datacite_standin", "--port", str(port), "--data", str(data)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings.dev", "FAIRCAT_DATA_DIR": str(tmp_path)}
    us = Caller(port, "DEMO.FAIRCAT:not-a-secret")

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            # Whoever runs the tests in the background of a shell has interrupts ignored, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout and f"http://127.0.0.1:{port}" in process.stdout.readline()
        return process

    process = start()
    for number in range(50):
        assert us.put(f"10.5072/n{number}", **complete(event="publish")).status == 201
    process.send_signal(signal.SIGKILL)
    process.communicate()
    process = start()
    try:
        assert us.ask("GET", "/dois").json["meta"]["total"] == 50
        process.send_signal(signal.SIGINT)
        assert "Stopped." in process.communicate(timeout=60)[0]
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
