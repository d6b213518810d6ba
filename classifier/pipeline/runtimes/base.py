"""What every run-time is, so that nothing else knows which one runs a model."""

from collections.abc import Callable
from typing import Protocol

from classifier.pipeline.results import Grey, Outputs


class Runtime(Protocol):
    """A loaded model. `name` is for people. `batch_sizes`, rising: the sizes of batches that it runs fastest; each new size
    costs a compilation or none at all. Not to be used by two threads at once."""

    name: str
    batch_sizes: tuple[int, ...]

    def run(self, batch: Grey, *, with_maps: bool = False) -> Outputs:
        """The outputs for prepared pictures (N, side, side). Raises `OutOfMemory`."""
        ...

    def begin(self, batch: Grey, *, with_maps: bool = False) -> Callable[[], Outputs]:
        """Start a batch on the device; the function that comes back waits for it. Either raises `OutOfMemory`. A run-time
        that has no device apart computes at once."""
        outputs = self.run(batch, with_maps=with_maps)
        return lambda: outputs
