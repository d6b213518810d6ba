"""What the PaNOSC search API asks of both databases in one way: texts of uids, order by code point, patterns. No models."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, CharField, DateTimeField, Func, Q, Value
from django.db.models.functions import Coalesce, NullIf
from django.db.models.lookups import Exact
from django.db.models.sql.compiler import SQLCompiler

from search.panosc.patterns import Alternative, like_as_glob, like_as_regex, standard_like

Sql = tuple[str, tuple[str | int, ...]]
# An empty Q would be lost in an alternative.
ALWAYS, NEVER = Q(Exact(Value(1), Value(1))), Q(Exact(Value(0), Value(1)))


class UidText(Func):
    """A uid as its 36 characters; SQLite keeps 32."""

    template = "CAST(%(expressions)s AS varchar)"
    output_field = CharField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        column, parameters = compiler.compile(self.source_expressions[0])
        pieces = (
            f"substr({column}, {first}, {length})" for first, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        )
        return " || '-' || ".join(pieces), tuple(parameters) * 5


class Unindexed(Func):
    """The same value, for which SQLite looks in no index: without statistics of the tables it takes the worse of two."""

    template = "%(expressions)s"
    output_field = CharField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


class ByCodePoint(Func):
    """A text that compares and sorts by its code points, as SQLite does, whatever the language of the database."""

    template = "%(expressions)s"
    output_field = CharField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        return self.as_sql(compiler, connection, template='(%(expressions)s) COLLATE "C"', **context)


class FirstDate(Coalesce):
    """The first date, or the second where there is none."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first, second, output_field=DateTimeField())
        self.names = first, second


class Like(Func):
    """Whether a text fits a pattern of like or ilike, anywhere in it."""

    output_field = BooleanField()

    def __init__(self, expression: Any, pattern: str, *, ignores_case: bool) -> None:
        super().__init__(expression)
        self.pattern, self.ignores_case = pattern, ignores_case

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """ILIKE knows the cases of ASCII only where the language of the database is C."""
        text, parameters = compiler.compile(self.source_expressions[0])
        if self.ignores_case and not self.pattern.isascii():
            return f"({text} ~ %s)", (*parameters, like_as_regex(self.pattern))
        operator = "ILIKE" if self.ignores_case else "LIKE"
        return f"({text} {operator} %s)", (*parameters, standard_like(self.pattern))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        """LIKE ignores the case of ASCII there, GLOB of nothing."""
        text, parameters = compiler.compile(self.source_expressions[0])
        if self.ignores_case and self.pattern.isascii():
            return f"({text} LIKE %s ESCAPE '\\')", (*parameters, standard_like(self.pattern))
        return f"({text} GLOB %s)", (*parameters, like_as_glob(self.pattern, ignores_case=self.ignores_case))


class Matches(Func):
    """Whether a text fits an alternative of a regular expression (see `patterns.py`).

    PostgreSQL's own matcher takes all of them, behind LIKE, which is several times as fast. In SQLite, where the matcher is
    Python's, GLOB decides, alone wherever it can.
    """

    output_field = BooleanField()

    def __init__(self, expression: Any, alternative: Alternative) -> None:
        super().__init__(expression)
        self.alternative = alternative

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        text, parameters = compiler.compile(self.source_expressions[0])
        one = self.alternative
        return f"({text} LIKE %s AND {text} ~ %s)", (*parameters, one.like, *parameters, one.regex)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        text, parameters = compiler.compile(self.source_expressions[0])
        one = self.alternative
        if one.is_glob_exact:
            return f"({text} GLOB %s)", (*parameters, one.glob)
        regex = f"(?s){one.regex}"
        return f"({text} GLOB %s AND {text} REGEXP %s)", (*parameters, one.glob, *parameters, regex)


def optional(name: Any) -> NullIf:
    """A text that is empty where there is none, as null."""
    return NullIf(name, Value(""), output_field=CharField())
