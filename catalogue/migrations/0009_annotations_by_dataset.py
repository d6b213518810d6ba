import django.db.models.deletion
from django.db import migrations, models


def name_datasets(apps, schema_editor):
    files = apps.get_model("catalogue", "Datafile").objects.filter(pk=models.OuterRef("datafile_id"))
    annotations = apps.get_model("catalogue", "Annotation").objects
    annotations.update(dataset_id=models.Subquery(files.values("dataset_id")[:1]))


class Migration(migrations.Migration):
    # PostgreSQL does not change a table while rows of it that were just written wait for their constraints.
    atomic = False

    dependencies = [
        ('catalogue', '0008_dataset_revisions'),
    ]

    operations = [
        migrations.AddField(
            model_name='annotation',
            name='dataset',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='annotations', to='catalogue.dataset'),
        ),
        migrations.RunPython(name_datasets, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name='annotation',
            name='dataset',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='annotations', to='catalogue.dataset'),
        ),
        migrations.AddIndex(
            model_name='annotation',
            index=models.Index(fields=['dataset', 'kind'], name='annotation_by_dataset'),
        ),
    ]
