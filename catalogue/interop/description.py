"""What every outward form is written from: one masked record, what it holds, and what is citable of it. Pure values.

A form is a pure function of a Description; it decides nothing about access, since what its reader may not see is not in it.
"""

from dataclasses import dataclass

from catalogue.publication import Publication
from catalogue.record import CollectionRecord, DatasetRecord, FileRef, InvestigationRecord, LabelledImage, MemberRef

MOST_FILES = 1000
MOST_MEMBERS = 1000
# Forms that name files or members only to give an idea of them name these.
FEW_FILES = 10
FEW_MEMBERS = 200
MOST_IMAGES = 2000


@dataclass(frozen=True)
class Site:
    """The catalogue itself: `url` without a slash at its end, `name`, and the facility's or organisation's e-mail for questions."""

    url: str
    name: str
    email: str = ""


@dataclass(frozen=True)
class Description:
    """A record for machines.

    `files` are the first MOST_FILES of a dataset, in the order of its page, empty where its reader may not see them;
    `record.file_count` tells of all. `members` are the first MOST_MEMBERS of an investigation (its datasets) or of a
    collection; `member_count` tells of all that the reader may know of. `images` are the first MOST_IMAGES that carry a
    category, of a dataset or of the open datasets that a collection names.
    """

    site: Site
    record: DatasetRecord | InvestigationRecord | CollectionRecord
    publication: Publication
    files: tuple[FileRef, ...] = ()
    members: tuple[MemberRef, ...] = ()
    member_count: int = 0
    images: tuple[LabelledImage, ...] = ()

    @property
    def url(self) -> str:
        """The page that people read, which is also the IRI of the record in linked data."""
        return self.site.url + self.record.path
