"""How large a picture is: what its metadata say, what stands in its banner, and whether the two say the same."""

from classifier.pipeline.scale.finding import find_scale, parameters_of
from classifier.pipeline.scale.known import KnownScale
from classifier.pipeline.scale.ocr import is_tesseract_available

__all__ = ["KnownScale", "find_scale", "is_tesseract_available", "parameters_of"]
