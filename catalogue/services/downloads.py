"""One file on its way out: who may have it, whether it is still the one that was registered, and how its bytes are opened.

Every refusal comes before the first byte. Nothing about HTTP is known here.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from catalogue import access, selectors
from catalogue.access import Level, Principal
from catalogue.anonymity import file_name_for, text_for
from catalogue.derived import Picture, picture_path
from catalogue.errors import Gone, NotAllowed, NotFound, NotIntact, Unavailable
from catalogue.masking import access_of
from catalogue.models import Datafile, Dataset
from catalogue.models.datasets import Fixity
from catalogue.services.storages import open_storage
from catalogue.storages import Entry, Storage
from catalogue.storages.errors import (
    StorageDenied,
    StorageError,
    StorageFileChanged,
    StorageFileMissing,
    StoragePathRefused,
    StorageUnavailable,
)

# FAT keeps times to two seconds, HTTP to one: a smaller difference is no change.
SAME_TIME = timedelta(seconds=2)


@dataclass(frozen=True)
class FileDownload:
    """A file that its asker may have and that was there, unchanged, a moment ago; `name` is the one they may read."""

    dataset: Dataset
    file: Datafile
    name: str
    is_open: bool
    storage: Storage
    entry: Entry

    @property
    def size(self) -> int:
        return self.entry.size or 0

    @property
    def etag(self) -> str:
        """A strong tag: the registered digest, or while it is not known what the storage tells versions apart by."""
        if self.file.sha256:
            return f'"{self.file.sha256}"'
        version = f"{self.entry.etag} {self.entry.size} {self.entry.modified_at}"
        return f'"{hashlib.sha256(version.encode()).hexdigest()[:32]}"'

    @contextmanager
    def open(self, start: int, length: int) -> Iterator[Iterator[bytes]]:
        """Raises Unavailable when the file went away or changed since it was looked at."""
        with ExitStack() as opened:
            try:
                chunks = opened.enter_context(self.storage.open_range(self.file.path, start, length, entry=self.entry))
            except StorageError as error:
                raise not_intact([(self.name, reason_of(error))]) from None
            yield chunks

    def local_path(self) -> Path | None:
        """Where a web server of this machine finds the file; None for remote storages. Raises Unavailable as `open` does."""
        try:
            return self.storage.local_path(self.file.path)
        except StorageError as error:
            raise not_intact([(self.name, reason_of(error))]) from None


def find_downloadable(uid: UUID, principal: Principal, *, now: datetime) -> Dataset:
    """The dataset, for those who may have its files. Raises NotFound, Gone, or NotAllowed under embargo.

    The answer is the same whatever is asked of the dataset, so that it tells nothing of file names.
    """
    dataset, level = selectors.find_dataset(uid, principal, now=now)
    if level == Level.TOMBSTONE:
        reason = text_for(access_of(dataset, level, now=now).withdrawal_reason, principal)
        raise Gone(f"This dataset was withdrawn: {reason}")
    if level != Level.FULL:
        opening = access_of(dataset, level, now=now).text
        advice = " If you are of its team, sign in." if principal.is_anonymous else ""
        raise NotAllowed(f"The files of this dataset are closed. {opening}.{advice}", code="under-embargo")
    return dataset


def open_file(*, principal: Principal, uid: UUID, name: str) -> FileDownload:
    """The file `name` of a dataset. Raises also Unavailable when it is missing, changed, or its storage does not answer."""
    now = timezone.now()
    dataset = find_downloadable(uid, principal, now=now)
    file = selectors.find_file(dataset, Level.FULL, name, principal)
    shown_name = file_name_for(file.name, file.pk, principal)
    storage = open_storage(file.storage)
    try:
        entry = storage.stat(file.path)
    except StorageError as error:
        raise not_intact([(shown_name, reason_of(error))]) from None
    if reason := difference(file.size, file.modified_at, file.fixity, entry):
        raise not_intact([(shown_name, reason)])
    return FileDownload(dataset, file, shown_name, access.is_open(dataset, now=now), storage, entry)


def difference(size: int | None, modified_at: datetime | None, fixity: str, entry: Entry) -> str:
    """What tells the file that is there (`entry`) from the one that was registered, in words; empty when nothing does."""
    if entry.is_folder:
        return "is a folder now"
    if size is not None and entry.size != size:
        return f"has {entry.size} bytes and was registered with {size}"
    if modified_at and entry.modified_at and abs(entry.modified_at - modified_at) > SAME_TIME:
        return f"was changed on {entry.modified_at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC, after it was registered"
    if fixity == Fixity.CHANGED:
        return "no longer has the checksum that was registered"
    return ""


def reason_of(error: StorageError) -> str:
    """Why one file cannot be sent, without its path. Raises Unavailable when the storage as a whole does not answer."""
    if isinstance(error, StorageUnavailable):
        message = "The storage of these files does not answer at present. Nothing was sent; try again in some minutes."
        raise Unavailable(message, code="storage-unavailable") from None
    if isinstance(error, StorageFileMissing):
        return "is missing"
    if isinstance(error, StorageFileChanged):
        return "was changed a moment ago"
    if isinstance(error, StorageDenied | StoragePathRefused):
        return "may not be read by this site"
    return "cannot be read"


def not_intact(problems: list[tuple[str, str]], *, shown: int = 20) -> NotIntact:
    """The refusal that names the files (name, reason) that are not as they were registered, at most `shown` of them."""
    listed = "; ".join(f"{name} {reason}" for name, reason in problems[:shown])
    more = " (and maybe more)" if len(problems) >= shown else ""
    return NotIntact(
        f"Nothing was sent, because not all is as it was registered: {listed}{more}. Its facility can put it right.",
        fields={"files": [f"{name}: {reason}" for name, reason in problems[:shown]]},
    )


@dataclass(frozen=True)
class DerivedPicture:
    """A picture as WebP, derived from the files of a dataset and as closed as they are."""

    data: bytes
    etag: str
    is_open: bool


def open_picture(*, principal: Principal, uid: UUID, kind: Picture) -> DerivedPicture:
    """Raises NotFound where there is none, and what `find_downloadable` does."""
    now = timezone.now()
    dataset = find_downloadable(uid, principal, now=now)
    try:
        data = picture_path(uid, kind).read_bytes()
    except FileNotFoundError:
        raise NotFound("This dataset has no picture.") from None
    return DerivedPicture(data, f'"{hashlib.sha256(data).hexdigest()[:32]}"', access.is_open(dataset, now=now))
