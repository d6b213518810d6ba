"""What is known of a picture's scale before anybody looks at its banner. Nothing is decided here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class KnownScale:
    """What metadata or a side-car say, in metres on the sample; None is what they do not say.

    `picture_width` is the number of columns of the picture that they describe, where they say so: an export may have another.
    `source` is "metadata" or "side-car".
    """

    pixel_size: float | None = None
    field_of_view: float | None = None
    magnification: float | None = None
    picture_width: int | None = None
    source: str = "metadata"

    @classmethod
    def from_parameters(cls, values: Mapping[str, float], *, source: str = "metadata") -> Self:
        """From numbers in SI by their standard names; others than those of the scale are left alone.

        `image_width` is not used: readers of files take it from the picture itself.
        """
        return cls(
            pixel_size=_positive(values.get("pixel_size_x")),
            field_of_view=_positive(values.get("field_of_view")),
            magnification=_positive(values.get("magnification")),
            source=source,
        )


def _positive(value: float | None) -> float | None:
    return value if value is not None and 0 < value < float("inf") else None
