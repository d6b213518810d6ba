"""Keras on JAX, which was measured fastest on a GPU: pictures cross to the device as bytes and are scaled there, matrices are
multiplied in bfloat16, and a batch is on its way while the one before is computed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from classifier.pipeline.errors import OutOfMemory
from classifier.pipeline.results import Grey, Outputs
from classifier.pipeline.runtimes.base import Runtime

_HEAD = {"maps", "logits", "features"}  # stays in float32


class JaxRuntime(Runtime):
    """On a GPU batches of up to 256 in bfloat16; on a processor small ones in float32, unless `in_bfloat16` says otherwise."""

    def __init__(self, model: Any, side: int, *, in_bfloat16: bool | None = None) -> None:
        import jax

        is_on_gpu = jax.default_backend() == "gpu"
        self.batch_sizes: tuple[int, ...] = (8, 64, 256) if is_on_gpu else (1, 8)
        self.name = f"JAX {jax.__version__} on {jax.default_backend()}"
        self._put, self._side = jax.device_put, side
        if is_on_gpu if in_bfloat16 is None else in_bfloat16:
            use_bfloat16(model)
        trained = [variable.value for variable in model.trainable_variables]
        fixed = [variable.value for variable in model.non_trainable_variables]
        self._weights = jax.device_put((trained, fixed))

        def infer(weights: Any, batch: Any) -> Any:
            return model.stateless_call(*weights, batch, training=False)[0]

        self._infer = jax.jit(infer)

    def run(self, batch: Grey, *, with_maps: bool = False) -> Outputs:
        return self.begin(batch, with_maps=with_maps)()

    def begin(self, batch: Grey, *, with_maps: bool = False) -> Callable[[], Outputs]:
        pictures = np.ascontiguousarray(batch).reshape(-1, self._side, self._side, 1)
        with memory_named(len(batch)):
            found = self._infer(self._weights, self._put(pictures))
        names = ("logits", "features", "maps") if with_maps else ("logits", "features")

        def wait() -> Outputs:
            with memory_named(len(batch)):
                parts = {name: np.asarray(found[name], np.float32) for name in names}
            return Outputs(parts["logits"], parts["features"], parts.get("maps"))

        return wait


@contextmanager
def memory_named(count: int) -> Iterator[None]:
    """What JAX raises where memory is missing for `count` pictures becomes `OutOfMemory`."""
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise OutOfMemory("out-of-memory", f"The device has no memory for {count} pictures at once.") from error


def use_bfloat16(model: Any) -> None:
    """Let all layers but the head compute in bfloat16; weights stay float32."""
    for layer in model._flatten_layers():
        if layer.name not in _HEAD:
            layer.dtype_policy = "mixed_bfloat16"
