"""Runs a release on JAX in a process of its own, since Keras has one backend for each process:
`python -m tests.classifier.pipeline.on_jax FOLDER PICTURES.npy RESULTS.npz`."""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np

from classifier.pipeline.classifying import Classifier
from classifier.pipeline.errors import OutOfMemory
from classifier.pipeline.releases import read_release
from classifier.pipeline.runtimes import load_runtime
from classifier.pipeline.runtimes.jax import JaxRuntime, memory_named
from classifier.pipeline.runtimes.keras_models import load_model


def main() -> None:
    folder, pictures, results = (Path(argument) for argument in sys.argv[1:])
    release, batch = read_release(folder), np.load(pictures)
    runtime = load_runtime(release, kind="keras")
    outputs = runtime.run(batch, with_maps=True)
    halves = JaxRuntime(load_model(release), release.manifest.input_side, in_bfloat16=True).run(batch)
    verdicts = Classifier(release, runtime).classify(batch)
    np.savez(
        results,
        name=runtime.name,
        logits=outputs.logits,
        features=outputs.features,
        maps=outputs.maps,
        logits_of_bfloat16=halves.logits,
        probabilities=np.stack([verdict.probabilities for verdict in verdicts]),
        names_missing_memory=_names_missing_memory(),
    )


def _names_missing_memory() -> bool:
    """Ask JAX for four terabytes."""
    import jax
    import jax.numpy

    try:
        with memory_named(1):
            jax.jit(lambda factor: jax.numpy.cumsum(jax.numpy.ones((10**6, 10**6)) * factor))(1.0).block_until_ready()
    except OutOfMemory:
        return True
    return False


if __name__ == "__main__":
    main()
