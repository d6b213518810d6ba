"""Calls to a storage that stay short when it is dead: a few retries, then a circuit that answers at once for a while.

The circuit lives in this process: each worker learns for itself, nothing is shared and nothing can be out of date.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from catalogue.storages.errors import StorageError, StorageUnavailable

Result = TypeVar("Result")


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

    def enter(self) -> None:
        """Raises StorageUnavailable while open. The one call let through after a pause holds the others back."""
        with self._lock:
            if self._failure_count < self.limit:
                return
            remaining = self.retry_after
            if remaining <= 0:
                self._open_until = self._clock() + self.pause
                return
        raise StorageUnavailable(
            f"The storage does not answer; it is tried again in {remaining:.0f} s. Last: {self.last_failure}",
            retry_after=remaining,
        )

    def record_success(self) -> None:
        with self._lock:
            self._failure_count = 0
            self.last_failure = ""

    def record_failure(self, error: StorageUnavailable) -> None:
        with self._lock:
            self._failure_count += 1
            self.last_failure = str(error)
            self._open_until = self._clock() + self.pause


class Calls:
    """How one storage is called: through its circuit, idempotent reads with retries, writes once."""

    def __init__(
        self,
        circuit: Circuit,
        *,
        attempts: int = 3,
        first_pause: float = 0.2,
        longest_pause: float = 2.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.circuit = circuit
        self.attempts = attempts
        self.first_pause = first_pause
        self.longest_pause = longest_pause
        self._sleep = sleep

    def read(self, function: Callable[[], Result]) -> Result:
        """Calls an idempotent function, again after StorageUnavailable, with exponential back-off and jitter."""
        for attempt in range(1, self.attempts):
            try:
                return self.write(function)
            except StorageUnavailable as error:
                is_too_far = error.retry_after is not None and error.retry_after > self.longest_pause
                if is_too_far or self.circuit.is_open:
                    raise
                self._sleep(self._pause_before(attempt, error.retry_after))
        return self.write(function)

    def write(self, function: Callable[[], Result]) -> Result:
        """Calls a function once. Any answer, also a refusal, shows that the storage is alive."""
        self.circuit.enter()
        try:
            result = function()
        except StorageUnavailable as error:
            self.circuit.record_failure(error)
            raise
        except StorageError:
            self.circuit.record_success()
            raise
        self.circuit.record_success()
        return result

    def _pause_before(self, attempt: int, retry_after: float | None) -> float:
        pause = min(self.first_pause * 2 ** (attempt - 1), self.longest_pause)
        return max(retry_after or 0.0, pause * random.uniform(0.5, 1.0))


_circuits: dict[tuple[str | None, ...], Circuit] = {}
_circuits_lock = threading.Lock()


def circuit_of(*key: str | None) -> Circuit:
    """The circuit of this process for one storage; made when first asked for."""
    with _circuits_lock:
        return _circuits.setdefault(key, Circuit())
