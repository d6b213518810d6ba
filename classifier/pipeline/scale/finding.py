"""The scale of a picture: metadata first, the banner to fill gaps and to check, and sentences where they differ.

Metadata stand against the bar of a banner, unless bar and printed field of view agree against them. A side-car does not stand
against a clear bar: it is a file of its own, and exports of another size are given the same one.
"""

from dataclasses import replace

from classifier.pipeline.banner import Banner, find_banner
from classifier.pipeline.results import BannerField, Bar, Grey, ScaleFinding
from classifier.pipeline.scale import evidence
from classifier.pipeline.scale.banner_scale import BannerScale, read_banner
from classifier.pipeline.scale.evidence import agree, length_text
from classifier.pipeline.scale.grammar import Length, metres
from classifier.pipeline.scale.known import KnownScale
from classifier.pipeline.scale.ocr import OcrFailed, is_tesseract_available

SECONDS = 8.0

NO_TESSERACT = "Tesseract is not installed, so the banner was not read."
NO_BANNER = "The picture has no banner that could be read."
NO_BAR = "No scale bar with its length was found in the banner."

_CLEAR = 0.7  # the confidence from which a bar stands against a side-car


def find_scale(pixels: Grey, known: KnownScale | None = None, *, seconds: float = SECONDS) -> ScaleFinding:
    """What is found about a picture (H, W) with its banner. Reading takes about 0.2 s of one core, a picture without a banner
    next to nothing; `seconds` by the clock are the most that Tesseract is given."""
    known, width = known or KnownScale(), pixels.shape[1]
    banner = find_banner(pixels)
    read, missing = _read(pixels, banner, seconds)
    sizes, sentences = evidence.pixel_sizes_known(known, width)
    finding = ScaleFinding(fields=read.fields, disagreements=tuple(sentences), missing=missing)
    if banner is not None and read.length is not None and read.shape is not None:
        finding = _with_bar(finding, read, banner, known, sizes, width)
    finding = _with_known(finding, known, sizes)
    finding = _checked_by_magnification(finding, known, width)
    size = finding.pixel_size
    return replace(finding, field_of_view=size * width if size is not None else None)


def parameters_of(finding: ScaleFinding) -> tuple[tuple[str, float, str], ...]:
    """Name, value and unit of what becomes metadata of the image, by standard names."""
    values = {
        "pixel_size_x": finding.pixel_size,
        "field_of_view": finding.field_of_view,
        "scale_bar": finding.printed_value,
    }
    return tuple((name, value, "m") for name, value in values.items() if value is not None)


def _read(pixels: Grey, banner: Banner | None, seconds: float) -> tuple[BannerScale, str]:
    """What stands in the banner, and why nothing was read."""
    if banner is None:
        return BannerScale(), NO_BANNER
    if not is_tesseract_available():
        return BannerScale(), NO_TESSERACT
    try:
        read = read_banner(pixels, banner, seconds=seconds)
    except OcrFailed as error:
        return BannerScale(), error.message
    return read, "" if read.length is not None else NO_BAR


def _with_bar(
    finding: ScaleFinding, read: BannerScale, banner: Banner, known: KnownScale, sizes: list[float], width: int
) -> ScaleFinding:
    """With what the bar says, its unit put right, as if there were no metadata."""
    assert read.length is not None and read.shape is not None
    bar, printed_width = read.shape.length, _number(read.fields, "field_of_view")
    unit, sentences = _unit(read.length, read.unit_by_shape, bar, _references(known, sizes, printed_width, width))
    printed = metres(read.length.number, unit)
    size = printed / bar
    if not evidence.is_plausible(size):
        sentences.append(f"By the banner a pixel would have {length_text(size)}, which cannot be.")
        return replace(finding, disagreements=(*finding.disagreements, *sentences))
    if printed_width and not agree(printed_width / width, size) and not any(agree(size, other) for other in sizes):
        sentences.append(
            f"The banner's field of view was read as {length_text(printed_width)},"
            f" its scale bar makes {length_text(size * width)}."
        )
    row = banner.top + (read.shape.top + read.shape.bottom - 1) // 2
    return replace(
        finding,
        printed_value=printed,
        bar=Bar(round(read.shape.left), row, bar),
        pixel_size=size,
        source="ocr",
        confidence=_confidence(read, unit, printed_width / width / size if printed_width else None),
        disagreements=(*finding.disagreements, *sentences),
    )


