"""Every periodic job of the site, in one table. What a job does stands in the task that it names."""

from dataclasses import dataclass
from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings


@dataclass(frozen=True)
class Job:
    """`every` is a period or a time of day in UTC; `why` is shown to operators in `docs/operations.md`."""

    task: str
    every: timedelta | crontab
    why: str
    queue: str = "default"


JOBS = (
    Job("catalogue.tasks.sweep_outbox", timedelta(minutes=1), "delivers what no message announced"),
    Job("search.tasks.index_changes", timedelta(minutes=1), "indexes what no message announced", "index"),
    Job(
        "catalogue.tasks.scan_storages", timedelta(minutes=2), "finds files that instruments wrote, by the watch rules"
    ),
    Job("catalogue.tasks.check_storages", timedelta(minutes=5), "finds out which storages answer"),
    Job("catalogue.tasks.check_fixity", timedelta(minutes=30), "verifies checksums, the longest unchecked files first"),
    Job("catalogue.tasks.measure_statistics", timedelta(minutes=10), "counts the archive for pages and metrics"),
    Job("catalogue.tasks.announce_openings", timedelta(minutes=5), "tells teams, search and DOIs what has opened"),
    Job("doi.tasks.sweep_dois", timedelta(minutes=5), "tells DataCite what is due by the clock or was never announced"),
    Job(
        "doi.tasks.reconcile_dois",
        crontab(hour="1-5", minute="*/10"),
        "compares the DOIs with what DataCite has of them",
    ),
    Job("catalogue.tasks.send_reminders", crontab(hour=6, minute=0), "reminds of embargoes that end soon"),
    Job("catalogue.tasks.tidy_up", crontab(hour=2, minute=10), "removes old answers, drafts and sessions"),
    Job("catalogue.tasks.recount_downloads", crontab(hour=2, minute=40), "counts downloads anew from the usage log"),
    Job("search.tasks.tell_of_news", timedelta(hours=1), "mails what is new in saved searches"),
    Job("search.tasks.check_index", crontab(hour=3, minute=40), "compares the search index with the database", "index"),
    Job("classifier.tasks.dispatch_waiting", timedelta(minutes=1), "hands images to workers that no message announced"),
    Job("classifier.tasks.remove_expired_images", timedelta(hours=1), "removes uploaded images whose time is over"),
    Job("classifier.tasks.queue_forgotten", crontab(hour=4, minute=10), "queues images that no news told of"),
    Job("catalogue.tasks.check_invariants", crontab(hour=3, minute=10), "finds what no constraint can hold"),
)


def beat_schedule() -> dict[str, dict]:
    """The table in the form of Celery's `beat_schedule`, without the jobs of apps that this site has not.

    A job that was not started within its period is dropped, so that jobs do not pile up.
    """
    return {
        job.task: {"task": job.task, "schedule": job.every, "options": {"queue": job.queue, **_expiry(job)}}
        for job in JOBS
        if job.task.partition(".")[0] in settings.INSTALLED_APPS
    }


def _expiry(job: Job) -> dict[str, float]:
    return {"expires": job.every.total_seconds()} if isinstance(job.every, timedelta) else {"expires": 12 * 3600}
