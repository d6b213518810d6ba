"""Checked conditions and includes -> conditions of the database. What may be seen at all is decided by the rows of `tables.py`.

An operator that denies (neq, nin, nlike, nilike) is the contrary of the one that it denies, for absent values too.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, IsNull, LessThan, LessThanOrEqual

from catalogue.models import Dataset, Technique, TechniqueAncestor
from catalogue.models.datasets import ParameterKind
from search.panosc.conditions import ANYTHING, All, Condition, Filter, Include, Test
from search.panosc.expressions import ALWAYS, NEVER, ByCodePoint, FirstDate, Like, Matches
from search.panosc.links import links
from search.panosc.patterns import read_expression
from search.panosc.schema import MODELS, Holds
from search.panosc.tables import FOREIGN_TECHNIQUE, TECHNIQUE, Asker, Column, Table

MILLISECOND = timedelta(milliseconds=1)
DENIED = {"neq": "eq", "nin": "inq", "nlike": "like", "nilike": "ilike"}
COMPARISONS = {"gt": GreaterThan, "gte": GreaterThanOrEqual, "lt": LessThan, "lte": LessThanOrEqual}
# The column of the related rows that leads back, where they are better found first: see `narrowing.py`.
OWNERS = {("investigation", "datasets"): "investigation_id", ("instrument", "datasets"): "instrument_id"}
_Tagged = Dataset.techniques.through._default_manager


def fitting(rows: QuerySet, filter: Filter, table: Table, asker: Asker) -> QuerySet:
    """Those of `rows` that meet the filter's conditions and have what its inner joins ask for."""
    if filter.where != ANYTHING:
        rows = rows.filter(condition_q(filter.where, table, asker))
    return (
        rows.filter(joined_q(filter.includes, table, asker))
        if any(one.is_required for one in filter.includes)
        else rows
    )


def joined_q(includes: tuple[Include, ...], table: Table, asker: Asker) -> Q:
    """Every include that asks for something finds at least one related row."""
    required = [one for one in includes if one.is_required]
    known = [one.among for one in required if one.among is not None]
    looked_up = [Q(pk__among=sorted(frozenset.intersection(*known)))] if known else []
    return all_of([*looked_up, *(_related_q(one, table, asker) for one in required if one.among is None)])


def _related_q(include: Include, table: Table, asker: Asker) -> Q:
    if include.relation == "techniques":
        return _technique_q(include.filter.where, asker) & Q(Exists(_Tagged.filter(dataset=OuterRef("pk"))))
    return any_of(
        _linked_q(include, table, child, link, asker) for child, link in links(table, include.relation, asker)
    )


def _linked_q(include: Include, table: Table, child: Table, link: Q, asker: Asker) -> Q:
    owner = OWNERS.get((table.name, include.relation))
    if owner and include.is_narrow:
        return Q(pk__in=fitting(child.rows(asker), include.filter, child, asker).values(owner))
    return Q(Exists(fitting(child.rows(asker).filter(link), include.filter, child, asker)))


def condition_q(condition: Condition, table: Table, asker: Asker) -> Q:
    if isinstance(condition, Test):
        return _test_q(condition, table, asker)
    parts = (condition_q(part, table, asker) for part in condition.parts)
    return all_of(parts) if isinstance(condition, All) else any_of(parts)


def all_of(parts: Iterable[Q]) -> Q:
    found = list(parts)
    return reduce(and_, found) if found else ALWAYS


def any_of(parts: Iterable[Q]) -> Q:
    found = list(parts)
    return reduce(or_, found) if found else NEVER


def listed_q(relation: str, scope: Filter, child: Table, asker: Asker) -> Q:
    """Which of the related rows of something that was found are shown.

    Of the techniques of a dataset those that it was found for, or all where it was found for what it lacks.
    """
    if relation != "techniques":
        return condition_q(scope.where, child, asker) & joined_q(scope.includes, child, asker)
    wanted = [one for one in _leaves(scope.where) if one.op not in DENIED]
    term = "pk" if child is TECHNIQUE else "technique"
    return any_of(Q(**{f"{term}__in": _technique_keys(one, asker)}) for one in wanted) if wanted else ALWAYS


def _leaves(condition: Condition) -> list[Test]:
    if isinstance(condition, Test):
        return [condition]
    return [leaf for part in condition.parts for leaf in _leaves(part)]


def _technique_q(condition: Condition, asker: Asker) -> Q:
    """Of datasets: each test may be met by another technique, and what is denied is denied of all of them."""
    if isinstance(condition, Test):
        tagged = _Tagged.filter(technique__in=_technique_keys(condition, asker)).order_by()
        if condition.op in DENIED:
            return ~Q(pk__in=tagged.values("dataset_id"))
        return Q(Exists(tagged.filter(dataset=OuterRef("pk"))))
    parts = (_technique_q(part, asker) for part in condition.parts)
    return all_of(parts) if isinstance(condition, All) else any_of(parts)


