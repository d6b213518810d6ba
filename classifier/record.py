"""What people and programs are told of an image: frozen values, made of rows that were fetched for a page at a time.

Who may see the image was decided before (`classifier/selectors.py`); nothing here asks who looks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from catalogue import units
from classifier.models import Image, ModelRelease, Prediction, Scale
from classifier.services.images import ImageState

SOURCES = {"metadata": "the file's metadata", "side-car": "the text file beside it", "ocr": "the banner, read as text"}


@dataclass(frozen=True)
class Probability:
    """One category with its calibrated probability from 0 to 1."""

    label: str
    probability: float

    @property
    def percent(self) -> str:
        return percent_of(self.probability)


@dataclass(frozen=True)
class ScaleView:
    """Lengths in metres, the bar in pixels of the whole picture; None where nothing was found."""

    printed_value: float | None
    pixel_size: float | None
    field_of_view: float | None
    bar_left: int | None
    bar_row: int | None
    bar_length: float | None
    source: str
    confidence: float
    disagreements: tuple[str, ...]
    missing: str

    @property
    def printed_text(self) -> str:
        return length_text(self.printed_value)

    @property
    def pixel_text(self) -> str:
        return length_text(self.pixel_size)

    @property
    def width_text(self) -> str:
        return length_text(self.field_of_view)

    @property
    def source_text(self) -> str:
        return SOURCES.get(self.source, self.source)

    @property
    def percent(self) -> str:
        return percent_of(self.confidence)

    @property
    def bar_end(self) -> float | None:
        return None if self.bar_left is None or self.bar_length is None else self.bar_left + self.bar_length


@dataclass(frozen=True)
class OpinionView:
    """What a person said, and whether that was what the model in use had said. `by` is empty for those who need not know."""

    label: str
    agrees: bool
    by: str
    at: datetime


@dataclass(frozen=True)
class ImageView:
    """One image with what is known of it. `state` is waiting, running, done, failed, or unclassified where no model was in use.

    `probabilities` come the surest first. `label` and `confidence` are those of the model; `said` is what a person said last.
    `dataset` is the record whose access it has, where it is a file of the catalogue.
    """

    uid: UUID
    name: str
    state: str
    code: str
    message: str
    label: str
    confidence: float | None
    is_uncertain: bool
    is_strange: bool
    strangeness: float | None
    model: str
    is_demonstration: bool
    probabilities: tuple[Probability, ...]
    scale: ScaleView | None
    width: int | None
    height: int | None
    said: OpinionView | None
    metadata: tuple[dict, ...]
    dataset: UUID | None
    registered_as: UUID | None

    @property
    def percent(self) -> str:
        return "" if self.confidence is None else percent_of(self.confidence)

    @property
    def shown_label(self) -> str:
        """What counts: a person's word before the model's."""
        return self.said.label if self.said else self.label

    @property
    def is_pending(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def path(self) -> str:
        return f"/classify/images/{self.uid}"


def percent_of(share: float) -> str:
    """A share of 1 in whole percent, never rounded up to certainty or down to nothing."""
    if 0.995 <= share < 1:
        return "over 99\N{NO-BREAK SPACE}%"
    if 0 < share < 0.005:
        return "under 1\N{NO-BREAK SPACE}%"
    return f"{share * 100:.0f}\N{NO-BREAK SPACE}%"


def length_text(metres: float | None) -> str:
    return "" if metres is None else units.format_quantity(metres, "m")


def make_view(
    image: Image, prediction: Prediction | None, state: ImageState, scale: Scale | None, said: OpinionView | None
) -> ImageView:
    stands, code, message = _stands(image, prediction, state)
    return ImageView(
        uid=image.uid,
        name=image.name,
        state=stands,
        code=code,
        message=message,
        label=prediction.label if prediction else "",
        confidence=prediction.confidence if prediction else None,
        is_uncertain=bool(prediction and prediction.is_uncertain),
        is_strange=bool(prediction and prediction.is_strange),
        strangeness=prediction.strangeness if prediction else None,
        model=prediction.release.label if prediction else "",
        is_demonstration=bool(prediction and prediction.release.is_demonstration),
        probabilities=_probabilities(prediction),
        scale=_scale_view(scale),
        width=image.width,
        height=image.height,
        said=said,
        metadata=tuple(image.metadata),
        dataset=image.datafile.dataset.uid if image.datafile else None,
        registered_as=image.registered_as.dataset.uid if image.registered_as else None,
    )


def _stands(image: Image, prediction: Prediction | None, state: ImageState) -> tuple[str, str, str]:
    """The state of an image, and why it failed; what was found counts more than what a later attempt met."""
    work = state.category or state.scale
    if prediction is not None:
        pending = state.scale is not None and not state.scale.is_settled
        return ("running" if pending else "done"), "", ""
    if work is None:
        return "unclassified", "no-model", "No model was asked about this image: none is in use on this site."
    return work.state, work.error_code, work.error


def _probabilities(prediction: Prediction | None) -> tuple[Probability, ...]:
    if prediction is None:
        return ()
    pairs = zip(prediction.release.labels, prediction.probabilities, strict=False)
    return tuple(sorted((Probability(*pair) for pair in pairs), key=lambda one: -one.probability))


def _scale_view(scale: Scale | None) -> ScaleView | None:
    if scale is None:
        return None
    values: dict[str, Any] = {name: getattr(scale, name) for name in ScaleView.__dataclass_fields__}
    return ScaleView(**values | {"disagreements": tuple(scale.disagreements)})


def is_known_to(release: ModelRelease | None, label: str) -> bool:
    """Whether the model of `release` can say `label` at all."""
    return release is not None and label in release.labels
