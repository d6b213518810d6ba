"""When what a harvester sees of a record changed last: two moments that are written with the change, and are true by the clock.

A record that opens changes for a harvester, though nobody writes anything in that second. Hence `stamped_at`, the moment of
the last change, and `stamped_open_at`, the later of it and of the opening: while `stamped_open_at` lies ahead the record is
closed and `stamped_at` counts, from then on it is open and `stamped_open_at` counts. Both are indexed. A collection is open when
all that it holds is. No reading here.
"""

from datetime import datetime

from django.db.models import DateTimeField, F, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest, Least

from catalogue.models import Collection, Investigation


def opening(prefix: str = "") -> Least:
    """`access.opens_at` of an investigation, in SQL. `prefix` leads to it, such as "investigation__"."""
    end = F(f"{prefix}embargo_until")
    held = Greatest(end, Coalesce(f"{prefix}held_until", end))
    return Least(held, Coalesce(f"{prefix}released_at", held))


def opening_of_dataset() -> Least:
    """`access.opens_at` of a dataset, in SQL."""
    end = F("investigation__embargo_until")
    own = Coalesce("embargo_until", Greatest(end, Coalesce("investigation__held_until", end)))
    return Least(own, Coalesce("released_at", own), Coalesce("investigation__released_at", own))


def stamped_open_at(opens: Least, now: datetime) -> Greatest:
    return Greatest(opens, Value(now, output_field=DateTimeField()))


def stamp_investigations(investigations: QuerySet[Investigation], now: datetime) -> None:
    """To be called after the change itself, in its transaction: the opening is read from the rows."""
    investigations.order_by().update(stamped_at=now, stamped_open_at=stamped_open_at(opening(), now))


def stamp_collections(collections: QuerySet[Collection], now: datetime) -> None:
    """When they will be open stays as it was, see `changes.stamp_opening`."""
    moment = Value(now, output_field=DateTimeField())
    collections.order_by().update(stamped_at=now, stamped_open_at=Greatest("stamped_open_at", moment))
