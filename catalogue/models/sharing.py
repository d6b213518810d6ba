"""Share links: read-only access for whoever holds the address, such as a reviewer."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalogue.models.base import make_uid
from catalogue.models.collections import Collection
from catalogue.models.datasets import Dataset
from catalogue.models.investigations import Investigation


class ShareLink(models.Model):
    """A secret address that shows one record until `expires_at`. Only the SHA-256 digest of its token is kept.

    With `hides_people` no name of a person is shown, those within metadata of files included. Files themselves may name
    people, so `allows_files` is a decision of its own.
    """

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=200, blank=True)
    investigation = models.ForeignKey(Investigation, models.CASCADE, null=True, blank=True, related_name="share_links")
    dataset = models.ForeignKey(Dataset, models.CASCADE, null=True, blank=True, related_name="share_links")
    collection = models.ForeignKey(Collection, models.CASCADE, null=True, blank=True, related_name="share_links")
    hides_people = models.BooleanField(default=False)
    allows_files = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="share_links")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(investigation__isnull=False, dataset__isnull=True, collection__isnull=True)
                | Q(investigation__isnull=True, dataset__isnull=False, collection__isnull=True)
                | Q(investigation__isnull=True, dataset__isnull=True, collection__isnull=False),
                name="share_link_shows_one_record",
            )
        ]

    def __str__(self) -> str:
        return self.label or f"share link {self.uid}"


class ShareLinkUse(models.Model):
    """One use of a share link; the visitor is a salted daily digest, never an address."""

    link = models.ForeignKey(ShareLink, models.CASCADE, related_name="uses")
    at = models.DateTimeField(auto_now_add=True)
    visitor = models.CharField(max_length=64)
    path = models.CharField(max_length=500)

    class Meta:
        ordering = ["-id"]
