"""Which engine answers searches: the one setting SEARCH_URL decides. Nothing is asked of an engine here."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from search.backends.base import Engine


def engine() -> Engine:
    """The engine of this site, the same object from one call to the next. Connecting waits for the first question."""
    folder = Path(settings.DATA_DIR) / "search"
    return _engine(settings.SEARCH_URL, settings.SEARCH_CA_FILE, settings.SEARCH_SHARDS, folder)


@cache
def _engine(url: str, ca_file: str, shards: int, folder: Path) -> Engine:
    # Each of them loads much, and no process needs both.
    if not url:
        from search.backends.embedded import EmbeddedEngine

        folder.mkdir(parents=True, exist_ok=True)
        return EmbeddedEngine(folder)
    from search.backends.elasticsearch import ElasticsearchEngine

    try:
        return ElasticsearchEngine(url, ca_file=ca_file, shards=shards)
    except ValueError as error:
        raise ImproperlyConfigured(f"SEARCH_URL: {error}") from None
