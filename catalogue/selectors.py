"""All reads of records. Every function takes the principal; what comes out is masked for that principal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.anonymity import file_name_for, key_of_file, shown_to
from catalogue.errors import NotFound
from catalogue.masking import References, dataset_record, file_refs, investigation_record, sample_record
from catalogue.models import (
    AuditEntry,
    CollectionMember,
    Datafile,
    Dataset,
    Instrument,
    Investigation,
    Relation,
    Sample,
    SelectedDataset,
    TeamMember,
)
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState
from catalogue.page_rows import LISTS, NAMED, KeptRows, add_teams, list_columns, rows_of, technique_terms
from catalogue.record import DatasetRecord, FileRef, InvestigationRecord, SampleRecord
from catalogue.short_lists import ShortList

MOST_RELATED = 100
MOST_PARAMETERS = 2000
RELATED = ("uid", "title", "kind")
FILE = ("dataset_id", "name", "size", "media_type", "role", "sha256", "modified_at", "fixity")
RELATION = ("relation_type", "identifier", "identifier_type", "resource_type", "title")


def with_references(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """Fetch what a record names, at a constant number of queries (two) for any page of datasets."""
    return _with_columns(datasets).prefetch_related(_team("investigation__team"))


def _with_columns(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    named = datasets.select_related("investigation__proposal", "instrument__facility", "sample", "licence")
    return named.annotate(**list_columns())


def _team(path: str = "team") -> Prefetch:
    return Prefetch(path, TeamMember.objects.select_related("person__affiliation"))


def find_dataset(uid: UUID, principal: Principal, *, now: datetime | None = None) -> tuple[Dataset, Level]:
    """The dataset and how much of it `principal` sees; NotFound when it is nothing."""
    return _seen(with_references(Dataset.objects.filter(uid=uid)).first(), principal, now or timezone.now())


def find_detailed_dataset(uid: UUID, principal: Principal, *, now: datetime) -> tuple[Dataset, Level]:
    """The same with all that `detailed_record` and the page need, so that they ask for nothing in vain.

    `is_published` tells whether a published collection holds it, `is_selected` whether the principal's account chose it.
    """
    if principal != access.ANONYMOUS:
        rows = _detailed(uid, principal.user_id).annotate(**_related_lists(principal, now))
        return _seen(with_references(rows).first(), principal, now)
    found = _FOR_STRANGERS.read(uid=uid)
    add_teams(one.investigation for one in found)
    dataset, level = _seen(found[0] if found else None, principal, now)
    dataset.sources, dataset.results = _related(dataset, now) if dataset.has_related else ([], [])
    return dataset, level


def _detailed(uid: UUID, user: int | None) -> QuerySet[Dataset]:
    published = CollectionMember.objects.filter(collection__state=CollectionState.PUBLISHED).order_by()
    alone = published.filter(dataset=OuterRef("pk"))
    whole = published.filter(investigation=OuterRef("investigation_id"))
    relations = Relation.objects.filter(dataset=OuterRef("pk")).order_by("id")
    columns = {
        "is_published": Exists(alone) | Exists(whole),
        "is_selected": Exists(SelectedDataset.objects.filter(dataset=OuterRef("pk"), user_id=user)),
        "has_related": has_related(),
        "relation_rows": ShortList(relations[:MOST_RELATED], *RELATION),
    }
    return Dataset.objects.filter(uid=uid).order_by().annotate(**columns)


def has_related() -> Q:
    """Whether a row of datasets comes from others, or others from it, be they known to whoever asks or not."""
    links = Dataset.derived_from.through._default_manager
    return Exists(links.filter(from_dataset=OuterRef("pk"))) | Exists(links.filter(to_dataset=OuterRef("pk")))


def _related_lists(principal: Principal, now: datetime) -> dict[str, ShortList]:
    """What a row of datasets comes from, and what comes from it, as far as the principal may know of that."""
    known = access.listed_datasets(principal, now=now).order_by("id")
    return {
        "sources": ShortList(known.filter(derivatives=OuterRef("pk"))[:MOST_RELATED], *RELATED),
        "results": ShortList(known.filter(derived_from=OuterRef("pk"))[:MOST_RELATED], *RELATED),
    }


def _related(dataset: Dataset, now: datetime) -> tuple[list[Any], list[Any]]:
    """The same for strangers, in a query of its own: most datasets have none, and to plan these lists takes long."""
    lists = _related_lists(access.ANONYMOUS, now)
    return Dataset.objects.filter(pk=dataset.pk).annotate(**lists).values_list(*lists).get()


_DETAILS = ("is_published", "is_selected", "has_related", "relation_rows")
_FOR_STRANGERS = KeptRows(
    Dataset,
    NAMED,
    lambda uid: _detailed(uid, None).annotate(**list_columns()),
    *(*LISTS, *_DETAILS),
    uid=UUID(int=1),
)


def _seen(dataset: Dataset | None, principal: Principal, now: datetime) -> tuple[Dataset, Level]:
    level = access.dataset_level(dataset, principal, now=now) if dataset else Level.NOTHING
    if dataset is None or level == Level.NOTHING:
        raise NotFound("There is no such dataset, or none that you may see.")
    return dataset, level


def get_dataset_record(uid: UUID, principal: Principal, *, now: datetime | None = None) -> DatasetRecord:
    """One dataset with its parameters and provenance, at most 2000 parameters and 100 related datasets."""
    moment = now or timezone.now()
    dataset, level = find_detailed_dataset(uid, principal, now=moment)
    return detailed_record(dataset, level, principal, now=moment)


def detailed_record(dataset: Dataset, level: Level, principal: Principal, *, now: datetime) -> DatasetRecord:
    """The record of a dataset that `find_detailed_dataset` found, with all that its reader may see."""
    shows_metadata = level in (Level.FULL, Level.METADATA)
    parameters = dataset.parameters.order_by("group", "name", "source")[:MOST_PARAMETERS]
    record = dataset_record(
        dataset,
        level,
        now=now,
        parameters=list(parameters) if shows_metadata else (),
        derived_from=dataset.sources,
        derivatives=dataset.results,
        relations=dataset.relation_rows,
    )
    return shown_to(record, principal)


# How the page of a dataset tells what the audit log names; an action that is not here is shown by its name.
EVENTS = {
    "create": "registered",
    "update": "changed",
    "extract-metadata": "metadata read from the files",
    "record-parameters": "metadata added",
    "correct-parameter": "metadata corrected",
    "add-files": "files added",
    "accept-rename": "new name of a file accepted",
    "release": "released",
    "set-embargo": "given an embargo of its own",
    "follow-raw-data": "embargo changed with that of its raw data",
    "withdraw": "withdrawn",
}


# Who asked, was let in, or reads by a link is the matter of those who share.
NOT_TOLD = (
    "request-access",
    "decide-access-request",
    "grant-access",
    "revoke-access",
    "make-share-link",
    "revoke-share-link",
)


@dataclass(frozen=True)
class HistoryEvent:
    """One change of a record. `who` is empty for those who may not know accounts."""

    at: datetime
    text: str
    who: str


def history_of(dataset: Dataset, level: Level, principal: Principal) -> list[HistoryEvent]:
    """The newest 20 changes, for those who see the dataset in full; account names only for curators."""
    if level != Level.FULL:
        return []
    rows = AuditEntry.objects.filter(object_type="dataset", object_id=str(dataset.uid)).exclude(action__in=NOT_TOLD)[
        :20
    ]
    names_actors = principal.sees_everything and not principal.hides_people
    return [HistoryEvent(row.at, _told(row.action), row.actor_label if names_actors else "") for row in rows]


def _told(action: str) -> str:
    return EVENTS.get(action, action.replace("-", " "))


def records_of(datasets: Sequence[Dataset], principal: Principal, *, now: datetime) -> list[DatasetRecord]:
    """Records for one page of a list (without parameters), in its order; what the principal may not know of is left out."""
    levels, shared = access.dataset_levels(list(datasets), principal, now=now), References()
    return [
        shown_to(dataset_record(dataset, levels[dataset.pk], now=now, shared=shared), principal)
        for dataset in datasets
        if levels[dataset.pk] != Level.NOTHING
    ]


def find_investigation(uid: UUID, principal: Principal, *, now: datetime | None = None) -> tuple[Investigation, Level]:
    moment = now or timezone.now()
    found = _INVESTIGATIONS.read(uid=uid)
    add_teams(found)
    investigation = found[0] if found else None
    level = access.investigation_level(investigation, principal, now=moment) if investigation else Level.NOTHING
    if investigation is None or level == Level.NOTHING:
        raise NotFound("There is no such investigation, or none that you may see.")
    return investigation, level


def _investigation(uid: UUID) -> QuerySet[Investigation]:
    relations = Relation.objects.filter(investigation=OuterRef("pk")).order_by("id")[:MOST_RELATED]
    columns = {
        "technique_terms": technique_terms(instruments=OuterRef("instrument")),
        "relation_rows": ShortList(relations, *RELATION),
    }
    return Investigation.objects.filter(uid=uid).order_by().annotate(**columns)


_INVESTIGATIONS = KeptRows(
    Investigation,
    ("facility", "instrument", "instrument__facility", "proposal", "licence"),
    _investigation,
    *("technique_terms", "relation_rows"),
    uid=UUID(int=1),
)


def with_team(investigations: QuerySet[Investigation]) -> QuerySet[Investigation]:
    named = investigations.select_related("facility", "instrument__facility", "proposal", "licence")
    columns = {"technique_terms": technique_terms(instruments=OuterRef("instrument"))}
    return named.annotate(**columns).prefetch_related(_team())


def get_investigation_record(uid: UUID, principal: Principal, *, now: datetime | None = None) -> InvestigationRecord:
    moment = now or timezone.now()
    investigation, level = find_investigation(uid, principal, now=moment)
    return detailed_investigation(investigation, level, principal, now=moment)


def detailed_investigation(
    investigation: Investigation, level: Level, principal: Principal, *, now: datetime
) -> InvestigationRecord:
    """The record of an investigation that `find_investigation` found, with all that its reader may see."""
    record = investigation_record(
        investigation,
        level,
        now=now,
        samples=list(samples_of(investigation, level, principal, now=now)[:MOST_RELATED]),
        relations=investigation.relation_rows,
    )
    return shown_to(record, principal)


def samples_of(investigation: Investigation, level: Level, principal: Principal, *, now: datetime) -> QuerySet[Sample]:
    """Its samples, for those who see its metadata; but not what only data show that are closed for longer than it is."""
    samples = investigation.samples.all()
    if level not in (Level.FULL, Level.METADATA):
        return samples.none()
    if principal.sees_everything or access.public_level(investigation) == Level.METADATA:
        return samples
    measured = Dataset.objects.filter(sample=OuterRef("pk"), state=RecordState.ACTIVE)
    known = access.known_datasets(principal, now=now).filter(sample=OuterRef("pk"))
    return samples.filter(~Exists(measured) | Exists(known))


def investigation_records(
    investigations: Sequence[Investigation], principal: Principal, *, now: datetime
) -> list[InvestigationRecord]:
    """Records for one page of a list. The level is only used for masking lists of samples, which lists do not carry."""
    records = []
    for investigation in investigations:
        is_readable = principal.sees_everything or access.is_open(investigation, now=now)
        level = Level.FULL if is_readable else Level.SUMMARY
        records.append(shown_to(investigation_record(investigation, level, now=now), principal))
    return records


def own_investigations(principal: Principal) -> QuerySet[Investigation]:
    """The investigations in whose team the principal is, with their teams, the newest first."""
    return with_team(Investigation.objects.filter(pk__in=_own_teams(principal))).order_by("-id")


def own_investigation_page(principal: Principal, *, cursor: str, limit: int) -> tuple[list[Investigation], str]:
    """One page of them, and the cursor of the next, empty at the end."""
    rows = own_investigations(principal)
    if cursor.isdecimal():
        rows = rows.filter(pk__lt=int(cursor[:18]))
    found = list(rows[: limit + 1])
    return found[:limit], str(found[limit - 1].pk) if len(found) > limit else ""


def newest_own_datasets(
    principal: Principal, *, fetched: Sequence[Investigation], limit: int, now: datetime
) -> list[DatasetRecord]:
    """The last registered data of the principal's teams; investigations that were `fetched` are not fetched again."""
    datasets = Dataset.objects.filter(investigation__in=_own_teams(principal), state=RecordState.ACTIVE)
    keys = datasets.filter(investigation__state=RecordState.ACTIVE).order_by("-id").values_list("pk", flat=True)
    return records_of(rows_of(list(keys[:limit]), fetched=fetched), principal, now=now)


