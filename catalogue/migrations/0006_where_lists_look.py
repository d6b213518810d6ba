"""Investigations keep the keys of their first and last dataset; an index of the datasets that state their own terms."""

from django.db import migrations, models
from django.db.models import Max, Min, OuterRef, Q, Subquery


def keep_dataset_keys(apps, schema_editor):
    datasets = apps.get_model("catalogue", "Dataset").objects.filter(investigation=OuterRef("pk")).order_by()
    bounds = datasets.values("investigation").annotate(first=Min("pk"), last=Max("pk"))
    apps.get_model("catalogue", "Investigation").objects.update(
        first_dataset_key=Subquery(bounds.values("first")), last_dataset_key=Subquery(bounds.values("last"))
    )


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0005_states_and_their_reasons")]
    operations = [
        migrations.AddField("investigation", "first_dataset_key", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("investigation", "last_dataset_key", models.BigIntegerField(editable=False, null=True)),
        migrations.RunPython(keep_dataset_keys, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            "investigation", models.Index(fields=["last_dataset_key"], name="investigation_by_last_dataset")
        ),
        migrations.AddIndex(
            "investigation", models.Index(fields=["first_dataset_key"], name="investigation_by_first_dataset")
        ),
        migrations.AddIndex(
            "dataset",
            models.Index(
                fields=["investigation"],
                name="dataset_own_terms",
                condition=Q(embargo_until__isnull=False) | Q(released_at__isnull=False),
            ),
        ),
    ]
