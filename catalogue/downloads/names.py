"""Names of folders in archives. Pure; a title that hides somebody is made readable before."""

from uuid import UUID

from django.utils.text import slugify

LONGEST_NAME = 60


def folder_name(title: str, uid: UUID) -> str:
    """The folder of a dataset in an archive: its title, readable, and enough of its id to be unique."""
    return f"{slugify(title)[:LONGEST_NAME] or 'dataset'}-{uid.hex[-12:]}"
