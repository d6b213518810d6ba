"""What the worker does for DOIs: thin tasks, each safe to repeat. When they run stands in `portal/schedule.py`."""

from dataclasses import asdict

from celery import shared_task

from catalogue.access import SYSTEM
from doi import selectors, sweep


@shared_task
def sweep_dois() -> int:
    """Intend what nobody announced and what is due by the clock, and count the DOIs for pages."""
    intended = sweep.sweep(actor=SYSTEM)
    selectors.measure_counts()
    return intended


@shared_task
def reconcile_dois() -> dict[str, int]:
    return asdict(sweep.reconcile(actor=SYSTEM))
