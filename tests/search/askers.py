"""Who asks the invented archive: the visibility rule as conditions over its documents, and once more in plain Python."""

from dataclasses import dataclass, replace
from datetime import timedelta

from search.backends.base import Document
from search.clauses import All, AnyOf, Between, Clause, Either, Not, Term
from tests.search.corpus import HIDDEN_INSTRUMENT, NOW, microseconds


@dataclass(frozen=True)
class Asker:
    """Somebody at a moment. `investigations` and `datasets` are what they read while it is closed."""

    now: int = microseconds(NOW)
    investigations: tuple[int, ...] = ()
    datasets: tuple[int, ...] = ()
    hidden_instruments: tuple[int, ...] = ()
    sees_everything: bool = False

    @property
    def access(self) -> Clause:
        full, summary = Term("document", "full"), Term("document", "summary")
        if self.sees_everything:
            return full
        own = Either((AnyOf("investigation", self.investigations), AnyOf("dataset", self.datasets)))
        is_open = Between("opens_at", high=self.now)
        is_hidden = AnyOf("instrument_key", self.hidden_instruments)
        closed = All((summary, Between("opens_at", low=self.now + 1), Not(own), Not(is_hidden)))
        return Either((All((full, Either((is_open, own)))), closed))

    def keeps(self, document: Document) -> bool:
        """The rule as one would say it: the full document to who may read it, its summary to all others."""
        is_own = document["investigation"] in self.investigations or document["dataset"] in self.datasets
        is_readable = self.sees_everything or is_own or document["opens_at"] <= self.now
        if "full" in document["document"]:
            return is_readable
        return not is_readable and document["instrument_key"] not in self.hidden_instruments


VISITOR = Asker()
CURATOR = Asker(sees_everything=True)
MEMBER = Asker(investigations=tuple(range(3, 60, 4)))
ASKERS = {
    "a visitor": VISITOR,
    "a member of fifteen teams": MEMBER,
    "who was given single datasets": Asker(datasets=tuple(range(11, 700, 9))),
    "a member with grants besides": replace(MEMBER, datasets=tuple(range(11, 700, 9))),
    "a curator": CURATOR,
    "a visitor where an instrument hides what is closed": Asker(hidden_instruments=(HIDDEN_INSTRUMENT, 3)),
    "a member where that instrument hides": replace(MEMBER, hidden_instruments=(HIDDEN_INSTRUMENT,)),
    "a visitor a microsecond later": Asker(now=microseconds(NOW) + 1),
    "a visitor in a year": Asker(now=microseconds(NOW + timedelta(days=365))),
    "a visitor when all embargoes are over": Asker(now=microseconds(NOW + timedelta(days=2_000))),
    "a visitor with a clock that is late": Asker(now=microseconds(NOW - timedelta(days=300))),
}
