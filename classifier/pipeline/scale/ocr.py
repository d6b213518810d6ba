"""Words of a banner by Tesseract, which is killed when it takes too long. What the words mean is in `grammar.py`."""

import shutil


def is_tesseract_available() -> bool:
    return shutil.which("tesseract") is not None
