"""The visibility rule of `access.py` in the form that search engines apply. Change both together; a test compares them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet, Value

from catalogue.access import Principal, hidden_instrument_rows, open_q, own_keys
from catalogue.kept_statements import KeptStatement
from catalogue.models import DatasetRevision, Instrument


@dataclass(frozen=True)
class NeutralFilter:
    """The same rule for a search engine, over two documents for each dataset: `full` and `summary`.

    Which closed data the principal reads is asked of the database with each question (`investigations` and `datasets` are
    primary keys), so that a grant that ends or a team that changes needs no new index. An engine keeps a document when
    sees_everything and full,  or
    full and (opens_at <= now and dataset not in withheld, or investigation in investigations, or dataset in datasets),  or
    summary and instrument not in hidden_instruments and opens_at > now and none of these.
    `withheld` are datasets that a late index would open, although their embargo was made longer meanwhile.
    """

    now: datetime
    sees_everything: bool
    investigations: frozenset[int]
    datasets: frozenset[int]
    hidden_instruments: frozenset[int]
    withheld: frozenset[int] = frozenset()

    def keeps(self, *, document: str, opens_at: datetime, dataset: int, investigation: int, instrument: int) -> bool:
        """The rule itself, in Python: what the engines are tested against."""
        is_own = self.sees_everything or investigation in self.investigations or dataset in self.datasets
        if document == "full":
            return is_own or (opens_at <= self.now and dataset not in self.withheld)
        return not is_own and opens_at > self.now and instrument not in self.hidden_instruments


def neutral_filter(principal: Principal, *, now: datetime) -> NeutralFilter:
    """Two queries, one for visitors.

    Who came by a share link finds what it shows on the link's own pages, not by search.
    """
    investigations, datasets = own_keys(principal, now=now)
    hidden_instruments, withheld = _kept_back(now)
    return NeutralFilter(
        now=now,
        sees_everything=principal.sees_everything,
        investigations=frozenset(investigations),
        datasets=frozenset(datasets),
        hidden_instruments=hidden_instruments,
        withheld=withheld,
    )


def _kept_back(now: datetime) -> tuple[frozenset[int], frozenset[int]]:
    """Instruments that hide what is closed, and closed datasets that the index would show as open, in one query.

    The latter are those whose opening, as the index has it, passed while a change of theirs was waiting for the indexer.
    """
    rows = _KEPT_BACK.rows(now=now)
    instruments = frozenset(key for key, is_dataset in rows if not is_dataset)
    return instruments, frozenset(key for key, is_dataset in rows if is_dataset)


def _kept_back_rows(now: datetime) -> QuerySet[Instrument, Any]:
    late = DatasetRevision.objects.filter(is_pending=True, opens_at__lte=now).exclude(open_q(now, "dataset__"))
    datasets = late.order_by().values_list("dataset_id", Value(True))
    return hidden_instrument_rows().values_list("pk", Value(False)).union(datasets, all=True)


_KEPT_BACK = KeptStatement(_kept_back_rows, now=datetime(1, 1, 1, tzinfo=UTC))
