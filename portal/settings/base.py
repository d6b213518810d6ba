"""Settings common to all environments. Every value that a site may change is read from the environment here.

`docs/settings.md` documents each variable; a test compares the two.
"""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

DATA_DIR = Path(env.str("FAIRCAT_DATA_DIR", default=str(BASE_DIR / "var")))
SITE_NAME = env.str("FAIRCAT_SITE_NAME", default="Faircat")
SITE_URL = env.str("FAIRCAT_SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ADMINISTRATOR_EMAIL = env.str("FAIRCAT_ADMINISTRATOR_EMAIL", default="administrator@example.org")
IS_DEMO = env.bool("FAIRCAT_IS_DEMO", default=False)
# Days after which a share link ends at the latest.
SHARE_LINK_DAYS = env.int("FAIRCAT_SHARE_LINK_DAYS", default=365)
# How many proxies of the site's own stand in front of it: the visitor's address is what the outermost of them saw.
PROXY_COUNT = env.int("FAIRCAT_PROXY_COUNT", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = PROXY_COUNT
RATELIMIT_IP_META_KEY = "catalogue.visitors.address_of"

SECRET_KEY = env.str("SECRET_KEY", default="")
# The first key encrypts storage credentials, all of them decrypt: rotate by putting a new one in front.
FAIRCAT_SECRET_KEYS = env.list("FAIRCAT_SECRET_KEYS", default=[])
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "portal",
    "classifier",
    "doi",
    "search",
    "catalogue",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.orcid",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "portal.middleware.RequestIdMiddleware",
    "portal.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "portal.middleware.PrincipalMiddleware",
    "portal.crawlers.CrawlerMiddleware",
    "portal.middleware.ShareLinkMiddleware",
    "portal.middleware.NulMiddleware",
    "portal.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.site",
            ]
        },
    }
]

SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-64000;",
}
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'faircat.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
# Forms of records are kept apart, so that no crawler pushes the counters of rate limits out of a small cache.
CACHES["forms"] = CACHES["default"] | {"KEY_PREFIX": "forms"}
if "locmem" in CACHES["forms"]["BACKEND"]:
    CACHES["forms"]["LOCATION"] = "forms"

AUTH_USER_MODEL = "catalogue.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Thumbnails and previews: derived from files, served only through views that check access.
DERIVED_DIR = DATA_DIR / "derived"
# How many storages a person may declare.
MOST_STORAGES = env.int("FAIRCAT_MOST_STORAGES", default=50)
# nginx hand-off: the internal location prefix for X-Accel-Redirect; empty means that Django sends the bytes.
ACCEL_REDIRECT_PREFIX = env.str("FAIRCAT_ACCEL_REDIRECT_PREFIX", default="")

# Pages a minute that a crawler gets from one address, and of the heavy ones those that it and anonymous tools get; empty
# means no limit.
RATE_CRAWLER = env.str("FAIRCAT_RATE_CRAWLER", default="120/m")
RATE_HEAVY = env.str("FAIRCAT_RATE_HEAVY", default="30/m")
# Where flaws of the site are told of, "mailto:..." or "https://..."; empty means its administrator.
SECURITY_CONTACT = env.str("FAIRCAT_SECURITY_CONTACT", default="")
SECURITY_POLICY_URL = env.str("FAIRCAT_SECURITY_POLICY_URL", default="")
# Whoever scrapes /metrics from another machine sends this as a bearer token; empty means this machine only.
METRICS_TOKEN = env.str("FAIRCAT_METRICS_TOKEN", default="")

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
# Seconds that anybody waits for the mail server.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Faircat <noreply@example.org>")

# --- DOIs ---
# Empty: the site makes none. The tests of DataCite are at https://api.test.datacite.org.
DATACITE_URL = env.str("DATACITE_URL", default="").rstrip("/")
DATACITE_USER = env.str("DATACITE_USER", default="")
DATACITE_PASSWORD = env.str("DATACITE_PASSWORD", default="")
DATACITE_PREFIX = env.str("DATACITE_PREFIX", default="") or "10.5072"
# Seconds for a delivery in the background; a person who waits is given less.
DATACITE_TIMEOUT = env.float("DATACITE_TIMEOUT", default=20.0)
# Names that resolve nowhere: pages say so.
DATACITE_IS_TEST = DATACITE_PREFIX == "10.5072" or DATACITE_URL != "https://api.datacite.org"

# --- search ---
# Empty: an index of the embedded engine in the data folder.
SEARCH_URL = env.str("SEARCH_URL", default="")
# Certificates of the authority that signed Elasticsearch's, where it is the cluster's own.
SEARCH_CA_FILE = env.str("SEARCH_CA_FILE", default="")
SEARCH_SHARDS = env.int("SEARCH_SHARDS", default=1)
# Items that the PaNOSC search API gives where no limit is asked for, and at most.
PANOSC_LIMIT = 100
PANOSC_MOST = env.int("FAIRCAT_PANOSC_MOST", default=1000)

