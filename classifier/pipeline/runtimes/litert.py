"""LiteRT: one picture at a time on a processor, without TensorFlow. Faster there than batches (XNNPACK, int8)."""

from typing import Any

import numpy as np

from classifier.pipeline.errors import ModelRefused, OutOfMemory
from classifier.pipeline.releases import LITERT_FILE, Release
from classifier.pipeline.results import Floats, Grey, Outputs
from classifier.pipeline.runtimes.base import Runtime


class LiteRTRuntime(Runtime):
    """A `.tflite` whose signature takes uint8 (1, side, side, 1) and gives `logits`, `features` and `maps`."""

    batch_sizes = (1,)

    def __init__(self, release: Release, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.name = f"LiteRT, {threads} threads"
        self._side = release.manifest.input_side
        try:
            interpreter = Interpreter(model_path=str(release.path(LITERT_FILE)), num_threads=threads)
            (signature,) = interpreter.get_signature_list()
            self._runner: Any = interpreter.get_signature_runner(signature)
            ((self._input, details),) = self._runner.get_input_details().items()
            found = set(self._runner.get_output_details())
        except (ValueError, RuntimeError) as error:
            raise ModelRefused("model-unreadable", "The LiteRT model of the release cannot be loaded.") from error
        if not {"logits", "features", "maps"} <= found:
            raise ModelRefused("model-unfit", "The LiteRT model does not give logits, features and maps.")
        if tuple(details["shape"]) != (1, self._side, self._side, 1) or details["dtype"] != np.uint8:
            raise ModelRefused(
                "model-unfit", f"The LiteRT model does not take a picture of {self._side} x {self._side} bytes."
            )

    def run(self, batch: Grey, *, with_maps: bool = False) -> Outputs:
        names = ("logits", "features", "maps") if with_maps else ("logits", "features")
        rows = [self._one(picture, names) for picture in batch]
        joined = {name: np.concatenate([row[name] for row in rows]) for name in names}
        return Outputs(joined["logits"], joined["features"], joined.get("maps"))

    def _one(self, picture: Grey, names: tuple[str, ...]) -> dict[str, Floats]:
        try:
            found = self._runner(**{self._input: picture.reshape(1, self._side, self._side, 1)})
        except (MemoryError, RuntimeError) as error:
            raise OutOfMemory("out-of-memory", "There is not enough memory to run the model.") from error
        return {name: found[name].astype(np.float32) for name in names}
