"""Values of a facet that hold a text, where they are too many to list: "nov" finds Ana Novak. Of visible documents only."""

from collections.abc import Iterable
from dataclasses import replace

from search.analysis import folded_word
from search.backends.base import Values
from search.clauses import AnyOf, Clause, Either, Everything, Glob, Prefix
from search.question.parameters import label_of, name_of
from search.question.query import SELECTIONS, Query
from search.results.asking import NAMES_OF_PEOPLE, ON_DEMAND, Asker

NAMED = ("technique", "instrument", "facility")
# The text of a document in which the values of a facet stand too.
TEXT_WITH = {"sample": "abstract", "person": "rest", "category": "rest", "parameter": "rest", "type": "rest"}
EVERY_VALUE = "*"
MOST_COUNTED = 1000
MOST_FOUND = 30


def is_findable(facet: str) -> bool:
    return facet in SELECTIONS or facet == "parameter"


def values_with(facet: str, text: str, query: Query, asker: Asker) -> dict[str, int]:
    """Counts by value, the most frequent first, each as if the facet's own choice were off; {} where nothing has it.

    EVERY_VALUE finds the most frequent values of a facet that the page does not count by itself.
    """
    if not is_findable(facet) or not text or (facet in NAMES_OF_PEOPLE and query.principal.hides_people):
        return {}
    if text == EVERY_VALUE and facet in ON_DEMAND:
        return dict(list(_counted(facet, Everything(), (), query, asker).items())[:MOST_FOUND])
    if facet in NAMED:
        values = asker.names.with_word(facet, text)
        return _counted(facet, AnyOf(facet, values), values, query, asker) if values else {}
    counted = _counted(facet, keyword_with(facet, text), (), query, asker)
    is_wanted = _is_parameter_called if facet == "parameter" else _holds
    kept = [(value, count) for value, count in counted.items() if is_wanted(value, text)]
    return dict(kept[:MOST_FOUND])


def keyword_with(field: str, text: str) -> Clause:
    """Documents that may have a value of the KEYWORD `field` that holds `text`.

    Keywords are as they were written: looked for are the usual spellings, and the text in which the value stands too, where
    "zno" is ZnO.
    """
    plain = text.replace("*", "").replace("?", "")
    spellings = [plain, plain.lower(), plain.upper(), plain.capitalize(), plain.title()]
    if field == "parameter":
        spellings += [spelling.replace(" ", "_") for spelling in spellings]
    clauses: list[Clause] = [Glob(field, f"*{one}*") for one in dict.fromkeys(spellings) if one]
    word = folded_word(plain.split()[0]) if plain.split() else ""
    if word and field in TEXT_WITH:
        clauses.append(Prefix(TEXT_WITH[field], word))
    return Either(tuple(clauses))


def _counted(facet: str, wanted: Clause, among: Iterable[str], query: Query, asker: Asker) -> dict[str, int]:
    request = asker.plan(query).request
    values = Values(facet, MOST_COUNTED, tuple(among))
    request = replace(
        request, filters=(*request.filters, ("find", wanted)), facets=((facet, values),), limit=0, after=None
    )
    found = asker.index.search(request)
    return {str(value): count for value, count in found.values[facet]}


def _holds(value: str, text: str) -> bool:
    return text.casefold() in value.casefold()


def _is_parameter_called(key: str, text: str) -> bool:
    name, _ = name_of(key)
    return _holds(label_of(name), text) or _holds(name.replace("_", " "), text.replace("_", " "))
