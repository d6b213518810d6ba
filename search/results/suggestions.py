"""Suggestions while somebody types: titles, people, samples, instruments, techniques and parameters, of visible documents only.

Each is found by an engine's question with the access clause in it, so that nothing is suggested that a search would not find.
"""

from dataclasses import dataclass, replace

from search.analysis import words
from search.clauses import All, Clause, Either, Prefix, Term
from search.question.parameters import label_of, name_of
from search.question.query import Histogram, Query
from search.results.asking import Asker, records_with
from search.results.chips import address
from search.results.finding import values_with

FEWEST_LETTERS = 2
LONGEST_TEXT = 80
MOST_TITLES = 4
MOST_OF_KIND = 3
KINDS = (
    ("technique", "Technique"),
    ("instrument", "Instrument"),
    ("sample", "Sample"),
    ("person", "Person"),
    ("category", "Shows"),
)


@dataclass(frozen=True)
class Suggestion:
    """`url` is where it leads: a record's page, or a search. `count` is how many datasets that finds, where it is a search."""

    kind: str
    text: str
    url: str
    count: int | None = None


def suggestions_for(text: str, asker: Asker, query: Query) -> list[Suggestion]:
    """`query` is the empty query of who asks. Nothing for less than two letters."""
    text = " ".join(text.split())[:LONGEST_TEXT]
    if len(text) < FEWEST_LETTERS:
        return []
    found: list[Suggestion] = []
    for kind, label in KINDS:
        if not (query.principal.hides_people and kind in ("person", "sample")):
            found += _values(kind, label, text, asker, query)
    return [*found, *_parameters(text, asker, query), *_titles(text, asker, query)]


def _values(facet: str, label: str, text: str, asker: Asker, query: Query) -> list[Suggestion]:
    counts = list(values_with(facet, text, query, asker).items())[:MOST_OF_KIND]
    return [
        Suggestion(label, asker.names.label(facet, value), address(query.toggled(facet, value)), count)
        for value, count in counts
    ]


def _parameters(text: str, asker: Asker, query: Query) -> list[Suggestion]:
    found = []
    for key, count in list(values_with("parameter", text, query, asker).items())[:MOST_OF_KIND]:
        name, unit = name_of(key)
        shown = replace(query, existing=(name,), histograms=(Histogram(name, unit if "/" in name else ""),))
        found.append(Suggestion("Parameter", f"{label_of(name)}{f' ({unit})' if unit else ''}", address(shown), count))
    return found


def _titles(text: str, asker: Asker, query: Query) -> list[Suggestion]:
    """Datasets with these words in their titles, the last one perhaps unfinished."""
    tokens = words(text)
    if not tokens:
        return []
    *whole, last = tokens
    ends: Clause = Either((Term("title", last), Prefix("title", last)))
    wanted = All((*(Term("title", token) for token in whole), ends))
    request = replace(asker.plan(query).request, scored=wanted, order="", limit=MOST_TITLES)
    records = records_with([hit.dataset for hit in asker.index.search(request).hits], query.principal, now=asker.now)
    return [Suggestion("Dataset", record.title, record.path) for record in records]
