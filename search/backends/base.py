"""What every engine promises: the Protocol, what goes in and what comes out. No engine here, no Django, no page.

The contract suite in `tests/contracts/` holds the engines to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from search.clauses import Clause, Everything

Document = dict[str, Any]
"""Values by field name (see `search.fields`): str for TEXT, TOKENS and ORDER, list of str for KEYWORD, int for NUMBER, and
`parameters`: dict of float by parameter key. Empty values are left out."""


# What an open document scores more than a closed one: less than anybody would call a better hit, and more than the
# precision of scores, which are floats of 32 bits, up to a score of 16,000.
OPEN_LIFT = 0.001


class EngineUnavailable(Exception):
    """The engine does not answer, or has no index yet. The text says which, without secrets."""


@dataclass(frozen=True)
class Values:
    """Counts of the values of a KEYWORD or NUMBER `field`, the most frequent first and by value on ties.

    `among` restricts which values are counted (empty: all). `limit` is how many come back.
    """

    field: str
    limit: int = 30
    among: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Bins:
    """Counts of a number between `edges` (ascending, at least two): low <= value < high, the last bin with its high edge.

    `field` is a NUMBER field, or a parameter key where `is_parameter`.
    """

    field: str
    edges: tuple[float, ...]
    is_parameter: bool = False


@dataclass(frozen=True)
class Extent:
    """Lowest, highest and number of documents with a value of a NUMBER field or parameter key."""

    field: str
    is_parameter: bool = False


Facet = Values | Bins | Extent


@dataclass(frozen=True)
class Request:
    """One question to an engine.

    Hits and `total` meet `access`, `scored` and every one of `filters`. The facet called x leaves out the filter called x,
    so that it counts as if its own choice were off. `access` and `filters` never score.
    `order` is a NUMBER or ORDER field whose values are unique, or "" for the score (ties: what is open at `open_at` first, then the
    newest by `by_registered`). `after` is the `order` value of the last hit seen; with "" it is an offset.
    """

    access: Clause
    scored: Clause = Everything()
    filters: tuple[tuple[str, Clause], ...] = ()
    facets: tuple[tuple[str, Facet], ...] = ()
    order: str = ""
    is_descending: bool = True
    after: int | str | None = None
    limit: int = 20
    open_at: int = 0


@dataclass(frozen=True)
class Hit:
    """A dataset found. `position` is what `Request.after` takes to go on behind it."""

    dataset: int
    position: int | str
    score: float = 0.0


@dataclass(frozen=True)
class Range:
    """What an `Extent` found; `low` and `high` are None where no document has a value."""

    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Found:
    """The answer. `total` is exact. By facet name: `counts` of Values as (value, count), of Bins one number for each bin."""

    total: int
    hits: tuple[Hit, ...] = ()
    values: dict[str, tuple[tuple[str | int, int], ...]] = field(default_factory=dict)
    bins: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)


class Index(Protocol):
    """One index under one name, being searched or being built."""

    name: str

    def write(self, documents: Iterable[Document], *, removed: Iterable[tuple[int, int]] = ()) -> None:
        """Put documents in and take whole datasets (key, version) out, and make both visible to searches before returning.

        All documents of one dataset come in one call and replace those that it had. What is older than what the index
        holds of the dataset is refused silently. Safe to repeat.
        """

    def versions(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, int]]:
        """(dataset, version) in the order of the key, from the first key greater than `after`."""

    def count(self) -> int:
        """How many datasets it holds."""

    def search(self, request: Request) -> Found: ...

    def generation(self) -> object | None:
        """Equal only to that of a moment at which the index held the same; None where the engine cannot say."""

    def totals(self, requests: list[Request]) -> list[int]:
        """How many datasets each of `requests` finds, in one round where the engine can."""

    def words_like(self, word: str, fields: tuple[str, ...], access: Clause, *, limit: int = 5) -> list[str]:
        """Tokens of `fields` within two edits of `word`, in documents that meet `access` only, the likeliest first."""

    def words_with_prefix(self, prefix: str, field: str, access: Clause, *, limit: int = 10) -> list[str]:
        """Values of `field` that begin with `prefix`, of documents that meet `access` only, the most frequent first."""


class Engine(Protocol):
    """An engine: the live index, and those that are being built or were replaced."""

    def live(self) -> Index:
        """The index that searches read and that the indexer writes. Raises EngineUnavailable where there is none."""

    def create(self, name: str) -> Index:
        """An empty index for the present schema, not live; the existing one where `name` exists already."""

    def promote(self, name: str) -> None:
        """Make it the live one in one step; searches under way end on the one that they began with."""

    def names(self) -> list[str]:
        """All indexes that exist, live or not."""

    def drop(self, name: str) -> None:
        """Remove an index that is not live."""

    def is_answering(self) -> bool: ...
