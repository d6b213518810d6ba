"""Statements that every page asks for, made once: Django takes longer to make one of many tables than a database to answer it.

For querysets that differ in some values only; what is built from what people choose is no matter of it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Lookup, QuerySet
from django.db.models.sql.compiler import SQLCompiler

StandIn = datetime | UUID | int | Sequence[int]


@Field.register_lookup
class Among(Lookup):
    """`pk__among=[…]`: keys that are handed over as one value, so that the statement is the same however many there are."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, values = self.process_lhs(compiler, connection)
        found = "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM JSON_EACH(%s))"
        return f"{column} {found}", (*values, _adapted(self.rhs))


@dataclass(frozen=True)
class _Compiled:
    """`names` are those of the values that differ, by their places among `values`; `converters` by column."""

    sql: str
    values: tuple[Any, ...]
    names: dict[int, str]
    converters: dict[int, tuple[list[Callable[..., Any]], Any]]


class KeptStatement:
    """What `make` returns, a queryset of `values_list`, is compiled when it is first asked for.

    `make` is given `stand_ins` (moments, uids, keys, or lists of keys for `__among`), which it may compare with columns and
    nothing else: they are found again among the statement's values, so that no two of them and no constant may be equal.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], **stand_ins: StandIn) -> None:
        self._make, self._stand_ins = make, stand_ins
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, **given: StandIn) -> list[tuple[Any, ...]]:
        """The rows for these values, in one query."""
        compiled = self._compiled.get(connection.vendor) or self._compile()
        values = list(compiled.values)
        for place, name in compiled.names.items():
            values[place] = _adapted(given[name])
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, values)
            rows = cursor.fetchall()
        return _converted(rows, compiled) if compiled.converters else rows

    def _compile(self) -> _Compiled:
        compiler = self._make(**self._stand_ins).query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        names = {
            place: name
            for name, stand_in in self._stand_ins.items()
            for place, value in enumerate(values)
            if value == _adapted(stand_in)
        }
        columns = [expression for expression, *_ in compiler.select[: compiler.col_count]]
        made = _Compiled(sql, tuple(values), names, compiler.get_converters(columns))
        self._compiled[connection.vendor] = made
        return made


def _adapted(value: StandIn) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, int):
        return value
    return list(value) if connection.vendor == "postgresql" else json.dumps(list(value))


def _converted(rows: Sequence[tuple[Any, ...]], compiled: _Compiled) -> list[tuple[Any, ...]]:
    found = [list(row) for row in rows]
    for place, (converters, expression) in compiled.converters.items():
        for row in found:
            value = row[place]
            for convert in converters:
                value = convert(value, expression, connection)
            row[place] = value
    return [tuple(row) for row in found]
