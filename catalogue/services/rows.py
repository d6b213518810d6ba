"""Writing many rows at once, without a model instance for each: COPY on PostgreSQL, one prepared INSERT elsewhere."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from django.db import connection, models


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert `rows`, tuples of Python values in the order of the attribute `names`, within the current transaction.

    Constraints are the database's: a violation raises IntegrityError. The rows' primary keys are not returned.
    """
    fields = [_field(model, name) for name in names]
    table = connection.ops.quote_name(model._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(field.column or "") for field in fields)
    prepared = _prepare(fields, rows)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in prepared:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            # Table and columns are quoted names of our own models; every value is a bound parameter.
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", prepared)  # type: ignore[arg-type]  # noqa: S608


def _field(model: type[models.Model], name: str) -> models.Field:
    for field in model._meta.concrete_fields:
        if name in (field.name, field.attname):
            return field
    raise ValueError(f"{model.__name__} has no column {name}")


def _prepare(fields: Sequence[models.Field], rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """Adapt the columns whose Python values the database driver does not take as they are: dates, UUIDs, JSON."""
    adapted: list[tuple[int, Callable[[Any], Any]]] = []
    for place, field in enumerate(fields):
        if isinstance(field, models.JSONField):
            adapted.append((place, _as_json))
        elif isinstance(field, models.DateTimeField | models.UUIDField) and connection.vendor != "postgresql":
            adapt: Callable[[Any], Any] = partial(field.get_db_prep_save, connection=connection)
            # Most rows of a table were made at the same moment.
            adapted.append((place, lru_cache(maxsize=16)(adapt) if isinstance(field, models.DateTimeField) else adapt))
    if not adapted:
        yield from rows
        return
    for row in rows:
        values = list(row)
        for place, adapt in adapted:
            if values[place] is not None:
                values[place] = adapt(values[place])
        yield values


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
