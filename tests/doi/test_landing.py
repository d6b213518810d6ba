"""Landing pages: what a DOI leads to in each of its states, for each who follows it, in every form in which it is given."""

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.models import Collection, Facility, Investigation, Organisation, Person, Relation
from catalogue.services.collection_members import set_role
from catalogue.services.collections import new_version, withdraw_collection
from catalogue.services.withdrawals import withdraw_investigation
from doi import services
from doi.landing import find_identifier, landing_of
from doi.models import Identifier
from doi.sessions import ensure_session_dois
from tests import factories
from tests.doi.world import Draft, deliver, make_draft

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

COMPLETE_ABSTRACT = "Wires were pulled until they broke, slowly."
ORCID = "0000-0002-1825-0097"


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def published(draft: Draft) -> Draft:
    draft.publish()
    deliver(passes=4)
    assert draft.read_again().collection.state == "published"
    return draft


def session_doi(investigation: Investigation) -> str:
    """Have DataCite hear of the session; the DOI by whatever state it came to."""
    ensure_session_dois(actor=SYSTEM, investigations=[investigation.uid])
    deliver(passes=2)
    return Identifier.objects.get(investigation=investigation).doi


def json_ld(response) -> dict:
    return json.loads(
        re.search(r'<script type="application/ld\+json">(.*?)</script>', response.content.decode(), re.S)[1]
    )


@pytest.fixture
def session() -> Investigation:
    """A closed session of a team of two, with one dataset that has a file."""
    pi = factories.make_user("regina")
    investigation = factories.make_investigation(pi=pi, abstract=COMPLETE_ABSTRACT, title="Strain in nanowires")
    institute = Organisation.objects.create(name="Institute of Wires", ror="https://ror.org/02feahw73")
    Person.objects.filter(user=pi).update(given_name="Marie", family_name="Curie", orcid=ORCID, affiliation=institute)
    Facility.objects.update(time_zone="Europe/Rome")  # Pages tell UTC all the same.
    factories.make_dataset(investigation, title="Wire 7")
    return investigation


def test_the_doi_of_a_session_is_public_under_embargo_and_says_when_its_data_open(datacite, session, client):
    Investigation.objects.update(embargo_until=datetime(2031, 7, 1, 22, 0, tzinfo=UTC))
    Relation.objects.create(investigation=session, relation_type="IsSupplementTo", identifier="10.1234/secret")
    doi = session_doi(session)
    response = client.get(f"/doi/{doi}")
    text = response.content.decode()
    assert response.status_code == 200
    for shown in ("Strain in nanowires", COMPLETE_ABSTRACT, "Marie Curie", "Institute of Wires", "Wire 7", "Test DOI"):
        assert shown in text, shown
    assert f"https://orcid.org/{ORCID}" in text
    assert session.instrument.name in text
    assert "1 July 2031, 22:00 UTC" in text
    assert f"/investigations/{session.uid}/request-access" in text
    assert "download.zip" not in text
    assert "10.1234/secret" not in text
    assert json_ld(response)["isAccessibleForFree"] is False
    assert "distribution" not in json_ld(response)


def test_the_page_of_a_session_opens_at_the_second_at_which_its_embargo_ends(datacite, session, client):
    doi = session_doi(session)
    end = timezone.now().replace(microsecond=0) + timedelta(days=40)
    Investigation.objects.update(embargo_until=end, file_count=1)
    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        before = client.get(f"/doi/{doi}")
    with time_machine.travel(end, tick=False):
        after = client.get(f"/doi/{doi}")
    assert "under embargo" in before.content.decode() and "download.zip" not in before.content.decode()
    assert "under embargo" not in after.content.decode() and "download.zip" in after.content.decode()
    assert [json_ld(one)["isAccessibleForFree"] for one in (before, after)] == [False, True]


def test_where_closed_records_are_hidden_a_session_has_a_reserved_doi_for_its_team_only(datacite, session, client):
    factories.set_embargo_metadata("none")
    doi = session_doi(session)
    assert Identifier.objects.get(doi=doi).state == "draft"
    assert client.get(f"/doi/{doi}").status_code == 404
    assert client.get(f"/cite/{doi}.bib").status_code == 404
    assert client_of(factories.make_user()).get(f"/doi/{doi}").status_code == 404
    own = client_of(session.team.get().person.user).get(f"/doi/{doi}")
    assert own.status_code == 200
    assert "Reserved, not public yet" in own.content.decode()
    assert "Link" not in own and "private" in own["Cache-Control"]
    assert '<script type="application/ld+json"' not in own.content.decode()


