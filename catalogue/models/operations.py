"""What keeps the house running: intents for the outside, the audit log, answers to repeated requests, drafts, downloads."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalogue.models.base import make_uid


class OutboxEntry(models.Model):
    """An intent written in the transaction that caused it, and removed when it was delivered.

    `claimed_until` is the lease of the deliverer at work: an entry whose deliverer died is due again when it ends.
    """

    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=100)
    payload = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    available_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "outbox entries"
        indexes = [
            models.Index(fields=["available_at", "id"], name="outbox_due"),
            models.Index(fields=["topic", "key"], name="outbox_by_key"),
            models.Index(fields=["-id"], name="outbox_failed", condition=~Q(last_error="")),
        ]


class DatasetRevision(models.Model):
    """What a search index should hold of a dataset: a number raised by every change of anything that its documents are made of.

    `number` is raised in the transaction of the change, by its row's lock one change after the other, and is the version of
    the index documents. `is_pending` until the indexer wrote them for this very number. `opens_at` is when the index lets
    everybody read the dataset; empty where that was so before the change that is pending, or where the index has nothing.
    `stamped_at` and `stamped_open_at` are for harvesters, see `catalogue/stamps.py`: downloads raise the number only.
    """

    dataset = models.OneToOneField("catalogue.Dataset", models.CASCADE, primary_key=True, related_name="revision")
    number = models.PositiveBigIntegerField(default=1)
    is_pending = models.BooleanField(default=True)
    changed_at = models.DateTimeField(db_default=Now())
    opens_at = models.DateTimeField(null=True, blank=True)
    stamped_at = models.DateTimeField(db_default=Now())
    stamped_open_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["stamped_at", "dataset", "stamped_open_at"], name="revision_stamped"),
            models.Index(fields=["stamped_open_at", "dataset"], name="revision_stamped_open"),
            models.Index(fields=["opens_at"], name="revision_opening", condition=Q(is_pending=True)),
            models.Index(fields=["dataset"], name="revision_pending", condition=Q(is_pending=True)),
            models.Index(fields=["-changed_at"], name="revision_newest_pending", condition=Q(is_pending=True)),
        ]


class AuditEntry(models.Model):
    """Who did what to which record, with the values before and after, in the transaction of the change itself."""

    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_id", "-id"], name="audit_by_object"),
            models.Index(fields=["actor_label", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
        ]


class IdempotencyKey(models.Model):
    """The answer given to a request that carried an Idempotency-Key. `status` is null while the first request is at work."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    headers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_unique")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]


class RegistrationDraft(models.Model):
    """A registration form that a person has begun: saved on every step, registered as a whole or not at all."""

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="registration_drafts")
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]


class SelectedDataset(models.Model):
    """A member of a user's selection. Visitors keep theirs in the session."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="selected_datasets")
    dataset = models.ForeignKey("catalogue.Dataset", models.CASCADE, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "dataset"], name="selected_dataset_unique")]


class Download(models.Model):
    """One line of the usage log (COUNTER Code of Practice 5.1): the visitor is a salted daily digest, never an address."""

    at = models.DateTimeField()
    dataset = models.ForeignKey("catalogue.Dataset", models.CASCADE, related_name="downloads")
    file_name = models.CharField(max_length=1000, blank=True)
    visitor = models.CharField(max_length=64)
    is_robot = models.BooleanField(default=False)
    is_machine = models.BooleanField(default=False)
    is_counted = models.BooleanField(default=False)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes that were to be sent")

    class Meta:
        indexes = [models.Index(fields=["dataset", "visitor", "at"], name="download_double_click")]


class Statistic(models.Model):
    """A figure about the whole archive, measured by a periodic job so that no request counts the archive."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.BigIntegerField()
    measured_at = models.DateTimeField()
