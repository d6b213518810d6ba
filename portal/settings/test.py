"""Settings for the tests: SQLite or the database of DATABASE_URL, nothing sent outside, plain static files."""

import tempfile
from pathlib import Path

from portal.settings.base import *  # noqa: F403
from portal.settings.base import DATABASES, STORAGES

SECRET_KEY = "test-only-secret-key-that-protects-nothing-0123456789"
FAIRCAT_SECRET_KEYS = ["test-only-encryption-key"]
DATA_DIR = Path(tempfile.mkdtemp(prefix="faircat-test-"))
DERIVED_DIR = DATA_DIR / "derived"
CLASSIFIER_DIR = DATA_DIR / "classifier"
BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict = {}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Never in memory: a live server that is set up before the database would share one connection with the test.
    DATABASES["default"]["NAME"] = str(DATA_DIR / "faircat.sqlite3")
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
# No DOIs, unless a test brings a server for them.
DATACITE_URL = ""
DATACITE_PREFIX = "10.5072"
DATACITE_IS_TEST = True
# The embedded engine, unless a test brings a server.
SEARCH_URL = ""
# The client of the tests names no agent, which is a robot's way.
RATE_CRAWLER = RATE_HEAVY = ""
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir()
WHITENOISE_USE_FINDERS = True
# Static files are looked for when somebody asks for one: to list them all would take each new client 10 ms.
WHITENOISE_AUTOREFRESH = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.E003", "django_ratelimit.W001"]
