"""Processes of the site that work on the database of the test. No assertion belongs here."""

import os

from django.conf import settings
from django.db import connection


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def environment() -> dict[str, str]:
    """Of a process with the database, the data folder and hence the locks of this one."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "FAIRCAT_DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_URL": database_url(),
    }
