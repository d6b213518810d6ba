"""Calls to another server that stay short when it is dead: after failures in a row nothing is sent for a while.

A circuit lives in this process: each worker learns for itself, nothing is shared and nothing can be out of date. What a
caller says when it may not call, and what counts as a failure, is its own business.
"""

import threading
import time
from collections.abc import Callable


class Circuit:
    """Opens after `limit` failures in a row; after `pause` seconds one call is let through to see."""

    def __init__(self, *, limit: int = 3, pause: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._failure_count = 0
        self._open_until = 0.0
        self.last_failure = ""

    @property
    def retry_after(self) -> float:
        """Seconds until the next call is let through; 0 when calls pass."""
        if self._failure_count < self.limit:
            return 0.0
        return max(0.0, self._open_until - self._clock())

    @property
    def is_open(self) -> bool:
        return self.retry_after > 0

    def enter(self) -> float:
        """0 when the call may go now, else the seconds to wait. The one let through after a pause holds the others back."""
        with self._lock:
            if self._failure_count < self.limit:
                return 0.0
            remaining = self.retry_after
            if remaining <= 0:
                self._open_until = self._clock() + self.pause
            return remaining

    def record_success(self) -> None:
        with self._lock:
            self._failure_count = 0
            self.last_failure = ""

    def record_failure(self, error: Exception) -> None:
        with self._lock:
            self._failure_count += 1
            self.last_failure = str(error)
            self._open_until = self._clock() + self.pause


_circuits: dict[tuple[str | None, ...], Circuit] = {}
_circuits_lock = threading.Lock()


def circuit_of(*key: str | None) -> Circuit:
    """The circuit of this process for one server; made when first asked for."""
    with _circuits_lock:
        return _circuits.setdefault(key, Circuit())
