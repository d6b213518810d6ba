"""Draws data banners as Zeiss, FEI, JEOL and Hitachi instruments write them, each with its own shape of scale bar.

Zeiss: a thin line with ticks at its ends, the length above it. FEI: a table, and a line that its own text splits. JEOL: a
solid block with the length beside it. Hitachi: eleven ticks, the length below them. Banners are drawn for a picture 1024
wide and scaled with the width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from catalogue.demo.microscope_files import Exposure
from classifier.pipeline.results import Bar, Grey

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_FONTS = {
    "zeiss": ("LiberationSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Bold.ttf"),
    "fei": ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "LiberationSansNarrow-Regular.ttf"),
    "jeol": ("LiberationMono-Bold.ttf", "DejaVuSansMono.ttf", "LiberationMono-Regular.ttf"),
    "hitachi": ("LiberationSans-Bold.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf"),
}
_HEIGHTS = {"zeiss": 72, "fei": 59, "jeol": 64, "hitachi": 44}
_DARK_SHARE = {"zeiss": 0.6, "fei": 0.8, "jeol": 1.0, "hitachi": 0.8}
HITACHI_TICKS = 11


@dataclass(frozen=True)
class Drawn:
    """A banner (rows, W) and the scale bar in it; the row of the bar counts from the banner's first."""

    pixels: Grey
    bar: Bar


