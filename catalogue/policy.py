"""The data policy: what a facility promises about its data, each instrument saying otherwise where it needs to.

Pure reading of rows that are at hand: nothing here runs a query, and nothing outside falls back from instrument to facility.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from catalogue.models import Facility, Instrument


@dataclass(frozen=True)
class Policy:
    """Months count from the end of an investigation (from its start while it has no end)."""

    embargo_months: int
    maximum_embargo_months: int
    extension_hold: timedelta
    embargo_metadata: str
    session_doi: str
    retention_years: int
    licence_id: str


def policy_of(facility: Facility, instrument: Instrument | None = None) -> Policy:
    """The policy of `facility`, or that of its `instrument`."""

    def stated(name: str) -> Any:
        value = getattr(instrument, name) if instrument is not None else None
        return getattr(facility, name) if value in (None, "") else value

    return Policy(
        embargo_months=stated("embargo_months"),
        maximum_embargo_months=stated("maximum_embargo_months"),
        extension_hold=timedelta(days=stated("extension_hold_days")),
        embargo_metadata=stated("embargo_metadata"),
        session_doi=stated("session_doi"),
        retention_years=stated("retention_years"),
        licence_id=stated("default_licence_id"),
    )


def embargo_end(policy: Policy, started_at: datetime, ended_at: datetime | None) -> datetime:
    """The end of the embargo of a session by `policy` alone."""
    return (ended_at or started_at) + relativedelta(months=policy.embargo_months)


def latest_embargo_end(policy: Policy, started_at: datetime, ended_at: datetime | None) -> datetime:
    """The moment beyond which no extension goes."""
    return (ended_at or started_at) + relativedelta(months=policy.maximum_embargo_months)
