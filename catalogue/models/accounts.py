"""People and the accounts with which they or their instruments act."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from catalogue.models.base import make_uid
from catalogue.models.validators import validate_orcid, validate_ror


class Organisation(models.Model):
    """An organisation by its ROR identifier; `ror` is null where it has none."""

    name = models.CharField(max_length=300)
    ror = models.URLField(max_length=60, unique=True, null=True, blank=True, validators=[validate_ror])
    address = models.CharField(max_length=500, blank=True, help_text="Street and number")
    city = models.CharField(max_length=500, blank=True)
    country = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """An account. An instrument account has `instrument` set, no usable password, and acts by token only."""

    email = models.EmailField(blank=True)
    is_curator = models.BooleanField(default=False)
    instrument = models.ForeignKey(
        "catalogue.Instrument", models.PROTECT, null=True, blank=True, related_name="accounts"
    )

    @property
    def is_administrator(self) -> bool:
        return self.is_superuser


class Person(models.Model):
    """A human being named in a record. `orcid_verified_at` is set only when the ORCID came from a login."""

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    given_name = models.CharField(max_length=150, blank=True)
    family_name = models.CharField(max_length=150)
    orcid = models.CharField(max_length=19, unique=True, null=True, blank=True, validators=[validate_orcid])
    orcid_verified_at = models.DateTimeField(null=True, blank=True)
    affiliation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="people")
    user = models.OneToOneField(User, models.SET_NULL, null=True, blank=True, related_name="person")

    class Meta:
        verbose_name_plural = "people"
        ordering = ["family_name", "given_name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(orcid_verified_at__isnull=True) | Q(orcid__isnull=False), name="person_verified_needs_orcid"
            )
        ]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class ApiToken(models.Model):
    """A bearer token: shown once when made, stored as a SHA-256 digest, scoped, expiring, revocable by its owner."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
