"""Periodic jobs: each names a task that exists, and each task runs."""

import pytest

from portal.celery import app
from portal.schedule import JOBS, beat_schedule


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.task)
def test_a_job_names_a_task_that_exists(job):
    app.loader.import_default_modules()
    assert job.task in app.tasks


@pytest.mark.django_db
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.task)
def test_the_task_of_a_job_runs_on_an_empty_site(job):
    app.loader.import_default_modules()
    app.tasks[job.task].apply(throw=True)


def test_no_task_is_scheduled_twice():
    assert len(beat_schedule()) == len(JOBS)


def test_a_job_that_was_not_started_in_time_is_dropped():
    assert all(entry["options"]["expires"] > 0 for entry in beat_schedule().values())
