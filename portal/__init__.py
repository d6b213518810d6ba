"""The project package: settings, URLs, Celery, errors, health, home. It imports every app; no app imports it."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
