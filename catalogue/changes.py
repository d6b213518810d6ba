"""What search and harvesters must hear of: a change that records are made of, in the transaction of the change itself.

Services name here what they changed. The revision of every dataset that shows it is raised by SQL; where these are many,
the outbox does it a moment later, so that nobody waits: but for investigations, whose embargo must be known at once. The
opening of data by the clock changes no document. Services call this after they have written.
"""

from collections.abc import Callable, Iterable, Sequence

from django.db import connection, models, transaction
from django.db.models import Q, Value
from django.utils import timezone

from catalogue import events, outbox
from catalogue.access import opens_at
from catalogue.collection_contents import collections_that_hold, datasets_in, whole_investigations_in
from catalogue.collection_facts import opening_of_collection
from catalogue.models import (
    Collection,
    Dataset,
    DatasetRevision,
    Facility,
    Instrument,
    Investigation,
    Organisation,
    Person,
    Proposal,
    Sample,
    TeamMember,
    Technique,
    TechniqueAncestor,
)
from catalogue.models.collections import CollectionState
from catalogue.services.references import chunks
from catalogue.services.rows import insert_rows
from catalogue.stamps import opening_of_dataset, stamp_collections, stamp_investigations, stamped_open_at

TOPIC = "reindex"
MOST_AT_ONCE = 5_000
PORTION = 5_000
DATETIME = models.DateTimeField()


def datasets_registered(datasets: Sequence[Dataset]) -> None:
    """Give new datasets their first revision."""
    now = timezone.now()
    columns = ("dataset_id", "number", "is_pending", "changed_at", "stamped_at", "stamped_open_at")
    rows = ((one.pk, 1, True, now, now, max(now, opens_at(one))) for one in datasets)
    insert_rows(DatasetRevision, columns, rows)
    events.send_after_commit(events.revisions_raised)
    events.send_after_commit(events.datasets_changed, uids=[dataset.uid for dataset in datasets])


def datasets_changed(datasets: Iterable[Dataset]) -> None:
    uids = {dataset.pk: dataset.uid for dataset in datasets}
    for keys in chunks(sorted(uids)):
        raise_revisions(Dataset.objects.filter(pk__in=keys))
        _stamp_openings(Q(dataset__in=keys) | Q(investigation__datasets__in=keys))
    events.send_after_commit(events.datasets_changed, uids=list(uids.values()))


def investigation_changed(investigation: Investigation) -> None:
    """The investigation itself, its team or its embargo, and so all its datasets."""
    row_changed(investigation)
    _stamp_openings(Q(dataset__investigation=investigation) | Q(investigation=investigation))
    events.send_after_commit(events.investigations_changed, uids=[investigation.uid])


def stamp_opening(collection: Collection) -> None:
    """Of one that is published, or whose members open at other moments now: harvesters are told by the clock."""
    now = timezone.now()
    opens = opening_of_collection(collection)
    Collection.objects.filter(pk=collection.pk).update(stamped_open_at=max(now, opens or now))


def _stamp_openings(members: Q) -> None:
    """Of the published collections with such `members` that are not open yet; mostly there are none."""
    closed = Q(state=CollectionState.PUBLISHED, stamped_open_at__gt=timezone.now())
    if Collection.objects.filter(closed).exists():
        for collection in collections_that_hold(members).filter(closed):
            stamp_opening(collection)


def row_changed(row: models.Model) -> None:
    """Anything else that records name; a row that no record names changes no document."""
    now = timezone.now()
    if type(row) in _INVESTIGATIONS_OF:
        stamp_investigations(_INVESTIGATIONS_OF[type(row)](row), now)
    if type(row) in _COLLECTIONS_OF:
        stamp_collections(_COLLECTIONS_OF[type(row)](row), now)
    if type(row) in _DATASETS_OF:
        datasets = datasets_with(row)
        # An embargo that was made longer is known at once, however many datasets it holds closed.
        may_wait = not isinstance(row, Investigation)
        if may_wait and datasets.order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
            outbox.record_intents(TOPIC, [f"{row._meta.model_name}:{row.pk}"])
        else:
            raise_revisions(datasets)


def datasets_with(row: models.Model) -> models.QuerySet[Dataset]:
    """The datasets whose records name `row`, each once."""
    return _DATASETS_OF[type(row)](row)


def _with_technique(technique: Technique) -> models.QuerySet[Dataset]:
    narrower = TechniqueAncestor.objects.filter(ancestor=technique).values("technique")
    links = Dataset.techniques.through._default_manager.filter(technique__in=narrower)
    return Dataset.objects.filter(pk__in=links.values("dataset"))