def test_a_doi_that_became_public_stays_so_when_the_site_begins_to_hide_closed_records(datacite, session, client):
    doi = session_doi(session)
    Investigation.objects.update(dataset_count=5, file_count=77, size=4096)
    factories.set_embargo_metadata("none")
    text = client.get(f"/doi/{doi}").content.decode()
    assert "Strain in nanowires" in text
    for hidden in ("Wire 7", "77 files", "4.00 KiB", "4096", f"/investigations/{session.uid}"):
        assert hidden not in text, hidden


def test_the_team_sees_on_the_landing_page_that_it_sees_everything(datacite, session):
    Investigation.objects.update(file_count=1)
    page = client_of(session.team.get().person.user).get(f"/doi/{session_doi(session)}")
    assert "You see everything" in page.content.decode()
    assert f"/investigations/{session.uid}/download.zip" in page.content.decode()
    assert "private" in page["Cache-Control"]


def test_a_reserved_doi_of_a_draft_is_a_page_for_its_editors_and_nothing_for_others(datacite, client):
    draft = make_draft()
    doi = services.reserve(actor=draft.actor, collection=draft.collection).doi
    deliver()
    stranger = client_of(factories.make_user())
    assert [one.get(f"/doi/{doi}").status_code for one in (client, stranger)] == [404, 404]
    unknown = client.get("/doi/10.5072/0000-0000-0000")
    reserved = client.get(f"/doi/{doi}")
    assert reserved.content.replace(reserved["X-Request-ID"].encode(), b"") == unknown.content.replace(
        unknown["X-Request-ID"].encode(), b""
    )
    assert "once its authors publish it" in reserved.content.decode()
    page = client_of(draft.pi).get(f"/doi/{doi}")
    assert page.status_code == 200
    assert "Reserved, not public yet" in page.content.decode()
    assert f"/doi/drafts/{draft.collection.uid}" in page.content.decode()


def test_a_draft_without_a_word_has_a_page_for_its_editor(datacite):
    draft = make_draft(title="", abstract="", creators=[])
    doi = services.reserve(actor=draft.actor, collection=draft.collection).doi
    for style in ("", "?style=apa", "?style=mla"):
        assert client_of(draft.pi).get(f"/doi/{doi}{style}").status_code == 200


def test_while_a_publication_is_on_its_way_strangers_find_nothing(datacite, client):
    draft = make_draft()
    doi = draft.publish().doi
    assert draft.read_again().collection.state == "publishing"
    assert client.get(f"/doi/{doi}").status_code == 404
    deliver(passes=4)
    assert client.get(f"/doi/{doi}").status_code == 200


def test_a_published_collection_shows_all_that_was_written_of_it(datacite, client):
    draft = make_draft(
        abstract="First.\n\nSecond.",
        creators=[
            {"family_name": "Curie", "given_name": "Marie", "orcid": ORCID, "affiliation": "Institute of Radium"},
            {"name_type": "Organizational", "name": "Radium Consortium"},
        ],
        contributors=[{"family_name": "Okafor", "given_name": "Chidi", "role": "DataCollector"}],
        fundings=[{"funder_name": "Radium Fund", "award_number": "R-226", "award_uri": "https://example.org/r226"}],
        subjects=[{"term": "radium"}],
        related=[{"identifier": "10.1234/paper", "identifier_type": "DOI", "relation_type": "IsSupplementTo"}],
    )
    set_role(actor=draft.actor, collection=draft.collection, roles={("dataset", draft.dataset.uid): "Data of figure 2"})
    published(draft)
    doi = draft.collection.doi
    response = client.get(f"/doi/{doi}")
    text = response.content.decode()
    for shown in (
        "Nanowires under strain", "<p>Second.</p>", "Marie Curie", "Institute of Radium", "Radium Consortium",
        "Chidi Okafor", "data collector", "Radium Fund", 'href="https://example.org/r226"', "radium",
        "is supplement to", 'href="https://doi.org/10.1234/paper"', draft.dataset.title, "Data of figure 2",
        f'href="/datasets/{draft.dataset.uid}"', "Version 1", "Creative Commons Attribution 4.0",
    ):  # fmt: skip
        assert shown in text, shown
    document = json_ld(response)
    assert document["identifier"]["url"] == document["@id"] == f"https://doi.org/{doi}"
    assert (document["@type"], document["isAccessibleForFree"], document["version"]) == ("Dataset", True, "1")
    assert [one["@type"] for one in document["creator"]] == ["Person", "Organization"]
    assert document["citation"] == ["https://doi.org/10.1234/paper"]
    assert response["Link"].startswith(f'<https://doi.org/{doi}>; rel="cite-as"')
    assert f'<https://orcid.org/{ORCID}>; rel="author"' in response["Link"]
    assert "private" not in response.get("Cache-Control", "") and "Cookie" in response["Vary"]


