"""An image with its label, wherever its bytes are. What is read of it and with whom it belongs is decided elsewhere."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from classifier.pipeline.reading import read_picture
from classifier.pipeline.results import Grey


class Source(Protocol):
    """A place of bytes. It can be pickled, so that other processes read there too."""

    def open(self) -> BinaryIO:
        """A seekable stream of its own for each caller."""


@dataclass(frozen=True)
class FileSource:
    path: Path

    def open(self) -> BinaryIO:
        return self.path.open("rb")


@dataclass(frozen=True)
class TarMember:
    """`size` bytes from `offset` on in an archive that is not compressed."""

    archive: Path
    offset: int
    size: int

    def open(self) -> BinaryIO:
        with self.archive.open("rb") as stream:
            stream.seek(self.offset)
            return io.BytesIO(stream.read(self.size))


@dataclass(frozen=True)
class LabelledImage:
    """`key` names the image within its data set. Images of one `session`, where it is known, were taken together."""

    key: str
    label: str
    session: str
    source: Source

    def open(self) -> BinaryIO:
        return self.source.open()

    def read(self) -> Grey:
        """The picture (H, W). Raises UnreadableImage."""
        with self.open() as stream:
            return read_picture(stream, self.key).pixels