def _own_teams(principal: Principal) -> QuerySet[TeamMember, Any]:
    teams = TeamMember.objects.filter(person__user_id=principal.user_id, person__user__isnull=False)
    return teams.order_by().values("investigation_id")


def get_instrument(uid: UUID) -> Instrument:
    """Instruments are public. Comes with its facility and its techniques."""
    columns = {"technique_terms": technique_terms(instruments=OuterRef("pk"))}
    instruments = Instrument.objects.select_related("facility").annotate(**columns)
    instrument = instruments.filter(uid=uid).first()
    if instrument is None:
        raise NotFound("There is no such instrument.")
    return instrument


def get_sample(uid: UUID, principal: Principal, *, now: datetime | None = None) -> Sample:
    """A sample is seen by those who see it among `samples_of` its investigation, or read one of its datasets."""
    moment = now or timezone.now()
    sample = Sample.objects.select_related("investigation__instrument__facility").filter(uid=uid).first()
    if sample is not None:
        level = access.investigation_level(sample.investigation, principal, now=moment)
        if samples_of(sample.investigation, level, principal, now=moment).filter(pk=sample.pk).exists():
            return sample
        if access.full_datasets(principal, now=moment).filter(sample=sample).exists():
            return sample
    raise NotFound("There is no such sample, or none that you may see.")


