"""The visibility rule of `access.py` in the form that search engines apply. Change both together; a test compares them."""

from dataclasses import dataclass
from datetime import datetime

from catalogue.access import Principal, hidden_instruments, own_keys


@dataclass(frozen=True)
class NeutralFilter:
    """The same rule for a search engine, over two documents for each dataset: `full` and `summary`.

    Which closed data the principal reads is asked of the database with each question (`investigations` and `datasets` are
    primary keys), so that a grant that ends or a team that changes needs no new index. An engine keeps a document when
    sees_everything and full,  or  full and (opens_at <= now or investigation in investigations or dataset in datasets),  or
    summary and instrument not in hidden_instruments and opens_at > now and none of these.
    """

    now: datetime
    sees_everything: bool
    investigations: frozenset[int]
    datasets: frozenset[int]
    hidden_instruments: frozenset[int]

    def keeps(self, *, document: str, opens_at: datetime, dataset: int, investigation: int, instrument: int) -> bool:
        """The rule itself, in Python: what the engines are tested against."""
        is_own = investigation in self.investigations or dataset in self.datasets
        is_readable = self.sees_everything or opens_at <= self.now or is_own
        return is_readable if document == "full" else instrument not in self.hidden_instruments and not is_readable


def neutral_filter(principal: Principal, *, now: datetime) -> NeutralFilter:
    """Two queries at most, one for visitors.

    Who came by a share link finds what it shows on the link's own pages, not by search.
    """
    investigations, datasets = own_keys(principal, now=now)
    return NeutralFilter(
        now=now,
        sees_everything=principal.sees_everything,
        investigations=frozenset(investigations),
        datasets=frozenset(datasets),
        hidden_instruments=hidden_instruments(),
    )