def test_what_people_write_is_no_script_and_no_link_that_runs(datacite, client):
    draft = make_draft(
        title="<script>alert(1)</script> & more",
        subjects=[{"term": "<b>bold</b>", "value_uri": "https://example.org/a"}],
    )
    doi = published(draft).collection.doi
    Collection.objects.filter(doi=doi).update(
        text=draft.collection.text | {"subjects": [{"term": "x", "value_uri": "javascript:alert(1)"}]}, version=99
    )
    for query in ("", "?style=apa", "?style=chicago"):
        text = client.get(f"/doi/{doi}{query}").content.decode()
        assert "<script>alert" not in text and "<b>bold" not in text
        assert 'href="javascript' not in text


def test_a_doi_in_capitals_leads_to_its_one_address(datacite, client):
    doi = published(make_draft()).collection.doi
    response = client.get(f"/doi/{doi.upper()}?style=apa")
    assert (response.status_code, response["Location"]) == (301, f"/doi/{doi}?style=apa")
    assert client.get(f"/doi/{doi.upper()}XX").status_code == 404


@pytest.mark.parametrize("doi", ["10.1234/other", "10.5072/", "10.5072/a/b?c", "10.5072/%2e%2e", "10.99/x"])
def test_a_doi_that_is_not_ours_is_a_page_that_helps(db, client, doi):
    response = client.get(f"/doi/{doi}")
    assert response.status_code == 404
    assert "/search" in response.content.decode()


def test_the_concept_leads_to_the_newest_published_version_and_older_ones_say_that_there_is_a_newer(datacite, client):
    draft = published(make_draft())
    first, concept = draft.collection.doi, Identifier.objects.get(concept=draft.collection.concept).doi
    assert client.get(f"/doi/{concept}")["Location"] == f"/doi/{first}"
    again = Draft(
        draft.pi, draft.investigation, draft.dataset, new_version(actor=draft.actor, collection=draft.collection)
    )
    assert client.get(f"/doi/{concept}")["Location"] == f"/doi/{first}"
    second = published(again).collection.doi
    answer = client.get(f"/doi/{concept}?style=apa")
    assert (answer.status_code, answer["Location"]) == (302, f"/doi/{second}?style=apa")
    assert client.get(f"/cite/{concept}.bib")["Location"] == f"/cite/{second}.bib"
    old, new = (client.get(f"/doi/{doi}").content.decode() for doi in (first, second))
    assert "There is a newer version" in old and f'href="/doi/{second}"' in old
    assert "There is a newer version" not in new and f'href="/doi/{first}"' in new
    assert concept in new
    withdraw_collection(actor=principal_of(factories.make_curator()), collection=again.collection, reason="Wrong.")
    assert client.get(f"/doi/{concept}")["Location"] == f"/doi/{first}"
    assert "There is a newer version" not in client.get(f"/doi/{first}").content.decode()


def test_a_withdrawn_collection_is_a_tombstone_with_reason_and_citation_for_everybody(datacite, client):
    draft = published(make_draft())
    doi, curator = draft.collection.doi, factories.make_curator()
    withdraw_collection(actor=principal_of(curator), collection=draft.collection, reason="The sample was swapped.")
    for one in (client, client_of(draft.pi), client_of(curator)):
        response = one.get(f"/doi/{doi}")
        text = response.content.decode()
        assert response.status_code == 410
        assert "The sample was swapped." in text and f"Curie, Marie ({timezone.now().year}): Nanowires" in text
        for gone in (draft.dataset.title, "download.zip", "Images of wires", "ld+json"):
            assert gone not in text, gone
    deliver()
    assert client.get(f"/doi/{doi}").status_code == 410
    assert b"Images of wires" not in client.get(f"/cite/{doi}.bib").content
    assert client.get(f"/collections/{draft.collection.uid}/download.zip").status_code == 410


