"""The Celery application. Periodic jobs stand in `portal/schedule.py`; tasks live beside the services that they call."""

import os

from celery import Celery, signals

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
