"""Rows for tests, made straight in the database where the test is not about registration. No assertion belongs here."""

import hashlib
import itertools
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.models.functions import Coalesce
from django.utils import timezone

from catalogue.access import opens_at
from catalogue.models import (
    AccessGrant,
    Datafile,
    Dataset,
    DatasetRevision,
    Facility,
    Instrument,
    Investigation,
    Licence,
    Person,
    Sample,
    Storage,
    TeamMember,
    User,
)
from catalogue.models.investigations import TeamRole
from catalogue.models.storages import StorageKind

_numbers = itertools.count(1)


def make_licence(spdx_id: str = "CC-BY-4.0") -> Licence:
    url = f"https://spdx.org/licenses/{spdx_id}.html"
    return Licence.objects.get_or_create(spdx_id=spdx_id, defaults={"name": spdx_id, "url": url})[0]


def make_facility(**fields: Any) -> Facility:
    number = next(_numbers)
    values = {"name": f"Facility {number}", "short_name": f"F{number}", "default_licence": make_licence()}
    return Facility.objects.create(**(values | fields))


def make_instrument(**fields: Any) -> Instrument:
    number = next(_numbers)
    values: dict[str, Any] = {"name": f"Microscope {number}", "short_name": f"microscope-{number}"}
    values["facility"] = fields.pop("facility", None) or make_facility()
    return Instrument.objects.create(**(values | fields))


def make_user(username: str = "", **fields: Any) -> User:
    """An account without a password; log in with `client.force_login`."""
    return User.objects.create_user(username or f"user{next(_numbers)}", **fields)


def make_curator(username: str = "", **fields: Any) -> User:
    return make_user(username, is_curator=True, **fields)


def make_instrument_account(instrument: Instrument, username: str = "") -> User:
    return make_user(username, instrument=instrument)


def make_person(user: User | None = None, **fields: Any) -> Person:
    number = next(_numbers)
    return Person.objects.create(**({"given_name": "Ada", "family_name": f"Tester{number}", "user": user} | fields))


def make_investigation(*, is_open: bool = False, pi: User | None = None, **fields: Any) -> Investigation:
    """An investigation that opened a day ago, or opens in a year. `pi` becomes its principal investigator."""
    number = next(_numbers)
    now = timezone.now()
    instrument = fields.pop("instrument", None) or make_instrument()
    values = {
        "instrument": instrument,
        "facility": instrument.facility,
        "visit_id": f"visit-{number}",
        "title": f"Investigation {number}",
        "abstract": "What was measured and why.",
        "started_at": now - timedelta(days=30),
        "ended_at": now - timedelta(days=29),
        "licence": make_licence(),
        "embargo_until": now - timedelta(days=1) if is_open else now + timedelta(days=365),
    }
    investigation = Investigation(**(values | _reason(fields) | fields))
    investigation.stamped_at, investigation.stamped_open_at = now, max(now, opens_at(investigation))
    investigation.save()
    if pi is not None:
        add_member(investigation, pi, role=TeamRole.PI)
    return investigation


def _reason(fields: Mapping[str, Any]) -> dict[str, str]:
    return {"withdrawal_reason": "Made by mistake."} if fields.get("state") == "withdrawn" else {}


def add_member(investigation: Investigation, user: User, *, role: TeamRole = TeamRole.MEMBER) -> TeamMember:
    person = Person.objects.filter(user=user).first() or make_person(user)
    return TeamMember.objects.create(investigation=investigation, person=person, role=role)


def make_grant(user: User, *, granted_by: User | None = None, **fields: Any) -> AccessGrant:
    """A grant without end; name `investigation` or `dataset`."""
    return AccessGrant.objects.create(user=user, granted_by=granted_by or make_curator(), **fields)


def make_sample(investigation: Investigation, **fields: Any) -> Sample:
    return Sample.objects.create(**({"investigation": investigation, "name": f"Sample {next(_numbers)}"} | fields))


def make_storage(root: Path, **fields: Any) -> Storage:
    """A folder declared by an administrator."""
    values = {"name": f"Storage {next(_numbers)}", "kind": StorageKind.POSIX, "location": str(root)}
    return Storage.objects.create(**(values | fields))


def _keep_dataset_keys(dataset: Dataset) -> None:
    """As registration does it."""
    investigations = Investigation.objects.filter(pk=dataset.investigation_id)
    first = Coalesce("first_dataset_key", dataset.pk)
    investigations.update(first_dataset_key=first, last_dataset_key=dataset.pk)


def make_dataset(
    investigation: Investigation | None = None,
    *,
    is_open: bool = False,
    storage: Storage | None = None,
    files: Mapping[str, bytes] | None = None,
    has_checksums: bool = True,
    **fields: Any,
) -> Dataset:
    """A dataset; `files` (name -> content) are written to the folder of `storage` and registered as they are there."""
    number = next(_numbers)
    investigation = investigation or make_investigation(is_open=is_open)
    values = {
        "investigation": investigation,
        "instrument": investigation.instrument,
        "title": f"Dataset {number}",
        "licence": investigation.licence,
        "acquired_at": investigation.started_at,
    }
    if "registered_by" not in fields:
        values["registered_by"] = User.objects.get_or_create(username="registrant")[0]
    dataset = Dataset.objects.create(**(values | _reason(fields) | fields))
    _keep_dataset_keys(dataset)
    now = timezone.now()
    DatasetRevision.objects.create(dataset=dataset, stamped_at=now, stamped_open_at=max(now, opens_at(dataset)))
    for name, content in (files or {}).items():
        assert storage is not None, "files need a storage"
        add_file(dataset, storage, name, content, has_checksums=has_checksums)
    return dataset


def add_file(
    dataset: Dataset, storage: Storage, name: str, content: bytes, *, has_checksums: bool = True, **fields: Any
) -> Datafile:
    """Write `content` below the folder of a posix `storage` and register it; keeps the counts of the dataset."""
    path = f"{dataset.uid}/{name}"
    place = Path(storage.location) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    values = {
        "path": path,
        "name": name,
        "size": len(content),
        "modified_at": datetime.fromtimestamp(place.stat().st_mtime, UTC),
        "sha256": hashlib.sha256(content).hexdigest() if has_checksums else "",
        "crc32": zlib.crc32(content) if has_checksums else None,
    }
    file = Datafile.objects.create(dataset=dataset, storage=storage, **(values | fields))
    dataset.file_count += 1
    dataset.size += len(content)
    dataset.save(update_fields=["file_count", "size"])
    return file


def set_embargo_metadata(shown: str) -> None:
    """What strangers see under embargo at every facility: "summary", "full" or "none"."""
    Facility.objects.update(embargo_metadata=shown)
