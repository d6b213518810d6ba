"""Places that hold bytes: POSIX folders, WebDAV/NextCloud, S3. `connect` gives the one interface to all of them.

No Django models in here: what is declared in the database is turned into a `StorageConfig` elsewhere.
"""

from catalogue.circuit import Circuit, circuit_of
from catalogue.storages.circuit import Calls
from catalogue.storages.posix import PosixStorage
from catalogue.storages.protocol import Algorithm, Checksums, Entry, Page, Storage, StorageConfig

__all__ = [
    "Algorithm",
    "Checksums",
    "Circuit",
    "Entry",
    "Page",
    "Storage",
    "StorageConfig",
    "circuit_for",
    "connect",
]


def connect(config: StorageConfig) -> Storage:
    """A storage ready for use; nothing is contacted yet. Close it, or use it with `contextlib.closing`."""
    if config.kind == "posix":
        return PosixStorage(config)
    calls = Calls(circuit_for(config))
    if config.kind == "webdav":
        from catalogue.storages.webdav import WebdavStorage

        return WebdavStorage(config, calls)
    if config.kind == "s3":
        from catalogue.storages.s3 import S3Storage

        return S3Storage(config, calls)
    raise ValueError(f"no storage of kind {config.kind!r}")


def circuit_for(config: StorageConfig) -> Circuit:
    """The circuit that this process keeps for a storage, to show its state (`is_open`, `retry_after`)."""
    return circuit_of(config.kind, config.location, config.endpoint, config.username)
