"""Short lists of a row, such as its techniques, read in the row's own query as one column of JSON.

For lists whose length is bounded and of which a few plain values are wanted; what is long is read on its own.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import JSONField, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.db.models.sql.compiler import SQLCompiler


class ShortList(Subquery):
    """The rows of `rows`, which refer to the outer query by OuterRef, as a list of objects with these columns, in their order.

    Times and uids come as texts, as JSON has them.
    """

    template = "(SELECT COALESCE(JSONB_AGG(listed.one), '[]') FROM (%(subquery)s) listed)"
    output_field = JSONField()

    def __init__(self, rows: QuerySet, *columns: str) -> None:
        super().__init__(rows.values(one=JSONObject(**{column: column for column in columns})))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, tuple]:
        template = "(SELECT JSON_GROUP_ARRAY(JSON(listed.one)) FROM (%(subquery)s) listed)"
        return self.as_sql(compiler, connection, template, **context)