@dataclass
class _Sheet:
    """What a banner is drawn on: its grey levels and fonts, and the size of a unit in pixels."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    ink: int
    font_name: str
    unit: float

    def font(self, size: float) -> Font:
        """Of the height `size` in units, never too small to read."""
        return _font(self.font_name, max(round(size * self.unit), 10))

    def px(self, length: float) -> int:
        return round(length * self.unit)

    def write(self, x: float, y: float, text: str, size: float, anchor: str = "lm") -> None:
        self.draw.text((x, y), text, fill=self.ink, font=self.font(size), anchor=anchor)

    def block(self, left: int, top: int, right: int, bottom: int) -> None:
        """A filled rectangle, the last row and column included."""
        self.draw.rectangle((left, top, right, bottom), fill=self.ink)


def banner_height(style: str, width: int) -> int:
    return round(_HEIGHTS[style] * width / 1024)


def draw_banner(rng: Generator, style: str, width: int, exposure: Exposure, printed: float, length: float) -> Drawn:
    """The banner of a style of `STYLES` with a bar of `length` pixels that says `printed` metres."""
    rows, unit = banner_height(style, width), width / 1024
    is_dark = rng.uniform() < _DARK_SHARE[style]
    paper = int(rng.integers(0, 12)) if is_dark else int(rng.integers(244, 256))
    ink = 255 if is_dark else 0
    image = Image.new("L", (width, rows), paper)
    names = _FONTS[style]
    sheet = _Sheet(image, ImageDraw.Draw(image), ink, names[int(rng.integers(len(names)))], unit)
    bar = _PAINTERS[style](sheet, rng, exposure, printed, round(length))
    return Drawn(np.asarray(image), bar)


def _zeiss(sheet: _Sheet, rng: Generator, exposure: Exposure, printed: float, length: int) -> Bar:
    """The length of the bar is from the middle of one tick to that of the other."""
    px, width = sheet.px, sheet.image.width
    left, row, tick = px(rng.uniform(14, 40)), px(rng.uniform(44, 56)), px(rng.uniform(5, 8))
    thick = max(px(rng.uniform(0.7, 3.4)), 1)
    sheet.block(left, row, left + length, row + thick - 1)
    for end in (left, left + length):
        sheet.block(end - thick // 2, row - tick, end - thick // 2 + thick - 1, row + tick + thick - 1)
    sheet.write(left + length / 2, row - tick - px(3), length_text(printed), rng.uniform(17, 21), "mb")
    size = rng.uniform(15, 18)
    columns = [
        (f"EHT = {exposure.voltage / 1e3:5.2f} kV", f"WD = {exposure.working_distance * 1e3:4.1f} mm"),
        (f"Signal A = {exposure.detector}", f"Mag = {_kilo(0.2894 / exposure.field_of_view)}"),
        (f"Date :{exposure.acquired_at:%d %b %Y}", f"Time :{exposure.acquired_at:%H:%M:%S}"),
    ]
    start = max(left + length + px(50), round(0.33 * width))
    step = (width - start - px(105)) / 3
    for number, column in enumerate(columns):
        for line, text in enumerate(column):
            sheet.write(start + number * step, px(20 + 30 * line), text, size)
    sheet.write(width - px(8), px(36), "SYNTHETIC", 14, "rm")
    return Bar(left, row + thick // 2, float(length))


def _fei(sheet: _Sheet, rng: Generator, exposure: Exposure, printed: float, length: int) -> Bar:
    """A table of names and values; the line of the bar, with ticks, is open where its text stands."""
    px, width, rows = sheet.px, sheet.image.width, sheet.image.height
    cells = [
        ("HV", f"{exposure.voltage / 1e3:.2f} kV"),
        ("curr", f"{exposure.beam_current * 1e12:.0f} pA"),
        ("WD", f"{exposure.working_distance * 1e3:.1f} mm"),
        ("det", exposure.detector),
        ("HFW", length_text(exposure.field_of_view, digits=3)),
        ("mag", f"{0.518 / exposure.field_of_view:,.0f} x"),
    ]
    size, text = rng.uniform(15, 17.5), length_text(printed)
    text_width = round(sheet.font(size).getlength(text))
    is_split = text_width + px(12) < 0.75 * length
    wide = length if is_split else length + px(8) + text_width
    room = max(wide + px(40), px(210))
    step = (width - room) / len(cells)
    for number, (name, value) in enumerate(cells):
        x = round(number * step)
        sheet.block(x, 0, x, rows - 1)
        sheet.write(x + step / 2, rows * 0.27, name, size, "mm")
        sheet.write(x + step / 2, rows * 0.74, value, size, "mm")
    sheet.block(0, rows // 2, width - room - 1, rows // 2)
    sheet.block(width - room, 0, width - room, rows - 1)
    left, row, tick = width - room // 2 - wide // 2, round(rows * 0.3), px(7)
    sheet.write(width - room // 2, rows * 0.76, "SYNTHETIC", size * 0.9, "mm")
    for end in (left, left + length):
        sheet.block(end, row - tick, end, row + tick)
    if is_split:
        middle, half_gap = left + length // 2, text_width // 2 + px(6)
        sheet.block(left, row, middle - half_gap, row)
        sheet.block(middle + half_gap, row, left + length, row)
        sheet.write(middle, row, text, size, "mm")
    else:
        sheet.block(left, row, left + length, row)
        sheet.write(left + length + px(8), row, text, size, "lm")
    return Bar(left, row, float(length))


def _jeol(sheet: _Sheet, rng: Generator, exposure: Exposure, printed: float, length: int) -> Bar:
    """Two lines of text of one width; the block has its length on its right."""
    px, width = sheet.px, sheet.image.width
    size = rng.uniform(18, 21)
    left, top = px(rng.uniform(300, 480)), px(3)
    thick = px(rng.uniform(9, 13))
    sheet.block(left, top, left + length - 1, top + thick)
    beside = left + length + px(rng.uniform(24, 90))
    sheet.write(beside, top + px(11), length_text(printed).replace(" ", ""), size)
    sheet.write(width - px(12), top + px(11), f"{exposure.acquired_at:%Y/%m/%d}", size, "rm")
    below = px(47)
    sheet.write(px(20), below, f"X {0.12 / exposure.field_of_view:,.0f}", size)
    sheet.write(px(220), below, f"{exposure.voltage / 1e3:.1f}kV {exposure.detector}", size)
    sheet.write(px(440), below, "SYNTHETIC", size)
    line = f"WD {exposure.working_distance * 1e3:.1f}mm {exposure.acquired_at:%H:%M:%S}"
    sheet.write(width - px(12), below, line, size, "rm")
    return Bar(left, top + thick // 2, float(length))


def _hitachi(sheet: _Sheet, rng: Generator, exposure: Exposure, printed: float, length: int) -> Bar:
    """One line of text, and a ruler of eleven ticks, of which the outer ones and the middle one are often longer."""
    px, width, rows = sheet.px, sheet.image.width, sheet.image.height
    size = rng.uniform(17, 20)
    line = (
        f"S4800 SYNTHETIC {exposure.voltage / 1e3:.1f}kV {exposure.working_distance * 1e3:.1f}mm "
        f"x{_kilo(0.127 / exposure.field_of_view).replace(' ', '').replace('KX', 'k').rstrip('X')} {exposure.detector}"
    )
    sheet.write(px(12), rows / 2, line, size)
    left, top = width - length - px(rng.uniform(14, 40)), px(5)
    short, thick = px(rng.uniform(7, 10)), max(px(2), 1)
    is_marked = rng.uniform() < 0.5
    for number in range(HITACHI_TICKS):
        x = left + round(number * length / (HITACHI_TICKS - 1))
        tall = short + px(4) if is_marked and number % 5 == 0 else short
        sheet.block(x, top, x + thick - 1, top + tall)
    sheet.write(left + length / 2, rows - px(13), hitachi_text(printed), size, "mm")
    return Bar(left, top + short // 2, float(length))


_PAINTERS: dict[str, Callable[[_Sheet, Generator, Exposure, float, int], Bar]] = {
    "zeiss": _zeiss,
    "fei": _fei,
    "jeol": _jeol,
    "hitachi": _hitachi,
}
STYLES = tuple(_PAINTERS)


def length_text(metres: float, digits: int = 4) -> str:
    """Such as "200 nm" or "1 µm"."""
    units = ((1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"))
    factor, unit = next((pair for pair in units if metres >= 0.9995 * pair[0]), units[-1])
    return f"{metres / factor:.{digits}g} {unit}"


def hitachi_text(metres: float) -> str:
    """Three digits, u for micro and no space: "500nm", "1.00um", "20.0um"."""
    number, unit = length_text(metres, 6).split()
    value = float(number)
    if unit == "nm":
        return f"{value:.0f}nm"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit.replace('µ', 'u')}"


def _kilo(magnification: float) -> str:
    return f"{magnification / 1e3:.2f} K X" if magnification >= 1000 else f"{magnification:.0f} X"


def _font(name: str, size: int) -> Font:
    """A font that is installed, else the one that comes with Pillow."""
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return ImageFont.load_default(size)
