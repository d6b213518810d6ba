"""Who measures and with what: facilities, instruments, techniques, and the licences that data carry."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from catalogue.models.base import Record
from catalogue.models.validators import validate_ror, validate_time_zone


class Licence(models.Model):
    """An SPDX licence."""

    spdx_id = models.CharField(max_length=80, primary_key=True)
    name = models.CharField(max_length=300)
    url = models.URLField(max_length=300, blank=True)

    class Meta:
        ordering = ["spdx_id"]

    def __str__(self) -> str:
        return self.spdx_id


class EmbargoMetadata(models.TextChoices):
    """What everyone may read of a record under embargo."""

    SUMMARY = "summary", "a summary"
    FULL = "full", "all metadata, but no files"
    NONE = "none", "nothing"


class SessionDoi(models.TextChoices):
    """When an investigation gets its DOI."""

    START = "start", "when it starts"
    END = "end", "when it ends"
    FIRST_DATASET = "first_dataset", "with its first dataset"


class Facility(Record):
    """A facility with its data policy, which an instrument may state otherwise. `catalogue/policy.py` reads both."""

    name = models.CharField(max_length=200, unique=True)
    short_name = models.CharField(max_length=40, unique=True)
    ror = models.URLField(max_length=60, blank=True, validators=[validate_ror])
    url = models.URLField(blank=True)
    description = models.TextField(blank=True)
    time_zone = models.CharField(
        max_length=60, default="UTC", validators=[validate_time_zone], help_text="IANA name, for example Europe/Rome"
    )
    embargo_months = models.PositiveSmallIntegerField(
        default=36,
        validators=[MinValueValidator(0)],
        help_text="Months from the end of an investigation to its release",
    )
    maximum_embargo_months = models.PositiveSmallIntegerField(
        default=60, help_text="Months from the end of an investigation beyond which no extension goes"
    )
    extension_hold_days = models.PositiveSmallIntegerField(
        default=30,
        help_text="Days for which an undecided request for an extension keeps data closed past their embargo",
    )
    embargo_metadata = models.CharField(max_length=10, choices=EmbargoMetadata.choices, default=EmbargoMetadata.SUMMARY)
    session_doi = models.CharField(max_length=20, choices=SessionDoi.choices, default=SessionDoi.START)
    retention_years = models.PositiveSmallIntegerField(default=10, help_text="Years for which raw data are kept")
    default_licence = models.ForeignKey(Licence, models.PROTECT, default="CC-BY-4.0")

    class Meta:
        verbose_name_plural = "facilities"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(maximum_embargo_months__gte=F("embargo_months")), name="facility_maximum_embargo"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Technique(models.Model):
    """An experimental technique by IRI: PaNET, ESRFET, or one of our own narrower terms."""

    iri = models.URLField(max_length=200, unique=True)
    label = models.CharField(max_length=200)
    alternative_labels = models.JSONField(default=list, blank=True)
    definition = models.TextField(blank=True)
    source = models.CharField(max_length=20)
    parents = models.ManyToManyField("self", symmetrical=False, related_name="children", blank=True)
    dataset_count = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class TechniqueAncestor(models.Model):
    """The transitive closure of `Technique.parents`, each term being its own ancestor too."""

    technique = models.ForeignKey(Technique, models.CASCADE, related_name="ancestor_rows")
    ancestor = models.ForeignKey(Technique, models.CASCADE, related_name="descendant_rows")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["technique", "ancestor"], name="technique_ancestor_unique")]


class Instrument(Record):
    """An instrument, described by the properties of the PIDINST schema (doi:10.15497/RDA00070).

    A policy column that is empty here is as the facility says.
    """

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="instruments")
    name = models.CharField(max_length=200)
    short_name = models.SlugField(max_length=60, unique=True)
    pid = models.URLField(max_length=200, blank=True, help_text="Handle or DOI of the instrument itself")
    instrument_type = models.CharField(max_length=200, blank=True)
    manufacturer = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    serial_number = models.CharField(max_length=100, blank=True, help_text="Kept from public metadata")
    description = models.TextField(blank=True)
    measured_variables = models.JSONField(default=list, blank=True)
    url = models.URLField(blank=True)
    commissioned_on = models.DateField(null=True, blank=True)
    decommissioned_on = models.DateField(null=True, blank=True)
    embargo_months = models.PositiveSmallIntegerField(null=True, blank=True)
    maximum_embargo_months = models.PositiveSmallIntegerField(null=True, blank=True)
    extension_hold_days = models.PositiveSmallIntegerField(null=True, blank=True)
    embargo_metadata = models.CharField(max_length=10, choices=EmbargoMetadata.choices, blank=True)
    session_doi = models.CharField(max_length=20, choices=SessionDoi.choices, blank=True)
    retention_years = models.PositiveSmallIntegerField(null=True, blank=True)
    default_licence = models.ForeignKey(Licence, models.PROTECT, null=True, blank=True, related_name="+")
    techniques = models.ManyToManyField(Technique, related_name="instruments", blank=True)
    dataset_count = models.PositiveBigIntegerField(default=0, editable=False)

    # What `catalogue/selectors.py` fetches with a row: no column of the table.
    technique_terms: list[dict[str, str]]

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["facility", "name"], name="instrument_name_unique")]

    def __str__(self) -> str:
        return self.name
