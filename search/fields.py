"""The fields of the index, once for every engine. A change here is a new schema: an index of its own name beside the old.

One dataset has one or two documents: `full`, what its readers see, and while it is closed `summary`, what the policy lets
strangers see. No engine here, and nothing of what people type.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How engines store a field.

    TEXT: tokens of `search.analysis` joined by single spaces, split at spaces only, with positions, scored by BM25.
    TOKENS: as TEXT, for what is never scored by frequency and whose order means nothing (identifiers, file names).
    KEYWORD: exact strings, several of them; facets count them. NUMBER: a signed 64-bit integer, one at most.
    ORDER: one unique string of hexadecimal digits, to sort and to walk by.
    """

    TEXT = "text"
    TOKENS = "tokens"
    KEYWORD = "keyword"
    NUMBER = "number"
    ORDER = "order"


@dataclass(frozen=True)
class Field:
    """`has_few_sets`: of a KEYWORD with many values in each document, where most documents share one of few sets of values."""

    name: str
    kind: Kind
    meaning: str
    has_few_sets: bool = False


FIELDS: tuple[Field, ...] = (
    Field("key", Kind.KEYWORD, "names the document: the dataset's key, followed by `s` for the summary"),
    Field("dataset", Kind.NUMBER, "primary key of the dataset"),
    Field("version", Kind.NUMBER, "the dataset's revision that the document was made from; an older one is refused"),
    Field("document", Kind.KEYWORD, "`full` or `summary`"),
    Field("opens_at", Kind.NUMBER, "microseconds since 1970 UTC from which everyone reads the dataset"),
    Field("investigation", Kind.NUMBER, "primary key, for the readers of a closed dataset"),
    Field("instrument_key", Kind.NUMBER, "primary key, for instruments that hide what is closed"),
    Field("title", Kind.TEXT, "title of the dataset"),
    Field("abstract", Kind.TEXT, "description, title of the investigation, sample"),
    Field(
        "rest",
        Kind.TEXT,
        "people, instrument, technique with its other names, format, parameters in words, labels of images",
    ),
    Field("identifiers", Kind.TOKENS, "ids, numbers of proposals and visits, DOIs, names of files, and their parts"),
    Field("technique", Kind.KEYWORD, "IRIs of its techniques and of all their broader terms", has_few_sets=True),
    Field("instrument", Kind.KEYWORD, "short name"),
    Field("facility", Kind.KEYWORD, "short name"),
    Field("type", Kind.KEYWORD, "type of the investigation"),
    Field("sample", Kind.KEYWORD, "name of the sample"),
    Field("element", Kind.KEYWORD, "symbols of the elements in the sample's formula"),
    Field("person", Kind.KEYWORD, "names of the team"),
    Field("kind", Kind.KEYWORD, "`raw` or `processed`"),
    Field("format", Kind.KEYWORD, "label of the file format"),
    Field("licence", Kind.KEYWORD, "SPDX identifier"),
    Field("doi", Kind.KEYWORD, "`yes` where the dataset itself or a published collection with it has a DOI, else `no`"),
    Field("scale", Kind.KEYWORD, "bin of the size of a pixel on the sample, see `search/scales.py`"),
    Field("category", Kind.KEYWORD, "labels that a model or a person gave its images"),
    Field("confidence", Kind.KEYWORD, "`label@percent` of each label, percent from 000 to 100, rounded down"),
    Field("verified", Kind.KEYWORD, "labels that a person verified"),
    Field("parameter", Kind.KEYWORD, "keys of its parameters"),
    Field("year", Kind.NUMBER, "of measurement, or of registration where that is unknown, in UTC"),
    Field("month", Kind.NUMBER, "the same as yyyymm"),
    Field("measured_at", Kind.NUMBER, "microseconds since 1970 UTC"),
    Field("registered_at", Kind.NUMBER, "microseconds since 1970 UTC"),
    Field("size", Kind.NUMBER, "bytes"),
    # Unique, to sort and to walk by: the primary key stands in the lowest bits, or at the end.
    Field("by_registered", Kind.NUMBER, "order of registration"),
    Field("by_measured", Kind.NUMBER, "order of measurement; what has no date comes before all others"),
    Field("by_downloads", Kind.NUMBER, "order of downloads"),
    Field("by_title", Kind.ORDER, "order of titles, numbers in them as numbers"),
)
# Beside the fields above a document has `parameters`: numbers in SI by parameter key, one for each key.
PARAMETERS = "parameters"
BY_NAME = {field.name: field for field in FIELDS}


def parameter_key(group: str, name: str, unit_si: str) -> str:
    """The name of a numeric parameter in the index: `name|unit`, with `group/` before it for vendors' own names.

    The unit belongs to the key, so that one name used for two dimensions is two parameters.
    """
    return f"{group}/{name}|{unit_si}" if group else f"{name}|{unit_si}"


def schema_hash() -> str:
    """Ten characters that name this set of fields, so that a new set never meets an old index."""
    described = "\n".join(f"{field.name}:{field.kind}:{field.has_few_sets}" for field in FIELDS)
    return hashlib.sha256(described.encode()).hexdigest()[:10]
