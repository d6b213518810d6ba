"""The Celery application. Periodic jobs stand in `portal/schedule.py`; tasks live beside the services that they call."""

from celery import Celery

app = Celery("faircat")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
