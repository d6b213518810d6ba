"""The visibility rule of `access.py` in the form that search engines apply. Change both together; a test compares them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from catalogue.access import Principal, hidden_instruments
from catalogue.models import AccessGrant, Dataset, TeamMember


@dataclass(frozen=True)
class NeutralFilter:
    """The same rule for a search engine, over two documents for each dataset: `full` and `summary`.

    Each document carries `opens_at`, `readers` (see `readers_of`) and `document` ("full" or "summary"). An engine keeps a
    document when  sees_everything and full,  or  full and (opens_at <= now or readers meets reader_keys),  or
    summary and instrument not in hidden_instruments and opens_at > now and readers does not meet reader_keys.
    """

    now: datetime
    reader_keys: frozenset[str]
    sees_everything: bool
    hidden_instruments: frozenset[int]

    def keeps(self, *, document: str, opens_at: datetime, readers: frozenset[str], instrument: int) -> bool:
        """The rule itself, in Python: what both engines are tested against."""
        is_readable = self.sees_everything or opens_at <= self.now or bool(readers & self.reader_keys)
        return is_readable if document == "full" else instrument not in self.hidden_instruments and not is_readable


def neutral_filter(principal: Principal, *, now: datetime) -> NeutralFilter:
    return NeutralFilter(
        now=now,
        reader_keys=principal.reader_keys,
        sees_everything=principal.sees_everything,
        hidden_instruments=hidden_instruments(),
    )


def readers_of(dataset: Dataset, *, now: datetime) -> frozenset[str]:
    """The reader keys that see `dataset` in full while it is closed: its team and its unexpired grants.

    Who came by a share link finds what it shows on the link's own pages, not by search.
    """
    members = TeamMember.objects.filter(investigation=dataset.investigation_id, person__user__isnull=False)
    keys = {f"user:{user_id}" for user_id in members.values_list("person__user_id", flat=True)}
    grants = AccessGrant.objects.filter(Q(dataset=dataset) | Q(investigation=dataset.investigation_id)).filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    )
    for user_id, group_id in grants.values_list("user_id", "group_id"):
        keys.add(f"user:{user_id}" if user_id else f"group:{group_id}")
    return frozenset(keys)
