"""Settings for an institute: everything secret or site-specific must be in the environment, or the site does not start."""

from django.core.exceptions import ImproperlyConfigured

from portal.settings.base import *  # noqa: F403
from portal.settings.base import DATACITE_PASSWORD, DATACITE_URL, DATACITE_USER, IS_DEMO, PROXY_COUNT, env

REQUIRED = {
    "SECRET_KEY": "signs sessions; 50 random characters",
    "FAIRCAT_SECRET_KEYS": "encrypts storage credentials; comma-separated, the newest first",
    "DATABASE_URL": "postgres://user:password@host/name",
    "CELERY_BROKER_URL": "redis://host:6379/0",
    "CACHE_URL": "rediscache://host:6379/1",
    "ALLOWED_HOSTS": "the host names of the site, comma-separated",
    "FAIRCAT_SITE_URL": "https://data.example.org",
    "EMAIL_URL": "smtp://user:password@host:587",
    "FAIRCAT_DATA_DIR": "the folder for thumbnails and logs of the site",
}
missing = [name for name in REQUIRED if not env.str(name, default="")]
if missing:
    lines = [f"  {name}: {REQUIRED[name]}" for name in missing]
    raise ImproperlyConfigured("Set these environment variables before starting the site:\n" + "\n".join(lines))

if DATACITE_URL and not (DATACITE_USER and DATACITE_PASSWORD):
    raise ImproperlyConfigured("Set DATACITE_USER and DATACITE_PASSWORD too, or leave DATACITE_URL empty for no DOIs.")
if DATACITE_URL and not DATACITE_URL.startswith("https://") and not IS_DEMO:
    raise ImproperlyConfigured("DATACITE_URL begins with https://: the password of the site is sent there.")

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
if PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
# A site that shares its domain with others does not speak for them.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=True)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
