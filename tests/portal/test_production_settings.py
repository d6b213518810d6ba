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


def start(tmp_path, probe: str = PROBE, **environment: str) -> subprocess.CompletedProcess:
    values = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "portal.settings.production"}
    values |= {"FAIRCAT_DATA_DIR": str(tmp_path)} | environment
    return subprocess.run(
        [sys.executable, "-c", probe], env=values, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
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


DATACITE = {"DATACITE_URL": "https://api.datacite.org", "DATACITE_USER": "A.B", "DATACITE_PASSWORD": "tell-nobody"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DATACITE_USER": ""}, "DATACITE_USER"),
        ({"DATACITE_PASSWORD": ""}, "DATACITE_PASSWORD"),
        ({"DATACITE_URL": "http://api.datacite.org"}, "https://"),
    ],
)
def test_an_account_at_datacite_is_complete_and_its_password_is_never_sent_in_clear(tmp_path, changed: dict, said: str):
    started = start(tmp_path, **(COMPLETE | DATACITE | changed))
    assert started.returncode != 0
    assert said in started.stderr
    assert "tell-nobody" not in started.stderr


@pytest.mark.parametrize(
    ("changed", "is_test"),
    [
        ({"DATACITE_PREFIX": "10.12345"}, False),
        ({"DATACITE_PREFIX": "10.12345", "DATACITE_URL": "https://api.datacite.org/"}, False),
        ({"DATACITE_PREFIX": "10.12345", "DATACITE_URL": "https://api.test.datacite.org"}, True),
        ({"DATACITE_PREFIX": "10.5072"}, True),
        ({}, True),
    ],
)
def test_dois_are_real_only_at_datacite_itself_with_a_prefix_of_the_site(tmp_path, changed: dict, is_test: bool):
    probe = PROBE.replace("settings.DEBUG, settings.IS_DEMO", "settings.DATACITE_IS_TEST")
    started = start(tmp_path, probe=probe, **(COMPLETE | DATACITE | changed))
    assert started.stdout.strip() == str(is_test), started.stderr
