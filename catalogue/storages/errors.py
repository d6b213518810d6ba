"""What can go wrong with a storage. Messages name the path and what to do; never a credential, never an HTTP status."""


class StorageError(Exception):
    """Any refusal or failure of a storage; `code` is stable, the message is for people."""

    code = "storage_error"

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class StorageFileMissing(StorageError):
    """Nothing, or something of the other kind (folder, file), at this path.

    Proof that a file vanished only when `check()` passes: a root that is not mounted has no files either.
    """

    code = "storage_file_missing"


class StorageFileExists(StorageError):
    code = "storage_file_exists"


class StorageFileChanged(StorageError):
    """The file is not the one that was asked for: its ETag, size or time differ."""

    code = "storage_file_changed"


class StorageRangeInvalid(StorageError):
    code = "storage_range_invalid"


class StorageUploadIncomplete(StorageError):
    """The bytes to be stored were not as many as announced; nothing was stored."""

    code = "storage_upload_incomplete"


class StorageUnavailable(StorageError):
    """Time-out, refused connection or a failing server; worth another try after `retry_after` seconds if given."""

    code = "storage_unavailable"

    def __init__(self, message: str, *, path: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, path=path)
        self.retry_after = retry_after


class StorageShortRead(StorageUnavailable):
    """Fewer bytes arrived than were announced."""

    code = "storage_short_read"


class StorageDenied(StorageError):
    code = "storage_denied"


class StoragePathRefused(StorageError):
    code = "storage_path_refused"


class StorageAddressRefused(StorageError):
    code = "storage_address_refused"
