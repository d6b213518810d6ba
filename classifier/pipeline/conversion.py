"""From a Keras model to an int8 model of LiteRT, and how far the two agree. Needs TensorFlow as the backend of Keras."""

import contextlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from classifier.pipeline.errors import ModelRefused, RuntimeMissing
from classifier.pipeline.results import Floats, Grey

LEAST_AGREEMENT = 0.97
EXAMPLES = 200  # pictures on which the ranges of the values are measured


@dataclass(frozen=True)
class Agreement:
    """Over `count` pictures that were not trained on: the share `labels` for which both name the same category, and the
    largest and the mean difference of logits."""

    count: int
    labels: float
    largest_difference: float
    mean_difference: float


def to_litert(model: keras.Model, pictures: Grey) -> bytes:
    """The model with weights and activations in int8, input uint8 and outputs float32, by the same names. Ranges are
    measured on `pictures` (N, side, side) of the training part, some 200 of them. Raises `RuntimeMissing` on another backend."""
    if keras.backend.backend() != "tensorflow":
        raise RuntimeMissing("tensorflow-needed", "Only TensorFlow converts to LiteRT: set KERAS_BACKEND=tensorflow.")
    import tensorflow

    # The converter warns of its package's future, and prints what it found in the model.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        converter = tensorflow.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([picture[None, ..., None]] for picture in pictures)
        return bytes(converter.convert())


def measure_agreement(model: keras.Model, converted: Path, pictures: Grey) -> Agreement:
    """Both models on `pictures` (N, side, side). Raises `ModelRefused` when their labels differ for more than one picture, and
    for more than 3 of 100."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(converted))
    (signature,) = interpreter.get_signature_list()
    run = interpreter.get_signature_runner(signature)
    (name,) = run.get_input_details()
    small = np.concatenate([run(**{name: np.asarray(picture)[None, ..., None]})["logits"] for picture in pictures])
    large = logits_of_pictures(model, pictures)
    difference = np.abs(small - large)
    agreement = Agreement(
        count=len(pictures),
        labels=float((small.argmax(axis=1) == large.argmax(axis=1)).mean()),
        largest_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
    )
    differing = round((1 - agreement.labels) * len(pictures))
    if differing > 1 and agreement.labels < LEAST_AGREEMENT:
        raise ModelRefused(
            "conversion-disagrees",
            f"The int8 model names the same category as the Keras model for {agreement.labels:.1%} of {agreement.count} "
            f"pictures only; {LEAST_AGREEMENT:.0%} are needed.",
        )
    return agreement


def logits_of_pictures(model: keras.Model, pictures: Grey, batch: int = 32) -> Floats:
    """Logits (N, C) of pictures (N, side, side)."""
    plain = keras.Model(model.input, model.output["logits"])
    parts = [np.asarray(pictures[first : first + batch])[..., None] for first in range(0, len(pictures), batch)]
    return np.concatenate([plain.predict_on_batch(part) for part in parts])
