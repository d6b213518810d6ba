"""Settled files that a watch rule saw become datasets, through the registration service that everybody uses.

Safe to repeat after a kill at any point: the group's key is the registration key, and files that are registered already are
recognised by their path.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import OuterRef, Subquery

from catalogue import outbox
from catalogue.access import principal_of
from catalogue.entries import DatasetEntry, FileEntry, Outcome
from catalogue.errors import DomainError
from catalogue.models import Datafile, Dataset, Investigation, ScanRun, WatchedFile, WatchRule
from catalogue.models.datasets import FileRole
from catalogue.models.storages import WatchedState
from catalogue.services.dataset_changes import add_files
from catalogue.services.references import chunks
from catalogue.services.registration import register_datasets
from catalogue.watching.compare import NO_TIME, Known
from catalogue.watching.groups import Group, batches, common_folder, gather, in_chunks, name_within, sidecars
from catalogue.watching.rules import PathRule

SLICE = 20_000
CHUNK = 500
WAITING = (WatchedState.GROWING, WatchedState.REFUSED)
COLUMNS = ("pk", "path", "size", "modified_at", "etag", "state", "changed_at", "datafile_id")


def register_waiting(
    rule: WatchRule, paths: PathRule, run: ScanRun, *, check_stop: Callable[[], None] = lambda: None
) -> None:
    """Register every group of waiting files that has settled. Refused ones are tried again at each scan.

    Files are taken in slices, so that memory stays bounded; the rest of a group that a slice has cut is added later.
    """
    waiting = WatchedFile.objects.filter(rule=rule, state__in=WAITING).order_by("pk")
    batch = _Batch(rule, paths, run)
    last = 0
    while files := [Known(*row) for row in waiting.filter(pk__gt=last).values_list(*COLUMNS)[:SLICE]]:
        last = files[-1].pk
        groups, refused = gather(files, paths)
        for file, reason in refused:
            batch.refuse([file], reason)
        batch.write()
        settled = (
            group for group in groups if group.is_settled(now=run.started_at, settle_seconds=rule.settle_seconds)
        )
        for portion in batches(settled):
            check_stop()
            batch.register(portion)


@dataclass(frozen=True)
class _Registered:
    """A file of the catalogue that lies where a waiting file lies."""

    pk: int
    size: int | None


class _Batch:
    """Some groups on their way into the catalogue, and what is to be written of their watched files."""

    def __init__(self, rule: WatchRule, paths: PathRule, run: ScanRun) -> None:
        self.rule = rule
        self.paths = paths
        self.run = run
        self.zone = _zone(rule.instrument.facility.time_zone)
        self.techniques = list(rule.instrument.techniques.all()[:2])
        self.registered: list[int] = []
        self.changed: list[WatchedFile] = []
        self.refusals: dict[str, list[int]] = defaultdict(list)

    def register(self, groups: Sequence[Group]) -> None:
        investigations = self._investigations(groups)
        known = self._registered(file for group in groups for file in group.files)
        wanted: list[tuple[Group, DatasetEntry]] = []
        for group in groups:
            rest = [file for file in group.files if file.path not in known]
            self._mark_registered([file for file in group.files if file.path in known], known)
            if not rest:
                continue
            if reason := self._obstacle(group, investigations):
                self.refuse(rest, reason)
                continue
            remaining = Group(group.placement, rest)
            wanted.append((remaining, self._entry(remaining, investigations[group.placement.visit_id])))
        if wanted:
            self._send(wanted)
        self.write()

    def _investigations(self, groups: Sequence[Group]) -> dict[str, Investigation]:
        visits = {group.placement.visit_id for group in groups}
        rows = Investigation.objects.filter(facility=self.rule.instrument.facility_id, visit_id__in=visits)
        return {row.visit_id: row for row in rows.select_related("instrument")}

    def _obstacle(self, group: Group, investigations: dict[str, Investigation]) -> str:
        """Why this group cannot be registered now, with what to do about it."""
        visit = group.placement.visit_id
        investigation = investigations.get(visit)
        if investigation is None:
            facility = self.rule.instrument.facility.short_name
            return (
                f"{facility} has no investigation with the visit id {visit}. Register the investigation, and the next "
                "scan takes these files in; or correct the rule, if this is no visit."
            )
        if investigation.instrument_id != self.rule.instrument_id:
            return (
                f"The investigation {visit} took place at {investigation.instrument}, but this rule is for "
                f"{self.rule.instrument}. Move the files, or correct the rule."
            )
        return ""

    def _entry(self, group: Group, investigation: Investigation) -> DatasetEntry:
        folder = common_folder(file.path for file in group.files)
        texts = sidecars(file.path for file in group.files)
        return DatasetEntry(
            investigation=str(investigation.uid),
            title=self._title(group),
            sample=group.placement.sample,
            # The instrument's technique when it has only one; otherwise the files tell.
            techniques=tuple(technique.iri for technique in self.techniques) if len(self.techniques) == 1 else (),
            registration_key=group.placement.group,
            files=tuple(
                FileEntry(
                    storage=str(self.rule.storage.uid),
                    path=file.path,
                    name=name_within(file.path, folder),
                    size=file.size,
                    modified_at=None if file.modified_at == NO_TIME else file.modified_at,
                    role=FileRole.METADATA if file.path in texts else FileRole.DATA,
                )
                for file in group.files
            ),
        )

    def _title(self, group: Group) -> str:
        instrument = self.rule.instrument
        began_at = (group.began_at or self.run.started_at).astimezone(self.zone)
        values = {
            "technique": self.techniques[0].label if self.techniques else instrument.instrument_type or "Measurement",
            "instrument": instrument.name,
            "date": f"{began_at:%Y-%m-%d}",
            "time": f"{began_at:%H:%M}",
        }
        return self.paths.title(group.placement, values) or f"Measurement at {instrument.name}"

    def _send(self, wanted: Sequence[tuple[Group, DatasetEntry]]) -> None:
        actor = principal_of(self.rule.acts_as)
        try:
            outcomes = register_datasets(actor=actor, entries=[entry for _, entry in wanted])
        except DomainError as problem:
            outcomes = [Outcome(index=index, status="refused", message=problem.message) for index in range(len(wanted))]
        for (group, entry), outcome in zip(wanted, outcomes, strict=True):
            if outcome.status == "exists":
                outcome = self._add_to_existing(group, entry, outcome)
            if outcome.status == "refused":
                self.refuse(group.files, _words(outcome))
        taken_in = [file for group, _ in wanted for file in group.files]
        self._mark_registered(taken_in, self._registered(taken_in))

    def _add_to_existing(self, group: Group, entry: DatasetEntry, outcome: Outcome) -> Outcome:
        """More files of a dataset that is registered: their names follow the folder of its first ones."""
        dataset = Dataset.objects.get(uid=str(outcome.uid))
        first = dataset.files.filter(storage=self.rule.storage).order_by("pk").first()
        folder = first.path.removesuffix(first.name) if first and first.path.endswith(first.name) else ""
        files = [replace(file, name=name_within(file.path, folder)) for file in entry.files]
        try:
            add_files(actor=principal_of(self.rule.acts_as), uid=dataset.uid, files=files)
        except DomainError as problem:
            return Outcome(index=outcome.index, status="refused", message=problem.message, fields=problem.fields)
        return outcome

    def _registered(self, files: Iterable[Known]) -> dict[str, _Registered]:
        found: dict[str, _Registered] = {}
        for paths in chunks([file.path for file in files]):
            rows = Datafile.objects.filter(storage=self.rule.storage, path__in=paths).values_list("path", "pk", "size")
            found.update((path, _Registered(pk, size)) for path, pk, size in rows)
        return found

    def _mark_registered(self, files: Sequence[Known], known: dict[str, _Registered]) -> None:
        for file in files:
            datafile = known.get(file.path)
            if datafile is None:
                continue
            self.run.registered += 1
            if datafile.size in (None, file.size):
                self.registered.append(file.pk)
                continue
            self.run.changed += 1
            reason = f"It was registered with {datafile.size} bytes and has {file.size}."
            row = WatchedFile(pk=file.pk, state=WatchedState.CHANGED, reason=reason, datafile_id=datafile.pk)
            self.changed.append(row)

    def refuse(self, files: Sequence[Known], reason: str) -> None:
        self.refusals[reason[:2000]].extend(file.pk for file in files)
        self.run.refused += len(files)

    def write(self) -> None:
        """Write what became of the files. One that is refused again for the same reason costs no write."""
        with transaction.atomic():
            for keys in in_chunks(self.registered, CHUNK):
                WatchedFile.objects.filter(pk__in=keys).update(
                    state=WatchedState.REGISTERED, reason="", datafile=self._datafile_at_path
                )
            for reason, refused in self.refusals.items():
                for keys in in_chunks(refused, CHUNK):
                    rows = WatchedFile.objects.filter(pk__in=keys).exclude(state=WatchedState.REFUSED, reason=reason)
                    rows.update(state=WatchedState.REFUSED, reason=reason)
            WatchedFile.objects.bulk_update(self.changed, ["state", "reason", "datafile"], batch_size=100)
            if self.changed:
                outbox.record_intents("check-file", [str(row.datafile_id) for row in self.changed])
        self.registered.clear()
        self.refusals.clear()
        self.changed.clear()

    @property
    def _datafile_at_path(self) -> Subquery:
        return Subquery(Datafile.objects.filter(storage=self.rule.storage, path=OuterRef("path")).values("pk")[:1])


def _words(outcome: Outcome) -> str:
    details = [text for texts in outcome.fields.values() for text in texts]
    return " ".join([outcome.message, *details])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
