"""The networks, as layers of Keras 3 that every backend runs: what they are, how they are built, where weights come from.

All end in one head: `class_maps = Dense(maps)`, `logits` the mean of the class maps over their places and `features` that of
the maps. A logit is then the sum of what the places say (Zhou et al. 2016, class activation maps), exactly. Nothing is
downloaded here. Imported by what trains or runs models, never by the site.

keras.applications and its files of ImageNet weights have 1000 classes, the published TF-Slim networks 1001 (class 0 is
"background"). Neither matters here: their heads are left out, and only files of weights without a head ("notop") are read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.inception import BLOCKS, inception_v4

Tensor = Any


@dataclass(frozen=True)
class Architecture:
    """`base` makes maps from pictures (side, side, 3) of -1 to 1. `blocks`: layers after which training may begin."""

    title: str
    reference: str
    side: int
    smallest_side: int
    base: Callable[[Tensor], Tensor]
    blocks: tuple[str, ...]


def _inception_v3(pictures: Tensor) -> Tensor:
    return keras.applications.InceptionV3(include_top=False, weights=None, input_tensor=pictures).output


def _inception_resnet_v2(pictures: Tensor) -> Tensor:
    return keras.applications.InceptionResNetV2(include_top=False, weights=None, input_tensor=pictures).output


def _alexnet(pictures: Tensor) -> Tensor:
    """The layers of 2012 with batch normalisation for its local response normalisation, its fully connected layers as
    convolutions, so that the one head fits it."""
    maps = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1")(pictures)
    maps = layers.MaxPooling2D(3, strides=2)(layers.BatchNormalization()(maps))
    maps = layers.Conv2D(256, 5, padding="same", activation="relu", name="conv2")(maps)
    maps = layers.MaxPooling2D(3, strides=2)(layers.BatchNormalization()(maps))
    for name, filters in (("conv3", 384), ("conv4", 384), ("conv5", 256)):
        maps = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(maps)
    maps = layers.MaxPooling2D(3, strides=2, padding="same")(maps)
    maps = layers.Conv2D(4096, 6, padding="same", activation="relu", name="fc6")(maps)
    maps = layers.SpatialDropout2D(0.5)(maps)
    return layers.Conv2D(4096, 1, activation="relu", name="fc7")(maps)


def _demonstration(pictures: Tensor) -> Tensor:
    """Nine convolutions, the later ones with a shortcut: small enough for a repository."""
    maps = _normalised(layers.Conv2D(16, 5, strides=2, padding="same", use_bias=False)(pictures), "start")
    for name, filters in (("stage1", 32), ("stage2", 56), ("stage3", 88)):
        maps = _normalised(layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(maps))
        inner = _normalised(layers.Conv2D(filters, 3, padding="same", use_bias=False)(maps))
        inner = layers.BatchNormalization(momentum=0.9)(
            layers.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
        )
        maps = layers.Activation("relu", name=name)(layers.Add()([maps, inner]))
    return maps


def _normalised(maps: Tensor, name: str | None = None) -> Tensor:
    return layers.Activation("relu", name=name)(layers.BatchNormalization(momentum=0.9)(maps))


ARCHITECTURES: dict[str, Architecture] = {
    "alexnet": Architecture(
        "AlexNet",
        "Krizhevsky, Sutskever, Hinton 2012",
        227,
        67,
        _alexnet,
        ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6"),
    ),
    "inception-v3": Architecture(
        "Inception-v3",
        "Szegedy et al. 2016, doi:10.1109/CVPR.2016.308",
        299,
        75,
        _inception_v3,
        tuple(f"mixed{number}" for number in range(11)),
    ),
    "inception-v4": Architecture(
        "Inception-v4", "Szegedy et al. 2016, arXiv:1602.07261", 299, 75, inception_v4, BLOCKS
    ),
    "inception-resnet-v2": Architecture(
        "Inception-ResNet-v2",
        "Szegedy et al. 2016, arXiv:1602.07261",
        299,
        75,
        _inception_resnet_v2,
        (
            "mixed_5b",
            "block35_10_ac",
            "mixed_6a",
            "block17_10_ac",
            "block17_20_ac",
            "mixed_7a",
            "block8_5_ac",
            "block8_9_ac",
        ),
    ),
    "demonstration": Architecture(
        "A small residual network",
        "none: made for the demonstration",
        128,
        32,
        _demonstration,
        ("start", "stage1", "stage2"),
    ),
}


def build(name: str, side: int, classes: int, *, weights: Path | None = None) -> keras.Model:
    """A network for pictures uint8 (side, side, 1) that gives `logits` (classes), pooled `features`, and `maps` (rows,
    columns, classes), all float32. `weights`: see `load_weights`; without it they are random.

    Raises `ModelRefused` for an unknown name, a side that is too small, and weights that do not fit.
    """
    architecture = ARCHITECTURES.get(name)
    if architecture is None:
        raise ModelRefused("unknown-architecture", f"There is no network {name!r}, only {', '.join(ARCHITECTURES)}.")
    if side < architecture.smallest_side:
        raise ModelRefused(
            "side-too-small", f"{architecture.title} needs at least {architecture.smallest_side} pixels."
        )
    pictures = keras.Input((side, side, 3))
    base = keras.Model(pictures, architecture.base(pictures), name="base")
    picture = keras.Input((side, side, 1), dtype="uint8", name="picture")
    scaled = layers.Rescaling(1 / 127.5, offset=-1.0, name="scaled")(picture)
    maps = base(layers.Concatenate(name="three_channels")([scaled, scaled, scaled]))
    # The same channels are dropped at all places, as if it were done to the pooled features.
    class_maps = layers.Dense(classes, dtype="float32", name="maps")(layers.SpatialDropout2D(0.2, name="drop")(maps))
    outputs = {
        "logits": layers.GlobalAveragePooling2D(dtype="float32", name="logits")(class_maps),
        "features": layers.GlobalAveragePooling2D(dtype="float32", name="features")(maps),
        "maps": class_maps,
    }
    model = keras.Model(picture, outputs, name=name.replace("-", "_"))
    if weights is not None:
        load_weights(model, weights)
    return model


def load_weights(model: keras.Model, path: Path) -> None:
    """Weights that an operator supplies: of the base alone from a "notop" file (`.h5`, `.weights.h5`) or a `.keras` model, of
    the whole network from an own model or checkpoint with as many classes. Raises `ModelRefused` when they do not fit."""
    try:
        if path.suffix == ".keras":
            _copy_weights(keras.saving.load_model(path, compile=False, safe_mode=True), model)
        elif _is_own_checkpoint(path):
            model.load_weights(path)
        else:
            model.get_layer("base").load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        detail = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelRefused("weights-do-not-fit", f"{path.name} does not fit {model.name}: {detail}") from error


def _copy_weights(given: keras.Model, model: keras.Model) -> None:
    names = {layer.name for layer in given.layers}
    source = given.get_layer("base") if "base" in names else given
    model.get_layer("base").set_weights(source.get_weights())
    head = model.get_layer("maps")
    if "maps" in names and [w.shape for w in given.get_layer("maps").get_weights()] == [
        w.shape for w in head.get_weights()
    ]:
        head.set_weights(given.get_layer("maps").get_weights())


def _is_own_checkpoint(path: Path) -> bool:
    """Whether a file of weights holds the head too, that is, was written by `training/fitting.py`."""
    import h5py

    with h5py.File(path, "r") as file:
        return "layers" in file and "maps" in file["layers"]


def freeze_until(model: keras.Model, block: str) -> None:
    """Train only what comes after a block of the base: "" trains all, "base" nothing but the head. Frozen layers keep the
    statistics of their batch normalisation."""
    base = model.get_layer("base")
    base.trainable = block != "base"
    if block in ("", "base"):
        return
    known = [layer.name for layer in base.layers]
    if block not in known:
        blocks = ARCHITECTURES[model.name.replace("_", "-")].blocks
        raise ModelRefused("unknown-block", f"There is no block {block!r}, but {', '.join(blocks)}.")
    for layer in base.layers[: known.index(block) + 1]:
        layer.trainable = False
