"""What rows are called on the server that they were imported from, where our own tables have no column for it."""

from django.db import models


class ForeignKind(models.TextChoices):
    """What the row is, and with MEMBER_ROLE that the text is no id but the words for a part in a team."""

    SAMPLE = "sample", "sample"
    TECHNIQUE = "technique", "technique"
    PERSON = "person", "person"
    AFFILIATION = "affiliation", "affiliation"
    MEMBER = "member", "member"
    MEMBER_ROLE = "member_role", "role of a member"
    FILE = "file", "file"
    PARAMETER = "parameter", "parameter"


class ForeignIdentifier(models.Model):
    """`identifier` is the id there of the row here whose primary key is `object_id`, in the table that `kind` stands for.

    One thing there may have become several rows here, such as a sample of two investigations; a row here keeps the first of
    the ids that it came with. Kept when the row is deleted: primary keys are never used again.
    """

    kind = models.CharField(max_length=20, choices=ForeignKind.choices)
    identifier = models.CharField(max_length=500)
    object_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="foreign_identifier_once")]
        indexes = [models.Index(fields=["kind", "identifier"], name="foreign_identifier_found")]

    def __str__(self) -> str:
        return self.identifier
