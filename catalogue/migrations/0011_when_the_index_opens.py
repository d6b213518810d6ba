from django.db import migrations, models


def write_every_document_again(apps, schema_editor):
    """Only the indexer knows when what is in the index opens: it notes it with what it writes."""
    apps.get_model("catalogue", "DatasetRevision").objects.update(is_pending=True)


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0010_newest_revisions_first"),
    ]

    operations = [
        migrations.AddField(
            model_name="datasetrevision",
            name="opens_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="datasetrevision",
            index=models.Index(condition=models.Q(("is_pending", True)), fields=["opens_at"], name="revision_opening"),
        ),
        migrations.RunPython(write_every_document_again, migrations.RunPython.noop),
    ]
