"""What people ask about an embargo and what they were told: extensions, access for others, and reminders that were sent."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalogue.models.base import make_uid
from catalogue.models.investigations import AccessGrant, Investigation


class RequestState(models.TextChoices):
    OPEN = "open", "waiting for a decision"
    GRANTED = "granted", "granted"
    REFUSED = "refused", "refused"
    WITHDRAWN = "withdrawn", "taken back"
    LAPSED = "lapsed", "not decided in time"


class Request(models.Model):
    """A request with its decision. It is decided once, by compare-and-set on `state`."""

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.OPEN)
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decision_reason = models.TextField(blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def is_undecided(self) -> bool:
        return self.state == RequestState.OPEN


def decided_by_somebody(name: str) -> models.CheckConstraint:
    """A request that was granted or refused says by whom and when."""
    return models.CheckConstraint(
        condition=~Q(state__in=["granted", "refused"]) | Q(decided_at__isnull=False, decided_by__isnull=False),
        name=name,
    )


class ExtensionRequest(Request):
    """The wish of a team to keep an investigation closed until `until`; a curator grants it until `granted_until`."""

    investigation = models.ForeignKey(Investigation, models.CASCADE, related_name="extension_requests")
    until = models.DateTimeField()
    granted_until = models.DateTimeField(null=True, blank=True)

    class Meta(Request.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["investigation"], condition=Q(state="open"), name="extension_request_one_open"
            ),
            decided_by_somebody("extension_request_decided_by"),
            models.CheckConstraint(
                condition=~Q(state="granted") | Q(granted_until__isnull=False), name="extension_granted_until"
            ),
        ]
        indexes = [models.Index(fields=["id"], name="extension_request_open", condition=Q(state="open"))]


class AccessRequest(Request):
    """The wish of a person to read closed data. The team grants it: an AccessGrant, which may end."""

    investigation = models.ForeignKey(
        Investigation, models.CASCADE, null=True, blank=True, related_name="access_requests"
    )
    dataset = models.ForeignKey(
        "catalogue.Dataset", models.CASCADE, null=True, blank=True, related_name="access_requests"
    )
    terms_accepted_at = models.DateTimeField()
    grant = models.OneToOneField(AccessGrant, models.SET_NULL, null=True, blank=True, related_name="request")

    class Meta(Request.Meta):
        constraints = [
            *(
                models.UniqueConstraint(
                    fields=["requested_by", record], condition=Q(state="open"), name=f"access_request_one_open_{record}"
                )
                for record in ("investigation", "dataset")
            ),
            decided_by_somebody("access_request_decided_by"),
            models.CheckConstraint(
                condition=Q(investigation__isnull=False, dataset__isnull=True)
                | Q(investigation__isnull=True, dataset__isnull=False),
                name="access_request_names_one_record",
            ),
        ]


class EmbargoReminder(models.Model):
    """A reminder that was sent: once for each end of an embargo and each number of days before it."""

    investigation = models.ForeignKey(Investigation, models.CASCADE, related_name="reminders")
    embargo_until = models.DateTimeField()
    days_before = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investigation", "embargo_until", "days_before"], name="embargo_reminder_once"
            )
        ]
