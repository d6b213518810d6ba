"""RO-Crate 1.2 of an archive: the attached crate, whose files lie in folders beside it. Pure.

The document has a line for each file, so that the one of 50,000 files is written piece by piece and never held as a whole.
It holds no moment at which it was made: the same contents give the same bytes.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from catalogue.interop.description import Site
from catalogue.interop.ro_crate import record_properties
from catalogue.interop.ro_crate_graph import (
    CONTEXT,
    UNKNOWN_TYPE,
    Entity,
    Graph,
    add_licence,
    add_publisher,
    descriptor,
    entity,
    path_iri,
)
from catalogue.publication import Publication
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord

ROOT = "./"
_LINES_TOGETHER = 500
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring


class ArchivedFile(NamedTuple):
    """`path` within the crate, `name` within its dataset, `size` in bytes, `sha256` in hex or empty."""

    path: str
    name: str
    size: int
    sha256: str
    media_type: str
    modified_at: datetime | None


@dataclass(frozen=True)
class ArchivedDataset:
    """A dataset with its folder; its `files` are those from the first number up to the second of the archive's."""

    record: DatasetRecord
    publication: Publication
    folder: str
    files: tuple[int, int]


@dataclass(frozen=True)
class ArchiveDescription:
    """What an archive holds. `record` is the one that was asked for, None for a selection of datasets.

    `note` ends the description of the whole, such as that only some of its files are in the archive.
    """

    site: Site
    record: DatasetRecord | InvestigationRecord | CollectionRecord | None
    publication: Publication | None
    datasets: tuple[ArchivedDataset, ...]
    note: str = ""


class CrateDocument:
    """`ro-crate-metadata.json` of an archive as pieces of bytes, which come the same every time they are asked for.

    What is said of the records is kept as text; the lines of `files` are written anew.
    """

    def __init__(self, archive: ArchiveDescription, files: Sequence[ArchivedFile]) -> None:
        graph = Graph()
        self._files = [(_quoted(path_iri(file.path)), file) for file in files]
        root = entity(ROOT, "Dataset", _root_properties(graph, archive))
        first = [descriptor(ROOT)]
        if isinstance(archive.record, DatasetRecord):
            self._datasets = [(_write(root), 0, len(files))]
        else:
            first.append(root | {"hasPart": [{"@id": f"{path_iri(one.folder)}/"} for one in archive.datasets]})
            self._datasets = [(_write(_dataset(graph, one, archive.site)), *one.files) for one in archive.datasets]
        self._first = "".join(f"{_write(one)},\n" for one in first)
        self._last = "".join(f",\n{_write(one)}" for one in graph)

    def __iter__(self) -> Iterator[bytes]:
        yield f'{{"@context":"{CONTEXT}","@graph":[\n{self._first}'.encode()
        for text, start, stop in self._datasets:
            yield f'{text[:-1]},"hasPart":['.encode()
            yield from _together((f'{{"@id":{iri}}}' for iri, _ in self._files[start:stop]), ",")
            yield b"]},\n"
        yield from _together((_line(iri, file) for iri, file in self._files), ",\n")
        yield f"{self._last}\n]}}\n".encode()


def _root_properties(graph: Graph, archive: ArchiveDescription) -> dict[str, Any]:
    if archive.record is None or archive.publication is None:
        return _selection(graph, archive)
    record = archive.record
    most = len(record.parameters) if isinstance(record, DatasetRecord) else 0
    properties = record_properties(graph, record, archive.publication, archive.site, ROOT, most_parameters=most)
    properties["description"] += archive.note
    return properties


def _dataset(graph: Graph, dataset: ArchivedDataset, site: Site) -> Entity:
    root = f"{path_iri(dataset.folder)}/"
    most = len(dataset.record.parameters)
    properties = record_properties(graph, dataset.record, dataset.publication, site, root, most_parameters=most)
    return entity(root, "Dataset", properties)


def _selection(graph: Graph, archive: ArchiveDescription) -> dict[str, Any]:
    """What somebody put together for themselves has no authors and no licence of its own, but those of its datasets."""
    records = [one.record for one in archive.datasets]
    licences = {record.licence for record in records}
    one_licence = add_licence(graph, records[0].licence) if len(licences) == 1 else None
    opening = max(record.access.opens_at for record in records).astimezone(UTC).date()
    site = archive.site
    return {
        "name": f"Selection of {len(records):,} dataset{'' if len(records) == 1 else 's'} from {site.name}",
        "description": f"Datasets that somebody chose at {site.url}, each in a folder of its own.{archive.note}",
        "datePublished": opening.isoformat(),
        "license": one_licence or "Each dataset of this selection states its own licence.",
        "publisher": add_publisher(graph, site.name, "", site),
    }


def _line(iri: str, file: ArchivedFile) -> str:
    """The entity of a file whose @id is `iri`, in quotation marks.

    As `file_entity` makes it of one at an address; by hand, since there may be 50,000.
    """
    digest = f',"sha256":"{file.sha256}"' if file.sha256 else ""
    modified = f',"dateModified":"{file.modified_at.isoformat()}"' if file.modified_at else ""
    return (
        f'{{"@id":{iri},"@type":"File","name":{_quoted(file.name)},'
        f'"encodingFormat":{_quoted(file.media_type or UNKNOWN_TYPE)},"contentSize":"{file.size}"{digest}{modified}}}'
    )


def _together(texts: Iterable[str], separator: str) -> Iterator[bytes]:
    """The texts with `separator` between them, many at a time."""
    waiting: list[str] = []
    begins = True
    for text in texts:
        waiting.append(text)
        if len(waiting) == _LINES_TOGETHER:
            yield (("" if begins else separator) + separator.join(waiting)).encode()
            waiting, begins = [], False
    if waiting:
        yield (("" if begins else separator) + separator.join(waiting)).encode()
