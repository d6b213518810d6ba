"""Storages: who may declare and browse them, how their secrets are kept, and what is shown when one does not answer."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core import serializers
from django.test import Client

from catalogue.access import ANONYMOUS, SYSTEM, Principal, principal_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from catalogue.models import AuditEntry, Proposal, Storage
from catalogue.models.storages import StorageState
from catalogue.secrets import decrypt
from catalogue.services.storages import (
    change_storage,
    check_storage,
    check_storages,
    declare_storage,
    list_folder,
    open_storage,
    usable_storages,
)
from tests import factories, servers

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
SECRET = "tr0ub4dor & 3"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def administrator() -> Principal:
    return principal_of(factories.make_user(is_superuser=True))


@pytest.fixture
def person() -> Principal:
    return principal_of(factories.make_user())


def webdav_of(actor: Principal, **values: object) -> Storage:
    common = {"name": "Cloud", "kind": "webdav", "location": "https://cloud.example.org/dav/", "secret": SECRET}
    return declare_storage(actor=actor, **(common | values))


def test_a_secret_is_encrypted_and_stands_nowhere_else(person: Principal) -> None:
    row = webdav_of(person, username="ada")
    row.refresh_from_db()
    assert SECRET not in row.secret and decrypt(row.secret) == SECRET
    audits = serializers.serialize("json", AuditEntry.objects.all())
    assert SECRET not in audits and row.secret not in audits
    assert SECRET not in repr(open_storage(row).config)
    assert row.owner_id == person.user_id


def test_a_person_declares_remote_storages_only(person: Principal, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        declare_storage(actor=person, name="x", kind="posix", location=str(tmp_path))
    with pytest.raises(NotAllowed):
        webdav_of(person, is_private_network_allowed=True)
    with pytest.raises(NotAllowed):
        webdav_of(person, instrument=factories.make_instrument())


def test_instruments_tokens_and_visitors_declare_nothing(administrator: Principal) -> None:
    instrument = factories.make_instrument_account(factories.make_instrument())
    token = principal_of(factories.make_user(is_superuser=True), scopes=frozenset({"register"}))
    for actor in (ANONYMOUS, principal_of(instrument), token):
        with pytest.raises(NotAllowed):
            webdav_of(actor)


@pytest.mark.parametrize(
    ("kind", "location"),
    [
        ("webdav", "http://cloud.example.org/"),
        ("webdav", "https://ada:secret@cloud.example.org/"),
        ("webdav", "file:///etc"),
        ("s3", "bucket"),
        ("s3", "s3://"),
        ("ftp", "ftp://x"),
    ],
)
def test_a_location_that_cannot_work_is_refused(person: Principal, kind: str, location: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        webdav_of(person, kind=kind, location=location)
    assert set(refusal.value.fields) & {"location", "kind"}


def test_no_storage_shows_the_sites_own_keys(administrator: Principal) -> None:
    for location in ("/", str(settings.DATA_DIR), str(Path(settings.DATA_DIR).parent), "relative"):
        with pytest.raises(InvalidInput):
            declare_storage(actor=administrator, name="x", kind="posix", location=location)


@pytest.mark.parametrize("template", ["{proposal}", "../{visit_id}", "{visit_id}/{surprise}", "/{visit_id}"])
def test_a_member_folder_names_the_visit_and_stays_inside(
    administrator: Principal, template: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        declare_storage(actor=administrator, name="x", kind="posix", location=str(tmp_path), member_folder=template)
    assert "member_folder" in refusal.value.fields


def test_a_name_is_taken_once(person: Principal) -> None:
    webdav_of(person)
    with pytest.raises(Conflict):
        webdav_of(person)


def test_a_person_has_so_many_storages_at_most(person: Principal, administrator: Principal, settings) -> None:
    settings.MOST_STORAGES = 2
    for number in range(2):
        webdav_of(person, name=f"Cloud {number}")
    with pytest.raises(InvalidInput) as refusal:
        webdav_of(person, name="One more")
    assert refusal.value.code == "too-many-storages"
    for number in range(3):
        webdav_of(administrator, name=f"Of the site {number}")


def test_a_secret_is_replaced_and_never_sent_to_another_server(person: Principal) -> None:
    row = webdav_of(person)
    with pytest.raises(InvalidInput) as refusal:
        change_storage(actor=person, uid=row.uid, location="https://elsewhere.example.org/")
    assert "secret" in refusal.value.fields
    changed = change_storage(actor=person, uid=row.uid, location="https://elsewhere.example.org/", secret="new one")
    assert decrypt(changed.secret) == "new one"
    assert open_storage(changed) is not open_storage(row)
    with pytest.raises(NotFound):
        change_storage(actor=principal_of(factories.make_user()), uid=row.uid, is_active=False)


def test_a_users_storage_reaches_no_private_address_whatever_its_row_says(person: Principal, tmp_path: Path) -> None:
    with servers.webdav_server(tmp_path) as url:
        row = webdav_of(person, username=servers.USERNAME, secret=servers.PASSWORD)
        row.location = url
        row.is_private_network_allowed = True
        checked = check_storage(actor=person, row=row)
    assert checked.state == StorageState.UNAVAILABLE
    assert "not allowed" in checked.state_text


def test_the_state_of_a_storage_is_kept_in_words(administrator: Principal, tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    folder.mkdir()
    row = factories.make_storage(folder)
    check_storages(actor=SYSTEM)
    row.refresh_from_db()
    assert (row.state, row.state_text) == (StorageState.AVAILABLE, "")
    folder.rename(tmp_path / "unplugged")
    check_storages(actor=SYSTEM)
    row.refresh_from_db()
    assert row.state == StorageState.UNAVAILABLE
    assert "is it mounted?" in row.state_text
    with pytest.raises(NotAllowed):
        check_storage(actor=principal_of(factories.make_user()), row=row)


def test_a_storage_whose_key_was_lost_says_so(person: Principal) -> None:
    row = webdav_of(person)
    row.secret = "not a token"
    with pytest.raises(Unavailable):
        open_storage(row)
    assert check_storage(actor=person, row=row).state == StorageState.UNAVAILABLE


@pytest.fixture
def shared_folder(tmp_path: Path) -> Storage:
    """A storage of an instrument with a folder for each visit of each proposal."""
    for name in ("p1/visit-a/data.tif", "p1/visit-b/data.tif", "p1/visit-ab/data.tif", "p2/visit-c/data.tif"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"x")
    return factories.make_storage(
        tmp_path, instrument=factories.make_instrument(), member_folder="{proposal}/{visit_id}"
    )


def test_a_member_browses_the_folder_of_the_own_visit_and_nothing_else(shared_folder: Storage) -> None:
    user = factories.make_user()
    instrument = shared_folder.instrument
    assert instrument is not None
    proposal = Proposal.objects.create(facility=instrument.facility, number="p1")
    factories.make_investigation(pi=user, instrument=instrument, visit_id="visit-a", proposal=proposal)
    member = principal_of(user)
    assert usable_storages(member) == [shared_folder]
    assert [entry.path for entry in list_folder(principal=member, row=shared_folder).entries] == ["p1/visit-a"]
    inside = list_folder(principal=member, row=shared_folder, prefix="p1/visit-a")
    assert [entry.path for entry in inside.entries] == ["p1/visit-a/data.tif"]
    for prefix in (
        "p1",
        "p1/visit-b",
        "p1/visit-ab",
        "p2/visit-c",
        "p1/visit-a/..",
        "p1/visit-a/../visit-b",
        "/",
        "..",
    ):
        with pytest.raises(NotFound):
            list_folder(principal=member, row=shared_folder, prefix=prefix)


def test_people_without_a_visit_and_visitors_find_no_storage(shared_folder: Storage) -> None:
    stranger = principal_of(factories.make_user())
    reader = principal_of(factories.make_curator(), scopes=frozenset({"read"}))
    other_instrument = principal_of(factories.make_instrument_account(factories.make_instrument()))
    for principal in (ANONYMOUS, stranger, reader, other_instrument):
        assert usable_storages(principal) == []
        for prefix in ("", "p1", "p1/visit-a"):
            with pytest.raises(NotFound):
                list_folder(principal=principal, row=shared_folder, prefix=prefix)


def test_a_visit_at_another_instrument_opens_no_folder(shared_folder: Storage) -> None:
    user = factories.make_user()
    factories.make_investigation(pi=user, visit_id="visit-a")
    assert usable_storages(principal_of(user)) == []


def test_curators_and_the_instrument_itself_browse_the_whole_storage(shared_folder: Storage) -> None:
    assert shared_folder.instrument is not None
    account = principal_of(factories.make_instrument_account(shared_folder.instrument))
    for principal in (principal_of(factories.make_curator()), account):
        page = list_folder(principal=principal, row=shared_folder, limit=1)
        assert [entry.path for entry in page.entries] == ["p1"]
        rest = list_folder(principal=principal, row=shared_folder, cursor=page.next_cursor)
        assert [entry.path for entry in rest.entries] == ["p2"]


def test_a_personal_storage_is_browsed_by_its_owner_only(person: Principal) -> None:
    row = webdav_of(person)
    assert usable_storages(person) == [row]
    for principal in (principal_of(factories.make_user()), principal_of(factories.make_curator())):
        assert row not in usable_storages(principal)
        with pytest.raises(NotFound):
            list_folder(principal=principal, row=row)


def test_browsing_a_storage_that_does_not_answer_says_so(shared_folder: Storage, tmp_path: Path) -> None:
    Storage.objects.filter(pk=shared_folder.pk).update(location=str(tmp_path / "unplugged"))
    shared_folder.refresh_from_db()
    with pytest.raises(Unavailable) as problem:
        list_folder(principal=principal_of(factories.make_curator()), row=shared_folder)
    assert shared_folder.name in problem.value.message


def test_an_administrator_declares_a_folder_for_an_instrument_on_the_page(client: Client, tmp_path: Path) -> None:
    instrument = factories.make_instrument()
    values = {
        "name": "sem-disk",
        "kind": "posix",
        "location": str(tmp_path),
        "instrument": instrument.pk,
        "member_folder": "{visit_id}",
    }
    client.force_login(factories.make_user(), backend=BACKEND)
    assert client.post("/storages", values).status_code == 422
    assert not Storage.objects.exists()
    client.force_login(factories.make_user(is_superuser=True), backend=BACKEND)
    assert client.post("/storages", values).status_code == 302
    row = Storage.objects.get()
    assert (row.location, row.instrument, row.owner, row.state) == (str(tmp_path), instrument, None, "available")
    assert not row.is_private_network_allowed
    assert "{visit_id}" in client.get("/storages").content.decode()
