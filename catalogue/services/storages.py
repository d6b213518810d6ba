"""Storages: declared, changed, checked, opened, and browsed by those who may register from them."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalogue import access, storages
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from catalogue.models import Investigation, Storage
from catalogue.models.storages import StorageKind, StorageState
from catalogue.secrets import Secret, SecretUnreadable, decrypt, encrypt
from catalogue.services.references import member_folder
from catalogue.storages.errors import StorageError, StorageFileMissing, StoragePathRefused
from catalogue.storages.paths import clean_path
from catalogue.storages.protocol import Entry, Page, StorageConfig

logger = logging.getLogger(__name__)

MOST_OPEN = 64
MOST_FOLDERS = 200
SETTINGS = ("kind", "location", "endpoint", "region", "username", "secret", "is_private_network_allowed")
CHANGEABLE = frozenset(
    {"name", "location", "endpoint", "region", "username", "member_folder", "is_private_network_allowed", "is_active"}
)

_open: OrderedDict[tuple[Any, ...], storages.Storage] = OrderedDict()
_open_lock = threading.Lock()


def open_storage(row: Storage) -> storages.Storage:
    """The storage of `row`, kept open by this process until its settings change. Nothing is contacted yet.

    Raises Unavailable when its credentials cannot be decrypted. Who may read what is decided before.
    """
    key = (row.pk, *(getattr(row, name) for name in SETTINGS))
    with _open_lock:
        if key in _open:
            _open.move_to_end(key)
            return _open[key]
    opened = storages.connect(_config(row))
    with _open_lock:
        # One that is dropped is not closed: another thread may be reading from it; it goes with its last user.
        for other in [known for known in _open if known[0] == row.pk and known != key]:
            del _open[other]
        if len(_open) >= MOST_OPEN:
            _open.popitem(last=False)
        return _open.setdefault(key, opened)


def close_storages() -> None:
    """Give back the connections of this process. Storages open again when they are asked for."""
    with _open_lock:
        while _open:
            _open.popitem()[1].close()


def _config(row: Storage) -> StorageConfig:
    try:
        secret = Secret(decrypt(row.secret)) if row.secret else None
    except SecretUnreadable as error:
        raise Unavailable(f"{row.name}: {error}") from None
    return StorageConfig(
        kind=StorageKind(row.kind).value,  # type: ignore[arg-type]
        location=row.location,
        endpoint=row.endpoint or None,
        username=row.username or None,
        secret=secret,
        region=row.region or None,
        is_private_network_allowed=row.is_private_network_allowed and row.owner_id is None,
    )


def declare_storage(
    *, actor: Principal, name: str, kind: str, location: str, secret: str = "", **values: Any
) -> Storage:
    """Declare a storage: administrators any, for an instrument; other people a remote one of their own.

    `values`: endpoint, region, username, instrument, member_folder, is_private_network_allowed. The secret is kept
    encrypted and can be replaced, not read. The storage is not contacted here, see `check_storage`.
    """
    _authorise_declaration(actor, kind, values)
    row = Storage(name=name.strip(), kind=kind, location=location.strip(), **values)
    row.owner_id = None if actor.is_administrator else actor.user_id
    if row.owner_id and Storage.objects.filter(owner=row.owner_id).count() >= settings.MOST_STORAGES:
        raise InvalidInput(
            f"You have {settings.MOST_STORAGES} storages. Ask an administrator to declare one for all of you.",
            code="too-many-storages",
        )
    _check(row)
    row.secret = encrypt(secret) if secret else ""
    with transaction.atomic():
        _save(row)
        write_audit(actor=actor, action="create", record=row, after=_public(row))
    return row


def change_storage(*, actor: Principal, uid: Any, secret: str | None = None, **changes: Any) -> Storage:
    """Change a storage's settings (CHANGEABLE) or replace its secret; for administrators, and owners of their own."""
    if unknown := set(changes) - CHANGEABLE:
        raise InvalidInput(f"{min(unknown)} of a storage cannot be changed.")
    with transaction.atomic():
        row = Storage.objects.select_for_update().filter(uid=uid).first()
        if row is None or not (_declares_any(actor) or row.owner_id == actor.user_id is not None):
            raise NotFound("There is no such storage, or none that you may change.")
        _authorise_declaration(actor, row.kind, changes)
        before = _public(row)
        if secret is None and {"location", "endpoint"} & set(changes) and row.secret:
            raise InvalidInput(
                "Give the secret again when the place changes: it is not sent to another server than it was given for.",
                fields={"secret": ["Required when the location or endpoint changes."]},
            )
        for name, value in changes.items():
            setattr(row, name, value)
        _check(row)
        if secret is not None:
            row.secret = encrypt(secret) if secret else ""
        _save(row)
        after = _public(row) | ({"secret": "replaced"} if secret is not None else {})
        write_audit(actor=actor, action="update", record=row, before=before, after=after)
    return row


