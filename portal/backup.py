"""Backup and restore of a whole site: every table in a portable form, and the pictures derived from files.

An archive is a ZIP with one file of JSON lines for each table, so that it fits SQLite and PostgreSQL alike, and a manifest
with the state of the schema and the checksum of every member. Storage credentials are in it as they are in the database,
encrypted; the keys (FAIRCAT_SECRET_KEYS) are not. Sessions are left out. Everything is streamed: memory does not grow
with the archive. The data themselves lie in the storages and are not copied.
"""

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from catalogue.services.rows import insert_rows

FORMAT = "faircat-backup-1"
MANIFEST = "manifest.json"
TABLES, DERIVED = "tables/", "derived/"
LEFT_OUT = {"sessions.Session", "usersessions.UserSession"}
# Made by `migrate` itself with ids of its own choice: replaced by those of the archive, which other rows refer to.
MADE_BY_MIGRATE = {"contenttypes.ContentType", "auth.Permission"}
DERIVED_NAME = re.compile(r"derived/[0-9a-f]{2}/[0-9a-f-]{36}\.(?:preview|thumbnail)\.webp", re.ASCII)
CHUNK = 1 << 20
ROWS_AT_ONCE = 2000
LARGEST_MANIFEST = 1 << 30


class BackupRefused(Exception):
    """The archive or the database is not fit for this; the text says why and what to do."""


@dataclass(frozen=True)
class Contents:
    """What was written or read: rows of all tables, and derived files."""

    rows: int
    derived_files: int


def write_backup(path: Path) -> Contents:
    """Write an archive that shows the database at one moment, while the site goes on. An existing file is refused."""
    if path.exists():
        raise BackupRefused(f"{path} exists already. Name a new file.")
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            members: dict[str, dict[str, Any]] = {}
            with _snapshot():
                schema = _schema()
                for model in _models():
                    members[_table_name(model)] = _write_table(archive, model)
            for file in _derived_files():
                members[_derived_name(file)] = _write_derived(archive, file)
            archive.writestr(MANIFEST, json.dumps(_manifest(schema, members), indent=1))
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    return _contents(members)


def read_backup(path: Path) -> Contents:
    """Fill an empty, migrated database and the folder of derived files from an archive, wholly or not at all.

    Raises BackupRefused when the archive is damaged or of another schema, or when the database holds anything already.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked_members(archive)
            _require_empty_database()
            with transaction.atomic():
                _load_tables(archive, members)
                _extract_derived(archive, members)
    except (zipfile.BadZipFile, EOFError, OSError, json.JSONDecodeError) as error:
        raise BackupRefused(f"{path.name} is damaged or no backup of Faircat ({type(error).__name__}).") from error
    return _contents(members)


def _models() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.label not in LEFT_OUT
    ]


def _schema() -> list[str]:
    """The applied migrations: the same list means the same tables."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


