"""Versions of records: a change is written only over the version that it was made from (compare-and-set)."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from catalogue.errors import StaleVersion
from catalogue.models import Collection, Dataset, Investigation, Sample


def write_version(
    record: Collection | Dataset | Investigation | Sample, values: dict[str, Any], expected_version: int | None
) -> None:
    """Set `values` and raise the version; StaleVersion when it is no longer `expected_version` (None: whatever it is)."""
    rows = type(record)._default_manager.filter(pk=record.pk)
    if expected_version is not None:
        rows = rows.filter(version=expected_version)
    if not rows.update(**values, version=F("version") + 1, updated_at=timezone.now()):
        raise StaleVersion(
            "Somebody else changed this record since you read it. Read it again, then repeat your change."
        )
