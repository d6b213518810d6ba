"""The fields of `search.fields` as Tantivy stores them, and a document of theirs. No questions here.

Nothing is stored beside the index itself: hits are read from columns, records from the database.
"""

import hashlib
import math
from functools import cache

import tantivy

from search.backends.base import Document
from search.fields import FIELDS, PARAMETERS, Field, Kind

# Numbers that are looked up one by one have an inverted index beside their column.
LOOKED_UP = frozenset({"dataset", "investigation", "instrument_key", "year", "month"})
SETS = tuple(field.name for field in FIELDS if field.has_few_sets)
BETWEEN_VALUES = "\n"


@cache
def schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for field in FIELDS:
        _add(builder, field)
    builder.add_json_field(PARAMETERS, fast=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _add(builder: tantivy.SchemaBuilder, field: Field) -> None:
    if field.kind is Kind.NUMBER:
        builder.add_integer_field(field.name, indexed=field.name in LOOKED_UP, fast=True)
    elif field.kind in (Kind.KEYWORD, Kind.ORDER):
        for column in (field.name, set_column(field.name)) if field.has_few_sets else (field.name,):
            builder.add_text_field(column, tokenizer_name="raw", index_option="basic", fast=True)
    else:
        depth = "position" if field.kind is Kind.TEXT else "basic"
        builder.add_text_field(field.name, tokenizer_name="whitespace", index_option=depth)


def set_column(name: str) -> str:
    """The column with all values of a field as one text, which `in_set` takes apart.

    To count it costs one step for each document instead of one for each value. A text may have 65,530 bytes: 1,000 IRIs.
    """
    return f"{name}_set"


def in_set(text: str) -> list[str]:
    return text.split(BETWEEN_VALUES)


@cache
def parameter_path(key: str) -> str:
    """The column of a parameter. Keys hold dots, spaces and quotes, which are syntax in paths: their hash has none."""
    return f"{PARAMETERS}.p{_digest(key)}"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def prepared(document: Document) -> tantivy.Document:
    """The document as Tantivy reads it.

    A value counts once however often it stands in a list. Whole numbers among parameters would make a column of their
    own beside that of the fractions: all are floats. Raises ValueError where the document has not what access needs.
    """
    if document.get("document") not in (["full"], ["summary"]) or "opens_at" not in document:
        raise ValueError("A document needs to be `full` or `summary`, and a time from which it is open.")
    fields: Document = {
        name: list(dict.fromkeys(value)) if isinstance(value, list) else value for name, value in document.items()
    }
    for name in SETS:
        if values := fields.get(name):
            fields[set_column(name)] = BETWEEN_VALUES.join(sorted(values))
    numbers = document.get(PARAMETERS, {}).items()
    columns = {parameter_path(key).partition(".")[2]: float(value) + 0.0 for key, value in numbers}
    fields[PARAMETERS] = {column: number for column, number in columns.items() if math.isfinite(number)}
    return tantivy.Document.from_dict(fields, schema())
