"""Inception-v4 as layers of Keras 3 (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv:1602.07261, figures 3 to 9), without its
head: the one of the Inception family that keras.applications does not hold. For `networks.py` only."""

from collections.abc import Sequence
from typing import Any

from keras import layers

Tensor = Any
Convolution = tuple[int, tuple[int, int]]

BLOCKS = (
    "mixed_3a", "mixed_4a", "mixed_5a", "mixed_5b", "mixed_5c", "mixed_5d", "mixed_5e", "mixed_6a", "mixed_6b", "mixed_6c",
    "mixed_6d", "mixed_6e", "mixed_6f", "mixed_6g", "mixed_6h", "mixed_7a", "mixed_7b", "mixed_7c", "mixed_7d",
)  # fmt: skip


def inception_v4(pictures: Tensor) -> Tensor:
    """Maps (rows, columns, 1536) of pictures (side, side, 3) from -1 to 1; the names of its blocks are `BLOCKS`."""
    maps = _stem(pictures)
    for letter in "bcde":
        maps = _block_a(maps, f"mixed_5{letter}")
    maps = _reduction_a(maps, "mixed_6a")
    for letter in "bcdefgh":
        maps = _block_b(maps, f"mixed_6{letter}")
    maps = _reduction_b(maps, "mixed_7a")
    for letter in "bcd":
        maps = _block_c(maps, f"mixed_7{letter}")
    return maps


def _convolve(maps: Tensor, *steps: Convolution, strides: int = 1, padding: str = "same") -> Tensor:
    """Convolutions one after another, each with batch normalisation and ReLU; stride and padding are those of the last."""
    for index, (filters, size) in enumerate(steps):
        is_last = index == len(steps) - 1
        maps = layers.Conv2D(
            filters, size, strides=strides if is_last else 1, padding=padding if is_last else "same", use_bias=False
        )(maps)
        maps = layers.Activation("relu")(layers.BatchNormalization(scale=False, momentum=0.9997)(maps))
    return maps


def _join(branches: Sequence[Tensor], name: str) -> Tensor:
    return layers.Concatenate(name=name)(list(branches))


def _average(maps: Tensor) -> Tensor:
    return layers.AveragePooling2D(3, strides=1, padding="same")(maps)


def _halve(maps: Tensor) -> Tensor:
    return layers.MaxPooling2D(3, strides=2, padding="valid")(maps)


def _stem(maps: Tensor) -> Tensor:
    maps = _convolve(maps, (32, (3, 3)), strides=2, padding="valid")
    maps = _convolve(maps, (32, (3, 3)), padding="valid")
    maps = _convolve(maps, (64, (3, 3)))
    maps = _join([_halve(maps), _convolve(maps, (96, (3, 3)), strides=2, padding="valid")], "mixed_3a")
    short = _convolve(maps, (64, (1, 1)), (96, (3, 3)), padding="valid")
    long = _convolve(maps, (64, (1, 1)), (64, (7, 1)), (64, (1, 7)), (96, (3, 3)), padding="valid")
    maps = _join([short, long], "mixed_4a")
    return _join([_convolve(maps, (192, (3, 3)), strides=2, padding="valid"), _halve(maps)], "mixed_5a")


def _block_a(maps: Tensor, name: str) -> Tensor:
    return _join(
        [
            _convolve(_average(maps), (96, (1, 1))),
            _convolve(maps, (96, (1, 1))),
            _convolve(maps, (64, (1, 1)), (96, (3, 3))),
            _convolve(maps, (64, (1, 1)), (96, (3, 3)), (96, (3, 3))),
        ],
        name,
    )


def _reduction_a(maps: Tensor, name: str) -> Tensor:
    wide = _convolve(maps, (384, (3, 3)), strides=2, padding="valid")
    deep = _convolve(maps, (192, (1, 1)), (224, (3, 3)), (256, (3, 3)), strides=2, padding="valid")
    return _join([_halve(maps), wide, deep], name)


def _block_b(maps: Tensor, name: str) -> Tensor:
    return _join(
        [
            _convolve(_average(maps), (128, (1, 1))),
            _convolve(maps, (384, (1, 1))),
            _convolve(maps, (192, (1, 1)), (224, (1, 7)), (256, (7, 1))),
            _convolve(maps, (192, (1, 1)), (192, (1, 7)), (224, (7, 1)), (224, (1, 7)), (256, (7, 1))),
        ],
        name,
    )


def _reduction_b(maps: Tensor, name: str) -> Tensor:
    wide = _convolve(maps, (192, (1, 1)), (192, (3, 3)), strides=2, padding="valid")
    deep = _convolve(maps, (256, (1, 1)), (256, (1, 7)), (320, (7, 1)), (320, (3, 3)), strides=2, padding="valid")
    return _join([_halve(maps), wide, deep], name)


def _block_c(maps: Tensor, name: str) -> Tensor:
    short = _convolve(maps, (384, (1, 1)))
    long = _convolve(maps, (384, (1, 1)), (448, (1, 3)), (512, (3, 1)))
    return _join(
        [
            _convolve(_average(maps), (256, (1, 1))),
            _convolve(maps, (256, (1, 1))),
            _convolve(short, (256, (1, 3))),
            _convolve(short, (256, (3, 1))),
            _convolve(long, (256, (1, 3))),
            _convolve(long, (256, (3, 1))),
        ],
        name,
    )
