"""Calls to a storage that stay short when it is dead: a few retries, and a circuit that answers at once for a while."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from catalogue.circuit import Circuit
from catalogue.storages.errors import StorageError, StorageUnavailable

Result = TypeVar("Result")


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
        if remaining := self.circuit.enter():
            raise StorageUnavailable(
                f"The storage does not answer; it is tried again in {remaining:.0f} s. Last: {self.circuit.last_failure}",
                retry_after=remaining,
            )
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
