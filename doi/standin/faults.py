"""Faults on demand: what goes wrong with which request, at random but repeatably.

A plan is a seed and a list of faults. Each request meets them in order: delays add up, and the first other fault that is
drawn decides what becomes of it.
"""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

DELAYS = {"delay", "slow_answer"}
KINDS = DELAYS | {"429", "500", "503", "lost_acknowledgement", "malformed_json", "reset"}


class BadPlan(Exception):
    """The text says what is wrong with it."""


@dataclass
class Fault:
    """One thing that goes wrong.

    kind: `delay` (seconds, before anything), `slow_answer` (seconds, after the change was made), `429`, `500`, `503`,
      `reset` (the connection, before the change), `lost_acknowledgement` (changed, then closed without an answer),
      `malformed_json` (changed, then half an answer).
    times: how often at most; None for ever. probability: of each matching request.
    methods, path: which requests; all methods, and paths that contain the text. retry_after: for 429, seconds or a date.
    """

    kind: str
    times: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    retry_after: str | int | None = None
    methods: tuple[str, ...] = ()
    path: str = "/dois"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadPlan(f"kind is one of {', '.join(sorted(KINDS))}")
        if not 0 <= self.probability <= 1 or not 0 <= self.seconds <= 600:
            raise BadPlan("probability is between 0 and 1, seconds between 0 and 600")
        self.methods = tuple(method.upper() for method in self.methods)

    def matches(self, method: str, path: str) -> bool:
        return self.times != 0 and (not self.methods or method in self.methods) and self.path in path


@dataclass(frozen=True)
class Draw:
    """What happens to one request."""

    kind: str | None = None
    seconds_before: float = 0.0
    seconds_after: float = 0.0
    retry_after: str | int | None = None


@dataclass
class Plan:
    faults: list[Fault] = field(default_factory=list)
    seed: int | None = None
    drawn: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()

    def draw(self, method: str, path: str) -> Draw:
        before = after = 0.0
        with self._lock:
            for fault in self.faults:
                if not fault.matches(method, path) or self._random.random() >= fault.probability:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                self.drawn[fault.kind] += 1
                if fault.kind == "delay":
                    before += fault.seconds
                elif fault.kind == "slow_answer":
                    after += fault.seconds
                else:
                    return Draw(fault.kind, before, after, fault.retry_after)
        return Draw(None, before, after)

    def document(self) -> dict[str, Any]:
        return {"seed": self.seed, "faults": [vars(fault) for fault in self.faults], "drawn": dict(self.drawn)}


def read_plan(document: Any) -> Plan:
    """The plan of `{"seed": 1, "faults": [{"kind": "500", "times": 2}, ...]}`. Raises BadPlan."""
    try:
        return Plan([Fault(**fault) for fault in document["faults"]], document.get("seed"))
    except (KeyError, TypeError, AttributeError):
        raise BadPlan('a plan is {"seed": ..., "faults": [{"kind": ..., ...}]}') from None
