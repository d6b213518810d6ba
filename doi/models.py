"""DOIs: what is wanted of each at DataCite and what DataCite last confirmed. Tables and constraints only.

How often a delivery was tried and when it is tried next stands in its outbox entry (topic `doi`, key = the DOI), not here.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from catalogue.models import Collection, Concept, Investigation
from catalogue.models.base import make_uid


class IdentifierState(models.TextChoices):
    """In DataCite's words; `none` is a name that DataCite does not know of."""

    NONE = "none", "not yet asked for"
    DRAFT = "draft", "reserved"
    REGISTERED = "registered", "hidden"
    FINDABLE = "findable", "findable"


class Problem(models.TextChoices):
    """Why the last delivery did not succeed: see `doi/delivery.py` for what follows of each."""

    NONE = "", "none"
    REFUSED = "refused", "refused by DataCite"
    LATER = "later", "DataCite does not answer"
    UNKNOWN = "unknown", "not known whether DataCite took it"
    OPERATOR = "operator", "DataCite does not know this site"


class Identifier(models.Model):
    """The DOI of one investigation, one version of a collection, or one concept. It is never deleted.

    `wanted` follows from the record and the clock; every change of what is to be told to DataCite raises `wanted_version`.
    `state`, `accepted_version`, `accepted_hash` (`doi.comparison.Fingerprints`) and `accepted_at` are what DataCite last
    confirmed.
    `changes_at` is the moment at which the clock alone changes what is to be told. `claimed_until` is the lease of the one
    deliverer at work. `problems` holds messages by the form field that they belong to.
    """

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    doi = models.CharField(max_length=100, unique=True, editable=False)
    investigation = models.OneToOneField(
        Investigation, models.PROTECT, null=True, blank=True, related_name="identifier", editable=False
    )
    collection = models.OneToOneField(
        Collection, models.PROTECT, null=True, blank=True, related_name="identifier", editable=False
    )
    concept = models.OneToOneField(
        Concept, models.PROTECT, null=True, blank=True, related_name="identifier", editable=False
    )
    wanted = models.CharField(max_length=10, choices=IdentifierState.choices, default=IdentifierState.NONE)
    state = models.CharField(max_length=10, choices=IdentifierState.choices, default=IdentifierState.NONE)
    wanted_version = models.PositiveBigIntegerField(default=0)
    accepted_version = models.PositiveBigIntegerField(default=0)
    accepted_hash = models.CharField(max_length=64, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    changes_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=10, choices=Problem.choices, blank=True, default=Problem.NONE)
    problems = models.JSONField(default=dict, blank=True)
    last_error = models.TextField(blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(default=timezone.now, help_text="When DataCite was last asked what it has")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(investigation__isnull=False, collection__isnull=True, concept__isnull=True)
                | Q(investigation__isnull=True, collection__isnull=False, concept__isnull=True)
                | Q(investigation__isnull=True, collection__isnull=True, concept__isnull=False),
                name="identifier_names_one_record",
            ),
            models.CheckConstraint(condition=Q(doi=Lower("doi")), name="identifier_in_lower_case"),
            models.CheckConstraint(
                condition=Q(state__in=["none", "draft"]) | Q(wanted__in=["registered", "findable"]),
                name="identifier_is_never_unregistered",
            ),
            models.CheckConstraint(
                condition=Q(state="none", accepted_at__isnull=True) | (~Q(state="none") & Q(accepted_at__isnull=False)),
                name="identifier_accepted_at",
            ),
            models.CheckConstraint(
                condition=Q(accepted_version__lte=F("wanted_version")), name="identifier_accepts_what_was_wanted"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="identifier_unsettled", condition=Q(accepted_version__lt=F("wanted_version"))
            ),
            models.Index(fields=["changes_at"], name="identifier_by_clock", condition=Q(changes_at__isnull=False)),
            models.Index(fields=["checked_at"], name="identifier_by_check", condition=~Q(state="none")),
        ]

    def __str__(self) -> str:
        return self.doi

    @property
    def record(self) -> Investigation | Collection | Concept:
        """What the DOI names."""
        record = self.investigation or self.collection or self.concept
        assert record is not None
        return record

    @property
    def is_settled(self) -> bool:
        """Whether DataCite has confirmed all that is wanted."""
        return self.accepted_version == self.wanted_version


class Link(models.Model):
    """A relation that the authors of `source` state to another DOI of this site, kept so that `target` can state it back."""

    source = models.ForeignKey(Identifier, models.CASCADE, related_name="links", db_index=False)
    target = models.ForeignKey(Identifier, models.CASCADE, related_name="links_back")
    relation_type = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "relation_type"], name="identifier_link_once")
        ]
