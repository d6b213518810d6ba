"""The bytes of an answer as the web server takes them: closed whatever happens, and known to be complete or not."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

logger = logging.getLogger(__name__)


class Body:
    """Chunks whose `resources` are closed in the end, and `on_sent` called then unless the chunks failed half-way.

    A failure is raised on, so that the server breaks the connection off short of the announced length. The server calls
    `close` also when the client went away.
    """

    def __init__(self, chunks: Iterable[bytes], resources: ExitStack, on_sent: Callable[[], None]) -> None:
        self._chunks = chunks
        self._resources = resources
        self._on_sent = on_sent
        self._has_failed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except Exception:
            self._has_failed = True
            logger.exception("a download was broken off")
            raise

    def close(self) -> None:
        self._resources.close()
        if not self._has_failed:
            self._on_sent()
