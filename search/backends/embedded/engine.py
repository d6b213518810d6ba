"""The indexes of one folder on local disk, each in a folder of its own, and the small file that names the live one."""

import os
import shutil
import threading
from pathlib import Path

import tantivy

from search.backends.base import EngineUnavailable
from search.backends.embedded.index import META, EmbeddedIndex
from search.backends.embedded.schema import schema
from search.backends.embedded.trouble import told

POINTER = "live"


class EmbeddedEngine:
    """`folder` must be on a disk of this machine: the index is read as memory, and locks are those of its kernel."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._live: EmbeddedIndex | None = None

    def live(self) -> EmbeddedIndex:
        """The same object as long as the same index is live, so that it stays open from one search to the next."""
        name = self._live_name()
        if not name or not self._exists(name):
            raise EngineUnavailable("There is no search index yet.")
        with self._lock:
            if self._live is None or self._live.name != name:
                self._live = EmbeddedIndex(self._folder / name)
            return self._live

    def create(self, name: str) -> EmbeddedIndex:
        folder = self._folder_of(name)
        with told("The search index cannot be created."):
            if not self._exists(name):
                folder.mkdir(parents=True, exist_ok=True)
                tantivy.Index(schema(), str(folder))
        return EmbeddedIndex(folder)

    def promote(self, name: str) -> None:
        if not self._exists(name):
            raise EngineUnavailable("There is no such search index.")
        with told("The search index cannot be made the live one."):
            draft = self._folder / f".{POINTER}.{os.getpid()}"
            with draft.open("w") as file:
                file.write(name)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / POINTER)
            _sync_folder(self._folder)

    def names(self) -> list[str]:
        return sorted(path.parent.name for path in self._folder.glob(f"*/{META}"))

    def drop(self, name: str) -> None:
        """Searches that still read it go on: its files vanish when the last of them ends."""
        if name == self._live_name():
            raise ValueError("The live index cannot be dropped.")
        shutil.rmtree(self._folder_of(name), ignore_errors=True)

    def is_answering(self) -> bool:
        return os.access(self._folder, os.R_OK | os.X_OK)

    def _live_name(self) -> str:
        try:
            name = (self._folder / POINTER).read_text()
        except (OSError, UnicodeDecodeError):
            return ""
        return name if _is_name(name) else ""

    def _exists(self, name: str) -> bool:
        return (self._folder_of(name) / META).exists()

    def _folder_of(self, name: str) -> Path:
        if not _is_name(name):
            raise ValueError(f"This is no name of an index: {name!r}")
        return self._folder / name


def _is_name(name: str) -> bool:
    return bool(name) and name == Path(name).name and not name.startswith(".") and name != POINTER


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
