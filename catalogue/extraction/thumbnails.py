"""Small pictures of arrays: decimated reading, scaling to 8 bit, line drawings, WebP without any metadata.

No file format is known here. Arrays are (height, width) grey or (height, width, 3) colour, or 1-D signals.
"""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.generic]
_INK, _PAPER, _FRAME = 40, 250, 190
# Brightest over median from which a picture of counts, such as of scattering, is shown on a logarithmic scale.
_STEEP = 100.0


def picture(array: Array, longest_side: int = 512) -> bytes | None:
    """A WebP of an array, at most `longest_side` pixels wide and high; wider ranges than 8 bit are scaled.

    Very small arrays are enlarged by a whole factor, so that their pixels can be seen. None for an array that has the
    same value everywhere: a black rectangle would show nothing.
    """
    eight_bit = np.ascontiguousarray(_to_eight_bit(array))
    if eight_bit.size == 0 or eight_bit.min() == eight_bit.max():
        return None
    image = Image.fromarray(eight_bit)
    enlarged = longest_side // (2 * max(image.size))
    if enlarged > 1:
        image = image.resize((image.width * enlarged, image.height * enlarged), Image.Resampling.NEAREST)
    image.thumbnail((longest_side, longest_side), Image.Resampling.BOX)
    return _webp(image)


def line(values: Array, positions: Array | None = None, longest_side: int = 512) -> bytes | None:
    """A WebP with a plain line drawing of a 1-D signal; None when it has not two finite points of different height.

    A positive signal over more than three decades is drawn with logarithmic height, as spectra are read, and one that falls
    from its start with both axes logarithmic, as scattering curves are.
    """
    step = max(1, values.size // (4 * longest_side))
    y = np.asarray(values.ravel()[::step], dtype=np.float64)
    x = np.arange(y.size, dtype=np.float64)
    if positions is not None:
        x = np.asarray(positions.ravel()[::step], dtype=np.float64)
    length = min(x.size, y.size)
    finite = np.isfinite(x[:length]) & np.isfinite(y[:length])
    x, y = x[:length][finite], y[:length][finite]
    if y.size < 2 or y.min() == y.max():
        return None
    if _spans_decades(y, 3):
        falls_from_its_start = int(y.argmax()) < y.size // 10
        y, x = np.log10(y), np.log10(x) if falls_from_its_start and _spans_decades(x, 1) else x
    width, height, margin = longest_side, longest_side * 5 // 8, longest_side // 32
    points = zip(_span(x, margin, width - margin), _span(y, height - margin, margin), strict=True)
    image = Image.new("L", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle(
        (margin // 2, margin // 2, width - margin // 2, height - margin // 2),
        outline=_FRAME,
        width=max(1, longest_side // 512),
    )
    draw.line([(float(a), float(b)) for a, b in points], fill=_INK, width=max(2, longest_side // 256))
    return _webp(image)


def step_for(height: int, width: int, longest_side: int) -> int:
    """Every how many-th row and column suffices for a good thumbnail (twice its resolution)."""
    return max(1, max(height, width) // (2 * longest_side))


def decimated(image: Image.Image, longest_side: int) -> Array:
    """Every n-th row and column of an image that Pillow decodes, as grey values of any depth or as RGB."""
    step = step_for(image.height, image.width, longest_side)
    if step > 1:  # before any conversion, which would double the memory
        image = image.resize((image.width // step, image.height // step), Image.Resampling.NEAREST)
    if image.mode not in {"L", "I", "F", "I;16", "I;16B"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(image)


def read_rows(
    stream: BinaryIO, offset: int, shape: tuple[int, ...], dtype: np.dtype[np.generic], longest_side: int
) -> Array:
    """Every n-th row and column of an uncompressed picture that starts at `offset` of a stream.

    `shape` is (height, width) or (height, width, samples). Small pictures are read at once; of large ones single rows,
    so that memory stays bounded. Raises EOFError when the stream is too short.
    """
    height, width = shape[:2]
    row_bytes = int(np.prod(shape[1:])) * dtype.itemsize
    step = step_for(height, width, longest_side)
    if row_bytes * height <= 16_000_000:
        stream.seek(offset)
        data = _exactly(stream, row_bytes * height)
        return np.frombuffer(data, dtype).reshape(shape)[::step, ::step]
    rows = []
    for row in range(0, height, step):
        stream.seek(offset + row * row_bytes)
        rows.append(np.frombuffer(_exactly(stream, row_bytes), dtype).reshape(shape[1:])[::step].copy())
    return np.stack(rows)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise EOFError("the picture's data end too early")
    return data


def _to_eight_bit(array: Array) -> NDArray[np.uint8]:
    """Scale to 0..255 between the 0.5 and 99.5 percentiles of the finite values; 8-bit data stay as they are.

    Where a few values are a hundred times as bright as most others, the logarithm is scaled.
    """
    if array.dtype == np.uint8:
        return array  # type: ignore[return-value]
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.iscomplexobj(array):
        array = np.abs(array)
    values = array.astype(np.float32)
    if array.dtype.kind == "u" and array.dtype.itemsize >= 4:
        values[array == np.iinfo(array.dtype).max] = np.nan  # type: ignore[type-var]  # detector gaps and dead pixels
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = np.percentile(values[finite], (0.5, 99.5))
    if high <= low:
        low, high = float(values[finite].min()), float(values[finite].max())
    values = np.where(finite, values, low)
    if low >= 0 and high > _STEEP * max(float(np.median(values)), float(array.dtype.kind in "iu")):
        values, low, high = np.log1p(values / high * _STEEP), np.log1p(low / high * _STEEP), np.log1p(_STEEP)
    scale = 255.0 / (high - low) if high > low else 0.0
    return np.clip((values - low) * scale, 0, 255).astype(np.uint8)


def _spans_decades(values: NDArray[np.float64], decades: int) -> bool:
    return bool(values.min() > 0 and values.max() > values.min() * 10**decades)


def _span(values: NDArray[np.float64], first: float, last: float) -> NDArray[np.float64]:
    low, high = values.min(), values.max()
    if high <= low:
        return np.full(values.shape, (first + last) / 2)
    return first + (values - low) / (high - low) * (last - first)


def _webp(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "WEBP", quality=75, method=0)
    return target.getvalue()
