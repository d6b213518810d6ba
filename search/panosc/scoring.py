"""How well things fit the free text of a PaNOSC `query`: candidates and scores between 0 and 1, from the search engine.

The method is the TF-IDF of panosc-search-scoring in a form that an engine answers at once. Each word of the question weighs
log10(1 + N / n), N being how many datasets the asker reads and n how many of them have the word; a word that none has
weighs as if one had it. A dataset gets from each word a part of its weight: all of it where the word stands in the title or
is an identifier, less in the abstract, least anywhere else (PLACES). The score is what it got of what there was to get. So
one word alone can fill the score, words that are rare decide, and a score depends on the question and on what its asker may
read, and on nothing else that was asked or found in the same call. Full documents of the index only: a summary of closed
data is never scored. Neither HTTP nor filters of the API here.
"""

from collections.abc import Collection as Keys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from math import log10
from operator import or_
from typing import Literal

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from catalogue import access
from catalogue.access import Principal
from catalogue.models import Collection, CollectionMember, Dataset, Instrument, Investigation
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState
from catalogue.neutral_access import neutral_filter
from search.analysis import words
from search.backends.base import Hit, Index, Request
from search.clauses import All, AnyOf, Best, Clause, Either, Not, Term, Weighted
from search.engines import engine
from search.question.plan import access_clause
from search.question.small_words import SMALL_WORDS

Kind = Literal["dataset", "investigation", "collection", "instrument"]

LONGEST_TEXT = 1_000
MOST_WORDS = 12
MOST_SCORED = 5_000
# How often, and for how many datasets each time, the engine is asked for the best data of investigations not found yet.
ROUNDS = 2
HITS_OF_A_ROUND = 1_000
# Titles and abstracts that hold a word are read from the database, the newest first.
MOST_TEXTS = 1_000
FEWEST_LETTERS = 4
DIGITS = 4

TITLE, ABSTRACT, ANYWHERE = 1.0, 0.7, 0.5
PLACES = (("title", TITLE), ("identifiers", TITLE), ("abstract", ABSTRACT), ("rest", ANYWHERE))


class Scorer:
    """A query of one principal at one moment, for as many kinds of things as they ask for: its words are weighed once."""

    def __init__(self, query: str, principal: Principal, *, now: datetime) -> None:
        self._words, self._principal, self._now = question_words(query), principal, now

    @cached_property
    def _asked(self) -> "_Question":
        return _question(self._words, self._principal, self._now)

    def scores(self, kind: Kind, *, limit: int = MOST_SCORED, among: Keys[int] | None = None) -> dict[int, float]:
        """Scores above 0 and up to 1 by primary key, the best first; at most `limit` of them, and never more than MOST_SCORED.

        With `among` only those with these primary keys are scored, each as it would be without. What does not fit, or what
        the principal does not read in full, is not in the answer; a query without a word finds nothing. An investigation or
        a collection (published ones only) scores as the best of its datasets that the principal reads, or by its own title
        and abstract where these fit better; an instrument by its names, its facility and its description.
        Raises EngineUnavailable where datasets decide and no engine answers. Three database queries for datasets, eight at
        most for the others, however much is found.
        """
        limit = max(0, min(limit, MOST_SCORED))
        if not self._words or not limit or (among is not None and not among):
            return {}
        if kind == "instrument":
            return _instruments(self._words, limit, among)
        if kind == "dataset":
            return self._asked.found(limit, *_chosen("dataset", among))
        found = _investigations if kind == "investigation" else _collections
        return _best_first(found(self._asked, among), limit)


def scores(
    query: str,
    kind: Kind,
    principal: Principal,
    *,
    limit: int = MOST_SCORED,
    among: Keys[int] | None = None,
    now: datetime | None = None,
) -> dict[int, float]:
    """`Scorer.scores` for one kind of things."""
    return Scorer(query, principal, now=now or timezone.now()).scores(kind, limit=limit, among=among)


def question_words(query: str) -> tuple[str, ...]:
    """The distinct words that count, at most MOST_WORDS. Small words and single letters count only where nothing else does."""
    found = list(dict.fromkeys(words(query[:LONGEST_TEXT])))
    telling = [word for word in found if len(word) > 1 and word not in SMALL_WORDS]
    return tuple((telling or found)[:MOST_WORDS])


