"""How the tests ask the PaNOSC search API. No assertion belongs here."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from django.core.cache import cache
from django.test import Client

from tests.search.panosc.world import TERMS


def ask(address: str, *, headers: dict[str, str] | None = None, **arguments: Any) -> tuple[int, Any]:
    """Status and JSON; arguments that are no texts are sent as JSON."""
    cache.clear()
    texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in arguments.items()}
    response = Client().get(f"/panosc/api/{quote(address, safe='/%')}?{urlencode(texts)}", headers=headers or {})
    return response.status_code, response.json()


def listed(address: str, **arguments: Any) -> list[Any]:
    status, answer = ask(address, **arguments)
    return answer if status == 200 else [status, answer]


def titles(address: str, **arguments: Any) -> list[str]:
    return [one.get("title", one.get("name")) for one in listed(address, **arguments)]


def narrower_terms() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {label: {label} for label in TERMS}
    for label, (_, above) in TERMS.items():
        for broader in above:
            found[broader].add(label)
    return found
