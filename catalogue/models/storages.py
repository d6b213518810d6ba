"""Places that hold bytes, and what the watcher knows of the files in them."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalogue.models.base import make_uid
from catalogue.models.facilities import Instrument


class StorageKind(models.TextChoices):
    POSIX = "posix", "folder"
    WEBDAV = "webdav", "WebDAV or NextCloud"
    S3 = "s3", "S3"


class StorageState(models.TextChoices):
    UNKNOWN = "unknown", "not checked yet"
    AVAILABLE = "available", "available"
    UNAVAILABLE = "unavailable", "unavailable"


class Storage(models.Model):
    """A place that holds bytes. Without `owner` it was declared by an administrator, for the instrument that writes there.

    `location` is a folder, a URL, or `s3://bucket/prefix`. `secret` is encrypted (`secrets.py`) and never shown.
    `member_folder` confines team members to their own folder, for example `{proposal}/{visit_id}`; while it is empty only
    curators, administrators and the instrument itself may register files of an administrator's storage.
    """

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=StorageKind.choices)
    location = models.CharField(max_length=500)
    endpoint = models.URLField(blank=True)
    region = models.CharField(max_length=40, blank=True)
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="storages")
    instrument = models.ForeignKey(Instrument, models.PROTECT, null=True, blank=True, related_name="storages")
    member_folder = models.CharField(max_length=200, blank=True)
    is_private_network_allowed = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    state = models.CharField(max_length=12, choices=StorageState.choices, default=StorageState.UNKNOWN, editable=False)
    state_text = models.TextField(blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)

    # What `catalogue/curation.py` fetches with a row: no column of the table.
    failed_scans: list[dict[str, str]]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner__isnull=True) | (~Q(kind="posix") & Q(is_private_network_allowed=False)),
                name="storage_of_user_is_remote_and_public",
            )
        ]

    def __str__(self) -> str:
        return self.name


class WatchRule(models.Model):
    """How files that appear in a storage become datasets.

    `pattern` is a regular expression over the path in the storage. Its named groups may be used in the templates:
    `visit_template` gives the visit id of the investigation, `group_template` the registration key (files with the same key
    form one dataset), `title_template` the title, which is public under embargo too: leave file names out of it.
    """

    storage = models.ForeignKey(Storage, models.CASCADE, related_name="watch_rules")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="watch_rules")
    name = models.CharField(max_length=100)
    folder = models.CharField(max_length=500, blank=True)
    pattern = models.CharField(max_length=500)
    visit_template = models.CharField(max_length=200)
    group_template = models.CharField(max_length=300)
    title_template = models.CharField(max_length=300, default="{technique} at {instrument}, {date}")
    sample_template = models.CharField(max_length=200, blank=True)
    settle_seconds = models.PositiveIntegerField(default=60, help_text="A file must not have changed for this long")
    is_active = models.BooleanField(default=True)
    acts_as = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["storage", "name"], name="watch_rule_name_unique")]

    def __str__(self) -> str:
        return self.name


class WatchedState(models.TextChoices):
    GROWING = "growing", "growing"
    REGISTERED = "registered", "registered"
    CHANGED = "changed", "changed after registration"
    MISSING = "missing", "missing"
    RENAMED = "renamed", "renamed"
    REFUSED = "refused", "refused"


class WatchedFile(models.Model):
    """What the watcher last saw of one path: enough to tell unchanged, growing, changed, renamed and vanished files apart."""

    rule = models.ForeignKey(WatchRule, models.CASCADE, related_name="watched_files")
    path = models.CharField(max_length=1000)
    size = models.PositiveBigIntegerField()
    modified_at = models.DateTimeField()
    etag = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=WatchedState.choices, default=WatchedState.GROWING)
    reason = models.TextField(blank=True)
    datafile = models.ForeignKey(
        "catalogue.Datafile", models.SET_NULL, null=True, blank=True, related_name="watched_files"
    )
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "path"], name="watched_file_unique")]
        indexes = [
            models.Index(fields=["rule", "state"], name="watched_file_by_state"),
            models.Index(
                fields=["-changed_at"],
                name="watched_file_problems",
                condition=Q(state__in=["refused", "changed", "missing", "renamed"]),
            ),
        ]


class ScanRun(models.Model):
    """What one scan of one rule did."""

    rule = models.ForeignKey(WatchRule, models.CASCADE, related_name="scan_runs")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    seen = models.PositiveIntegerField(default=0)
    registered = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at"]
