"""A site without the classifier works, and no web process of a site with it loads what trains models."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.search.processes import environment

HEAVY = ("tensorflow", "keras", "jax", "sklearn", "scipy", "matplotlib", "ai_edge_litert", "pytesseract")

WITHOUT = """
import os, tempfile
os.environ["FAIRCAT_CLASSIFIER"] = "false"
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.test"
import django
django.setup()
from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands
from django.test.utils import setup_test_environment
assert not apps.is_installed("classifier")
call_command("check")
call_command("migrate", verbosity=0)
setup_test_environment()
from pathlib import Path
from django.test import Client
from catalogue import changes
from catalogue.invariants import all_checks
from portal.celery import app
from portal.schedule import beat_schedule
from search.engines import engine
from search.indexing import rebuild, sync
from tests import factories
storage = factories.make_storage(Path(settings.DATA_DIR) / "files")
dataset = factories.make_dataset(is_open=True, storage=storage, files={"a.png": b"x"}, title="Nanowires")
changes.datasets_changed([dataset])
rebuild.ensure_index(engine())
sync.index_pending(engine())
client = Client()
for address, status in {
    "/": 200, "/search": 200, "/search?q=nanowires": 200, f"/datasets/{dataset.uid}": 200, "/status": 200, "/readyz": 200,
    "/metrics": 200, "/api/v1/datasets": 200, "/classify": 404, "/api/v1/classifications": 404, "/models": 404,
}.items():
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    assert status != 200 or "/classify" not in answer.content.decode(), address
assert not any(name.startswith("classif") for name in get_commands())
app.loader.import_default_modules()
assert not any("classifier" in name for name in app.tasks)
assert not any("classifier" in name for name in beat_schedule())
assert not any("classifier" in check.__module__ for check in all_checks())
print("works")
"""

WEB = """
import sys
import django
django.setup()
import portal.urls, portal.wsgi, portal.celery
portal.celery.app.loader.import_default_modules()
from django.urls import get_resolver
get_resolver().url_patterns
print(",".join(sorted(name for name in {heavy!r} if name in sys.modules)))
"""


def run(code: str, env: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_a_site_works_when_the_classifier_is_absent():
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    assert run(WITHOUT, kept).endswith("works")


@pytest.mark.django_db
def test_web_processes_and_the_beginning_of_workers_load_nothing_that_runs_models():
    assert run(WEB.format(heavy=HEAVY), environment()) == ""