@contextmanager
def _snapshot() -> Iterator[None]:
    """A read transaction that sees one moment and holds up no writer."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        is_outermost = not connection.in_atomic_block
        if is_outermost:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            if is_outermost:
                cursor.execute("ROLLBACK")


def _table_name(model: type[models.Model]) -> str:
    return f"{TABLES}{model._meta.label_lower}.jsonl"


def _columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _write_table(archive: zipfile.ZipFile, model: type[models.Model]) -> dict[str, Any]:
    columns = _columns(model)
    rows = model._base_manager.order_by("pk").values_list(*columns).iterator(chunk_size=ROWS_AT_ONCE)
    digest, size, count = hashlib.sha256(), 0, 0
    with archive.open(_table_name(model), "w", force_zip64=True) as member:
        for row in rows:
            line = json.dumps(row, default=_as_text, ensure_ascii=False).encode() + b"\n"
            member.write(line)
            digest.update(line)
            size, count = size + len(line), count + 1
    return {"sha256": digest.hexdigest(), "size": size, "rows": count, "columns": columns}


def _as_text(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a column holds a {type(value).__name__}, which a backup cannot keep")


def _derived_files() -> list[Path]:
    files = Path(settings.DERIVED_DIR).glob("??/*.webp")
    return sorted(file for file in files if DERIVED_NAME.fullmatch(_derived_name(file)))


def _derived_name(file: Path) -> str:
    return f"{DERIVED}{file.parent.name}/{file.name}"


def _write_derived(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    """The whole file at once: a thumbnail is small, and its checksum must be that of what was written."""
    content = file.read_bytes()
    archive.writestr(zipfile.ZipInfo(_derived_name(file)), content)
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _manifest(schema: list[str], members: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"format": FORMAT, "made_at": timezone.now().isoformat(), "schema": schema, "members": members}


def _contents(members: dict[str, dict[str, Any]]) -> Contents:
    rows = sum(member.get("rows", 0) for member in members.values())
    return Contents(rows, sum(name.startswith(DERIVED) for name in members))


def _checked_members(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """The members by name, after every one of them was read and compared with the manifest. Nothing is loaded before."""
    try:
        info = archive.getinfo(MANIFEST)
    except KeyError:
        raise BackupRefused("This is no backup of Faircat: it has no manifest.") from None
    if info.file_size > LARGEST_MANIFEST:
        raise BackupRefused("The manifest is too large to be one.")
    manifest = json.loads(archive.read(info))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BackupRefused("This is no backup of Faircat, or one of another version of its format.")
    if manifest["schema"] != _schema():
        raise BackupRefused(
            "The archive has another state of the schema than this database. Restore it with the version of Faircat "
            "that made it, then update and migrate."
        )
    members: dict[str, dict[str, Any]] = manifest["members"]
    if sorted(archive.namelist()) != sorted([*members, MANIFEST]):
        raise BackupRefused("The archive does not hold what its manifest says.")
    for name, expected in members.items():
        _check_member(archive, name, expected)
    return members


def _check_member(archive: zipfile.ZipFile, name: str, expected: dict[str, Any]) -> None:
    tables = {_table_name(model): _columns(model) for model in _models()}
    if tables.get(name) != expected.get("columns") or (name not in tables and not DERIVED_NAME.fullmatch(name)):
        raise BackupRefused(f"The archive holds {name[:100]!r}, which belongs to no backup of this version.")
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as member:
        while size <= expected["size"] and (chunk := member.read(CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    if size != expected["size"] or digest.hexdigest() != expected["sha256"]:
        raise BackupRefused(f"{name} is damaged: its checksum differs from the manifest. Use another copy.")


def _require_empty_database() -> None:
    for model in _models():
        if model._meta.label not in MADE_BY_MIGRATE and model._base_manager.exists():
            raise BackupRefused(
                f"The database is not empty: it has rows of {model._meta.verbose_name_plural}. Restore into a new "
                "database in which only `manage.py migrate` was run."
            )


def _load_tables(archive: zipfile.ZipFile, members: dict[str, dict[str, Any]]) -> None:
    """Foreign keys are checked when the transaction ends, so that the order of the tables does not matter."""
    by_label = {model._meta.label: model for model in _models()}
    for label in sorted(MADE_BY_MIGRATE):
        by_label[label]._base_manager.all().delete()
    for model in by_label.values():
        if members[_table_name(model)]["rows"]:
            with archive.open(_table_name(model)) as member:
                insert_rows(model, _columns(model), _rows(model, member))
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(by_label.values())):
            cursor.execute(statement)


def _rows(model: type[models.Model], member: IO[bytes]) -> Iterator[list[Any]]:
    moments = [
        place for place, field in enumerate(model._meta.concrete_fields) if isinstance(field, models.DateTimeField)
    ]
    uids = [place for place, field in enumerate(model._meta.concrete_fields) if isinstance(field, models.UUIDField)]
    for line in member:
        row = json.loads(line)
        for places, read in ((moments, _moment), (uids, UUID)):
            for place in places:
                if row[place] is not None:
                    row[place] = read(row[place])
        yield row


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _extract_derived(archive: zipfile.ZipFile, members: dict[str, dict[str, Any]]) -> None:
    """The names were checked before: none leads out of the folder."""
    for name in members:
        if name.startswith(DERIVED):
            target = Path(settings.DERIVED_DIR) / name.removeprefix(DERIVED)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as member, target.open("wb") as stream:
                shutil.copyfileobj(member, stream)