def _declares_any(actor: Principal) -> bool:
    return actor.is_administrator and actor.scopes is None


def _authorise_declaration(actor: Principal, kind: str, values: Mapping[str, Any]) -> None:
    if actor.is_anonymous or actor.scopes is not None or actor.instrument_id is not None:
        raise NotAllowed("Storages are declared by people who are logged in on the site.")
    if actor.is_administrator:
        return
    if kind == StorageKind.POSIX:
        raise NotAllowed("Folders of the server are declared by administrators. You can add a WebDAV or S3 storage.")
    reserved = {"instrument", "member_folder", "is_private_network_allowed"}
    if any(values.get(name) for name in reserved):
        raise NotAllowed("Only administrators bind a storage to an instrument or allow a private network.")


def _check(row: Storage) -> None:
    fields: dict[str, list[str]] = {}
    if not row.name or len(row.name) > 100:
        fields["name"] = ["A name has 1 to 100 characters."]
    if row.kind not in StorageKind.values:
        fields["kind"] = [f"Must be one of {', '.join(StorageKind.values)}."]
    elif problem := _location_problem(row):
        fields["location"] = [problem]
    if row.endpoint and (problem := _address_problem(row.endpoint, row)):
        fields["endpoint"] = [problem]
    if row.member_folder and (problem := _member_folder_problem(row.member_folder)):
        fields["member_folder"] = [problem]
    if fields:
        raise InvalidInput("The storage cannot be declared like this.", fields=fields)


def _location_problem(row: Storage) -> str:
    if row.kind == StorageKind.POSIX:
        return _folder_problem(row.location)
    if row.kind == StorageKind.S3:
        return "" if row.location.startswith("s3://") and row.location[5:].strip("/") else "Write s3://bucket/prefix."
    return _address_problem(row.location, row)


def _folder_problem(location: str) -> str:
    """The site's own folder holds its keys and its database: no storage may show them."""
    folder = Path(location)
    if not folder.is_absolute():
        return "Give the folder's absolute path."
    own = Path(settings.DATA_DIR).resolve()
    if own.is_relative_to(folder.resolve()):
        return "This folder holds the site's own keys and database. Choose another one, or one below it."
    return ""


def _address_problem(address: str, row: Storage) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "Give a URL that begins with https://."
    if parts.username or parts.password:
        return "Give the user name and the secret in their own fields, not in the URL."
    if parts.scheme == "http" and not row.is_private_network_allowed:
        return "Use https: the credentials would travel in the clear."
    return ""


def _member_folder_problem(template: str) -> str:
    bare = template
    for name in ("visit_id", "proposal", "instrument"):
        bare = bare.replace("{" + name + "}", "x")
    if "{visit_id}" not in template:
        return "Name {visit_id} in it, so that each investigation has a folder of its own."
    try:
        clean_path(bare)
    except StoragePathRefused as error:
        return str(error)
    return "Known names are {visit_id}, {proposal} and {instrument}." if set("{}") & set(bare) else ""


