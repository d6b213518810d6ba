import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest, Least


def opening():
    end = F("embargo_until")
    held = Greatest(end, Coalesce("held_until", end))
    return Least(held, Coalesce("released_at", held))


def opening_of_dataset():
    end = F("investigation__embargo_until")
    own = Coalesce("embargo_until", Greatest(end, Coalesce("investigation__held_until", end)))
    return Least(own, Coalesce("released_at", own), Coalesce("investigation__released_at", own))


def stamp(apps, schema_editor):
    """What is there already changed last when the index heard of it."""
    Collection = apps.get_model("catalogue", "Collection")
    Dataset = apps.get_model("catalogue", "Dataset")
    DatasetRevision = apps.get_model("catalogue", "DatasetRevision")
    Investigation = apps.get_model("catalogue", "Investigation")
    Collection.objects.update(stamped_at=F("updated_at"))
    Investigation.objects.update(stamped_at=F("updated_at"), stamped_open_at=Greatest("updated_at", opening()))
    opens = Dataset.objects.filter(pk=OuterRef("dataset_id")).annotate(moment=opening_of_dataset()).values("moment")
    DatasetRevision.objects.update(
        stamped_at=F("changed_at"), stamped_open_at=Greatest("changed_at", Subquery(opens))
    )


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0011_when_the_index_opens'),
    ]

    operations = [
        migrations.AddField(
            model_name='collection',
            name='stamped_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='datasetrevision',
            name='stamped_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='datasetrevision',
            name='stamped_open_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='investigation',
            name='stamped_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='investigation',
            name='stamped_open_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.RunPython(stamp, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='collection',
            index=models.Index(fields=['stamped_at', 'id'], name='collection_stamped'),
        ),
        migrations.AddIndex(
            model_name='datasetrevision',
            index=models.Index(fields=['stamped_at', 'dataset', 'stamped_open_at'], name='revision_stamped'),
        ),
        migrations.AddIndex(
            model_name='datasetrevision',
            index=models.Index(fields=['stamped_open_at', 'dataset'], name='revision_stamped_open'),
        ),
        migrations.AddIndex(
            model_name='investigation',
            index=models.Index(fields=['stamped_at', 'id', 'stamped_open_at'], name='investigation_stamped'),
        ),
        migrations.AddIndex(
            model_name='investigation',
            index=models.Index(fields=['stamped_open_at', 'id'], name='investigation_stamped_open'),
        ),
    ]