def tagged_datasets(test: Test, asker: Asker) -> QuerySet:
    """Links to techniques of the datasets that meet a test, one at least of each."""
    meets = Q(technique__in=_technique_keys(test, asker))
    if test.op not in DENIED:
        return _Tagged.filter(meets).order_by()
    return _Tagged.filter(~meets, ~Exists(_Tagged.filter(meets, dataset=OuterRef("dataset")))).order_by()


def _technique_keys(test: Test, asker: Asker) -> QuerySet:
    """The techniques that meet a test, or that it denies, by what they are called here or on another server; what is named
    exactly stands for all narrower techniques too."""
    test = replace(test, op=DENIED.get(test.op, test.op))
    meets = _test_q(test, TECHNIQUE, asker)
    if asker.has_imports:
        told = FOREIGN_TECHNIQUE.rows(asker).filter(_test_q(test, FOREIGN_TECHNIQUE, asker))
        meets |= Q(pk__in=told.values("technique"))
    named = Technique.objects.filter(meets).order_by().values("pk")
    if test.op not in ("eq", "inq"):
        return named
    return TechniqueAncestor.objects.filter(ancestor__in=named).order_by().values("technique_id")


def _test_q(test: Test, table: Table, asker: Asker) -> Q:
    if test.op in DENIED:
        return ~_positive_q(Test(test.name, DENIED[test.op], test.value, test.unit_si), table, asker)
    return _positive_q(test, table, asker)


def _positive_q(test: Test, table: Table, asker: Asker) -> Q:
    """Never null, so that its contrary is right."""
    if table.model == "Parameter" and test.name in ("value", "unit"):
        return _quantity_q(test)
    column = table.columns(asker)[test.name]
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    if test.value is None:
        return Q(IsNull(column, True)) if column is not None else ALWAYS
    if column is None:
        return NEVER
    if test.name in table.exact and test.op in ("eq", "inq"):
        return table.exact[test.name]([str(value) for value in values])
    return _compared_q(column, test.op, values, MODELS[table.model].properties[test.name])


def _quantity_q(test: Test) -> Q:
    """The unit of a parameter, or its value: numbers in SI where a unit came with them, else as they were given."""
    is_number = Q(kind=ParameterKind.NUMBER)
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    if test.name == "unit":
        if test.unit_si is None:
            return _compared_q(F("unit"), test.op, values, Holds.TEXT)
        return Q(unit_si=test.unit_si) & (Q(value_si__isnull=False) | Q(unit=test.value))
    if test.value is None:
        return NEVER
    if test.unit_si is not None:
        return is_number & Q(unit_si=test.unit_si) & _compared_q(F("value_si"), test.op, values, Holds.NUMBER)
    numbers = tuple(value for value in values if isinstance(value, float))
    texts = tuple(value for value in values if isinstance(value, str))
    found = NEVER
    if numbers:
        found |= is_number & _compared_q(F("value"), test.op, numbers, Holds.NUMBER)
    if texts:
        found |= ~is_number & _compared_q(F("text"), test.op, texts, Holds.TEXT)
    return found


def _compared_q(column: Column, op: str, values: tuple[Any, ...], holds: Holds) -> Q:
    if op == "inq":
        return any_of(_compared_q(column, "eq", (value,), holds) for value in values)
    if op == "between":
        low, high = (
            _compared_q(column, one, (value,), holds) for one, value in zip(("gte", "lte"), values, strict=True)
        )
        return low & high
    present = Q(IsNull(column, False))
    if op in ("like", "ilike"):
        return Q(Like(column, values[0], ignores_case=op == "ilike")) & present
    if op == "regexp":
        return any_of(Q(Matches(column, one)) for one in read_expression(values[0])) & present
    if holds is Holds.DATE:
        return any_of(_date_q(one, op, values[0]) & Q(IsNull(one, False)) & where for one, where in _dates(column))
    if op == "eq":
        return Q(Exact(column, values[0])) & present
    ordered = ByCodePoint(column) if holds is Holds.TEXT else column
    return Q(COMPARISONS[op](ordered, Value(values[0]))) & present


def _dates(column: Column) -> tuple[tuple[Column, Q], ...]:
    """Columns with what makes each of them count: of two that stand in for each other, an index is asked of each."""
    if not isinstance(column, FirstDate):
        return ((column, ALWAYS),)
    first, second = column.names
    return (F(first), ALWAYS), (F(second), Q(**{f"{first}__isnull": True}))


def _date_q(column: Column, op: str, moment: datetime) -> Q:
    """Of whole milliseconds, which is what answers tell, whatever the database keeps below."""
    start, end = (Value(one, output_field=DateTimeField()) for one in (moment, moment + MILLISECOND))
    if op == "eq":
        return Q(GreaterThanOrEqual(column, start)) & Q(LessThan(column, end))
    lookup = {"gt": GreaterThanOrEqual, "gte": GreaterThanOrEqual, "lt": LessThan, "lte": LessThan}[op]
    return Q(lookup(column, end if op in ("gt", "lte") else start))