def _of_people(**chosen: models.Model) -> models.QuerySet[Dataset]:
    return Dataset.objects.filter(investigation__in=_led_by(**chosen).values("pk"))


def _led_by(**chosen: models.Model) -> models.QuerySet[Investigation]:
    teams = TeamMember.objects.filter(**chosen).order_by()
    return Investigation.objects.filter(pk__in=teams.values("investigation")).order_by()


_DATASETS_OF: dict[type[models.Model], Callable[..., models.QuerySet[Dataset]]] = {
    Dataset: lambda row: Dataset.objects.filter(pk=row.pk),
    Investigation: lambda row: Dataset.objects.filter(investigation=row),
    Proposal: lambda row: Dataset.objects.filter(investigation__proposal=row),
    Instrument: lambda row: Dataset.objects.filter(instrument=row),
    Facility: lambda row: Dataset.objects.filter(instrument__facility=row),
    Sample: lambda row: Dataset.objects.filter(sample=row),
    Person: lambda row: _of_people(person=row),
    Organisation: lambda row: _of_people(person__affiliation=row),
    Technique: _with_technique,
    Collection: datasets_in,
}
_INVESTIGATIONS_OF: dict[type[models.Model], Callable[..., models.QuerySet[Investigation]]] = {
    Investigation: lambda row: Investigation.objects.filter(pk=row.pk),
    Proposal: lambda row: Investigation.objects.filter(proposal=row),
    Instrument: lambda row: Investigation.objects.filter(instrument=row),
    Facility: lambda row: Investigation.objects.filter(facility=row),
    Sample: lambda row: Investigation.objects.filter(pk=row.investigation_id),
    Person: lambda row: _led_by(person=row),
    Organisation: lambda row: _led_by(person__affiliation=row),
    Technique: lambda row: Investigation.objects.filter(instrument__in=Instrument.objects.filter(techniques=row)),
    Collection: whole_investigations_in,
}
_COLLECTIONS_OF: dict[type[models.Model], Callable[..., models.QuerySet[Collection]]] = {
    Collection: lambda row: Collection.objects.filter(pk=row.pk),
    Facility: lambda row: Collection.objects.filter(home__facility=row),
}
_BY_NAME = {str(model._meta.model_name): model for model in _DATASETS_OF}


def raise_many(key: str, payload: dict) -> None:
    """Deliver an intent: `key` is a kind of row and its primary key. In portions, each a transaction of its own."""
    name, _, number = key.partition(":")
    row = _BY_NAME[name]._default_manager.filter(pk=number).first()
    if row is None:
        return
    datasets, last = datasets_with(row), 0
    while keys := list(datasets.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PORTION]):
        portion = datasets.filter(pk__gt=last, pk__lte=keys[-1])
        with transaction.atomic():
            raise_revisions(portion)
        last = keys[-1]


def raise_revisions(datasets: models.QuerySet[Dataset], *, is_seen_by_harvesters: bool = True) -> None:
    """Raise the revision of each, make one where it is missing, and ring the indexer after the commit.

    The rows are locked in the order of their keys, so that two changes wait for each other and never deadlock.
    """
    table = connection.ops.quote_name(DatasetRevision._meta.db_table)
    now = timezone.now()
    rows = Dataset.objects.filter(pk__in=datasets.order_by().values("pk")).order_by("pk")
    moments = {"changed": Value(now, DATETIME), "open": stamped_open_at(opening_of_dataset(), now)}
    chosen, parameters = (
        rows.annotate(**moments).values_list("pk", "changed", "changed", "open").query.sql_with_params()
    )
    stamps = ", stamped_at = excluded.stamped_at, stamped_open_at = excluded.stamped_open_at"
    with connection.cursor() as cursor:
        # Names of our own tables and a compiled queryset; every value is a bound parameter.
        cursor.execute(
            f"INSERT INTO {table} (dataset_id, changed_at, stamped_at, stamped_open_at, number, is_pending) "  # noqa: S608
            f"SELECT chosen.*, 1, true FROM ({chosen}) AS chosen WHERE true "
            "ON CONFLICT (dataset_id) DO UPDATE SET "
            f"number = {table}.number + 1, is_pending = excluded.is_pending, changed_at = excluded.changed_at, "
            # What is open already cannot close again; what opens while it is pending is watched by `neutral_access`.
            f"opens_at = CASE WHEN {table}.is_pending OR {table}.opens_at > excluded.changed_at THEN {table}.opens_at END"
            + (stamps if is_seen_by_harvesters else ""),
            parameters,
        )
    events.send_after_commit(events.revisions_raised)
