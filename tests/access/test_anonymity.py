"""An anonymous share link: no name of a person in any answer of any route, and yet every file can be read."""

import io
import re
import zipfile
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from catalogue.access import Level, Principal
from catalogue.anonymity import BLANK, HiddenPerson, file_name_for, key_of_file, redacted
from catalogue.models import Dataset, Investigation, Organisation, Parameter, Relation
from catalogue.selectors import get_dataset_record
from tests import factories
from tests.access.routes import addresses
from tests.access.sharing import reader_of, share
from tests.access.test_canaries import crawl, everything_in
from tests.access.world import World, make_world

FAMILY, GIVEN, ORCID, USERNAME = "Zyglerová", "Wilhelmina", "0000-0001-5109-3700", "wzyg77"
# Every spelling that a text of the team may hold.
NAMES = (
    "zyglerov",
    "wilhelmina",
    "wilhelmína",
    ORCID,
    ORCID.replace("-", ""),
    USERNAME,
    "w.canary",
    "institute of canaries",
    "10.9999/paper-of-zyg",
)
TEXT = f"Grown by {GIVEN} {FAMILY} (orcid {ORCID}, {USERNAME}, w.canary@example.org) and W. Zyglerova"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The world of canaries, in which the texts of every record name its principal investigator."""
    world = make_world(tmp_path)
    pi = world.users["pi"]
    pi.username, pi.email, pi.first_name, pi.last_name = USERNAME, "w.canary@example.org", GIVEN, FAMILY
    pi.save()
    person = pi.person
    person.family_name, person.given_name, person.orcid = FAMILY, GIVEN, ORCID
    person.affiliation = Organisation.objects.create(name="Institute of Canaries")
    person.save()
    for state, dataset in world.datasets.items():
        investigation = world.investigations[state]
        Investigation.objects.filter(pk=investigation.pk).update(
            title=f"{state} {TEXT}"[:400], abstract=TEXT, visit_id=f"{state}-{USERNAME}"
        )
        dataset.title, dataset.description = f"{state} dataset. {TEXT}", TEXT
        dataset.extraction_notes = [{"code": "note", "message": TEXT}]
        if state == "withdrawn":
            dataset.withdrawal_reason = TEXT
        dataset.save()
        sample = world.samples[state]
        sample.name, sample.description = f"{state} {USERNAME} {FAMILY}", TEXT
        sample.save()
        Parameter.objects.create(
            dataset=dataset, group=FAMILY, name=FAMILY, text=TEXT, kind="text", source="instrument"
        )
        Relation.objects.create(
            dataset=dataset, relation_type="IsSupplementTo", identifier="10.9999/paper-of-zyg", title="Wires"
        )
    return world


@pytest.fixture
def named_files(world) -> Dataset:
    """A dataset of the closed investigation whose files are named after the principal investigator."""
    files = {
        f"{FAMILY}/{USERNAME}_01.txt": b"first",
        f"{FAMILY}/zyglerova_01.txt": b"second",
        f"{FAMILY}/zyglerova 01": b"third",
        "grain.txt": b"fourth",
    }
    return factories.make_dataset(world.investigations["closed"], storage=world.storage, files=files, title=TEXT)


def told(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    lowered = unquote(text).lower() + text.lower()
    return [name for name in NAMES if name in lowered]


@pytest.mark.django_db
@pytest.mark.parametrize("allows_files", [True, False])
def test_no_route_names_anybody_to_who_came_by_an_anonymous_link(world, named_files, allows_files):
    _, address = share(world.investigations["closed"], world.users["pi"], hides_people=True, allows_files=allows_files)
    reader = reader_of(address)
    found, statuses = {}, {}
    for url, response in crawl(reader, [url for _, url, _ in addresses(world)]):
        statuses[url] = response.status_code
        assert response.status_code < 500 or response.status_code == 503, url
        # What stands in the address of a request comes back in the answer.
        if names := [name for name in told(everything_in(response)) if name not in unquote(url).lower()]:
            found[url] = names
    assert found == {}
    assert statuses[f"/datasets/{named_files.uid}"] == 200
    assert (f"/datasets/{named_files.uid}/download.zip" in statuses) is allows_files


@pytest.mark.django_db
def test_a_link_that_hides_nobody_shows_the_names(world, named_files):
    reader = reader_of(share(world.investigations["closed"], world.users["pi"])[1])
    uid = world.datasets["closed"].uid
    assert told(everything_in(reader.get(f"/datasets/{named_files.uid}/download.zip")))
    text = b"".join(everything_in(reader.get(f"/datasets/{uid}{part}")) for part in ("", "/download.zip"))
    assert {"zyglerov", ORCID, USERNAME, "10.9999/paper-of-zyg"} <= set(told(text))


@pytest.mark.django_db
def test_files_are_read_by_the_names_that_hide_nobody(world, named_files):
    dataset = named_files
    reader = reader_of(share(dataset, world.users["pi"], hides_people=True)[1])
    files = f"/datasets/{dataset.uid}/files"
    first = reader.get(f"/api/v1{files}?limit=2").json()
    names = [file["name"] for file in [*first["results"], *reader.get(first["next"]).json()["results"]]]
    assert len(set(names)) == 4
    contents = {b"".join(reader.get(f"{files}/{quote(name)}").streaming_content) for name in names}
    assert contents == {b"first", b"second", b"third", b"fourth"}
    assert reader.get(f"{files}/{quote(f'{FAMILY}/{USERNAME}_01.txt')}").status_code == 404
    hidden = [name for name in names if BLANK in name]
    answer = reader.get(f"/datasets/{dataset.uid}/download.zip", {"file": hidden})
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert {archive.read(name) for name in archive.namelist()} >= {b"first", b"second", b"third"}
    listed = b"".join(reader.get(f"{files}.sha256").streaming_content).decode()
    assert told(listed.encode()) == []
    assert {line.split("  ", 1)[1] for line in listed.splitlines()} == set(names)


@pytest.mark.django_db
def test_a_citation_and_json_ld_name_nobody(world):
    dataset = world.datasets["closed"]
    reader = reader_of(share(dataset, world.users["pi"], hides_people=True)[1])
    page = reader.get(f"/datasets/{dataset.uid}").content.decode()
    assert re.search(r'id="citation">Anonymous \(\d{4}\): ', page)
    assert '"creator"' not in page
    assert reader.get(f"/api/v1/datasets/{dataset.uid}").json()["people"] == []


@pytest.mark.django_db
def test_a_curator_with_an_anonymous_link_open_sees_names_nowhere_in_records(world):
    dataset = world.datasets["closed"]
    principal = Principal(user_id=world.users["curator"].pk, is_curator=True, hides_people=True)
    record = get_dataset_record(dataset.uid, principal, now=timezone.now())
    assert record.access.level == Level.FULL
    assert record.people == ()
    assert FAMILY not in str(record)


PEOPLE = {
    HiddenPerson("Müller", "Anna Maria", (ORCID, "anna.mueller@example.org", "amu")),
    HiddenPerson("García-López", "José"),
    HiddenPerson("Li", "Wei"),
    HiddenPerson("Ring", "Per"),
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Growth by A. Müller and Anna-Maria Mueller", "Growth by … and …"),
        ("muller2020, MÜLLER, Mu\u0308ller", "…2020, …, …"),
        ("XMueller_01.tif", "X…_01.tif"),
        ("garcia_lopez; Garcia Lopez; López", "…; …; …"),
        ("LiFePO4 in a Li-ion cell, Wei Li", "LiFePO4 in a …-ion cell, …"),
        ("sintering of a Ring", "sintering of a …"),
        ("0000000151093700 and https://orcid.org/0000-0001-5109-3700", "… and https://orcid.org/…"),
        ("ask anna.mueller@example.org or AMU", "ask … or …"),
        ("amulet of silver per hour", "amulet of silver per hour"),
    ],
)
def test_names_are_found_in_every_spelling_and_words_that_only_look_like_them_stay(text, shown):
    assert redacted(text, PEOPLE) == shown


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(sorted(PEOPLE, key=str)))
def test_a_name_never_survives_wherever_it_stands(before, after, person):
    assert person.family_name not in redacted(f"{before} {person.given_name} {person.family_name} {after}", {person})


@given(st.text(alphabet="abMülleranna_./~0", max_size=30), st.integers(1, 10**12))
def test_hidden_file_names_lead_back_to_their_file(name, key):
    principal = Principal(hides_people=True, hidden_people=frozenset(PEOPLE))
    shown = file_name_for(name, key, principal)
    assert shown == name or key_of_file(shown) == key


def test_nothing_is_hidden_where_nobody_is_to_be_hidden():
    assert redacted("Anna Müller", ()) == "Anna Müller"
    assert file_name_for("Müller.txt", 1, Principal(hides_people=True)) == "Müller.txt"
