"""Processed data open with what they derive from, until somebody gives them an embargo of their own.

The `embargo_until` of such a follower is derived here and nowhere else: the latest opening among its sources. A source in
another investigation never opens a follower before the embargo of the follower's own investigation ends. Null stands for
that end, so that most followers need no row written. Nothing that is open closes again, and withdrawal changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from catalogue import access, changes
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit_rows
from catalogue.models import Dataset, Investigation
from catalogue.models.datasets import DatasetKind
from catalogue.services.references import chunks

# Provenance is short; a chain that is longer is followed so far.
MOST_STEPS = 100


def follow_raw_data(*, actor: Principal, dataset_ids: Iterable[int], are_new: bool = False) -> None:
    """Let the processed data among `dataset_ids`, and all that derives from any of them, open with their sources.

    Within the caller's transaction. With `are_new` they were made in it: nobody has seen them, so that they may close where
    their investigation is open. Costs a constant number of statements for each 500 followers and step of provenance.
    """
    moved = set(dataset_ids)
    new = moved if are_new else set()
    wave = moved | _derived_from(moved)
    for _ in range(MOST_STEPS):
        moved = _move(actor, wave, new)
        wave = _derived_from(moved)
        if not wave:
            return


def follow_investigations(*, actor: Principal, investigation_ids: Sequence[int]) -> None:
    """The same after the embargo of whole investigations has changed. Followers that inherit it need no look."""
    links = Dataset.derived_from.through.objects.filter(
        from_dataset__kind=DatasetKind.PROCESSED, from_dataset__follows_raw_data=True
    )
    is_within = Q(from_dataset__investigation__in=investigation_ids)
    differs = (
        Q(from_dataset__embargo_until__isnull=False)
        | ~Q(to_dataset__investigation=F("from_dataset__investigation"))
        | Q(to_dataset__embargo_until__isnull=False)
        | Q(to_dataset__released_at__isnull=False)
    )
    elsewhere = links.filter(~is_within, to_dataset__investigation__in=investigation_ids)
    keys = {
        *elsewhere.values_list("from_dataset", flat=True),
        *links.filter(is_within & differs).values_list("from_dataset", flat=True),
    }
    if keys:
        follow_raw_data(actor=actor, dataset_ids=keys)


def followed_moment(follower: Dataset, sources: Sequence[Dataset]) -> datetime | None:
    """The `embargo_until` that `follower` gets from its sources, None where it opens with its investigation.

    The investigations of all of them come fetched.
    """
    own_end = access.opens_at(follower.investigation)
    moments = [access.opens_at(source) for source in sources]
    if any(source.investigation_id != follower.investigation_id for source in sources):
        moments.append(own_end)
    latest = max(moments, default=own_end)
    return None if latest == own_end else latest


def closed_followers(dataset_ids: Iterable[int], *, now: datetime) -> QuerySet[Dataset]:
    """Those of the datasets that follow their sources and are not open at `now`."""
    return _followers(dataset_ids).exclude(access.open_q(now)).exclude(_opened_and_withdrawn(now))


def _followers(dataset_ids: Iterable[int]) -> QuerySet[Dataset]:
    return Dataset.objects.filter(pk__in=dataset_ids, kind=DatasetKind.PROCESSED, follows_raw_data=True)


def _opened_and_withdrawn(now: datetime) -> Q:
    """What was open when it was withdrawn: its moment is a fact of the past."""
    return Q(released_at__lte=now) | Q(embargo_until__lte=now) | Q(investigation__released_at__lte=now)


def sources_of(followers: Iterable[Dataset]) -> dict[int, list[Dataset]]:
    """What each of `followers` derives from, by primary key, with the investigations fetched; in three queries."""
    links = Dataset.derived_from.through.objects.filter(from_dataset__in=followers)
    columns = ("embargo_until", "released_at", "investigation_id")
    sources = Dataset.objects.filter(pk__in=links.values("to_dataset")).only(*columns).in_bulk()
    investigations = Investigation.objects.in_bulk({source.investigation_id for source in sources.values()})
    for source in sources.values():
        source.investigation = investigations[source.investigation_id]
    found: dict[int, list[Dataset]] = defaultdict(list)
    for follower_id, source_id in links.values_list("from_dataset", "to_dataset"):
        found[follower_id].append(sources[source_id])
    return found


def _derived_from(dataset_ids: set[int]) -> set[int]:
    through = Dataset.derived_from.through.objects
    found: set[int] = set()
    for chunk in chunks(sorted(dataset_ids)):
        found.update(through.filter(to_dataset__in=chunk).values_list("from_dataset", flat=True))
    return found


def _move(actor: Principal, dataset_ids: set[int], new: set[int]) -> set[int]:
    """Write the moments that changed and return the primary keys of the followers that have them."""
    now = timezone.now()
    moved: set[int] = set()
    for chunk in chunks(sorted(dataset_ids)):
        followers = list(_movable(chunk, new, now).select_related("investigation"))
        sources = sources_of(followers)
        changed: dict[datetime | None, list[Dataset]] = defaultdict(list)
        for follower in followers:
            moment = followed_moment(follower, sources[follower.pk])
            if moment != follower.embargo_until:
                changed[moment].append(follower)
        for moment, movers in changed.items():
            keys = [row.pk for row in movers]
            version = Case(When(pk__in=new.intersection(keys), then=F("version")), default=F("version") + 1)
            _movable(keys, new, now).update(embargo_until=moment, version=version, updated_at=now)
            _record(actor, moment, movers)
            moved.update(keys)
    return moved


def _movable(dataset_ids: Sequence[int], new: set[int], now: datetime) -> QuerySet[Dataset]:
    closed = closed_followers(dataset_ids, now=now)
    unseen = new.intersection(dataset_ids)
    return closed | _followers(unseen) if unseen else closed


def _record(actor: Principal, moment: datetime | None, followers: Sequence[Dataset]) -> None:
    write_audit_rows(
        audit_entry(
            actor=actor,
            action="follow-raw-data",
            record=row,
            before={"embargo_until": row.embargo_until.isoformat() if row.embargo_until else None},
            after={"embargo_until": moment.isoformat() if moment else None},
        )
        for row in followers
    )
    changes.datasets_changed(followers)
