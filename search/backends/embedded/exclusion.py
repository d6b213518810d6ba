"""Access the other way round: what must not be found, as a few small sets. No Tantivy here.

Whether a document is in a union of large sets is slow to ask, whether it is in none of a few small ones is fast (four
times, measured). What is closed, or a summary of what is open, is small in a catalogue. It is the same rule as long as
each document is either `full` or `summary` and has `opens_at`, which is asserted when it is written.
"""

from search.clauses import All, AnyOf, Best, Between, Clause, Either, Not, Term, Weighted

MOST_SETS = 32
OTHER_DOCUMENT = {"full": "summary", "summary": "full"}
Set = frozenset[Clause]


def unmet(access: Clause) -> list[Clause] | None:
    """Every document that does not meet `access` meets one of these, and no other does.

    None where they would be many, or one of them could only be found by looking at every document.
    """
    sets = _sets(_negated(access))
    if sets is None or not all(any(not isinstance(clause, Not) for clause in one) for one in sets):
        return None
    return [All(tuple(one)) for one in sets if not _is_covered(one, [other for other in sets if other != one])]


def _is_covered(one: Set, others: list[Set]) -> bool:
    """Whether each document of `one`, be it `full` or `summary`, is in one of `others` too."""
    kinds = [one | {Term("document", kind)} for kind in OTHER_DOCUMENT]
    return all(any(other <= kind for other in others) for kind in kinds)


def _sets(clause: Clause) -> list[Set] | None:
    """The clause as alternatives, each of which is met by meeting all of its clauses."""
    if isinstance(clause, Not) and (pushed := _negated(clause.clause)) != clause:
        return _sets(pushed)
    if isinstance(clause, Weighted):
        return _sets(clause.clause)
    if isinstance(clause, Either | Best):
        parts = [_sets(part) for part in clause.clauses]
        return _bounded([one for part in parts if part is not None for one in part]) if None not in parts else None
    if isinstance(clause, All):
        return _products(clause)
    return [] if clause == AnyOf(getattr(clause, "field", ""), ()) else [frozenset({clause})]


def _products(clause: All) -> list[Set] | None:
    found: list[Set] | None = [frozenset()]
    for part in clause.clauses:
        others = _sets(part)
        if found is None or others is None:
            return None
        unions = [one | other for one in found for other in others]
        found = _bounded([one for one in unions if not any(_negated(each) in one for each in one)])
    return found


def _bounded(sets: list[Set]) -> list[Set] | None:
    return sets if len(sets) <= MOST_SETS else None


def _negated(clause: Clause) -> Clause:
    """What is met by every document that does not meet `clause`, with `Not` as far inside as it goes."""
    match clause:
        case Not(inner):
            return inner
        case Weighted(inner, _):
            return _negated(inner)
        case All(parts):
            return Either(tuple(map(_negated, parts)))
        case Either(parts) | Best(parts):
            return All(tuple(map(_negated, parts)))
        case Term("document", str(value)) if value in OTHER_DOCUMENT:
            return Term("document", OTHER_DOCUMENT[value])
        case Between("opens_at", None, int(high)):
            return Between("opens_at", low=high + 1)
        case Between("opens_at", int(low), None):
            return Between("opens_at", high=low - 1)
    return Not(clause)
