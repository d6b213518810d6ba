"""Datasets, their files and metadata values, what was said of them, and what they relate to.

A foreign key without `db_index` is the first column of another index: a million datasets have twenty million values.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalogue.models.base import Record
from catalogue.models.facilities import Instrument, Licence, Technique
from catalogue.models.investigations import Investigation, RecordState, Sample
from catalogue.models.storages import Storage


class DatasetKind(models.TextChoices):
    RAW = "raw", "raw"
    PROCESSED = "processed", "processed"


class ExtractionState(models.TextChoices):
    NONE = "none", "not asked for"
    PENDING = "pending", "waiting"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class Dataset(Record):
    """One acquisition or one processed result. `embargo_until` and `released_at` override the investigation's.

    `file_count` and `size` (bytes) are kept by the services, so that no page counts rows.
    `follows_raw_data` is true until somebody gives a processed dataset an embargo of its own: it opens with what it derives
    from. `registration_key` is the registrant's own name for the dataset: the same key is never registered twice.
    """

    investigation = models.ForeignKey(Investigation, models.PROTECT, related_name="datasets", db_index=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="datasets", db_index=False)
    sample = models.ForeignKey(Sample, models.PROTECT, null=True, blank=True, related_name="datasets")
    techniques = models.ManyToManyField(Technique, related_name="datasets", blank=True)
    derived_from = models.ManyToManyField("self", symmetrical=False, related_name="derivatives", blank=True)
    kind = models.CharField(max_length=10, choices=DatasetKind.choices, default=DatasetKind.RAW)
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True, help_text="Public under embargo too")
    acquired_at = models.DateTimeField(null=True, blank=True)
    licence = models.ForeignKey(Licence, models.PROTECT, default="CC-BY-4.0")
    state = models.CharField(max_length=10, choices=RecordState.choices, default=RecordState.ACTIVE)
    withdrawal_reason = models.TextField(blank=True)
    embargo_until = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    follows_raw_data = models.BooleanField(default=True)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    registration_key = models.CharField(max_length=300, null=True, blank=True)
    extraction_state = models.CharField(max_length=10, choices=ExtractionState.choices, default=ExtractionState.NONE)
    extraction_notes = models.JSONField(default=list, blank=True)
    format_label = models.CharField(max_length=100, blank=True)
    has_thumbnail = models.BooleanField(default=False)
    file_count = models.PositiveBigIntegerField(default=0, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False, help_text="Bytes")
    download_count = models.PositiveBigIntegerField(default=0, editable=False)

    # What `catalogue/selectors.py` fetches with a row: no columns of the table.
    own_doi: str | None
    technique_terms: list[dict[str, str]]
    sources: list[dict[str, str]]
    results: list[dict[str, str]]
    relation_rows: list[dict[str, str]]
    annotation_rows: list[dict[str, Any]]
    is_published: bool
    is_selected: bool
    has_related: bool

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "registration_key"], name="dataset_registration_key_unique"),
            models.CheckConstraint(
                condition=Q(state="active") | ~Q(withdrawal_reason=""), name="dataset_withdrawn_with_reason"
            ),
        ]
        indexes = [
            # With all that openness is made of, and the title: what is open is counted, sorted and searched in the index alone.
            models.Index(
                fields=["investigation", "-id", "state", "embargo_until", "released_at", "title"],
                name="dataset_by_investigation",
            ),
            models.Index(fields=["instrument", "-id"], name="dataset_by_instrument"),
            models.Index(fields=["-acquired_at", "-id"], name="dataset_by_acquisition"),
            models.Index(fields=["created_at"], name="dataset_by_registration"),
            models.Index(
                fields=["embargo_until"], name="dataset_own_embargo", condition=Q(embargo_until__isnull=False)
            ),
            models.Index(
                fields=["investigation"],
                name="dataset_own_terms",
                condition=Q(embargo_until__isnull=False) | Q(released_at__isnull=False),
            ),
            models.Index(
                fields=["extraction_state", "-id"],
                name="dataset_not_extracted",
                condition=Q(extraction_state__in=["pending", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class FileRole(models.TextChoices):
    DATA = "data", "data"
    METADATA = "metadata", "metadata"
    AUXILIARY = "auxiliary", "auxiliary"


class Fixity(models.TextChoices):
    UNKNOWN = "unknown", "not checked yet"
    INTACT = "intact", "intact"
    CHANGED = "changed", "changed since registration"
    MISSING = "missing", "missing"
    UNREADABLE = "unreadable", "could not be read"


class Datafile(models.Model):
    """One file, by reference to a storage. `path` is where it lies there; `name` is its path within the dataset.

    Only `name` is ever shown to readers. `path` is at most 1000 bytes of UTF-8, so that it can be indexed.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="files", db_index=False)
    storage = models.ForeignKey(Storage, models.PROTECT, related_name="files", db_index=False)
    path = models.CharField(max_length=1000)
    name = models.CharField(max_length=1000)
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes; null until measured")
    modified_at = models.DateTimeField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    crc32 = models.PositiveBigIntegerField(null=True, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=10, choices=FileRole.choices, default=FileRole.DATA)
    fixity = models.CharField(max_length=10, choices=Fixity.choices, default=Fixity.UNKNOWN)
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["storage", "path"], name="datafile_path_unique"),
            models.UniqueConstraint(fields=["dataset", "name"], name="datafile_name_unique"),
        ]
        indexes = [
            models.Index(fields=["storage", "checked_at"], name="datafile_by_check"),
            models.Index(
                fields=["fixity"],
                name="datafile_not_intact",
                condition=Q(fixity__in=["changed", "missing", "unreadable"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Source(models.TextChoices):
    INSTRUMENT = "instrument", "instrument"
    PERSON = "person", "person"
    AI = "ai", "AI"


class ParameterKind(models.TextChoices):
    NUMBER = "number", "number"
    TEXT = "text", "text"
    LIST = "list", "list"
    DATE = "date", "date"


class Parameter(models.Model):
    """One metadata value: `text` and `unit` as given, and for numbers `value`, with `value_si` and `unit_si` beside it.

    `group` is empty for standard names (see `vocabularies/standard_names.py`), else the vendor group that it came from.
    A person's correction is a row of its own with source `person`: the instrument's value is never overwritten.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="parameters", db_index=False)
    group = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=10, choices=Source.choices)
    kind = models.CharField(max_length=6, choices=ParameterKind.choices)
    text = models.TextField(blank=True)
    unit = models.CharField(max_length=60, blank=True)
    value = models.FloatField(null=True, blank=True)
    value_si = models.FloatField(null=True, blank=True)
    unit_si = models.CharField(max_length=60, blank=True)
    date = models.DateTimeField(null=True, blank=True)
    items = models.JSONField(null=True, blank=True)
    is_personal = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "group", "name", "source"], name="parameter_unique"),
            models.CheckConstraint(
                condition=~Q(kind="number") | Q(value__isnull=False), name="parameter_number_has_value"
            ),
        ]
        indexes = [models.Index(fields=["name", "value_si"], name="parameter_by_value")]

    def __str__(self) -> str:
        return self.name


class Annotation(models.Model):
    """What a model or a person says of one file: a label with confidence (0 to 1), and who verified it.

    `dataset` is that of the file, so that no page looks for labels among ten thousand files. `kind` names the question that
    the label answers, such as "category" for what an image shows.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="annotations", db_index=False)
    datafile = models.ForeignKey(Datafile, models.CASCADE, related_name="annotations")
    kind = models.CharField(max_length=40)
    label = models.CharField(max_length=200)
    confidence = models.FloatField(null=True, blank=True)
    source = models.CharField(max_length=10, choices=Source.choices)
    model_release = models.CharField(max_length=100, blank=True)
    verified_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["datafile", "kind", "model_release", "label"], name="annotation_unique"),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
                name="annotation_confidence_range",
            ),
        ]
        indexes = [models.Index(fields=["dataset", "kind"], name="annotation_by_dataset")]


class Relation(models.Model):
    """A link from a dataset or an investigation to a paper, software or other resource, by DataCite relation type."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, null=True, blank=True, related_name="relations")
    investigation = models.ForeignKey(Investigation, models.CASCADE, null=True, blank=True, related_name="relations")
    relation_type = models.CharField(max_length=40)
    identifier = models.CharField(max_length=500)
    identifier_type = models.CharField(max_length=20, default="DOI")
    resource_type = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            *(
                models.UniqueConstraint(
                    fields=[subject, "relation_type", "identifier"],
                    name=f"relation_of_{subject}_unique",
                    condition=Q(**{f"{subject}__isnull": False}),
                )
                for subject in ("dataset", "investigation")
            ),
            models.CheckConstraint(
                condition=Q(dataset__isnull=False, investigation__isnull=True)
                | Q(dataset__isnull=True, investigation__isnull=False),
                name="relation_has_one_subject",
            ),
        ]
