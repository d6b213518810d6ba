"""The granted experiment, its sessions, who took part, what was measured, and who else may see it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalogue.models.accounts import Person
from catalogue.models.base import Record
from catalogue.models.facilities import Facility, Instrument, Licence


class Proposal(models.Model):
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="proposals")
    number = models.CharField(max_length=60)
    title = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "number"], name="proposal_number_unique")]

    def __str__(self) -> str:
        return self.number


class RecordState(models.TextChoices):
    ACTIVE = "active", "active"
    WITHDRAWN = "withdrawn", "withdrawn"


class Investigation(Record):
    """One session of a proposal at one instrument. Its embargo is that of its datasets unless they state their own.

    Whether it is open is never stored: it is a function of (state, released_at, embargo_until, held_until, now), see
    `access.py`. `held_until` keeps the data closed past `embargo_until` while a request for an extension is undecided.
    `doi` is the DOI by which the investigation is cited, empty until DataCite made it findable. All its datasets lie between
    `first_dataset_key` and `last_dataset_key` (primary keys), so that lists know where to look. `stamped_at` and
    `stamped_open_at` are for harvesters, see `catalogue/stamps.py`.
    """

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="investigations")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="investigations")
    proposal = models.ForeignKey(Proposal, models.PROTECT, null=True, blank=True, related_name="investigations")
    visit_id = models.CharField(max_length=100)
    title = models.CharField(max_length=500)
    abstract = models.TextField(blank=True)
    investigation_type = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    licence = models.ForeignKey(Licence, models.PROTECT, default="CC-BY-4.0")
    state = models.CharField(max_length=10, choices=RecordState.choices, default=RecordState.ACTIVE)
    withdrawal_reason = models.TextField(blank=True)
    embargo_until = models.DateTimeField()
    held_until = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    opening_announced_at = models.DateTimeField(null=True, blank=True, editable=False)
    doi = models.CharField(max_length=200, unique=True, null=True, blank=True, editable=False)
    dataset_count = models.PositiveBigIntegerField(default=0, editable=False)
    file_count = models.PositiveBigIntegerField(default=0, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False, help_text="Bytes")
    first_dataset_key = models.BigIntegerField(null=True, editable=False)
    last_dataset_key = models.BigIntegerField(null=True, editable=False)
    stamped_at = models.DateTimeField(db_default=Now(), editable=False)
    stamped_open_at = models.DateTimeField(db_default=Now(), editable=False)

    # What `catalogue/selectors.py` fetches with a row: no column of the table.
    technique_terms: list[dict[str, str]]
    relation_rows: list[dict[str, str]]

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["facility", "visit_id"], name="investigation_visit_unique"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="investigation_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(held_until__isnull=True) | Q(held_until__gt=F("embargo_until")),
                name="investigation_hold_outlasts_embargo",
            ),
            models.CheckConstraint(
                condition=Q(state="active") | ~Q(withdrawal_reason=""), name="investigation_withdrawn_with_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["embargo_until"], name="investigation_embargo"),
            models.Index(fields=["last_dataset_key"], name="investigation_by_last_dataset"),
            models.Index(fields=["first_dataset_key"], name="investigation_by_first_dataset"),
            models.Index(
                fields=["embargo_until"],
                name="investigation_not_announced",
                condition=Q(opening_announced_at__isnull=True),
            ),
            models.Index(fields=["stamped_at", "id", "stamped_open_at"], name="investigation_stamped"),
            models.Index(fields=["stamped_open_at", "id"], name="investigation_stamped_open"),
        ]

    def __str__(self) -> str:
        return self.title


class TeamRole(models.TextChoices):
    PI = "pi", "principal investigator"
    LOCAL_CONTACT = "local_contact", "local contact"
    MEMBER = "member", "member"


class TeamMember(models.Model):
    investigation = models.ForeignKey(Investigation, models.CASCADE, related_name="team")
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=TeamRole.choices)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["investigation", "person"], name="team_member_unique")]

    def __str__(self) -> str:
        return f"{self.person}, {self.get_role_display()}"


class Sample(Record):
    investigation = models.ForeignKey(Investigation, models.PROTECT, related_name="samples")
    name = models.CharField(max_length=200)
    formula = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    sample_type = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["investigation", "name"], name="sample_name_unique")]

    def __str__(self) -> str:
        return self.name


class AccessGrant(models.Model):
    """Leave to see closed data: one user or group, one investigation or dataset, until `expires_at` (null = no end)."""

    investigation = models.ForeignKey(Investigation, models.CASCADE, null=True, blank=True, related_name="grants")
    dataset = models.ForeignKey("catalogue.Dataset", models.CASCADE, null=True, blank=True, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="access_grants"
    )
    group = models.ForeignKey("auth.Group", models.CASCADE, null=True, blank=True, related_name="access_grants")
    reason = models.TextField(blank=True)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(investigation__isnull=False, dataset__isnull=True)
                | Q(investigation__isnull=True, dataset__isnull=False),
                name="grant_names_one_record",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, group__isnull=True) | Q(user__isnull=True, group__isnull=False),
                name="grant_names_one_reader",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group} may see {self.dataset or self.investigation}"