def test_a_collection_is_withdrawn_with_its_data_whose_files_nobody_reads_any_more(datacite, client):
    draft = make_draft()
    draft.publish()
    deliver()
    address = f"/api/v1/datasets/{draft.dataset.uid}"
    assert client.get(f"{address}/files").status_code == 200
    curator = client_of(factories.make_curator())
    values = {"action": "withdraw", "reason": "A person is to be seen.", "with_data": "on"}
    curator.post(f"/doi/drafts/{draft.collection.uid}/act", values)
    assert [client.get(one).status_code for one in (address, f"{address}/files")] == [410, 410]
    assert client.get(address).json()["access"]["withdrawal_reason"] == "A person is to be seen."


def test_a_withdrawn_session_is_a_tombstone(datacite, session, client):
    doi = session_doi(session)
    session.refresh_from_db()
    withdraw_investigation(
        actor=principal_of(factories.make_curator()),
        investigation=session,
        reason="Measured at the wrong place.",
    )
    response = client.get(f"/doi/{doi}")
    assert response.status_code == 410
    assert "Measured at the wrong place." in response.content.decode()
    for gone in (COMPLETE_ABSTRACT, "Wire 7", "request-access"):
        assert gone not in response.content.decode(), gone


def test_citations_come_in_styles_without_a_script_and_as_files(datacite, client):
    doi = published(make_draft()).collection.doi
    year = timezone.now().year
    assert f"Curie, Marie ({year}): Nanowires under strain" in client.get(f"/doi/{doi}").content.decode()
    apa = client.get(f"/doi/{doi}?style=apa").content.decode()
    assert f"Curie, M. ({year}). <i>Nanowires under strain</i>" in apa
    assert 'href="?style=nature#cite"' in apa
    assert client.get(f"/doi/{doi}?style=nonsense").status_code == 200
    bibtex, ris, csl = (client.get(f"/cite/{doi}.{form}") for form in ("bib", "ris", "csl.json"))
    assert bibtex["Content-Type"].startswith("application/x-bibtex") and f"doi = {{{doi}}}" in bibtex.content.decode()
    assert ris["Content-Type"].startswith("application/x-research-info-systems")
    assert f"DO  - {doi}\r\n" in ris.content.decode()
    assert csl.json()["DOI"] == doi
    for answer, form in ((bibtex, "bib"), (ris, "ris"), (csl, "csl.json")):
        assert f"{doi.replace('/', '_')}.{form}" in answer["Content-Disposition"]
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_members_come_in_pages_that_ask_as_little_for_many_as_for_few(datacite, client):
    few, many = published(make_draft(datasets=26)).collection.doi, published(make_draft(datasets=40)).collection.doi

    def queries(path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    assert queries(f"/doi/{few}") == queries(f"/doi/{many}") <= 12
    first = client.get(f"/doi/{many}").content.decode()
    after = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    rest = client.get(f"/doi/{many}{after}").content.decode()
    links = [set(re.findall(r'href="(/datasets/[0-9a-f-]{36})"', page)) for page in (first, rest)]
    assert [len(one) for one in links] == [25, 15] and not links[0] & links[1]


def test_a_member_that_nobody_may_know_of_is_not_named_anywhere(datacite, client):
    draft = make_draft(datasets=2)
    hidden = draft.investigation.datasets.exclude(pk=draft.dataset.pk).get()
    published(draft)
    hidden_session = factories.make_investigation(instrument=factories.make_instrument(embargo_metadata="none"))
    type(hidden).objects.filter(pk=hidden.pk).update(
        title="canary9x", investigation=hidden_session, instrument=hidden_session.instrument, released_at=None
    )
    response = client.get(f"/doi/{draft.collection.doi}")
    assert "canary9x" not in response.content.decode() and draft.dataset.title in response.content.decode()
    assert "Partly under embargo" in response.content.decode()
    assert json_ld(response)["isAccessibleForFree"] is False


def test_who_came_by_a_link_that_hides_people_reads_of_nobody(datacite, session):
    asker = replace(ANONYMOUS, hides_people=True)
    identifier = find_identifier(session_doi(session), asker)
    publication = landing_of(identifier, asker, now=timezone.now()).publication
    assert [one.display_name for one in publication.text.creators] == ["Anonymous"]
    assert "Curie" not in repr(publication) and ORCID not in repr(publication)


def test_the_archive_of_a_collection_holds_what_its_reader_may_have(datacite, client, tmp_path):
    storage = factories.make_storage(tmp_path)
    draft = make_draft(datasets=2)
    for number, dataset in enumerate(draft.investigation.datasets.order_by("pk")):
        factories.add_file(dataset, storage, f"wire{number}.txt", b"a wire")
    assert client.get(f"/collections/{draft.collection.uid}/download.zip").status_code == 404
    own = client_of(draft.pi).get(f"/collections/{draft.collection.uid}/download.zip")
    assert own.status_code == 200
    published(draft)
    response = client.get(f"/collections/{draft.collection.uid}/download.zip")
    names = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))).namelist()
    assert sorted(name.rpartition("/")[2] for name in names) == [
        "manifest-sha256.txt", "ro-crate-metadata.json", "ro-crate-preview.html", "wire0.txt", "wire1.txt",
    ]  # fmt: skip
    assert "nanowires-under-strain" in response["Content-Disposition"]


