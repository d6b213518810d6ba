"""The scale of a picture: does the pixel size that the metadata give fit the picture that is there?

Exports and small stores change the picture but not its metadata; a wrong scale is worse than none.
"""

from __future__ import annotations

from catalogue.extraction.draft import Draft

_TOLERANCE = 0.02


def add_pixel_size(draft: Draft, value: float, unit: str, *, axis: str = "x", true_value: float | None = None) -> None:
    """Add the standard pixel size of one axis; a differing `true_value` replaces it, with a note.

    The caller keeps the uncorrected value in its vendor group.
    """
    is_wrong = true_value is not None and value > 0 and abs(true_value / value - 1) > _TOLERANCE
    if is_wrong and true_value is not None:
        draft.note(
            "pixel-size-corrected",
            f"The file states {value:.6g} {unit} per pixel, which does not fit the picture's size;"
            f" {true_value:.6g} {unit} does and is used. The value of the file is kept among the vendor's.",
        )
        value = true_value
    if value > 0:
        draft.standard(f"pixel_size_{axis}", value, unit)
