"""PNG, JPEG and BMP pictures, with the side-car of a microscope where there is one.

Of EXIF only maker, model, software and date are taken; positions and names of people stay in the file.
"""

from __future__ import annotations

import warnings

from PIL import Image, UnidentifiedImageError

from catalogue.extraction import sidecars, text, thumbnails
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import UnreadableFile
from catalogue.extraction.source import SourceFile

_FORMATS = ["PNG", "JPEG", "BMP"]
_MAKE, _MODEL, _SOFTWARE, _DATE_TIME = 271, 272, 305, 306


def read(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from a picture. Raises UnreadableFile for a broken header."""
    with source.open() as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(stream, formats=_FORMATS) as image:
                draft.picture_size = image.size
                draft.dimensions = (image.height, image.width)
                if not sidecars.read_beside(source, image.size, draft):
                    _read_exif(image, draft)
                _preview(image, draft)
        except Image.DecompressionBombError as error:
            raise UnreadableFile(
                "picture-too-large", "The picture has so many pixels that no preview was made. The data are kept."
            ) from error
        except (UnidentifiedImageError, ValueError, SyntaxError) as error:
            raise UnreadableFile(
                "picture-unreadable", f"The picture cannot be opened ({type(error).__name__}). Copy the file again."
            ) from error


def _read_exif(image: Image.Image, draft: Draft) -> None:
    exif = image.getexif()
    draft.model(exif.get(_MODEL), str(exif.get(_MAKE) or "").strip() or None)
    draft.standard("software", exif.get(_SOFTWARE))
    day_text, _, time_text = str(exif.get(_DATE_TIME) or "").partition(" ")
    draft.acquired(text.moment(day_text.replace(":", "/"), time_text))


def _preview(image: Image.Image, draft: Draft) -> None:
    try:
        draft.check_pixels(image.width * image.height)
        longest_side = draft.limits.thumbnail_pixels
        image.draft(None, (2 * longest_side, 2 * longest_side))  # JPEG: decode at a smaller scale
        draft.thumbnail = thumbnails.picture(thumbnails.decimated(image, longest_side), longest_side)
    except UnreadableFile as error:
        draft.note(error.code, error.message)
    except (OSError, ValueError, SyntaxError) as error:
        draft.note(
            "picture-unreadable",
            f"The picture cannot be read ({type(error).__name__}): the file may be cut off. Its metadata are kept.",
        )