def _save(row: Storage) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict(
            "Another storage has this name already; choose another one.", fields={"name": ["Taken."]}
        ) from None


def _public(row: Storage) -> dict[str, Any]:
    """What the audit log may hold: everything but the secret."""
    return {name: getattr(row, name) for name in ("name", "kind", *sorted(CHANGEABLE - {"name"})) if getattr(row, name)}


def check_storage(*, actor: Principal, row: Storage) -> Storage:
    """Try whether the storage answers, and keep the result where people see it: `state`, `state_text`, `checked_at`."""
    if not (actor.sees_everything or row.owner_id == actor.user_id is not None):
        raise NotAllowed("Only the owner of a storage and curators may check it.")
    state, text = StorageState.AVAILABLE, ""
    try:
        open_storage(row).check()
    except (StorageError, Unavailable) as error:
        state, text = StorageState.UNAVAILABLE, str(error)[:2000]
    row.state, row.state_text, row.checked_at = state, text, timezone.now()
    Storage.objects.filter(pk=row.pk).update(state=state, state_text=text, checked_at=row.checked_at)
    return row


def check_storages(*, actor: Principal) -> None:
    for row in Storage.objects.filter(is_active=True).order_by("pk"):
        check_storage(actor=actor, row=row)


def usable_storages(principal: Principal) -> list[Storage]:
    """The active storages from which `principal` may register files, by name."""
    if principal.is_anonymous or not principal.has_scope("register"):
        return []
    rows = Storage.objects.filter(is_active=True).select_related("instrument")
    return [row for row in rows if _sees_whole(row, principal) or own_folders(row, principal)]


def _sees_whole(row: Storage, principal: Principal) -> bool:
    if row.owner_id is not None:
        return row.owner_id == principal.user_id
    if principal.is_curator or principal.is_administrator:
        return True
    return principal.instrument_id is not None and principal.instrument_id == row.instrument_id


def own_folders(row: Storage, principal: Principal) -> dict[str, Investigation]:
    """The folders of an administrator's storage that belong to investigations of the principal's teams."""
    if principal.user_id is None or principal.instrument_id or row.owner_id or not row.member_folder:
        return {}
    if row.instrument_id is None:
        return {}
    mine = Investigation.objects.filter(team__person__user_id=principal.user_id, instrument_id=row.instrument_id)
    folders = {}
    for investigation in mine.select_related("proposal", "instrument").distinct().order_by("-id")[:MOST_FOLDERS]:
        if access.may_register_in(investigation, principal):
            folders[member_folder(row, investigation)] = investigation
    return folders


def list_folder(
    *, principal: Principal, row: Storage, prefix: str = "", cursor: str | None = None, limit: int = 200
) -> Page:
    """One page of a folder, for choosing files. Team members find their own folders at the root, and nothing else."""
    if principal.is_anonymous or not principal.has_scope("register") or not row.is_active:
        raise NotFound("There is no such storage that you may use.")
    if not _sees_whole(row, principal):
        folders = own_folders(row, principal)
        if not folders:
            raise NotFound("There is no such storage that you may use.")
        if prefix == "":
            entries = [Entry(path=folder, is_folder=True, size=None, modified_at=None) for folder in sorted(folders)]
            return Page(entries, None)
        if not any(prefix == folder or prefix.startswith(folder + "/") for folder in folders):
            raise NotFound("There is no such folder, or none that you may see.")
    try:
        clean_path(prefix, is_root_allowed=True)
        return open_storage(row).list_page(prefix, cursor, min(limit, 1000))
    except (StorageFileMissing, StoragePathRefused):
        raise NotFound("There is no such folder, or none that you may see.") from None
    except StorageError as error:
        raise Unavailable(f"The storage {row.name} does not answer now: {error}") from None
