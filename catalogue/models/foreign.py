"""What rows are called on the server that they were imported from, and what it says that our own tables have no place for."""

from django.db import models
from django.db.models import Q

from catalogue.models.accounts import Organisation, Person
from catalogue.models.collections import Collection
from catalogue.models.datasets import Dataset
from catalogue.models.facilities import Technique
from catalogue.models.investigations import TeamMember


class ForeignKind(models.TextChoices):
    """What the row is, and with SAMPLE_NAME that the text is no id but the name there of a sample that has another name here."""

    SAMPLE = "sample", "sample"
    SAMPLE_NAME = "sample_name", "name of a sample"
    FILE = "file", "file"
    PARAMETER = "parameter", "parameter"


class ForeignIdentifier(models.Model):
    """`identifier` is the id there of the row here whose primary key is `object_id`, in the table that `kind` stands for.

    One thing there may have become several rows here, such as a sample of two investigations; a row here has one id.
    Kept when the row is deleted: primary keys are never used again.
    """

    kind = models.CharField(max_length=20, choices=ForeignKind.choices)
    identifier = models.CharField(max_length=500)
    object_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="foreign_identifier_once")]
        indexes = [models.Index(fields=["kind", "identifier"], name="foreign_identifier_found")]

    def __str__(self) -> str:
        return self.identifier


class ForeignTechnique(models.Model):
    """What a server calls a `technique` that `datasets` of its own have: several of its techniques may be one term here."""

    technique = models.ForeignKey(Technique, models.CASCADE, related_name="foreign_techniques")
    identifier = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    datasets = models.ManyToManyField(Dataset, related_name="foreign_techniques")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["technique", "identifier", "name"], name="foreign_technique_once")
        ]

    def __str__(self) -> str:
        return self.identifier


class ForeignMember(models.Model):
    """A part that `person` has in a document there, in its own words, with the ids there of all three.

    It is of a published `collection`, or goes with the `team_member` of an investigation: our own team has each person
    once, in one of our roles and with the present affiliation, where a document there may name somebody twice.
    """

    collection = models.ForeignKey(Collection, models.CASCADE, null=True, blank=True, related_name="foreign_members")
    team_member = models.ForeignKey(TeamMember, models.CASCADE, null=True, blank=True, related_name="foreign_members")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    affiliation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=500, blank=True)
    identifier = models.CharField(max_length=200)
    person_identifier = models.CharField(max_length=200)
    affiliation_identifier = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(collection__isnull=True, team_member__isnull=False)
                | Q(collection__isnull=False, team_member__isnull=True),
                name="foreign_member_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.role}"
