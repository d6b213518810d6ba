"""What must hold and no constraint of the database can say. Checked every night and by `manage.py check_invariants`.

A check is a generator of sentences, one for each thing found wrong. It reads and mends nothing: whoever broke a rule is
to be found first. Each runs over the whole archive in bounded memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.db.models import BigIntegerField, Count, F, Max, Min, Model, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from catalogue import units
from catalogue.collection_facts import opening_of_collection
from catalogue.derived import Picture, picture_path
from catalogue.identifiers import is_valid_orcid
from catalogue.models import (
    Annotation,
    Collection,
    Dataset,
    ExtensionRequest,
    Instrument,
    Investigation,
    OutboxEntry,
    Parameter,
    Person,
    Technique,
    TechniqueAncestor,
)
from catalogue.models.collections import CollectionState
from catalogue.models.datasets import DatasetKind, ExtractionState, ParameterKind
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.outbox import NEVER
from catalogue.services.followers import closed_followers, followed_moment, sources_of
from catalogue.services.references import chunks
from catalogue.services.vocabularies import ancestor_pairs
from catalogue.stamps import opening, opening_of_dataset

MOST_SHOWN = 20
RANGE = 20_000
PARAMETERS_LOOKED_AT = 200_000
OLDEST_DELIVERY = timedelta(days=1)
EXTRACTION_IS_LOST_AFTER = timedelta(minutes=5)

Check = Callable[[], Iterator[str]]


@dataclass(frozen=True)
class Violation:
    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.check}: {self.text}"


def find_violations() -> list[Violation]:
    """What does not hold, at most MOST_SHOWN sentences for each check."""
    return [Violation(check.__name__, text) for check in all_checks() for text in islice(check(), MOST_SHOWN)]


def add_checks(*checks: Check) -> None:
    """Have checks of an app above run with those of the catalogue. Called in `AppConfig.ready()`."""
    _of_other_apps.extend(check for check in checks if check not in _of_other_apps)


def all_checks() -> tuple[Check, ...]:
    return (*CHECKS, *_of_other_apps)


def check_file_counts_of_datasets() -> Iterator[str]:
    counted = {"files": Count("files"), "bytes": Coalesce(Sum("files__size"), 0, output_field=BigIntegerField())}
    for datasets in _in_ranges(Dataset):
        wrong = datasets.annotate(real_files=counted["files"], real_bytes=counted["bytes"])
        for row in wrong.exclude(file_count=F("real_files"), size=F("real_bytes")):
            yield f"dataset {row.uid} says {row.file_count} files, {row.size} B: {row.real_files}, {row.real_bytes} B"


def check_counts_of_investigations() -> Iterator[str]:
    sums = {
        f"real_{name}": Coalesce(Sum(f"datasets__{name}"), 0, output_field=BigIntegerField())
        for name in ("file_count", "size")
    }
    for investigations in _in_ranges(Investigation):
        counted = investigations.annotate(real_datasets=Count("datasets"), **sums)
        wrong = counted.exclude(dataset_count=F("real_datasets"), file_count=F("real_file_count"), size=F("real_size"))
        for row in wrong:
            yield (
                f"investigation {row.uid} says {row.dataset_count} datasets, {row.file_count} files, {row.size} B: "
                f"{row.real_datasets}, {row.real_file_count}, {row.real_size} B"
            )


def check_bounds_of_investigations() -> Iterator[str]:
    """Lists look for datasets between the keys that an investigation keeps, and nowhere else."""
    for investigations in _in_ranges(Investigation):
        bounded = investigations.annotate(first=Min("datasets"), last=Max("datasets")).filter(first__isnull=False)
        lacking = Q(first_dataset_key__isnull=True) | Q(last_dataset_key__isnull=True)
        for row in bounded.filter(lacking | Q(first_dataset_key__gt=F("first")) | Q(last_dataset_key__lt=F("last"))):
            yield f"investigation {row.uid} keeps keys of datasets from {row.first_dataset_key} to {row.last_dataset_key}"


def check_dataset_counts() -> Iterator[str]:
    """Of instruments and techniques."""
    for model in (Instrument, Technique):
        counted = model._default_manager.annotate(real_datasets=Count("datasets"))
        for row in counted.exclude(dataset_count=F("real_datasets")):
            yield f"{model.__name__} {row} says {row.dataset_count} datasets: there are {row.real_datasets}"


def check_ancestors_of_techniques() -> Iterator[str]:
    wanted, rows = ancestor_pairs(), set(TechniqueAncestor.objects.values_list("technique_id", "ancestor_id"))
    for technique, ancestor in sorted(wanted ^ rows):
        state = "lacks" if (technique, ancestor) in wanted else "has a surplus"
        yield f"technique {technique} {state} ancestor {ancestor}: run `manage.py load_vocabulary`"


def check_units_in_si() -> Iterator[str]:
    """Numbers whose unit is known have their value in SI. Looks at the newest parameters only."""
    newest = Parameter.objects.aggregate(last=Max("pk"))["last"] or 0
    numbers = Parameter.objects.filter(pk__gt=newest - PARAMETERS_LOOKED_AT, kind=ParameterKind.NUMBER)
    without = numbers.filter(value_si__isnull=True, value__isnull=False).exclude(unit="")
    for unit in without.order_by("unit").values_list("unit", flat=True).distinct().iterator():
        if units.to_si(1.0, unit) is not None:
            yield f"numbers in {unit!r} have no value in SI, although the unit is known"


def check_files_of_annotations() -> Iterator[str]:
    strange = Annotation.objects.exclude(dataset_id=F("datafile__dataset_id")).values_list("pk", "datafile_id")
    for key, file in strange.iterator():
        yield f"annotation {key} of file {file} names another dataset than that of the file"


def check_thumbnails() -> Iterator[str]:
    uids = Dataset.objects.filter(has_thumbnail=True).values_list("uid", flat=True)
    for uid in uids.iterator():
        if not picture_path(uid, Picture.THUMBNAIL).is_file():
            yield f"dataset {uid} has no thumbnail file"


def check_deliveries() -> Iterator[str]:
    waiting = OutboxEntry.objects.filter(available_at__lt=NEVER)
    for row in waiting.filter(created_at__lt=timezone.now() - OLDEST_DELIVERY).order_by("created_at"):
        yield f"delivery {row.topic} {row.key} waits since {row.created_at:%Y-%m-%d %H:%M} UTC: {row.last_error[:200]}"


def check_waiting_extractions() -> Iterator[str]:
    """A dataset that waits for its files to be read has an intent in the outbox."""
    waiting = Dataset.objects.filter(
        extraction_state=ExtractionState.PENDING, updated_at__lt=timezone.now() - EXTRACTION_IS_LOST_AFTER
    )
    intended = set(OutboxEntry.objects.filter(topic="extract").values_list("key", flat=True).iterator())
    for uid in waiting.values_list("uid", flat=True).iterator():
        if str(uid) not in intended:
            yield f"dataset {uid} waits for extraction, which nobody intends"


def check_facilities_of_datasets() -> Iterator[str]:
    """A dataset is measured at an instrument of the facility of its investigation, on a sample of that investigation."""
    foreign = ~Q(instrument__facility=F("investigation__facility"))
    foreign |= Q(sample__isnull=False) & ~Q(sample__investigation=F("investigation"))
    for datasets in _in_ranges(Dataset):
        for uid in datasets.filter(foreign).values_list("uid", flat=True):
            yield f"dataset {uid} has an instrument or a sample of another investigation"


def check_followers() -> Iterator[str]:
    """Closed processed data open with what they derive from."""
    now = timezone.now()
    links = Dataset.derived_from.through.objects
    for datasets in _in_ranges(Dataset):
        keys = datasets.filter(kind=DatasetKind.PROCESSED, follows_raw_data=True).values("pk")
        linked = links.filter(from_dataset__in=keys).values_list("from_dataset", flat=True).distinct()
        for chunk in chunks(list(linked)):
            followers = list(closed_followers(chunk, now=now).select_related("investigation"))
            sources = sources_of(followers)
            for row in followers:
                moment = followed_moment(row, sources[row.pk])
                if moment != row.embargo_until:
                    yield f"dataset {row.uid} says {row.embargo_until} where its raw data say {moment}"


def check_revisions() -> Iterator[str]:
    """Search hears of a dataset by its revision only."""
    for datasets in _in_ranges(Dataset):
        for uid in datasets.filter(revision__isnull=True).values_list("uid", flat=True):
            yield f"dataset {uid} has no revision, so that search does not know it"


def check_stamps() -> Iterator[str]:
    """Harvesters are told of an opening by the clock: the moment that was written is that of the rows."""
    for datasets in _in_ranges(Dataset):
        known = datasets.filter(revision__isnull=False)
        rows = known.annotate(right=Greatest("revision__stamped_at", opening_of_dataset()))
        for uid in rows.exclude(revision__stamped_open_at=F("right")).values_list("uid", flat=True):
            yield f"dataset {uid} opens at another moment than harvesters will be told"
    for investigations in _in_ranges(Investigation):
        rows = investigations.annotate(right=Greatest("stamped_at", opening()))
        for uid in rows.exclude(stamped_open_at=F("right")).values_list("uid", flat=True):
            yield f"investigation {uid} opens at another moment than harvesters will be told"
    for collection in Collection.objects.filter(state=CollectionState.PUBLISHED):
        opens = opening_of_collection(collection)
        if opens and opens > timezone.now() and opens != collection.stamped_open_at:
            yield f"collection {collection.uid} opens at another moment than harvesters will be told"


def check_releases() -> Iterator[str]:
    """Nothing was released in the future: what is to open later has an embargo."""
    for model in (Dataset, Investigation):
        for uid in model._default_manager.filter(released_at__gt=timezone.now()).values_list("uid", flat=True):
            yield f"{model.__name__.lower()} {uid} is said to be released in the future"


def check_holds() -> Iterator[str]:
    """Only an open request keeps data closed beyond their embargo, and none waits for what is open or withdrawn."""
    now = timezone.now()
    waiting = ExtensionRequest.objects.filter(state=RequestState.OPEN)
    held = Investigation.objects.filter(held_until__gt=now, released_at__isnull=True, state=RecordState.ACTIVE)
    for uid in held.exclude(pk__in=waiting.values("investigation_id")).values_list("uid", flat=True):
        yield f"investigation {uid} is held although nobody asks for a longer embargo"
    over = Q(investigation__released_at__lte=now) | Q(investigation__state=RecordState.WITHDRAWN)
    for uid in waiting.filter(over).values_list("uid", flat=True):
        yield f"request {uid} waits although its investigation was released or withdrawn"


def check_orcids() -> Iterator[str]:
    for person in Person.objects.filter(orcid__isnull=False).iterator():
        if not is_valid_orcid(person.orcid or ""):
            yield f"person {person.uid} has an ORCID iD with a wrong check digit"


def _in_ranges(model: type[Model]) -> Iterator[QuerySet]:
    """The rows of a table in portions, so that no query has to group all of them at once."""
    last = model._default_manager.aggregate(last=Max("pk"))["last"] or 0
    for start in range(0, last + 1, RANGE):
        yield model._default_manager.filter(pk__gt=start, pk__lte=start + RANGE)


CHECKS: tuple[Check, ...] = (
    check_file_counts_of_datasets,
    check_counts_of_investigations,
    check_bounds_of_investigations,
    check_dataset_counts,
    check_ancestors_of_techniques,
    check_units_in_si,
    check_files_of_annotations,
    check_thumbnails,
    check_deliveries,
    check_waiting_extractions,
    check_facilities_of_datasets,
    check_followers,
    check_revisions,
    check_stamps,
    check_releases,
    check_holds,
    check_orcids,
)
_of_other_apps: list[Check] = []
