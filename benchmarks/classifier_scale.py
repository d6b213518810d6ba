"""How often the scale of an image is read rightly from its banner, what that costs, and whether pictures without one get any.

    python -m benchmarks.classifier_scale [--images 40] [--samples FOLDER]

Images are drawn by `classifier/pipeline/synthetic/` in four makers' styles, in several widths, every second one compressed as
JPEG. The exit status tells whether the targets are met. Real samples have no truth here: what is read is printed.
"""

import argparse
import io
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.pipeline.labels import NAMES
from classifier.pipeline.reading import read_picture
from classifier.pipeline.results import Grey, ScaleFinding
from classifier.pipeline.scale import find_scale, is_tesseract_available
from classifier.pipeline.synthetic.images import NO_BANNER, STYLES, SyntheticImage, make_image

SAMPLES = Path(__file__).parents[1] / "../shared/samples"
SHARE_RIGHT, SECONDS_AN_IMAGE, TOLERANCE = 0.95, 0.4, 0.05
WIDTHS = (640, 1024, 1024, 1280, 2048)


@dataclass
class Row:
    """One style: how many images, how many with a scale within the tolerance, and seconds of one core for all."""

    style: str
    images: int = 0
    right: int = 0
    wrong: int = 0
    seconds: float = 0.0

    def add(self, found: ScaleFinding, pixel_size: float | None, seconds: float) -> None:
        is_right = (
            found.pixel_size is None
            if pixel_size is None
            else found.pixel_size is not None and abs(found.pixel_size / pixel_size - 1) <= TOLERANCE
        )
        self.images += 1
        self.right += is_right
        self.wrong += not is_right and found.pixel_size is not None
        self.seconds += seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=40, help="of each style (default 40)")
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="a folder of real images")
    arguments = parser.parse_args()
    if not is_tesseract_available():
        print("Tesseract is not installed.")
        return 1
    rows = [measure(style, arguments.images) for style in (*STYLES, NO_BANNER)]
    print(f"{len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'style':10}{'images':>8}{'right':>8}{'wrong':>8}{'none':>8}{'s an image':>12}")
    for row in rows:
        none = row.images - row.wrong - (row.right if row.style != NO_BANNER else 0)
        print(f"{row.style:10}{row.images:8}{row.right:8}{row.wrong:8}{none:8}{row.seconds / row.images:12.2f}")
    for path in sorted(arguments.samples.glob("sem-*/*.[tb][im][fp]")):
        found, seconds = timed(read_picture(path, path.name).pixels)
        print(f"{path.name:30} {described(found):50} {seconds:.2f} s")
    with_bars = rows[:-1]
    share = sum(row.right for row in with_bars) / sum(row.images for row in with_bars)
    seconds = sum(row.seconds for row in with_bars) / sum(row.images for row in with_bars)
    print(
        f"right within {TOLERANCE:.0%}: {share:.1%} (target {SHARE_RIGHT:.0%}); {seconds:.2f} s (target {SECONDS_AN_IMAGE} s)"
    )
    return int(share < SHARE_RIGHT or seconds > SECONDS_AN_IMAGE or rows[-1].wrong > 0)


def measure(style: str, count: int) -> Row:
    row = Row(style)
    for image, pixels in images(style, count):
        found, seconds = timed(pixels)
        row.add(found, None if style == NO_BANNER else image.truth.pixel_size, seconds)
    return row


def images(style: str, count: int) -> Iterator[tuple[SyntheticImage, Grey]]:
    rng = np.random.default_rng([20, len(style), ord(style[0])])
    for number in range(count):
        width = int(rng.choice(WIDTHS))
        image = make_image(rng, NAMES[number % len(NAMES)], style, shape=(width * 3 // 4, width))
        yield image, image.pixels if number % 2 else compressed(image.pixels, int(rng.integers(60, 96)))


def compressed(pixels: Grey, quality: int) -> Grey:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def timed(pixels: Grey) -> tuple[ScaleFinding, float]:
    """What is found, and the seconds of processor that this took here and in Tesseract."""
    before = processor_seconds()
    found = find_scale(pixels)
    return found, processor_seconds() - before


def processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def described(found: ScaleFinding) -> str:
    if found.pixel_size is None:
        return found.missing
    return f"{found.printed_value} m in {found.bar.length if found.bar else 0:.0f} pixels, {found.pixel_size:.4g} m a pixel"


if __name__ == "__main__":
    sys.exit(main())
