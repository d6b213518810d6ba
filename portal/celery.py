"""The Celery application. Periodic jobs stand in `portal/schedule.py`; tasks live beside the services that they call."""

import os

from celery import Celery

from portal.schedule import beat_schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.production")

app = Celery("faircat")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = beat_schedule()
app.autodiscover_tasks()
