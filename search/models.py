"""What search keeps in the database: searches that people saved, and builds of an index that were begun.

Documents and queries of the index do not live here.
"""

from django.conf import settings
from django.db import models

from catalogue.models.base import make_uid


class SavedSearch(models.Model):
    """A search that somebody keeps under a name. `parameters` is its canonical query string, without a cursor.

    `feed_digest` is the SHA-256 of the secret in the address of its Atom feed; "" while there is none. New hits are those that
    came into view after `told_until`.
    """

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=200)
    parameters = models.TextField(blank=True)
    is_mailed = models.BooleanField(default=False)
    feed_digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    told_until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "saved searches"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_search_name_unique"),
            models.UniqueConstraint(
                fields=["feed_digest"], name="saved_search_feed_unique", condition=~models.Q(feed_digest="")
            ),
        ]
        indexes = [
            models.Index(fields=["told_until"], name="saved_search_mailed", condition=models.Q(is_mailed=True)),
        ]

    def __str__(self) -> str:
        return self.name


class IndexBuild(models.Model):
    """One building of an index from the database, so that it can be resumed and its progress shown."""

    class State(models.TextChoices):
        BUILDING = "building", "being built"
        LIVE = "live", "in use"
        RETIRED = "retired", "replaced"
        FAILED = "failed", "given up"

    name = models.CharField(max_length=100, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.BUILDING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    last_dataset = models.PositiveBigIntegerField(default=0, help_text="Key up to which all datasets are in")
    written = models.PositiveBigIntegerField(default=0)
    expected = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
