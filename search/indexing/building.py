"""From datasets to the documents of the index, by way of PublicRecords only: what a summary holds, everybody may know.

The fields are those of `search/fields.py`, word for word. What is read stands in `search/indexing/gathering.py`; nothing is written.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

from django.utils import timezone

from catalogue import access
from catalogue.access import Level
from catalogue.masking import References, dataset_record
from catalogue.models import Dataset, Parameter
from catalogue.models.datasets import ParameterKind, Source
from catalogue.record import AnnotationRef, DatasetRecord, ParameterValue
from catalogue.vocabularies.standard_names import label_for
from search.analysis import elements, identifier, identifier_tokens, indexed, title_order
from search.backends.base import Document
from search.fields import PARAMETERS, parameter_key
from search.indexing.gathering import Gathered, gather
from search.scales import bins_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
MOST_PARAMETERS = 2_000
LONGEST_VALUE = 200
# A composite order is a signed 64-bit integer: 33 bits of order above 31 bits of primary key.
KEY_BITS = 31
KEY_MASK = (1 << KEY_BITS) - 1
HIGHEST = (1 << 32) - 1
BEFORE_ALL = -(1 << 32)
# The datasets of one session repeat what is said of it, and many have files of the same names.
_indexed_again = lru_cache(maxsize=4_096)(indexed)
_identified_again = lru_cache(maxsize=16_384)(identifier_tokens)
WORDED = frozenset({ParameterKind.TEXT.value, ParameterKind.LIST.value})


@dataclass
class Built:
    """By primary key: one or two documents of each dataset that is shown at all, and why others could not be built."""

    documents: dict[int, list[Document]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)


def build_documents(versions: Mapping[int, int], *, now: datetime | None = None) -> Built:
    """Documents of the datasets with these primary keys, each under its version, in about fifteen queries.

    What was withdrawn or is gone has none. A dataset that cannot be described fails alone.
    """
    portion = _Portion(gather(versions), now or timezone.now())
    built = Built()
    for key, dataset in portion.gathered.datasets.items():
        try:
            built.documents[key] = _documents(dataset, versions[key], portion)
        except Exception as error:
            built.failures[key] = f"{type(error).__name__}: {error}"
    return built


@dataclass(frozen=True)
class _Portion:
    """What was read of some datasets, for documents of one moment; `shared` is what their records name in common."""

    gathered: Gathered
    now: datetime
    shared: References = field(default_factory=References)

    def record(self, dataset: Dataset, level: Level) -> DatasetRecord:
        # These rows have the columns of a Parameter, without the price of a model each.
        parameters = cast(Sequence[Parameter], self.gathered.parameters.get(dataset.pk, ()))
        return dataset_record(dataset, level, now=self.now, shared=self.shared, parameters=parameters)


def _documents(dataset: Dataset, version: int, portion: _Portion) -> list[Document]:
    """The full document, and while the dataset is closed the summary, unless strangers may not know of it.

    The names of files stand in the full one only.
    """
    gathered, record = portion.gathered, portion.record(dataset, Level.FULL)
    terms = {
        "dataset": dataset.pk,
        "version": version,
        "opens_at": microseconds(record.access.opens_at),
        "investigation": dataset.investigation_id,
        "instrument_key": dataset.instrument_id,
    }
    full = _described(record, dataset, gathered, file_names=gathered.files.get(dataset.pk, ()))
    documents = [_without_empty(terms | {"key": str(dataset.pk), "document": ["full"]} | full)]
    level = Level.NOTHING if record.access.is_open else access.public_level(dataset)
    if level != Level.NOTHING:
        summary = _described(portion.record(dataset, level), dataset, gathered)
        documents.append(_without_empty(terms | {"key": f"{dataset.pk}s", "document": ["summary"]} | summary))
    return documents


def _without_empty(document: Document) -> Document:
    return {name: value for name, value in document.items() if value or value == 0}


def _described(
    record: DatasetRecord,
    dataset: Dataset,
    gathered: Gathered,
    *,
    file_names: Iterable[str] = (),
) -> Document:
    """What the record says, and names of files; `dataset` gives its key and the session's type, which is public."""
    terms = [gathered.terms[term.iri] for term in record.techniques]
    sample = record.sample
    title = indexed(record.title)
    numbers = _numbers(record.parameters)
    people = [person.name for person in record.people]
    return {
        "title": title,
        "abstract": _abstract(record),
        "rest": _rest(record, [term.names for term in terms]),
        "identifiers": _identifiers(record, file_names),
        "technique": sorted({iri for term in terms for iri in term.broader}),
        "instrument": [record.instrument.short_name],
        "facility": [record.facility.short_name],
        "type": [dataset.investigation.investigation_type] if dataset.investigation.investigation_type else [],
        "sample": [sample.name] if sample else [],
        "element": elements(sample.formula) if sample else [],
        "person": list(dict.fromkeys(people)),
        "kind": [record.kind],
        "format": [record.format_label] if record.format_label else [],
        "licence": [record.licence.spdx_id],
        "doi": ["yes" if record.doi or dataset.pk in gathered.published else "no"],
        "scale": bins_of(numbers),
        "parameter": sorted(numbers),
        PARAMETERS: numbers,
        "size": record.size,
        **_opinions(record.annotations),
        **_times(record, dataset.pk),
        "by_downloads": order(record.download_count, dataset.pk),
        "by_title": title_order(title, dataset.pk),
    }