@dataclass(frozen=True)
class _Question:
    """Words with their weights, which add up to 1, put to one index for one principal at one moment."""

    index: Index
    principal: Principal
    now: datetime
    access: Clause
    own: frozenset[int]
    weights: Mapping[str, float]

    def found(self, limit: int, *filters: Clause) -> dict[int, float]:
        """Datasets with their scores, the best first.

        Where enough of them have every word in the title, which scores 1, the others need not be weighed.
        """
        whole = All(tuple(AnyOf("title", (word,)) for word in self.weights))
        hits = self._hits(whole, limit, filters)
        if len(hits) == limit:
            return dict.fromkeys((hit.dataset for hit in hits), 1.0)
        scored = Either(tuple(_word(word, weight) for word, weight in self.weights.items()))
        return {hit.dataset: _rounded(hit.score) for hit in self._hits(scored, limit, filters)}

    def _hits(self, scored: Clause, limit: int, filters: Iterable[Clause]) -> tuple[Hit, ...]:
        """No document counts as open at 0, so that none is lifted for it."""
        request = Request(_readable(self.access), scored, _named(filters), limit=limit, open_at=0)
        return self.index.search(request).hits


def _question(wanted: tuple[str, ...], principal: Principal, now: datetime) -> _Question:
    """The weights come from the datasets that the principal reads: hidden ones do not change how rare a word is."""
    visible = neutral_filter(principal, now=now)
    clause = access_clause(visible)
    index = engine().live()
    readable = _readable(clause)
    having = (Request(readable, filters=_named([_word(word)])) for word in wanted)
    total, *counts = index.totals([Request(readable), *having])
    weights = _weights(total, dict(zip(wanted, counts, strict=True)))
    return _Question(index, principal, now, clause, visible.investigations, weights)


def _readable(clause: Clause) -> Clause:
    """Full documents only: what the rule shows of others is a summary, and this API lists none."""
    return All((clause, Term("document", "full")))


def _named(clauses: Iterable[Clause]) -> tuple[tuple[str, Clause], ...]:
    return tuple((str(place), clause) for place, clause in enumerate(clauses))


def _word(word: str, weight: float = 1.0) -> Clause:
    """What a word is worth by where it stands. `AnyOf` scores as a constant in every engine, however often it stands there."""
    return Best(tuple(Weighted(AnyOf(field, (word,)), weight * worth) for field, worth in PLACES))


def _weights(total: int, counts: Mapping[str, int]) -> dict[str, float]:
    """By word, adding up to 1. Where there is nothing yet, all words weigh the same."""
    rarities = {word: log10(1 + max(total, 1) / max(count, 1)) for word, count in counts.items()}
    whole = sum(rarities.values())
    return {word: rarity / whole for word, rarity in rarities.items()}


def _rounded(score: float) -> float:
    return min(1.0, round(score, DIGITS))


def _best_first(found: Mapping[int, float], limit: int) -> dict[int, float]:
    """Of equal ones the newest first."""
    ranked = sorted(((key, score) for key, score in found.items() if score > 0), key=lambda row: (-row[1], -row[0]))
    return dict(ranked[:limit])


def _chosen(field: str, keys: Iterable[int] | None) -> tuple[Clause, ...]:
    return () if keys is None else (AnyOf(field, tuple(keys)),)


def _investigations(asked: _Question, among: Keys[int] | None) -> dict[int, float]:
    """The best of their datasets, found in rounds that leave out the investigations found before, or their own texts."""
    best: dict[int, float] = {}
    for _ in range(ROUNDS):
        seen = (Not(AnyOf("investigation", tuple(best))),) if best else ()
        hits = asked.found(HITS_OF_A_ROUND, *_chosen("investigation", among), *seen)
        owners = Dataset.objects.filter(pk__among=list(hits)).order_by().values_list("pk", "investigation_id")
        _keep_best(best, hits, owners)
        if len(hits) < HITS_OF_A_ROUND:
            break
    _add_own_texts(best, _readable_investigations(asked), ("title", "abstract"), asked, among)
    return best


def _readable_investigations(asked: _Question) -> QuerySet[Investigation]:
    if asked.principal.sees_everything:
        return Investigation.objects.all()
    is_open = access.embargo_passed_q(asked.now) | Q(released_at__lte=asked.now)
    return Investigation.objects.filter(is_open | Q(pk__in=asked.own), state=RecordState.ACTIVE)


