"""The production settings start with everything that they need, and say what is missing otherwise."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

COMPLETE = {
    "SECRET_KEY": "x" * 25 + "0123456789abcdefghijklmnop",
    "FAIRCAT_SECRET_KEYS": "a-key",
    "DATABASE_URL": "postgres://nobody@127.0.0.1/none",
    "CELERY_BROKER_URL": "redis://127.0.0.1/0",
    "CACHE_URL": "rediscache://127.0.0.1/1",
    "ALLOWED_HOSTS": "data.example.org",
    "FAIRCAT_SITE_URL": "https://data.example.org",
    "EMAIL_URL": "smtp://127.0.0.1:25",
}
PROBE = "import django; django.setup(); from django.conf import settings; print(settings.DEBUG, settings.IS_DEMO)"


def start(tmp_path, **environment: str) -> subprocess.CompletedProcess:
    values = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "portal.settings.production"}
    values |= {"FAIRCAT_DATA_DIR": str(tmp_path)} | environment
    return subprocess.run(
        [sys.executable, "-c", PROBE], env=values, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )


def test_production_starts_when_nothing_is_missing_without_debug_and_demonstration(tmp_path):
    started = start(tmp_path, **COMPLETE)
    assert started.stdout.strip() == "False False", started.stderr


def test_all_that_is_missing_is_named_at_once(tmp_path):
    started = start(tmp_path)
    assert started.returncode != 0
    for name in COMPLETE:
        assert f"{name}: " in started.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "FAIRCAT_SECRET_KEYS"])
def test_a_missing_secret_stops_the_start_and_no_other_is_shown(tmp_path, name: str):
    started = start(tmp_path, **(COMPLETE | {name: ""}))
    assert started.returncode != 0
    assert name in started.stderr
    assert not any(COMPLETE[other] in started.stderr for other in ("SECRET_KEY", "DATABASE_URL"))


def test_a_policy_that_is_misspelt_stops_the_start(tmp_path):
    started = start(tmp_path, **COMPLETE, FAIRCAT_EMBARGO_METADATA="nothing")
    assert started.returncode != 0
    assert "FAIRCAT_EMBARGO_METADATA" in started.stderr
