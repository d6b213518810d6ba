"""Collections: any datasets, investigations and other collections that one DOI names, in versions of one concept.

Whether its DOI is reserved or findable is the matter of the app `doi`; here stands what the collection says and holds.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalogue.models.base import Record, make_uid
from catalogue.models.datasets import Dataset
from catalogue.models.embargo import Request
from catalogue.models.investigations import Investigation


class CollectionState(models.TextChoices):
    DRAFT = "draft", "draft"
    PUBLISHING = "publishing", "being published"
    PUBLISHED = "published", "published"
    WITHDRAWN = "withdrawn", "withdrawn"


class Concept(models.Model):
    """What all versions of a collection have in common: a DOI that always leads to the newest one."""

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    doi = models.CharField(max_length=200, unique=True, null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.doi or str(self.uid)


class Collection(Record):
    """One version of a collection. `text` is a PublicationText in JSON, see `catalogue/publication.py`.

    A draft is edited by its maker and the team of its `home` investigation. Members are fixed once it is published; the
    text can be corrected. Counts and sizes (bytes) are kept by the services. `doi` is empty until it is findable. `stamped_at`
    and `stamped_open_at` are for harvesters, see `catalogue/stamps.py`.
    """

    concept = models.ForeignKey(Concept, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    home = models.ForeignKey(Investigation, models.PROTECT, null=True, blank=True, related_name="home_of")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="collections")
    state = models.CharField(max_length=10, choices=CollectionState.choices, default=CollectionState.DRAFT)
    withdrawal_reason = models.TextField(blank=True)
    title = models.CharField(max_length=500, blank=True)
    text = models.JSONField(default=dict, blank=True)
    doi = models.CharField(max_length=200, unique=True, null=True, blank=True, editable=False)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    member_count = models.PositiveBigIntegerField(default=0, editable=False)
    dataset_count = models.PositiveBigIntegerField(default=0, editable=False)
    file_count = models.PositiveBigIntegerField(default=0, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False, help_text="Bytes")
    stamped_at = models.DateTimeField(db_default=Now(), editable=False)
    stamped_open_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["concept", "number"], name="collection_version_unique"),
            models.UniqueConstraint(
                fields=["concept"], condition=Q(state__in=["draft", "publishing"]), name="collection_one_draft"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(doi__isnull=False, published_at__isnull=False),
                name="collection_published_with_doi",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | ~Q(withdrawal_reason=""), name="collection_withdrawn_with_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["-published_at"], name="collection_newest", condition=Q(published_at__isnull=False)),
            models.Index(fields=["stamped_at", "id", "stamped_open_at"], name="collection_stamped"),
            models.Index(fields=["stamped_open_at", "id"], name="collection_stamped_open"),
        ]

    def __str__(self) -> str:
        return self.title or "untitled collection"


class CollectionMember(models.Model):
    """A dataset, an investigation with all its datasets, or another collection; `role` is its part in the publication."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="members", db_index=False)
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True, related_name="memberships")
    investigation = models.ForeignKey(Investigation, models.PROTECT, null=True, blank=True, related_name="memberships")
    part = models.ForeignKey(Collection, models.PROTECT, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(dataset__isnull=False, investigation__isnull=True, part__isnull=True)
                | Q(dataset__isnull=True, investigation__isnull=False, part__isnull=True)
                | Q(dataset__isnull=True, investigation__isnull=True, part__isnull=False),
                name="collection_member_is_one_thing",
            ),
            *(
                models.UniqueConstraint(fields=["collection", kind], name=f"collection_{kind}_once")
                for kind in ("dataset", "investigation", "part")
            ),
        ]
        indexes = [models.Index(fields=["collection", "id"], name="collection_member_order")]


class ReleaseConsent(Request):
    """The question to the principal investigator of `investigation` whether its members may be released with a collection."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="consents")
    investigation = models.ForeignKey(Investigation, models.CASCADE, related_name="release_consents")

    class Meta(Request.Meta):
        constraints = [
            models.UniqueConstraint(fields=["collection", "investigation"], name="release_consent_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["granted", "refused"]) | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="release_consent_decided_by",
            ),
        ]
