"""The mapping of an index in Elasticsearch, declared from `search.fields`, and documents in the shape of that mapping.

Nothing is analysed there but the spaces between tokens, so that the mapping needs no module beside the plain server: what is
folded, cut or joined was so before (`search.analysis`). Nothing of the database here, and no writing: django-elasticsearch-dsl
declares, and its signals and commands stay out of the installed apps, because they would index what is rolled back.
"""

from collections.abc import Iterable
from typing import Any

from django_elasticsearch_dsl import Document as DeclaredDocument
from django_elasticsearch_dsl import fields
from elasticsearch.dsl import MetaField

from search.backends.base import Document
from search.fields import FIELDS, PARAMETERS, Field, Kind

# Lucene refuses a keyword of more than 32,766 bytes, and with it the document.
LONGEST_KEYWORD = 8_191
# Hits by score are numbered up to here; nobody reads further.
MOST_HITS = 100_000
WORDS = "words"
GONE = "gone"
SETTINGS = {
    "auto_expand_replicas": "0-1",
    # Whoever writes makes it visible: see `Index.write`.
    "refresh_interval": "-1",
    "max_result_window": MOST_HITS,
    # Who reads very many closed datasets names them all.
    "max_terms_count": 1_000_000,
    "max_regex_length": 2 * LONGEST_KEYWORD,
    "mapping.nested_objects.limit": 100_000,
}
TEXTS = tuple(field.name for field in FIELDS if field.kind is Kind.TEXT)


def _declared(field: Field) -> fields.DEDField:
    if field.kind is Kind.TEXT:
        return fields.TextField(analyzer="whitespace")
    if field.kind is Kind.NUMBER:
        return fields.LongField()
    return fields.KeywordField(ignore_above=LONGEST_KEYWORD)


class DatasetDocument(DeclaredDocument):
    """One form of a dataset. `words` holds the tokens of each text once more, by which suggestions are counted.

    Nothing reads a document back, so that its source is not kept.
    """

    parameters = fields.NestedField(
        dynamic="strict",
        properties={
            "name": fields.KeywordField(),
            "unit_si": fields.KeywordField(),
            "value_si": fields.DoubleField(),
        },
    )
    words = fields.ObjectField(
        dynamic="strict",
        properties={name: fields.KeywordField(index=False, ignore_above=LONGEST_KEYWORD) for name in TEXTS},
    )

    class Meta:
        dynamic = MetaField("strict")
        source = MetaField(enabled=False)

    class Index:
        name = "faircat"
        settings = SETTINGS


for _field in FIELDS:
    DatasetDocument._doc_type.mapping.field(_field.name, _declared(_field))


def index_body(*, shards: int) -> dict[str, Any]:
    """Settings and mapping of a new index."""
    body: dict[str, Any] = DatasetDocument._index.to_dict()
    return body | {"settings": SETTINGS | {"number_of_shards": shards}}


def mapped(document: Document) -> dict[str, Any]:
    """`document` as the mapping has it."""
    shaped = {name: value for name, value in document.items() if name != PARAMETERS}
    for field in FIELDS:
        if field.kind is Kind.TOKENS and field.name in shaped:
            shaped[field.name] = _distinct(shaped[field.name].split())
    if words := {name: _distinct(document[name].split()) for name in TEXTS if name in document}:
        shaped[WORDS] = words
    if parameters := document.get(PARAMETERS):
        shaped[PARAMETERS] = [named(key) | {"value_si": value} for key, value in parameters.items()]
    return shaped


def named(key: str) -> dict[str, str]:
    """Name and unit of the parameter `key`, see `search.fields.parameter_key`."""
    name, _, unit = key.rpartition("|")
    return {"name": name, "unit_si": unit}


def stub(key: str, dataset: int, version: int) -> Document:
    """What stands for a document that is not there, so that an older one is refused however late it comes."""
    return {"key": key, "dataset": dataset, "version": version, "document": [GONE]}


def _distinct(tokens: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(tokens))
