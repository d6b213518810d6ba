"""Reads the records of what an archive holds, for the crate that goes with it: the same for one dataset and for thousands.

Which datasets go into an archive is decided before, in `catalogue/services/zips.py`: these are read in full.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.anonymity import shown_to
from catalogue.descriptions import this_site
from catalogue.interop.publications import publication_of
from catalogue.interop.ro_crate_archive import ArchivedDataset, ArchiveDescription
from catalogue.masking import dataset_record
from catalogue.models import Dataset, Parameter
from catalogue.page_rows import rows_of
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord

# All values and sources of the datasets of one archive together: one that holds many datasets has fewer of each, and
# none where there would be fewer than FEWEST_PARAMETERS.
MOST_PARAMETERS, FEWEST_PARAMETERS = 10_000, 10
MOST_SOURCES = 10_000
_VALUE_COLUMNS = (
    "dataset_id", "group", "name", "kind", "text", "unit", "value", "value_si", "unit_si", "date", "items", "source",
    "is_personal",
)  # fmt: skip


def archived_records(keys: Sequence[int], principal: Principal, *, now: datetime) -> dict[int, DatasetRecord]:
    """Datasets that `principal` reads in full, by key, with their standard values and the sources that they may know of.

    In six queries, however many there are.
    """
    parameters, sources = _parameters(keys), _sources(keys, principal, now)
    return {
        row.pk: shown_to(
            dataset_record(row, Level.FULL, now=now, parameters=parameters[row.pk], derived_from=sources[row.pk]),
            principal,
        )
        for row in rows_of(keys)
    }


def _parameters(keys: Sequence[int]) -> dict[int, list[Any]]:
    """The first values with a standard name of each dataset, as bare rows: a model of each takes as long as all the rest."""
    found: dict[int, list[Any]] = defaultdict(list)
    most = MOST_PARAMETERS // max(len(keys), 1)
    if most < FEWEST_PARAMETERS:
        return found
    place = Window(RowNumber(), partition_by=[F("dataset_id")], order_by=["name", "source"])
    standard = Parameter.objects.filter(dataset__in=keys, group="", is_personal=False).order_by()
    rows = standard.annotate(place=place).filter(place__lte=most).order_by("dataset_id", "name", "source")
    for row in rows.values_list(*_VALUE_COLUMNS, named=True):
        found[row.dataset_id].append(row)
    return found


def _sources(keys: Sequence[int], principal: Principal, now: datetime) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    known = access.listed_datasets(principal, now=now).order_by().values("pk")
    links = Dataset.derived_from.through.objects.filter(from_dataset__in=keys, to_dataset__in=known).order_by("id")
    columns = ("from_dataset_id", "to_dataset__uid", "to_dataset__title", "to_dataset__kind")
    for key, uid, title, kind in links.values_list(*columns)[:MOST_SOURCES]:
        found[key].append({"uid": str(uid), "title": title, "kind": kind})
    return found


def describe_archive(
    record: DatasetRecord | InvestigationRecord | CollectionRecord | None,
    folders: Mapping[int, str],
    spans: Mapping[int, tuple[int, int]],
    principal: Principal,
    *,
    now: datetime,
    note: str = "",
) -> ArchiveDescription:
    """An archive of the datasets whose `folders` and numbers of files (`spans`) are given by key, in that order."""
    site = this_site()
    if isinstance(record, DatasetRecord):
        records = dict.fromkeys(folders, record)
    else:
        records = archived_records(list(folders), principal, now=now)
    datasets = tuple(
        ArchivedDataset(records[key], publication_of(records[key], site=site), folder, spans[key])
        for key, folder in folders.items()
    )
    publication = publication_of(record, site=site) if record else None
    return ArchiveDescription(site, record, publication, datasets, note)
