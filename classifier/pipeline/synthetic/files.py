"""Writes a synthetic image as its instrument would: vendor tags or side-cars, right or wrong as the image's truth says."""

from pathlib import Path

import tifffile

from catalogue.demo import microscope_files
from catalogue.demo.microscope_files import SYNTHETIC
from classifier.pipeline.synthetic.images import SyntheticImage


def write_files(folder: Path, name: str, image: SyntheticImage) -> list[Path]:
    """Write `folder/name.tif`, and for JEOL and Hitachi a side-car `name.txt`; returns the files, the image first.

    Zeiss and FEI images carry tags 34118 and 34682. An image without a banner is a plain TIFF.
    """
    path, exposure, shape = folder / f"{name}.tif", image.exposure, image.picture_shape
    style = image.truth.style
    if style == "zeiss":
        microscope_files.save_zeiss(path, image.pixels, exposure, shape)
    elif style == "fei":
        microscope_files.save_fei(path, image.pixels, exposure, shape)
    elif style == "jeol":
        return microscope_files.save_jeol(path, image.pixels, exposure, shape, bar=image.truth.printed_value or 0.0)
    elif style == "hitachi":
        return microscope_files.save_hitachi(path, image.pixels, exposure, shape)
    else:
        tifffile.imwrite(
            path, image.pixels, photometric="minisblack", description=SYNTHETIC, metadata=None, software=""
        )
    return [path]
