"""What the pipeline says of one image, as plain frozen values. N images, C categories, F features."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Outputs:
    """What a run-time gives for a batch, all float32: `logits` (N, C), pooled `features` (N, F), and where they were asked
    for `maps` (N, rows, columns, C), the logits of each place, whose mean over the places is the image's logits."""

    logits: Floats
    features: Floats
    maps: Floats | None = None


@dataclass(frozen=True)
class Verdict:
    """Calibrated `probabilities` (C,) in the order of the release's labels, and what follows from them.

    `is_uncertain`: the confidence is below the release's threshold. `strangeness` from 0 on: how far the features lie from
    all that the model was trained on, 1 being the release's limit, above which `is_strange`.
    """

    labels: tuple[str, ...]
    probabilities: Floats
    features: Floats
    is_uncertain: bool
    strangeness: float
    is_strange: bool

    @property
    def label(self) -> str:
        return self.labels[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


@dataclass(frozen=True)
class BannerField:
    """A value that stands in the banner, by its standard name where it has one (`catalogue/vocabularies/standard_names.py`)."""

    name: str
    value: float | str
    unit: str = ""


@dataclass(frozen=True)
class Bar:
    """A scale bar in pixels of the whole picture: its left end, the row of its middle, and its length."""

    left: int
    row: int
    length: float


@dataclass(frozen=True)
class ScaleFinding:
    """How large the picture is. Lengths in metres; None where it was not found.

    `printed_value` is what the scale bar says, `bar` where it is, `pixel_size` the value to be used, `source` where that comes
    from: "metadata", "side-car", "ocr" or "". `confidence` from 0 to 1. `disagreements` are sentences for people, each about
    two sources that do not say the same. `missing` tells why nothing was read, for example that Tesseract is not installed.
    """

    printed_value: float | None = None
    bar: Bar | None = None
    pixel_size: float | None = None
    field_of_view: float | None = None
    source: str = ""
    confidence: float = 0.0
    disagreements: tuple[str, ...] = ()
    fields: tuple[BannerField, ...] = field(default=())
    missing: str = ""
