"""What stood in a setting or was assumed becomes a value: what strangers see under embargo, reasons, what was announced."""

import os

from django.db import migrations
from django.db.models import F, Q
from django.utils import timezone


def carry_over(apps, schema_editor):
    facilities = apps.get_model("catalogue", "Facility").objects
    facilities.filter(embargo_months__gt=F("maximum_embargo_months")).update(maximum_embargo_months=F("embargo_months"))
    seen = os.environ.get("FAIRCAT_EMBARGO_METADATA", "summary")
    facilities.update(embargo_metadata=seen if seen in ("full", "none") else "summary")
    for name in ("Dataset", "Investigation"):
        withdrawn = apps.get_model("catalogue", name).objects.filter(state="withdrawn", withdrawal_reason="")
        withdrawn.update(withdrawal_reason="No reason was given.")
    now = timezone.now()
    investigations = apps.get_model("catalogue", "Investigation").objects
    investigations.filter(Q(released_at__lte=now) | Q(embargo_until__lte=now)).update(opening_announced_at=now)


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0003_embargo_and_collections")]
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