def _abstract(record: DatasetRecord) -> str:
    sample = record.sample
    told = [record.description, record.investigation.title]
    if sample:
        told += [sample.name, sample.formula, sample.sample_type, sample.description]
    return indexed(" ".join(filter(None, told)))


def _rest(record: DatasetRecord, techniques: Iterable[str]) -> str:
    instrument = record.instrument
    told = [part for person in record.people for part in (person.name, person.affiliation)]
    told += [instrument.name, instrument.short_name, instrument.manufacturer, instrument.model]
    told += [record.facility.name, record.facility.short_name, record.format_label, *techniques]
    told += [annotation.label for annotation in record.annotations]
    for parameter in record.parameters[:MOST_PARAMETERS]:
        told.append(label_for(parameter.name))
        if parameter.kind in WORDED:
            told.append(parameter.text[:LONGEST_VALUE])
    return _indexed_again(" ".join(filter(None, told)))


def _identifiers(record: DatasetRecord, names: Iterable[str]) -> str:
    """A uid as a whole only: its parts are random, and would be found by anybody who looks for a number."""
    tokens = [identifier(str(record.uid)), identifier(str(record.investigation.uid))]
    for text in (record.investigation.visit_id, record.proposal, record.doi, record.investigation.doi, *names):
        tokens += _identified_again(text)
    return " ".join(dict.fromkeys(tokens))


def _numbers(parameters: Iterable[ParameterValue]) -> dict[str, float]:
    """One number in SI for each key: a person's word stands before the instrument's, and that before a model's."""
    found: dict[str, float] = {}
    for parameter in parameters:
        number = parameter.value_si
        if number is None or parameter.is_corrected or not math.isfinite(number):
            continue
        key = parameter_key(parameter.group, parameter.name, parameter.unit_si)
        if (key not in found or parameter.source != Source.AI) and len(found) < MOST_PARAMETERS:
            found[key] = number
    return found


def _opinions(labels: Sequence[AnnotationRef]) -> Document:
    """Labels with their highest confidence; what only a person said is certain."""
    return {
        "category": [one.label for one in labels],
        "confidence": [f"{one.label}@{_percent(one.confidence):03}" for one in labels],
        "verified": [one.label for one in labels if one.is_verified],
    }


def _percent(confidence: float | None) -> int:
    """Rounded down, but for what binary fractions lack: 0.29 is 29."""
    return 100 if confidence is None else math.floor(confidence * 100 + 1e-9)


def _times(record: DatasetRecord, key: int) -> Document:
    shown = (record.acquired_at or record.registered_at).astimezone(UTC)
    measured = record.acquired_at
    return {
        "year": shown.year,
        "month": shown.year * 100 + shown.month,
        "measured_at": microseconds(measured) if measured else None,
        "registered_at": microseconds(record.registered_at),
        "by_registered": order(_seconds(record.registered_at), key),
        "by_measured": order(_seconds(measured) if measured else BEFORE_ALL, key),
    }


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // SECOND


def order(rank: int, key: int) -> int:
    """A number that is unique, and greater for a greater rank; among equals, for a greater primary key."""
    return max(BEFORE_ALL, min(rank, HIGHEST)) << KEY_BITS | key & KEY_MASK
