"""The choices beside an answer: what the engine counted, with names for people, in the order of the page.

Every facet was counted as if its own choice were off. Nothing here asks the engine or the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from catalogue.models.datasets import DatasetKind
from search.question.query import Query
from search.results.asking import NAMES_OF_PEOPLE, ON_DEMAND, PAGE_FACETS, Answer
from search.results.elements import Element, periodic_table
from search.results.finding import EVERY_VALUE
from search.results.names import Names
from search.results.tree import lines_of
from search.scales import LABELS

FIRST = 8
FIRST_OF_TREE = 14
SEARCHABLE_FROM = 9
TITLES = {
    "technique": "Technique",
    "instrument": "Instrument",
    "facility": "Facility",
    "category": "What the image shows",
    "scale": "Scale of the image",
    "sample": "Sample",
    "person": "People",
    "type": "Type of investigation",
    "access": "Access",
    "format": "File format",
    "licence": "Licence",
    "kind": "Raw or processed",
    "doi": "DOI",
}
ALWAYS_OPEN = ("technique", "instrument")
BY_SIZE = ("scale",)  # these keep the order of their labels, whatever was counted
VALUE_LABELS = {
    "kind": dict(DatasetKind.choices),
    "doi": {"yes": "with a DOI", "no": "without a DOI"},
    "scale": LABELS,
    "access": {"open": "open", "closed": "under embargo", "mine": "mine and shared with me"},
}


@dataclass(frozen=True)
class Value:
    """One choice. `count` is None where it was not counted; `depth` is its place in a tree."""

    value: str
    label: str
    count: int | None
    is_chosen: bool
    depth: int = 0


@dataclass(frozen=True)
class Facet:
    """`values` come first, `more` on request; with many values `is_searchable`, `find` being what was looked for.

    Where it is not `is_counted`, its values are to be asked for by looking for EVERY_VALUE.
    """

    name: str
    title: str
    values: tuple[Value, ...]
    more: tuple[Value, ...] = ()
    is_open: bool = False
    is_searchable: bool = False
    find: str = ""
    is_counted: bool = True


@dataclass(frozen=True)
class Cell:
    """A place of the periodic table."""

    element: Element
    count: int
    is_chosen: bool


def facets_for_page(query: Query) -> list[str]:
    """What is to be counted for it."""
    return [name for name in PAGE_FACETS if name not in ON_DEMAND or query.selected(name)]


def facets_of(
    answer: Answer, finds: Mapping[str, str], found_values: Mapping[str, Mapping[str, int]]
) -> dict[str, Facet]:
    """By name, those with anything to choose. `found_values` are counts by facet of what `finds` looked for."""
    shown = {}
    for name in TITLES:
        values = _values(answer, name, found_values.get(name))
        if values or finds.get(name):
            shown[name] = _facet(answer.query, name, values, finds.get(name, ""))
        elif name in ON_DEMAND and not (answer.query.principal.hides_people and name in NAMES_OF_PEOPLE):
            shown[name] = Facet(name, TITLES[name], (), is_searchable=True, is_counted=False)
    return shown


def _facet(query: Query, name: str, values: list[Value], find: str) -> Facet:
    is_chosen = any(value.is_chosen for value in values)
    first = FIRST_OF_TREE if name == "technique" else FIRST
    if find:
        first = len(values)
    return Facet(
        name=name,
        title=TITLES[name],
        values=tuple(values[:first]),
        more=tuple(values[first:]),
        is_open=name in ALWAYS_OPEN or is_chosen or bool(find),
        is_searchable=bool(find) or len(values) >= SEARCHABLE_FROM,
        find=find if find != EVERY_VALUE else "",
    )


def _values(answer: Answer, name: str, found: Mapping[str, int] | None) -> list[Value]:
    query, chosen = answer.query, answer.query.selected(name)
    if name == "access":
        return access_values(answer)
    counts = dict(answer.found.values.get(name, ()))
    named: dict[str, int] = {str(value): count for value, count in counts.items()} if found is None else dict(found)
    if name == "technique" and found is None:
        return _tree_values(query, named, answer.names)
    order = [*(value for value in chosen), *(value for value in named if value not in chosen)]
    if name in BY_SIZE:
        sizes = [*VALUE_LABELS[name]]
        order.sort(key=lambda value: sizes.index(value) if value in sizes else len(sizes))
    return [Value(one, label_of_value(answer.names, name, one), named.get(one), one in chosen) for one in order]


def _tree_values(query: Query, counts: Mapping[str, int], names: Names) -> list[Value]:
    chosen = query.selected("technique")
    missing = [Value(one, names.label("technique", one), None, True) for one in chosen if one not in counts]
    lines = lines_of(counts, names.broader, chosen=chosen)
    return missing + [
        Value(line.value, names.label("technique", line.value), counts[line.value], line.value in chosen, line.depth)
        for line in lines
    ]


def access_values(answer: Answer) -> list[Value]:
    """Open and closed as they were counted; "mine" for who has an account."""
    query = answer.query
    counts = dict(zip(("open", "closed"), answer.found.bins.get("access", ()), strict=False))
    choices = ["open", "closed"] if query.principal.is_anonymous else ["open", "closed", "mine"]
    if query.access and query.access not in choices:
        choices.append(query.access)
    labels = VALUE_LABELS["access"]
    return [Value(one, labels[one], counts.get(one), query.access == one) for one in choices]


def label_of_value(names: Names, facet: str, value: str) -> str:
    """What people call `value` of `facet`."""
    return VALUE_LABELS.get(facet, {}).get(value) or names.label(facet, value)


def table_of_elements(answer: Answer) -> tuple[tuple[Cell | None, ...], ...]:
    """Every element in its place; with no datasets it cannot be chosen."""
    counts = dict(answer.found.values.get("element", ()))
    chosen = answer.query.selected("element")
    return tuple(
        tuple(Cell(one, counts.get(one.symbol, 0), one.symbol in chosen) if one else None for one in row)
        for row in periodic_table()
    )
