"""The columns that public records share."""

import uuid

from django.db import models

from catalogue.identifiers import new_uid


def make_uid() -> uuid.UUID:
    return new_uid()


class Record(models.Model):
    """A row with a public id that cannot be guessed in bulk and a version that every write raises.

    `version` is the ETag of the API and the version of the index document.
    """

    uid = models.UUIDField(default=make_uid, unique=True, editable=False)
    version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
