"""A database that refuses a row, so that a test can see what one failing record does to the others."""

from django.db import connection


def refuse_row(event: str, table: str, condition: str) -> None:
    """Have the database refuse a row: `event` is as in "INSERT" or "UPDATE OF column"; `condition` may name NEW and OLD."""
    before = f"BEFORE {event} ON {table} FOR EACH ROW"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'refused'; END $$"
            )
            cursor.execute(f"CREATE TRIGGER refuse {before} WHEN ({condition}) EXECUTE FUNCTION refuse()")
        else:
            cursor.execute(f"CREATE TRIGGER refuse {before} WHEN {condition} BEGIN SELECT RAISE(ABORT, 'refused'); END")
