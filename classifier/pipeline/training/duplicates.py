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


def joined(*groupings: Iterable[object]) -> Groups:
    """Groups (N,) of things that share a name in any of the groupings, each of N names; None is no name."""
    tables = [list(grouping) for grouping in groupings]
    groups = np.arange(len(tables[0]))
    for names in tables:
        places: dict[object, list[int]] = {}
        for place, name in enumerate(names):
            places.setdefault(name, []).append(place)
        for name, members in places.items():
            if name is not None and len(members) > 1:
                _join(groups, np.asarray(members))
    return _numbered(groups)


def groups_by_hash(hashes: Hashes, *, bits: int = NEAR_BITS) -> Groups:
    """Groups (N,) of the hashes (N, 32) along chains of pairs that differ in at most `bits`.

    Only those are compared that agree in one of 31 bands of 16 bits, which overlap by half: so do 97 of 100 pairs that
    differ in 32 bits, all but a few that differ in 24, and hardly any of different pictures.
    """
    different, same = np.unique(hashes, axis=0, return_inverse=True)
    groups = np.arange(len(different))
    for start in range(hashes.shape[1] - 1):
        bands = different[:, start].astype(np.int64) * 256 + different[:, start + 1]
        order = np.argsort(bands, kind="stable")
        ends = np.flatnonzero(np.diff(bands[order])) + 1
        for members in np.split(order, ends):
            if len(members) > 1:
                _join_near_hashes(groups, different, members, bits)
    return _numbered(groups[same])


def _join_near_hashes(groups: Groups, hashes: Hashes, members: Groups, bits: int) -> None:
    for rows, columns in _blocks(members):
        distances = np.bitwise_count(hashes[rows][:, None] ^ hashes[columns][None]).sum(axis=2, dtype=np.int64)
        _join_where(groups, rows, columns, distances <= bits)


def groups_by_features(features: Floats, *, cosine: float = NEAR_COSINE) -> Groups:
    """Groups (N,) of the features (N, F) along chains of pairs whose cosine is at least `cosine`; all pairs are compared."""
    scaled = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    groups = np.arange(len(features))
    for rows, columns in _blocks(np.arange(len(features))):
        _join_where(groups, rows, columns, scaled[rows] @ scaled[columns].T >= cosine)
    return _numbered(groups)


def _blocks(members: Groups) -> Iterator[tuple[Groups, Groups]]:
    """Pairs of parts of the members, so that what is compared at a time fits into memory."""
    for start in range(0, len(members), _BLOCK):
        for other in range(start, len(members), _BLOCK):
            yield members[start : start + _BLOCK], members[other : other + _BLOCK]


def _join_where(groups: Groups, rows: Groups, columns: Groups, is_near: NDArray[np.bool_]) -> None:
    is_news = is_near & (groups[rows][:, None] != groups[columns][None])
    for row in np.flatnonzero(is_news.any(axis=1)):
        _join(groups, np.append(columns[is_news[row]], rows[row]))


def _join(groups: Groups, members: Groups) -> None:
    """All groups of the members become one."""
    known = np.unique(groups[members])
    if len(known) > 1:
        groups[np.isin(groups, known)] = known[0]


def _numbered(groups: Groups) -> Groups:
    """The same groups, numbered from 0 in the order in which they appear."""
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number]
