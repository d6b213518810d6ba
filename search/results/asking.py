"""A query put to the engine: one question for hits, total and facets, a second one where histograms are drawn.

What comes back are numbers, keys and records that were masked for the asker this very moment: what has vanished since it
was indexed, or was withdrawn, is left out. How an answer is shown is the business of `facets`, `chips` and the views.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from catalogue import selectors
from catalogue.access import Principal
from catalogue.errors import NotFound
from catalogue.neutral_access import NeutralFilter, neutral_filter
from catalogue.page_rows import rows_of
from catalogue.record import DatasetRecord
from search.backends.base import Found, Index
from search.engines import engine
from search.models import IndexBuild
from search.question.choices import choices_of_archive
from search.question.likeness import Likeness, likeness_of
from search.question.numbers import Axis
from search.question.plan import Plan, bins_request, cursor_after, plan
from search.question.query import Query
from search.results.keeping import kept_search, timeless
from search.results.names import Names, names

# What the page counts. Parameters are many: they are counted when somebody looks for one.
PAGE_FACETS = (
    "technique", "instrument", "facility", "type", "sample", "element", "person", "kind", "format", "licence", "doi",
    "scale", "category", "verified", "measured", "access",
)  # fmt: skip
# Of these the page counts what was chosen, or looked for: people are as much work as all others together.
ON_DEMAND = ("person",)
NAMES_OF_PEOPLE = ("person", "sample")


@dataclass(frozen=True)
class Answer:
    """One page of an answer. `axes` and `bins` are the histograms by facet name; `names` tells what values are called.

    `highlights` are the tokens to mark in texts, `like` is the record of the dataset whose likes were looked for.
    """

    query: Query
    now: datetime
    found: Found
    records: list[DatasetRecord]
    names: Names
    notes: tuple[str, ...] = ()
    highlights: tuple[str, ...] = ()
    axes: dict[str, Axis] = field(default_factory=dict)
    next_cursor: str = ""
    like: DatasetRecord | None = None

    @property
    def total(self) -> int:
        return self.found.total


@dataclass(frozen=True)
class Asker:
    """Everything that questions of one person at one moment have in common. `likes` are the datasets that they named."""

    principal: Principal
    access: NeutralFilter
    names: Names
    index: Index
    likes: dict[str, tuple[DatasetRecord | None, Likeness]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.access.now

    def plan(self, query: Query, *, facets: Iterable[str] = ()) -> Plan:
        like = self.like(query.like)[1] if query.like else None
        return plan(query, self.access, facets=facets, choices=choices_of_archive, like=like)

    def found(self, query: Query, asked: Plan, *, facets: Iterable[str]) -> Found:
        """One hit more than the page has, which tells whether there is another page. `asked` is the plan with `facets`."""
        always = replace(self, access=timeless(self.access)).plan(query, facets=facets)
        request, key = (replace(one.request, limit=query.size + 1) for one in (asked, always))
        return kept_search(self.index, request, timeless=key, now=self.now)

    def like(self, uid: str) -> tuple[DatasetRecord | None, Likeness]:
        """The dataset with this uid as far as the asker sees it, and what is looked for in others: nothing where it is hidden."""
        if uid not in self.likes:
            self.likes[uid] = _likeness(uid, self.principal, now=self.now)
        return self.likes[uid]


def asker_of(principal: Principal, *, now: datetime) -> Asker:
    """Raises EngineUnavailable."""
    index = engine().live()
    return Asker(principal, neutral_filter(principal, now=now), names(), index)


def ask(query: Query, asker: Asker, *, facets: Iterable[str] = PAGE_FACETS) -> Answer:
    """Raises EngineUnavailable."""
    now = asker.now
    hidden = NAMES_OF_PEOPLE if query.principal.hides_people else ()
    shown = [name for name in facets if name not in hidden]
    asked = asker.plan(query, facets=shown)
    found = asker.found(query, asked, facets=shown)
    hits = found.hits[: query.size]
    axes: dict[str, Axis] = {}
    if asked.histograms:
        request, axes = bins_request(asked, found.ranges, query)
        found = replace(found, bins=found.bins | asker.index.search(request).bins) if axes else found
    return Answer(
        query=query,
        now=now,
        found=found,
        records=records_with([hit.dataset for hit in hits], query.principal, now=now),
        names=asker.names,
        notes=asked.notes,
        highlights=asked.highlights,
        axes=axes,
        next_cursor=cursor_after(query, hits[-1].position) if len(found.hits) > len(hits) else "",
        like=asker.like(query.like)[0] if query.like else None,
    )


def records_with(keys: Sequence[int], principal: Principal, *, now: datetime) -> list[DatasetRecord]:
    """Records of these datasets, in this order, masked for `principal`; what is withdrawn is left out."""
    records = selectors.records_of(rows_of(keys), principal, now=now)
    return [record for record in records if not record.access.is_withdrawn]


def totals(queries: Sequence[Query], asker: Asker) -> list[int]:
    """How many datasets each of `queries` finds."""
    return asker.index.totals([asker.plan(query).request for query in queries])


def _likeness(uid: str, principal: Principal, *, now: datetime) -> tuple[DatasetRecord | None, Likeness]:
    try:
        dataset, _ = selectors.find_dataset(UUID(uid), principal, now=now)
    except NotFound:
        return None, Likeness(dataset=0)
    record = next(iter(selectors.records_of([dataset], principal, now=now)))
    return record, likeness_of(record, dataset=dataset.pk)


def trouble_text() -> str:
    """Why no engine answers, for people."""
    if not engine().is_answering():
        return "Search does not answer at this moment."
    build = IndexBuild.objects.filter(state=IndexBuild.State.BUILDING).first()
    if build is None:
        return "The search index is not there yet."
    percent = int(100 * build.written / build.expected) if build.expected else 0
    return f"The search index is being built ({min(percent, 100)} % done)."