def get_sample_record(uid: UUID, principal: Principal) -> SampleRecord:
    return shown_to(sample_record(get_sample(uid, principal)), principal)


def readable_files(dataset: Dataset, level: Level) -> QuerySet[Datafile]:
    """The files of `dataset` by name, for those who see it in full; nothing for others."""
    if level != Level.FULL:
        return Datafile.objects.none()
    return dataset.files.select_related("storage").order_by("name")


def files_named(files: QuerySet[Datafile], names: Sequence[str], principal: Principal) -> QuerySet[Datafile]:
    """Those of `files` with the names by which `principal` knows them."""
    if not principal.hides_people:
        return files.filter(name__in=names)
    keys = [key for name in names if (key := key_of_file(name)) is not None]
    candidates = files.filter(Q(name__in=names) | Q(pk__in=keys)).values_list("pk", "name")
    return files.filter(pk__in=[key for key, name in candidates if file_name_for(name, key, principal) in names])


def file_page(
    dataset: Dataset, level: Level, principal: Principal, *, cursor: str, limit: int
) -> tuple[tuple[FileRef, ...], str]:
    """One page of the files that `principal` may see, and the cursor of the next: the last name, or key where names hide."""
    column = "pk" if principal.hides_people else "name"
    files = readable_files(dataset, level).select_related(None).only(*FILE).order_by(column)
    if cursor and (column == "name" or cursor.isdecimal()):
        files = files.filter(**{f"{column}__gt": cursor[:18] if column == "pk" else cursor})
    rows = list(files[: limit + 1])
    next_cursor = str(getattr(rows[limit - 1], column)) if len(rows) > limit else ""
    return file_refs_for(rows[:limit], principal), next_cursor


def file_refs_for(files: Sequence[Datafile], principal: Principal) -> tuple[FileRef, ...]:
    """Files by the names by which `principal` may know them."""
    named = zip(files, file_refs(files), strict=True)
    return tuple(replace(ref, name=file_name_for(row.name, row.pk, principal)) for row, ref in named)


def find_file(dataset: Dataset, level: Level, name: str, principal: Principal) -> Datafile:
    file = files_named(readable_files(dataset, level), [name], principal).first()
    if file is None:
        raise NotFound("This dataset has no such file, or you may not see it.")
    return file
