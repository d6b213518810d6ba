"""From claimed work to stored results: files opened and decoded, the model or the reading of scales run, rows written in bulk.

Only workers come here: the model is loaded at the first batch and kept for the life of the process.
"""

from collections.abc import Sequence


def classify(queue: str, keys: Sequence[int]) -> int:
    """Find out the categories of the work `keys`, and go on with what else waits in `queue` for a moment; how many."""
    raise NotImplementedError


def measure(queue: str, keys: Sequence[int]) -> int:
    """Find out the scale of each image of the work `keys`; how many."""
    raise NotImplementedError
