"""Did you mean: for a question that found nothing, the same question with words that visible documents have."""

from dataclasses import dataclass, replace

from search.analysis import folded_word
from search.question.plan import access_clause
from search.question.query import Query
from search.results.asking import Asker, totals
from search.results.chips import address

FIELDS = ("title", "abstract", "rest")
FEWEST_LETTERS = 4
MOST_WORDS = 6
MOST_LIKE_ONE = 3
MOST_SHOWN = 3


@dataclass(frozen=True)
class Correction:
    """Another text of the question, its address, and how many datasets it finds."""

    text: str
    url: str
    count: int


def corrections_of(query: Query, asker: Asker) -> list[Correction]:
    """Those that find most, the best first; none where no single word is the reason."""
    candidates = [replace(query, text=text, cursor="") for text in _texts(query.text, asker)]
    counts = totals(candidates, asker) if candidates else []
    found = [Correction(one.text, address(one), count) for one, count in zip(candidates, counts, strict=True) if count]
    return sorted(found, key=lambda one: -one.count)[:MOST_SHOWN]


def _texts(text: str, asker: Asker) -> list[str]:
    """`text` with one of its plain words replaced."""
    access = access_clause(asker.access)
    pieces = text.split()
    plain = [(place, piece) for place, piece in enumerate(pieces) if len(piece) >= FEWEST_LETTERS and piece.isalpha()]
    found = []
    for place, piece in plain[:MOST_WORDS]:
        word = folded_word(piece)
        for other in asker.index.words_like(word, FIELDS, access, limit=MOST_LIKE_ONE) if word else ():
            if other != word:
                found.append(" ".join([*pieces[:place], other, *pieces[place + 1 :]]))
    return list(dict.fromkeys(found))
