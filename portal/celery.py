"""The Celery application. Periodic jobs stand in `portal/schedule.py`; tasks live beside the services that they call."""

import os
from contextvars import Token

from celery import Celery, signals
from django.apps import apps

from catalogue.context import current_request_id
from portal.schedule import beat_schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.production")

app = Celery("faircat")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = beat_schedule()
app.autodiscover_tasks()


@signals.worker_ready.connect
def sweep_at_start(**_details: object) -> None:
    """A worker that starts first does what was left undone, and shows that it is there."""
    app.send_task("catalogue.tasks.sweep_outbox")
    app.send_task("search.tasks.index_changes")
    if apps.is_installed("classifier"):
        app.send_task("classifier.tasks.dispatch_waiting")


_ids_before: dict[str, Token[str]] = {}


@signals.task_prerun.connect
def name_the_work(task_id: str = "", **_details: object) -> None:
    """Logs and audit rows of a task carry its id, as those of a request carry the request's."""
    _ids_before[task_id] = current_request_id.set(task_id)


@signals.task_postrun.connect
def forget_the_work(task_id: str = "", **_details: object) -> None:
    if before := _ids_before.pop(task_id, None):
        current_request_id.reset(before)
