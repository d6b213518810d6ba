"""Which pictures show the same, exactly or nearly: perceptual hashes, features, and groups made of either.

The hash (256 bits) are the signs of the lowest 16 x 16 frequencies of a picture without its banner (a discrete cosine
transform, as in Zauner 2010, "Implementation and benchmarking of perceptual image hash functions"). Brightness, contrast,
compression and size leave it as it is, nearly; another section of the sample does not: that is for the features.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from classifier.pipeline.preparing import prepare
from classifier.pipeline.results import Floats, Grey

Hashes = NDArray[np.uint8]
Groups = NDArray[np.int64]

BITS = 256
NEAR_BITS = 32  # of 256: pictures of different things differ in about 128
NEAR_COSINE = 0.94  # of pooled features, as in the published audit of the set (specification, section 2)
_SIDE, _LOWEST = 64, 16
_BLOCK = 1024


def _cosines() -> Floats:
    place, frequency = np.arange(_SIDE) + 0.5, np.arange(_LOWEST)[:, None]
    return np.cos(np.pi / _SIDE * frequency * place).astype(np.float32)


_COSINES = _cosines()


def perceptual_hash(pixels: Grey) -> bytes:
    """32 bytes for a picture (H, W)."""
    small = prepare(pixels, _SIDE).astype(np.float32)
    waves = _COSINES @ small @ _COSINES.T
    return np.packbits(waves > np.median(waves)).tobytes()


def join_groups(count: int, pairs: Iterable[tuple[int, int]]) -> Groups:
    """The groups (count,) of things of which `pairs` belong together, numbered in the order of their first members."""
    parent = list(range(count))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    return np.unique([root(one) for one in range(count)], return_inverse=True)[1].astype(np.int64)


def pairs_of(names: Iterable[object]) -> Iterator[tuple[int, int]]:
    """Pairs of places with the same name, enough of them to join all that share one; None is no name."""
    first: dict[object, int] = {}
    for place, name in enumerate(names):
        if name is not None:
            yield first.setdefault(name, place), place


def near_by_hash(hashes: Hashes, *, bits: int = NEAR_BITS) -> Iterator[tuple[int, int]]:
    """Pairs of the hashes (N, 32) that differ in at most `bits`, some of them more than once.

    Only those are compared that agree in one of 31 bands of 16 bits, which overlap by half: so do 97 of 100 pairs that
    differ in 32 bits, all but a few that differ in 24, and hardly any of different pictures.
    """
    for start in range(hashes.shape[1] - 1):
        bands = hashes[:, start].astype(np.int64) * 256 + hashes[:, start + 1]
        order = np.argsort(bands, kind="stable")
        ends = np.flatnonzero(np.diff(bands[order])) + 1
        for members in np.split(order, ends):
            if len(members) > 1:
                yield from _near_in_band(hashes, members, bits)


def _near_in_band(hashes: Hashes, members: NDArray[np.int64], bits: int) -> Iterator[tuple[int, int]]:
    for start in range(0, len(members), _BLOCK):
        block = members[start : start + _BLOCK]
        for other in range(start, len(members), _BLOCK):
            others = members[other : other + _BLOCK]
            distances = np.bitwise_count(hashes[block][:, None] ^ hashes[others][None]).sum(axis=2, dtype=np.int64)
            for row, column in np.argwhere(distances <= bits):
                if block[row] < others[column]:
                    yield int(block[row]), int(others[column])


def near_by_features(features: Floats, *, cosine: float = NEAR_COSINE) -> Iterator[tuple[int, int]]:
    """Pairs of the features (N, F) whose cosine is at least `cosine`. All pairs are compared, block by block."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled = features / np.maximum(lengths, 1e-12)
    for start in range(0, len(scaled), _BLOCK):
        likeness = scaled[start : start + _BLOCK] @ scaled[start:].T
        for row, column in np.argwhere(likeness >= cosine):
            if row < column:
                yield start + int(row), start + int(column)
