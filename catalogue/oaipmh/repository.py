"""What the repository says of itself: its base URL, its identifiers, and what Identify tells."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from catalogue.oaipmh.places import Kind

# A repository identifier is a domain name (guidelines-oai-identifier, section 2.1), which a number or "localhost" is not.
_DOMAIN = re.compile(r"[a-zA-Z][a-zA-Z0-9\-]*(\.[a-zA-Z][a-zA-Z0-9\-]*)+")
_WITHOUT_DOMAIN = "faircat.localhost"
_KINDS = {"datasets": Kind.DATASET, "investigations": Kind.INVESTIGATION, "collections": Kind.COLLECTION}


def base_url() -> str:
    return f"{settings.SITE_URL}/oai"


def namespace() -> str:
    """The name in all identifiers, by setting or the host of the site."""
    host = settings.OAI_NAMESPACE or urlsplit(settings.SITE_URL).hostname or ""
    return host if _DOMAIN.fullmatch(host) else _WITHOUT_DOMAIN


def identifier_of(local_name: str) -> str:
    return f"oai:{namespace()}:{local_name}"


def read_identifier(identifier: str) -> tuple[Kind, UUID] | None:
    """The kind and uid of a record, or None for what is no identifier of ours."""
    start = identifier_of("")
    folder, _, name = identifier.removeprefix(start).partition("/")
    if not identifier.startswith(start) or folder not in _KINDS:
        return None
    try:
        uid = UUID(name)
    except ValueError:
        return None
    return (_KINDS[folder], uid) if str(uid) == name else None