def test_what_is_more_than_an_archive_holds_is_said_before_anything_is_sent(datacite, client):
    draft = published(make_draft())
    Collection.objects.filter(pk=draft.collection.pk).update(file_count=60_000)
    text = client.get(f"/doi/{draft.collection.doi}").content.decode()
    assert "more than one archive holds" in text and "download.zip" not in text


def test_pages_of_datasets_and_sessions_show_their_dois(datacite, session, client):
    doi = session_doi(session)
    draft = published(make_draft())
    both = published(make_draft(datasets=2))
    page = client.get(f"/datasets/{draft.dataset.uid}").content.decode()
    assert f'href="/doi/{draft.collection.doi}"' in page and f"https://doi.org/{draft.collection.doi}" in page
    citation = re.search(r'id="citation">([^<]+)<', page)[1]
    assert citation.startswith("Curie, Marie (") and "Nanowires under strain. Version 1." in citation
    assert citation in client.get(f"/doi/{draft.collection.doi}").content.decode()
    member = client.get(f"/datasets/{both.dataset.uid}")
    assert f'href="/doi/{both.collection.doi}"' in member.content.decode()
    assert f"https://doi.org/{both.collection.doi}" not in json_ld(member)["identifier"]
    investigation = client.get(f"/investigations/{session.uid}")
    assert f"https://doi.org/{doi}" in investigation.content.decode()
    assert f'href="/cite/{doi}.bib"' in investigation.content.decode()
    assert json_ld(investigation)["identifier"]["url"] == f"https://doi.org/{doi}"
    api = "/api/v1"
    assert client.get(f"{api}/investigations/{session.uid}").json()["doi"] == doi
    assert client.get(f"{api}/datasets/{draft.dataset.uid}").json()["doi"] == draft.collection.doi
    assert client.get(f"{api}/datasets/{both.dataset.uid}").json()["doi"] == ""
    assert f'href="/doi/{both.collection.doi}"' in client.get("/").content.decode()


def test_a_landing_page_names_its_record_as_a_call_of_the_api(datacite, session, client):
    draft = published(make_draft())
    for doi, uid in ((draft.collection.doi, draft.collection.uid), (session_doi(session), session.uid)):
        call = client.get(f"/doi/{doi}").context["api_url"]
        assert client.get(call.removeprefix(settings.SITE_URL)).json()["uid"] == str(uid)


def test_a_citation_reads_no_members(datacite, client):
    doi = published(make_draft(datasets=3)).collection.doi

    def statements(form: str) -> str:
        client.get(f"/cite/{doi}.{form}")
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/cite/{doi}.{form}").status_code == 200
        return " ".join(one["sql"] for one in captured)

    title = '"catalogue_dataset"."title"'
    assert title in statements("linkset"), "where members are described their rows are read"
    assert title not in statements("bib")
