"""More like this: what a dataset shares with others, from its masked record, so that nothing hidden is compared."""

from dataclasses import dataclass

from catalogue.record import DatasetRecord
from search.analysis import elements, words
from search.clauses import All, Clause, Either, Not, Term, Weighted
from search.question.small_words import SMALL_WORDS

MOST_WORDS = 12
MOST_ELEMENTS = 8


@dataclass(frozen=True)
class Likeness:
    """What of a dataset is looked for in others. `dataset` is its primary key: no dataset is like itself."""

    dataset: int
    words: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    sample: str = ""


def likeness_of(record: DatasetRecord, *, dataset: int) -> Likeness:
    return Likeness(
        dataset=dataset,
        words=tuple(dict.fromkeys(word for word in words(record.title) if is_telling(word)))[:MOST_WORDS],
        techniques=tuple(technique.iri for technique in record.techniques),
        elements=tuple(elements(record.sample.formula))[:MOST_ELEMENTS] if record.sample else (),
        sample=record.sample.name if record.sample else "",
    )


def is_telling(word: str) -> bool:
    """Whether a word of a title says what a dataset is about, which numbers of runs and articles do not."""
    return len(word) > 2 and not word.isdigit() and word not in SMALL_WORDS


def likeness_clause(likeness: Likeness) -> Clause:
    """Others that share anything; what shares the sample or more of the title comes first."""
    shared: list[Clause] = [Weighted(Term("title", word), 2.0) for word in likeness.words]
    shared += [Weighted(Term("abstract", word), 0.5) for word in likeness.words]
    shared += [Term("technique", iri) for iri in likeness.techniques]
    shared += [Term("element", symbol) for symbol in likeness.elements]
    if likeness.sample:
        shared.append(Weighted(Term("sample", likeness.sample), 3.0))
    return All((Either(tuple(shared)), Not(Term("dataset", likeness.dataset))))
