"""Indexes that a model cannot state: datasets of a technique from the newest, and words within titles and descriptions.

The latter need PostgreSQL with pg_trgm. Without the extension (and on SQLite) the same searches are right, but read every
row; an administrator can run the same statements later, see `docs/performance.md`.
"""

from django.db import DatabaseError, migrations, transaction

WORDS = {
    "dataset_title_words": "catalogue_dataset USING gin (UPPER(title) gin_trgm_ops)",
    "dataset_description_words": "catalogue_dataset USING gin (UPPER(description) gin_trgm_ops)",
}


def add_word_indexes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return
    for name, place in WORDS.items():
        schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {place}")


def remove_word_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in WORDS:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX dataset_by_technique ON catalogue_dataset_techniques (technique_id, dataset_id)",
            "DROP INDEX dataset_by_technique",
        ),
        migrations.RunPython(add_word_indexes, remove_word_indexes),
    ]
