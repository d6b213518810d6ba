"""Run-times behind one small interface, chosen by what is installed. The only place that loads models.

TensorFlow, JAX and LiteRT are imported when a model is loaded and never before.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from classifier.pipeline.errors import ModelRefused, RuntimeMissing
from classifier.pipeline.releases import KERAS_FILE, LITERT_FILE, Release
from classifier.pipeline.runtimes.base import Runtime

__all__ = ["Kind", "Runtime", "kinds_that_run", "load_runtime"]

Kind = Literal["litert", "keras"]


def load_runtime(
    release: Release, *, prefers: Literal["single", "batch"] = "single", kind: Kind | None = None, threads: int = 0
) -> Runtime:
    """Load the model of a verified release. `prefers` "single": LiteRT first, which starts in milliseconds and is fastest on a
    processor; "batch": Keras first where there is a GPU. `kind` asks for one of them. `threads` 0: all processors.

    Raises `RuntimeMissing` when nothing that is installed runs it, `ModelRefused` when the model is not what it should be.
    """
    possible = kinds_that_run(release)
    wanted = [kind] if kind else ["keras", "litert"] if prefers == "batch" and has_gpu() else ["litert", "keras"]
    for each in wanted:
        if each in possible:
            runtime = _load(each, release, threads or len(os.sched_getaffinity(0)))
            _try_out(runtime, release)
            return runtime
    raise RuntimeMissing(
        "runtime-missing",
        f"Nothing here runs {release.manifest.name} {release.manifest.release}: install ai-edge-litert for its "
        f"{LITERT_FILE}, or TensorFlow or JAX with Keras for its {KERAS_FILE}.",
    )


def kinds_that_run(release: Release) -> list[Kind]:
    """What the release holds and this installation runs; imports nothing."""
    has_keras = find_spec("keras") is not None and any(find_spec(name) is not None for name in ("tensorflow", "jax"))
    kinds: list[Kind] = []
    if release.holds(LITERT_FILE) and find_spec("ai_edge_litert") is not None:
        kinds.append("litert")
    if release.holds(KERAS_FILE) and has_keras:
        kinds.append("keras")
    return kinds


def has_gpu() -> bool:
    """Whether the machine shows an NVIDIA device to this process."""
    return any(Path("/dev").glob("nvidia[0-9]*"))


def _try_out(runtime: Runtime, release: Release) -> None:
    """Run it once, which also compiles it: what it gives has to be what the manifest says."""
    manifest = release.manifest
    side, count = manifest.input_side, runtime.batch_sizes[0]
    outputs = runtime.run(np.zeros((count, side, side), np.uint8), with_maps=True)
    assert outputs.maps is not None
    expected = ((count, len(manifest.labels)), (count, manifest.feature_count))
    if not np.isfinite(outputs.logits).all() or not np.isfinite(outputs.features).all():
        raise ModelRefused("model-unfit", "The model gives no numbers: its conversion went wrong.")
    if (outputs.logits.shape, outputs.features.shape) != expected or outputs.maps.shape[::3] != expected[0]:
        raise ModelRefused("model-unfit", "The model does not give as many labels or features as its manifest says.")


def _load(kind: str, release: Release, threads: int) -> Runtime:
    if kind == "litert":
        from classifier.pipeline.runtimes.litert import LiteRTRuntime

        return LiteRTRuntime(release, threads)
    from classifier.pipeline.runtimes.keras_models import load_keras

    return load_keras(release, threads)
