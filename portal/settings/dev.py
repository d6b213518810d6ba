"""Settings for one machine: SQLite, the embedded broker, local folders, and keys made at first start."""

from portal.settings.base import *  # noqa: F403
from portal.settings.base import DATA_DIR, STORAGES, env
from portal.settings.local_keys import read_or_make_keys

DEBUG = env.bool("DEBUG", default=False)
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
SECRET_KEY, FAIRCAT_SECRET_KEYS = read_or_make_keys(DATA_DIR / "keys.json")
# Static files come from where they lie, so that nothing is to be collected first.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
# The stand-in that `make run` starts and `manage.py datacite_standin` is; its password protects nothing.
DATACITE_URL = env.str("DATACITE_URL", default="http://127.0.0.1:8090").rstrip("/")
DATACITE_USER = env.str("DATACITE_USER", default="DEMO.FAIRCAT")
DATACITE_PASSWORD = env.str("DATACITE_PASSWORD", default="not-a-secret")
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.E003", "django_ratelimit.W001"]