# --- OAI-PMH ---
OAI_REPOSITORY_NAME = env.str("FAIRCAT_OAI_REPOSITORY_NAME", default="") or SITE_NAME
OAI_ADMIN_EMAIL = env.str("FAIRCAT_OAI_ADMIN_EMAIL", default="") or ADMINISTRATOR_EMAIL
# The domain name in every identifier; empty means the host of the site.
OAI_NAMESPACE = env.str("FAIRCAT_OAI_NAMESPACE", default="")
# DataCite's symbol of the repository, in the format oai_datacite.
OAI_REPOSITORY_SYMBOL = env.str("FAIRCAT_OAI_REPOSITORY_SYMBOL", default="") or OAI_REPOSITORY_NAME
OAI_PAGE_SIZE = env.int("FAIRCAT_OAI_PAGE_SIZE", default=500)
OAI_TOKEN_DAYS = env.int("FAIRCAT_OAI_TOKEN_DAYS", default=7)
# Seconds by which the responseDate of lists lies back: no transaction lasts longer.
OAI_OVERLAP_SECONDS = env.int("FAIRCAT_OAI_OVERLAP_SECONDS", default=30)
RATE_OAI = env.str("FAIRCAT_RATE_OAI", default="3000/m")

# --- tasks ---
BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
        # Seconds between two looks at the folder: whoever uploads an image waits for one.
        "polling_interval": 0.05,
    }
else:
    # A request that rings the worker must not wait for a broker that is down.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 3,
        "socket_timeout": 5,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"search.tasks.*": {"queue": "index"}}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_TIMEZONE = "UTC"

# --- the classifier ---
# Uploaded images, pictures made from them, model releases and studies.
CLASSIFIER_DIR = DATA_DIR / "classifier"
if not env.bool("FAIRCAT_CLASSIFIER", default=True):
    INSTALLED_APPS.remove("classifier")
# Uploaded images that one person, or all visitors together, may have waiting for a worker.
CLASSIFIER_MOST_WAITING = env.int("FAIRCAT_CLASSIFIER_MOST_WAITING", default=5000)
# Images in one upload, and bytes of one image and of one request.
CLASSIFIER_MOST_IMAGES = env.int("FAIRCAT_CLASSIFIER_MOST_IMAGES", default=1000)
CLASSIFIER_IMAGE_BYTES = env.int("FAIRCAT_CLASSIFIER_IMAGE_MIB", default=256) * 1024 * 1024
CLASSIFIER_UPLOAD_BYTES = env.int("FAIRCAT_CLASSIFIER_UPLOAD_MIB", default=4096) * 1024 * 1024
# Images and bytes that visitors may send from one address in an hour, and hours for which these are kept.
CLASSIFIER_ANONYMOUS_IMAGES = env.int("FAIRCAT_CLASSIFIER_ANONYMOUS_IMAGES", default=200)
CLASSIFIER_ANONYMOUS_BYTES = env.int("FAIRCAT_CLASSIFIER_ANONYMOUS_MIB", default=1024) * 1024 * 1024
CLASSIFIER_ANONYMOUS_HOURS = env.int("FAIRCAT_CLASSIFIER_ANONYMOUS_HOURS", default=24)
# Images that one person may keep here without registering them.
CLASSIFIER_KEPT_IMAGES = env.int("FAIRCAT_CLASSIFIER_KEPT_IMAGES", default=20_000)
# Files that are uploaded go to disk from their first byte on, and no request brings more than is allowed at its address.
FILE_UPLOAD_HANDLERS = ["catalogue.uploads.BoundedUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = CLASSIFIER_MOST_IMAGES
# Bytes of a form with files, by the beginning of its address; elsewhere DATA_UPLOAD_MAX_MEMORY_SIZE holds for it.
UPLOADS_TO = {"/classify": CLASSIFIER_UPLOAD_BYTES, "/api/v1/classifications": CLASSIFIER_UPLOAD_BYTES}

# --- security ---
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- accounts ---
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/me"
ACCOUNT_ADAPTER = "portal.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if SITE_URL.startswith("http://") else "https"
ACCOUNT_SESSION_REMEMBER = None
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_QUERY_EMAIL = False
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS: dict = {"orcid": {"MEMBER_API": False}, "openid_connect": {"APPS": []}}
if ORCID_CLIENT_ID := env.str("ORCID_CLIENT_ID", default=""):
    SOCIALACCOUNT_PROVIDERS["orcid"]["APPS"] = [
        {"client_id": ORCID_CLIENT_ID, "secret": env.str("ORCID_CLIENT_SECRET", default="")}
    ]
# A JSON list of issuers: [{"provider_id", "name", "client_id", "secret", "settings": {"server_url"}}, ...].
SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"] = env.json("OPENID_CONNECT_PROVIDERS", default=[])
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Five statements more on every page, for the time of the last visit only.
USERSESSIONS_TRACK_ACTIVITY = False

# --- REST API ---
REST_FRAMEWORK = {
    "NUM_PROXIES": PROXY_COUNT,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalogue.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["catalogue.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # `format` is a filter of ours: the file format.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.errors.api_exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["catalogue.api.throttling.ReadThrottle", "catalogue.api.throttling.WriteThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "anonymous-read": env.str("FAIRCAT_RATE_ANONYMOUS_READ", default="300/min"),
        "read": env.str("FAIRCAT_RATE_READ", default="3000/min"),
        "write": env.str("FAIRCAT_RATE_WRITE", default="6000/min"),
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Faircat API",
    "VERSION": "1",
    "DESCRIPTION": "Register, read and download datasets. Errors are problem+json documents with a stable `code`.",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["catalogue.api.openapi.add_components"],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "portal.logs.RequestIdFilter"}},
    "formatters": {"json": {"()": "portal.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["request_id"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        # httpx logs the address of every request, and addresses hold file names.
        "httpx": {"level": "WARNING"},
        "elastic_transport": {"level": "WARNING"},
    },
}
