"""Reading instrument files: file -> parameters with units, technique, instrument, date, thumbnail.

Pure functions without Django. `extract` reads in this process; `sandbox.extract_in_sandbox` does the same in a child
process with hard limits and is what the application calls.
"""

from catalogue.extraction.model import Extraction, Limits, Note, RawParameter
from catalogue.extraction.names import STANDARD_NAMES, TECHNIQUES
from catalogue.extraction.registry import extract
from catalogue.extraction.sniffing import sniff
from catalogue.extraction.source import LocalFile, SourceFile

__all__ = [
    "STANDARD_NAMES",
    "TECHNIQUES",
    "Extraction",
    "Limits",
    "LocalFile",
    "Note",
    "RawParameter",
    "SourceFile",
    "extract",
    "sniff",
]
