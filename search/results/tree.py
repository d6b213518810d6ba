"""The techniques of an answer as a tree of few lines, though PaNET names several broader terms for each.

A term that holds exactly what one of its narrower terms holds would be a line that tells nothing: it is left out, unless
it was chosen, and so are the outermost terms, "defined by purpose" and its like. Every other term stands below the
narrowest of its broader terms that are shown. Pure functions.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

ROOT = "http://purl.org/pan-science/PaNET/PaNET00001"
Broader = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Line:
    """One term of the tree; `depth` is 0 for the outermost."""

    value: str
    depth: int


def lines_of(counts: Mapping[str, int], broader: Broader, *, chosen: Collection[str] = ()) -> list[Line]:
    """The lines of the tree, the most frequent first among those of one term. `counts` are by IRI, broader terms included."""
    above = {value: _ancestors(value, broader) for value in counts}
    shown = _telling(counts, above, chosen)
    below: dict[str, list[str]] = {}
    for value in shown:
        parents = sorted((one for one in above[value] if one in shown), key=lambda one: (counts[one], one))
        below.setdefault(parents[0] if parents else "", []).append(value)
    lines: list[Line] = []
    _add_lines(lines, "", 0, below, counts)
    return lines


def _telling(counts: Mapping[str, int], above: Mapping[str, frozenset[str]], chosen: Collection[str]) -> set[str]:
    """A broader term with the count of a narrower one holds the same datasets, since it holds all of those."""
    repeated = {term for value in counts for term in above[value] if counts.get(term) == counts[value]}
    return {
        value
        for value in counts
        if value in chosen or (value not in repeated and value != ROOT and above[value] != frozenset({ROOT}))
    }


def _add_lines(
    lines: list[Line], parent: str, depth: int, below: Mapping[str, list[str]], counts: Mapping[str, int]
) -> None:
    for value in sorted(below.get(parent, ()), key=lambda one: (-counts[one], one)):
        lines.append(Line(value, depth))
        _add_lines(lines, value, depth + 1, below, counts)


def _ancestors(value: str, broader: Broader) -> frozenset[str]:
    found: set[str] = set()
    waiting = [*broader.get(value, ())]
    while waiting:
        term = waiting.pop()
        if term not in found:
            found.add(term)
            waiting += broader.get(term, ())
    return frozenset(found)