def _references(known: KnownScale, sizes: list[float], printed_width: float | None, width: int) -> list[float]:
    """Sizes of a pixel from which the unit of the bar is told, the most reliable first."""
    references = [*sizes, *([printed_width / width] if printed_width else [])]
    return [*references, *([evidence.DISPLAY_WIDTH / known.magnification / width] if known.magnification else [])]


def _unit(length: Length, by_shape: str, bar: float, references: list[float]) -> tuple[str, list[str]]:
    """The unit of the bar, and a sentence where it is not the one that was read: letters that are clear are believed."""
    if by_shape == length.unit:
        return by_shape, []
    fitting = evidence.unit_that_fits(length.number, bar, references)
    unit = fitting or by_shape or length.unit
    if unit == length.unit:
        return unit, []
    read, taken = (length_text(metres(length.number, one)) for one in (length.unit, unit))
    why = "which fits what else is known" if fitting else "by the shape of its letters"
    return unit, [f"The scale bar was read as {read}; {taken} was taken, {why}."]


def _confidence(read: BannerScale, unit: str, ratio: float | None) -> float:
    """How much a bar is worth by itself: most where the printed field of view says the same (`ratio` of both near 1), least
    where a second reading or the shape of its letters says something else."""
    if ratio is not None:
        return 0.95 if agree(ratio, 1) else 0.5
    if not read.is_confirmed or (read.unit_by_shape and read.unit_by_shape != unit):
        return 0.5
    return 0.85 if read.unit_by_shape else 0.7


def _with_known(finding: ScaleFinding, known: KnownScale, sizes: list[float]) -> ScaleFinding:
    """Metadata and bar together."""
    if not sizes:
        return finding
    bar_size = finding.pixel_size
    if bar_size is None:
        return replace(finding, pixel_size=sizes[0], source=known.source, confidence=0.9 if len(sizes) == 1 else 0.5)
    same = [size for size in sizes if agree(size, bar_size)]
    if same:
        return replace(finding, pixel_size=same[0], source=known.source, confidence=0.99 if len(sizes) == 1 else 0.9)
    is_bar_stronger = finding.confidence >= (_CLEAR if known.source == "side-car" else 0.95)
    sentence = (
        f"By the {known.source} a pixel has {length_text(sizes[0])}, by the scale bar {length_text(bar_size)}:"
        f" the {'scale bar' if is_bar_stronger else known.source} was taken."
    )
    finding = replace(finding, disagreements=(*finding.disagreements, sentence))
    if is_bar_stronger:
        return replace(finding, confidence=0.7)
    return replace(finding, pixel_size=sizes[0], source=known.source, confidence=0.4)


def _checked_by_magnification(finding: ScaleFinding, known: KnownScale, width: int) -> ScaleFinding:
    """Says so where a magnification is far from what follows from the pixel size. That of the banner is doubted itself, and
    asked only where the bar is all that there is."""
    size = finding.pixel_size
    magnification = known.magnification
    if magnification is None and finding.source == "ocr" and finding.confidence < 0.95:
        magnification = _number(finding.fields, "magnification")
    if size is None or magnification is None or evidence.fits_magnification(size, magnification, width):
        return finding
    sentence = f"A magnification of {magnification:,.0f} does not fit a field of view of {length_text(size * width)}."
    disagreements = (*finding.disagreements, sentence)
    return replace(finding, disagreements=disagreements, confidence=min(finding.confidence, 0.5))


def _number(fields: tuple[BannerField, ...], name: str) -> float | None:
    return next((field.value for field in fields if field.name == name and isinstance(field.value, float)), None)
