"""Keras on TensorFlow: one function compiled by XLA for each of few batch sizes."""

from typing import Any

import numpy as np

from classifier.pipeline.errors import OutOfMemory
from classifier.pipeline.results import Grey, Outputs
from classifier.pipeline.runtimes.base import Runtime


class TensorFlowRuntime(Runtime):
    """Batches of 8 are faster on a processor than larger ones, which leave its caches."""

    def __init__(self, model: Any, side: int, threads: int) -> None:
        import tensorflow

        self._tensorflow = tensorflow
        self.batch_sizes: tuple[int, ...] = (1, 8)
        self.name = f"TensorFlow {tensorflow.__version__} with XLA"
        self._side = side
        self._run = tensorflow.function(lambda batch: model(batch, training=False), jit_compile=True)

    def run(self, batch: Grey, *, with_maps: bool = False) -> Outputs:
        tensor = self._tensorflow.constant(batch.reshape(-1, self._side, self._side, 1))
        try:
            found = self._run(tensor)
            names = ("logits", "features", "maps") if with_maps else ("logits", "features")
            parts = {name: found[name].numpy().astype(np.float32, copy=False) for name in names}
        except self._tensorflow.errors.ResourceExhaustedError as error:
            raise OutOfMemory("out-of-memory", f"There is no memory for {len(batch)} pictures at once.") from error
        return Outputs(parts["logits"], parts["features"], parts.get("maps"))