def _collections(asked: _Question, among: Keys[int] | None) -> dict[int, float]:
    """Published ones: by the best of the datasets that are their members, alone or with an investigation, or their own text."""
    hits = asked.found(MOST_SCORED, Term("doi", "yes"))
    published = Collection.objects.filter(state=CollectionState.PUBLISHED)
    members = CollectionMember.objects.filter(collection__state=CollectionState.PUBLISHED).order_by()
    best: dict[int, float] = {}
    keys = list(hits)
    _keep_best(best, hits, members.filter(dataset__in=keys).values_list("dataset_id", "collection_id"))
    whole = members.filter(investigation__datasets__in=keys)
    _keep_best(best, hits, whole.values_list("investigation__datasets", "collection_id"))
    if among is not None:
        best = {key: score for key, score in best.items() if key in among}
    _add_own_texts(best, published, ("title", "text__abstract"), asked, among)
    return best


def _add_own_texts(
    best: dict[int, float], rows: QuerySet[Model], fields: tuple[str, str], asked: _Question, among: Keys[int] | None
) -> None:
    """What each of `rows` gets for its title and its abstract, where that is more than it has."""
    chosen = _with_words(rows, asked.weights, fields, among).values_list("pk", *fields)[:MOST_TEXTS]
    for key, *texts in chosen:
        told = list(zip(texts, (TITLE, ABSTRACT), strict=True))
        best[key] = _text_score(asked.weights, told, known=best.get(key, 0.0))


def _with_words(
    rows: QuerySet[Model], wanted: Iterable[str], fields: tuple[str, ...], among: Keys[int] | None
) -> QuerySet[Model]:
    """Those in whose `fields` a word may stand, the newest first: endings are left to who reads them."""
    beginnings = [word[:-2] if len(word) >= FEWEST_LETTERS + 2 else word for word in wanted]
    rows = rows if among is None else rows.filter(pk__in=among)
    return rows.filter(
        reduce(or_, (Q(**{f"{field}__icontains": text}) for field in fields for text in beginnings))
    ).order_by("-pk")


def _instruments(wanted: tuple[str, ...], limit: int, among: Keys[int] | None) -> dict[int, float]:
    """Instruments are few, public and in no index: those with one of the words are read, and weighed among all."""
    texts = ("name", "short_name", "facility__name", "facility__short_name", "description")
    worth = (TITLE, TITLE, ABSTRACT, ABSTRACT, ANYWHERE)
    rows = _with_words(Instrument.objects.all(), wanted, texts, None).values_list("pk", *texts)[:MOST_TEXTS]
    held = [(key, list(zip(values, worth, strict=True))) for key, *values in rows]
    counts = {word: sum(_text_score({word: 1.0}, told) > 0 for _, told in held) for word in wanted}
    weights = _weights(Instrument.objects.count(), counts)
    found = {key: _text_score(weights, told) for key, told in held if among is None or key in among}
    return _best_first(found, limit)


def _keep_best(best: dict[int, float], hits: Mapping[int, float], owners: Iterable[tuple[int, int]]) -> None:
    for dataset, owner in owners:
        best[owner] = max(best.get(owner, 0.0), hits.get(dataset, 0.0))


def _text_score(
    weights: Mapping[str, float], texts: Iterable[tuple[str | None, float]], *, known: float = 0.0
) -> float:
    """What texts get, each with what a word in it is worth; `known` where that is as much. Analysed is what may get more."""
    likely = [(text, value, _may_hold(text, weights)) for text, value in texts if text]
    if _worth(weights, ((held, value) for _, value, held in likely)) <= known:
        return known
    return max(known, _worth(weights, ((_holds(text, held), value) for text, value, held in likely)))


def _worth(weights: Mapping[str, float], texts: Iterable[tuple[Iterable[str], float]]) -> float:
    """Of texts by the words that they hold."""
    best: dict[str, float] = {}
    for held, value in texts:
        for word in held:
            best[word] = max(best.get(word, 0.0), value)
    return _rounded(sum(weights[word] * value for word, value in best.items()))


def _holds(text: str, wanted: Keys[str]) -> set[str]:
    """Which of the `wanted` words stand in a text."""
    return set(words(text)).intersection(wanted) if wanted else set()


def _may_hold(text: str, wanted: Iterable[str]) -> list[str]:
    """Which may, told without the analysis: that changes no more of plain words than their last two letters."""
    if not text.isascii() or "-" in text:
        return list(wanted)
    lowered = text.lower()
    return [word for word in wanted if word[: max(2, len(word) - 2)] in lowered]
