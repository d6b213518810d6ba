"""Registers the demonstration's data through the services that instruments use, each instrument by its own account."""

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from uuid import UUID

from catalogue.access import SYSTEM, Principal, principal_of
from catalogue.demo.generate import DemoFile, make_demo_files
from catalogue.demo.plan import (
    CATEGORY_OF_PICTURE,
    DATASETS,
    FACILITIES,
    INSTRUMENTS,
    INVESTIGATIONS,
    DemoInstrument,
    DemoInvestigation,
)
from catalogue.entries import DatasetEntry, FileEntry
from catalogue.models import Datafile, Dataset, Instrument, Investigation, Storage
from catalogue.services.annotations import CATEGORY, verify_label
from catalogue.services.declarations import declare_account, declare_facility, declare_instrument
from catalogue.services.investigations import create_investigation, save_sample
from catalogue.services.registration import register_dataset
from catalogue.services.releases import release_investigation
from catalogue.vocabularies.techniques import TECHNIQUE_KEYS
from portal.folder import folder_storage


def make_demo(*, actor: Principal, folder: Path, today: date, say: Callable[[str], object]) -> int:
    """Declare what the plan names, write its files below `folder` and register them; returns the number of datasets.

    What is registered already stays as it is. `actor` is an administrator.
    """
    if is_complete():
        return 0
    instruments = [_declare_instrument(plan) for plan in INSTRUMENTS]
    say("Making the files of the demonstration ...")
    files = make_demo_files(folder, today=today)
    investigations = {plan.visit_id: _make_investigation(plan, today) for plan in INVESTIGATIONS}
    storages = {
        instrument.short_name: folder_storage(
            actor, f"Files of {instrument.name}"[:100], folder / instrument.short_name, instrument, "{visit_id}"
        )
        for instrument in instruments
    }
    for members in _by_dataset(files):
        _register(members, investigations[members[0].investigation], storages[members[0].instrument])
    _leave_a_file_to_register(files)
    _say_what_images_show(actor)
    for plan in INVESTIGATIONS:
        if plan.is_released_early:
            release_investigation(actor=actor, investigation=investigations[plan.visit_id])
    return len(DATASETS)


def _leave_a_file_to_register(files: Sequence[DemoFile]) -> None:
    """A file that nobody has registered, beside the first one, for whoever tries registration by hand."""
    first = files[0].path
    shutil.copy2(first, first.with_name(f"not-registered-yet{first.suffix}"))


def _say_what_images_show(actor: Principal) -> None:
    """A person's word for most of the pictures; some are left for a classifier and for whoever tries it."""
    for plan in DATASETS[: len(DATASETS) // 2]:
        category = CATEGORY_OF_PICTURE.get(str(dict(plan.options).get("picture")))
        if category:
            image = Datafile.objects.filter(dataset__registration_key=plan.key).order_by("id")[0]
            verify_label(actor=actor, datafile=image, kind=CATEGORY, text=category)


def is_complete() -> bool:
    keys = [dataset.key for dataset in DATASETS]
    return Dataset.objects.filter(registration_key__in=keys).count() == len(keys)


def _declare_instrument(plan: DemoInstrument) -> Instrument:
    facility = next(facility for facility in FACILITIES if facility.short_name == plan.facility)
    return declare_instrument(
        actor=SYSTEM,
        facility=declare_facility(
            actor=SYSTEM,
            short_name=facility.short_name,
            name=facility.name,
            time_zone=facility.time_zone,
            description=facility.description,
        ),
        short_name=plan.short_name,
        name=plan.name,
        techniques=tuple(TECHNIQUE_KEYS[key] for key in plan.techniques),
        manufacturer=plan.manufacturer,
        model=plan.model,
        instrument_type=plan.instrument_type,
        measured_variables=list(plan.measured_variables),
        description=plan.description,
        commissioned_on=plan.commissioned_on,
    )


def _account_of(instrument: Instrument) -> Principal:
    username = f"instrument-{instrument.short_name}"
    account = declare_account(actor=SYSTEM, username=username, instrument=instrument)
    return principal_of(account, scopes=frozenset({"read", "register"}))


def _make_investigation(plan: DemoInvestigation, today: date) -> Investigation:
    instrument = Instrument.objects.get(short_name=plan.instrument)
    account = _account_of(instrument)
    known = Investigation.objects.filter(visit_id=plan.visit_id, instrument=instrument).first()
    investigation = known or create_investigation(actor=account, entry=plan.entry(today))
    for sample in plan.samples:
        save_sample(actor=account, investigation=investigation, entry=sample)
    return investigation


def _by_dataset(files: Sequence[DemoFile]) -> list[list[DemoFile]]:
    return [list(members) for _, members in groupby(files, key=lambda file: file.dataset)]


def _register(files: Sequence[DemoFile], investigation: Investigation, storage: Storage) -> None:
    first = files[0]
    entry = DatasetEntry(
        investigation=str(investigation.uid),
        title=first.title,
        kind=first.kind,
        description=first.description,
        acquired_at=first.acquired_at,
        techniques=first.technique_iris,
        sample=first.sample,
        derived_from=_source(first.derived_from),
        registration_key=first.dataset,
        files=tuple(_file_entry(file, storage, index) for index, file in enumerate(files)),
    )
    register_dataset(actor=_account_of(investigation.instrument), entry=entry)


def _source(key: str) -> tuple[UUID, ...]:
    return (Dataset.objects.get(registration_key=key).uid,) if key else ()


def _file_entry(file: DemoFile, storage: Storage, index: int) -> FileEntry:
    role = "metadata" if index and file.path.suffix in {".txt", ".hdr"} else "data"
    stat = file.path.stat()
    return FileEntry(
        storage=storage.name,
        path=file.path.relative_to(storage.location).as_posix(),
        size=stat.st_size,
        modified_at=datetime.fromtimestamp(stat.st_mtime, UTC),
        role=role,
    )
