"""Draws pictures with banners as several makers lay them out, independently of the generator of the training data.

Layouts follow published pictures of each maker: what stands where, which shape the bar has. Fonts, sizes, polarity and
compression vary, so that rules for reading cannot be fitted to one of them.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from classifier.pipeline.results import Grey

FONTS = sorted(
    path
    for folder in ("dejavu", "liberation")
    for path in Path("/usr/share/fonts/truetype", folder).glob("*.ttf")
    if not any(odd in path.stem for odd in ("Italic", "Oblique", "Math", "ExtraLight"))
)
STYLES = ("zeiss", "fei", "jeol", "hitachi", "tescan")
VALUES = tuple(step * 10.0**power for power in range(-8, -3) for step in (1, 2, 5)) + (3e-7, 4e-6, 2.5e-6)


@dataclass(frozen=True)
class Drawn:
    """A picture (H, W) with a banner of `banner_height` rows, and what is true of it, in metres."""

    pixels: Grey
    style: str
    value: float
    pixel_size: float
    banner_height: int
    has_micro_sign: bool

    @property
    def field_of_view(self) -> float:
        return self.pixel_size * self.pixels.shape[1]


@dataclass
class _Sheet:
    draw: ImageDraw.ImageDraw
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    size: int
    width: int
    height: int
    ink: int

    def text(self, x: float, y: float, text: str, anchor: str = "lm") -> float:
        """Writes, and tells where the text ends."""
        self.draw.text((x, y), text, fill=self.ink, font=self.font, anchor=anchor)
        return self.draw.textbbox((x, y), text, font=self.font, anchor=anchor)[2]

    def line(self, x0: float, y0: float, x1: float, y1: float, thickness: int = 1) -> None:
        self.draw.line((round(x0), round(y0), round(x1), round(y1)), fill=self.ink, width=thickness)


def draw(
    rng: Generator,
    style: str,
    *,
    width: int = 1024,
    font: Path | None = None,
    is_dark: bool = True,
    value: float | None = None,
    quality: int | None = None,
    ground: Grey | None = None,
) -> Drawn:
    """One picture; what is not given is drawn by lot. `quality` of a JPEG is lossless where it is None."""
    value = value or float(rng.choice(VALUES))
    length = int(rng.integers(max(width // 24, 24), width // 4))
    size = round(width * float(rng.uniform(0.0145, 0.022)))
    rows = {"zeiss": 3.6, "fei": 3.4, "jeol": 3.2, "hitachi": 3.6, "tescan": 5.0}[style]
    height, picture_height = round(size * rows), round(width * 0.7)
    banner = Image.new("L", (width, height), 0 if is_dark else 255)
    face = ImageFont.truetype(str(font), size) if font else ImageFont.load_default(size)
    sheet = _Sheet(ImageDraw.Draw(banner), face, size, width, height, 255 if is_dark else 0)
    has_micro_sign = bool(rng.integers(2))
    label = _label(value, "µ" if has_micro_sign else "u", style)
    _LAYOUTS[style](sheet, rng, label, length, value / length * width)
    picture = ground if ground is not None else rng.integers(30, 220, (picture_height, width)).astype(np.uint8)
    pixels = np.vstack([picture[:picture_height, :width], np.asarray(banner)])
    if quality is not None:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
        pixels = np.asarray(Image.open(stream).convert("L"))
    return Drawn(pixels, style, value, value / length, height, has_micro_sign)


def _label(value: float, micro: str, style: str) -> str:
    for factor, unit in ((1e-3, "mm"), (1e-6, f"{micro}m"), (1e-9, "nm")):
        number = value / factor
        if number >= 0.9999:
            if style == "hitachi":
                return f"{number:.3g}{'.00' if number < 10 else '.0' if number < 100 else ''}{unit}"[:12]
            return f"{number:.3g}{'' if style == 'jeol' else ' '}{unit}"
    raise ValueError(value)


def _length_text(value: float) -> str:
    factor, unit = (1e-3, "mm") if value >= 1e-3 else (1e-6, "µm") if value >= 1e-6 else (1e-9, "nm")
    return f"{value / factor:.4g} {unit}"


def _zeiss(sheet: _Sheet, rng: Generator, label: str, length: int, width: float) -> None:
    left, upper, lower = sheet.width // 50, sheet.height * 0.3, sheet.height * 0.72
    sheet.text(left + length / 2, upper, label, "mm")
    tick = sheet.height * 0.1
    sheet.line(left, lower, left + length, lower)
    for x in (left, left + length):
        sheet.line(x, lower - tick, x, lower + tick)
    x = max(left + length, left + length / 2 + 3 * sheet.size) + 2 * sheet.size
    end = sheet.text(x, upper, f"Mag = {0.3 / width / 1e3:.2f} K X") + sheet.size
    sheet.text(x, lower, f"WD = {rng.uniform(2, 12):.1f} mm")
    end2 = sheet.text(end, upper, f"EHT = {rng.integers(1, 20)}.00 kV") + sheet.size
    sheet.text(end, lower, "Signal A = InLens")
    sheet.text(end2, upper, "Date :18 Jul 2019")
    sheet.text(end2, lower, "Time :14:03:51")


def _fei(sheet: _Sheet, rng: Generator, label: str, length: int, width: float) -> None:
    upper, lower, x = sheet.height * 0.28, sheet.height * 0.72, sheet.size * 0.5
    cells = [
        ("HV", f"{rng.integers(1, 30)}.00 kV"),
        ("WD", f"{rng.uniform(2, 12):.1f} mm"),
        ("HFW", _length_text(width)),
        ("det", "ETD"),
        ("mag", f"{0.3 / width:,.0f} x"),
    ]
    for head, text in cells:
        cell = max(sheet.draw.textlength(head, font=sheet.font), sheet.draw.textlength(text, font=sheet.font))
        sheet.text(x + cell / 2, upper, head, "mm")
        sheet.text(x + cell / 2, lower, text, "mm")
        x += cell + sheet.size * 0.6
        sheet.line(x, 0, x, sheet.height)
        x += sheet.size * 0.6
    sheet.line(0, 0, sheet.width, 0)
    text = sheet.draw.textlength(label, font=sheet.font)
    first = max(x + sheet.size, sheet.width - max(length, text + 3 * sheet.size) - sheet.size * 2)
    if length < text + 2 * sheet.size:  # too short to hold its text: the bar stands below it
        sheet.text(first + length / 2, upper, label, "mm")
        sheet.line(first, lower, first + length, lower)
    else:
        middle = first + length / 2
        sheet.text(middle, lower, label, "mm")
        sheet.line(first, lower, middle - text / 2 - sheet.size * 0.4, lower)
        sheet.line(middle + text / 2 + sheet.size * 0.4, lower, first + length, lower)
    for end in (first, first + length):
        sheet.line(end, lower - sheet.size * 0.35, end, lower + sheet.size * 0.35)


def _jeol(sheet: _Sheet, rng: Generator, label: str, length: int, width: float) -> None:
    upper, lower, left = sheet.height * 0.28, sheet.height * 0.75, sheet.width * 0.42
    sheet.draw.rectangle((left, 2, left + length - 1, sheet.height * 0.4), fill=sheet.ink)
    end = sheet.text(left + length + sheet.size * rng.uniform(1, 4), upper, label)
    sheet.text(end + sheet.size, upper, "UMN")
    sheet.text(sheet.width - 8, upper, "8/31/2020", "rm")
    sheet.text(sheet.width * 0.16, lower, f"X {0.12 / width:,.0f}")
    sheet.text(sheet.width * 0.35, lower, f"{rng.integers(1, 20)}.0kV SEI")
    sheet.text(sheet.width * 0.62, lower, "NOR")
    sheet.text(sheet.width - 8, lower, f"WD {rng.uniform(4, 15):.1f}mm 15:32:31", "rm")


def _hitachi(sheet: _Sheet, rng: Generator, label: str, length: int, width: float) -> None:
    upper, lower = sheet.height * 0.3, sheet.height * 0.72
    magnification = 0.127 / width
    kilo = f"x{magnification / 1e3:.1f}k" if magnification >= 1000 else f"x{magnification:.0f}"
    sheet.text(8, lower, f"S4800 {rng.integers(1, 20)}.0kV {rng.uniform(2, 12):.1f}mm {kilo} SE(U) 7/18/2019")
    step = length / 10
    left = sheet.width - length - 3 * sheet.size
    for number in range(11):
        x = left + number * step
        sheet.line(x, upper - sheet.size * 0.4, x, upper + sheet.size * (0.4 if number % 5 == 0 else 0.1))
    sheet.text(left + length, lower, label, "rm")


def _tescan(sheet: _Sheet, rng: Generator, label: str, length: int, width: float) -> None:
    rows = [sheet.height * share for share in (0.18, 0.5, 0.82)]
    columns = [sheet.size * 0.5, sheet.width * 0.24, sheet.width * 0.45]
    cells = [
        (f"SEM HV: {rng.integers(1, 30)}.0 kV", f"WD: {rng.uniform(2, 12):.2f} mm"),
        (f"View field: {_length_text(width)}", "Det: SE"),
        (f"SEM MAG: {0.1155 / width / 1e3:.2f} kx", "Date(m/d/y): 07/18/19"),
    ]
    for row, texts in zip(rows, cells, strict=True):
        for column, text in zip(columns, texts, strict=False):
            sheet.text(column, row, text)
    left = columns[2] + sheet.size * 2
    sheet.line(left, rows[1] - sheet.size * 0.6, left + length, rows[1] - sheet.size * 0.6, 2)
    for x in (left, left + length):
        sheet.line(x, rows[1] - sheet.size, x, rows[1] - sheet.size * 0.2, 2)
    sheet.text(left + length / 2, rows[1] + sheet.size * 0.5, label, "mm")
    sheet.text(sheet.width - 8, rows[2], "Performance in nanospace", "rm")


_LAYOUTS = {"zeiss": _zeiss, "fei": _fei, "jeol": _jeol, "hitachi": _hitachi, "tescan": _tescan}
