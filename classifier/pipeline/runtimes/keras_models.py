"""Loads `.keras` files and chooses the backend of Keras: what `KERAS_BACKEND` says, else TensorFlow, else JAX."""

import os
from importlib.util import find_spec
from typing import Any

from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.releases import KERAS_FILE, Release
from classifier.pipeline.runtimes.base import Runtime


def load_keras(release: Release, threads: int) -> Runtime:
    """The release's Keras model on the backend of this process. Raises `ModelRefused`."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow" if find_spec("tensorflow") else "jax")
    import keras

    if keras.backend.backend() == "jax":
        from classifier.pipeline.runtimes.jax import JaxRuntime

        return JaxRuntime(load_model(release), release.manifest.input_side)
    from classifier.pipeline.runtimes.tensorflow import TensorFlowRuntime

    return TensorFlowRuntime(load_model(release), release.manifest.input_side, threads)


def load_model(release: Release) -> Any:
    """The Keras model, in safe mode: without code that the file might bring."""
    import keras

    try:
        model = keras.saving.load_model(release.path(KERAS_FILE), compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ModelRefused("model-unreadable", "The Keras model of the release cannot be loaded.") from error
    side = release.manifest.input_side
    if not isinstance(model.output, dict) or not {"logits", "features", "maps"} <= set(model.output):
        raise ModelRefused("model-unfit", "The Keras model does not give logits, features and maps.")
    if tuple(model.input_shape[1:]) != (side, side, 1):
        raise ModelRefused("model-unfit", f"The Keras model does not take pictures of {side} x {side} pixels.")
    return model
