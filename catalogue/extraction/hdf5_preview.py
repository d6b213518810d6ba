"""A picture of an HDF5 dataset, read sparingly: one frame, decimated, or a line for 1-D data.

The cost is counted in bytes of the chunks that must be read, since a chunk is always unpacked whole.
"""

from __future__ import annotations

import math
from typing import Any

import h5py
import numpy as np

from catalogue.extraction import hdf5, thumbnails
from catalogue.extraction.draft import Draft

_FEWEST_ROWS = 16
_SAMPLES = 2_000


def draw(dataset: h5py.Dataset, draft: Draft, *, is_spectrum: bool = False, positions: Any = None) -> bool:
    """Set the draft's thumbnail from a dataset; False, with a note, when that would cost too much or fails."""
    try:
        if not hdf5.is_self_contained(dataset) or dataset.dtype.kind not in "biufc":
            return False
        _load_filters(dataset)
        array = _signal(dataset, draft, is_spectrum=is_spectrum)
    except (OSError, RuntimeError, ValueError, TypeError, ImportError) as error:
        draft.note("preview-unreadable", f"The main signal cannot be read for a preview ({type(error).__name__}).")
        return False
    if array is None:
        draft.note(
            "preview-skipped", "No preview was made: reading even a part of the main signal would cost too much."
        )
        return False
    if array.ndim == 1:
        draft.thumbnail = thumbnails.line(array, _axis(positions, array.size), draft.limits.thumbnail_pixels)
    else:
        draft.picture_size = (int(dataset.shape[-1]), int(dataset.shape[-2]))
        draw_array(array, draft)
    return draft.thumbnail is not None


def draw_array(array: thumbnails.Array, draft: Draft) -> None:
    """Set the draft's thumbnail from a frame that was read already."""
    draft.thumbnail = thumbnails.picture(array, draft.limits.thumbnail_pixels)


def _signal(dataset: h5py.Dataset, draft: Draft, *, is_spectrum: bool) -> thumbnails.Array | None:
    shape = tuple(n for n in dataset.shape if n > 1)
    if len(shape) == 0:
        return None
    if len(shape) == 1 or is_spectrum:
        return _spectrum(dataset, draft)
    return _frame(dataset, draft)


def _spectrum(dataset: h5py.Dataset, draft: Draft) -> thumbnails.Array | None:
    """A 1-D signal along the longest axis of 1-D data, or the mean (else the middle) spectrum of a stack."""
    budget = draft.limits.preview_bytes
    if dataset.nbytes <= budget // 4 and _chunk_bytes(dataset) <= budget:
        data = np.asarray(dataset[()])
        return data.reshape(-1, data.shape[-1]).mean(axis=0) if sum(n > 1 for n in data.shape) > 1 else data.ravel()
    middle = tuple(n // 2 for n in dataset.shape[:-1])
    length = dataset.shape[-1]
    step = max(1, length // _SAMPLES)
    chunks_read = min(_SAMPLES, math.ceil(length / dataset.chunks[-1])) if dataset.chunks else 0
    if chunks_read * _chunk_bytes(dataset) > budget:
        return None
    return np.asarray(dataset[(*middle, slice(None, None, step))])


def _frame(dataset: h5py.Dataset, draft: Draft) -> thumbnails.Array | None:
    """The middle frame of a stack of pictures: whole when it is small, else as many rows as the budget allows."""
    budget = draft.limits.preview_bytes
    height, width = dataset.shape[-2:]
    lead = tuple(n // 2 for n in dataset.shape[:-2])
    step = thumbnails.step_for(height, width, draft.limits.thumbnail_pixels)
    if _frame_bytes(dataset) <= budget:
        return np.asarray(dataset[lead] if lead else dataset[()])[::step, ::step]
    rows = budget // max(_row_bytes(dataset), 1)
    if rows < min(_FEWEST_ROWS, height):
        return None
    row_step = max(step, math.ceil(height / rows))
    return np.stack([dataset[(*lead, row)][::step] for row in range(0, height, row_step)])


def _chunk_bytes(dataset: h5py.Dataset) -> int:
    return int(np.prod(dataset.chunks)) * dataset.dtype.itemsize if dataset.chunks else 0


def _frame_bytes(dataset: h5py.Dataset) -> int:
    height, width = dataset.shape[-2:]
    if not dataset.chunks:
        return height * width * dataset.dtype.itemsize
    chunk_height, chunk_width = dataset.chunks[-2:]
    return math.ceil(height / chunk_height) * math.ceil(width / chunk_width) * _chunk_bytes(dataset)


def _row_bytes(dataset: h5py.Dataset) -> int:
    width = dataset.shape[-1]
    if not dataset.chunks:
        return width * dataset.dtype.itemsize
    return math.ceil(width / dataset.chunks[-1]) * _chunk_bytes(dataset)


def _axis(positions: Any, length: int) -> thumbnails.Array | None:
    """The values of an axis dataset, when it is small and as long as the signal."""
    if not isinstance(positions, h5py.Dataset) or positions.shape != (length,) or positions.dtype.kind not in "iuf":
        return None
    if not hdf5.is_self_contained(positions) or length > 1_000_000:
        return None
    return np.asarray(positions[()])


def _load_filters(dataset: h5py.Dataset) -> None:
    """Register the compression filters of detectors (bitshuffle, LZ4, Blosc) when the dataset uses one."""
    plan = dataset.id.get_create_plist()
    codes = [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]
    if any(code > 255 for code in codes):
        import hdf5plugin  # noqa: F401 - slow to import and rarely needed
