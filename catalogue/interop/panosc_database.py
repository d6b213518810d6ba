"""Reads the JSON database of the PaNOSC reference server (panosc-eu/search-api, LoopBack's memory connector). Pure.

`{"ids": {...}, "models": {"Dataset": {"<pid>": "<a row as JSON text>"}, ...}}`: models are maps of JSON texts, and three
models are join tables, whose rows may share an id. What a row may hold follows the specification of the search API
(section Models); properties that are not known here are passed over. What the catalogue makes of it is not decided here.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

LONGEST_TEXT = 20_000
LONGEST_NAME = 500
LONGEST_PID = 180
LARGEST_NUMBER = 1e300
MOST_BYTES = 256 * 1024 * 1024
MOST_PROBLEMS = 20

HANDLES, DOIS, LOCAL = "https://hdl.handle.net/", "https://doi.org/", "urn:panosc:"
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_HANDLE = re.compile(r"\d+(?:\.\d+)+/\S+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class PanoscDatabaseError(ValueError):
    """The file is no database of the reference server, or rows of it cannot be read; each problem names model and id."""

    def __init__(self, problems: list[str]) -> None:
        more = f" And {len(problems) - MOST_PROBLEMS} more." if len(problems) > MOST_PROBLEMS else ""
        super().__init__("\n".join(problems[:MOST_PROBLEMS]) + more)
        self.problems = problems


Row = Mapping[str, Any]


@dataclass(frozen=True)
class PanoscDatabase:
    """Rows by id for each model, in the order of the file; absent properties are absent. Links hold pairs of ids."""

    rows: Mapping[str, Mapping[str, Row]]
    links: Mapping[str, tuple[tuple[str, str], ...]]

    def of(self, model: str) -> Mapping[str, Row]:
        return self.rows[model]

    def linked(self, table: str) -> dict[str, list[str]]:
        """For each dataset what `table` links it with, each once; see LINKS."""
        found: dict[str, list[str]] = {}
        for dataset, other in dict.fromkeys(self.links[table]):
            found.setdefault(dataset, []).append(other)
        return found

    def belonging(self, model: str, column: str) -> dict[str, list[tuple[str, Row]]]:
        """The rows of `model` by the id that stands in `column`."""
        found: dict[str, list[tuple[str, Row]]] = {}
        for key, row in self.rows[model].items():
            if column in row:
                found.setdefault(row[column], []).append((key, row))
        return found


def is_doi(pid: str) -> bool:
    return _DOI.fullmatch(pid) is not None


def is_handle(pid: str) -> bool:
    return _HANDLE.fullmatch(pid) is not None and not is_doi(pid)


def address_of(pid: str) -> str:
    """A pid as a URI that can stand in any outward form: a resolver's address, the pid's own, or a URN of ours."""
    if re.match(r"https?://", pid):
        return pid
    resolver = DOIS if is_doi(pid) else HANDLES if is_handle(pid) else LOCAL
    return resolver + quote(pid, safe="/:.-_~()")


def pid_of(address: str) -> str:
    """What an `address_of` was made of; the DOI or handle that an address leads to, or the address itself."""
    start = next((one for one in (HANDLES, DOIS, LOCAL) if address.startswith(one)), "")
    return unquote(address.removeprefix(start)) if start else address


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    if _UNSTORABLE.search(value):
        raise ValueError("a text without NUL characters and surrogates")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"a text of at most {LONGEST_TEXT} characters")
    return value


def _name(value: Any) -> str:
    text = _text(value).strip()
    if not text or len(text) > LONGEST_NAME:
        raise ValueError(f"a text of 1 to {LONGEST_NAME} characters")
    return text


def _words(value: Any) -> str:
    text = _text(value).strip()
    if len(text) > LONGEST_NAME:
        raise ValueError(f"a text of at most {LONGEST_NAME} characters")
    return text


def _id(value: Any) -> str:
    """Ids are numbers in some models and texts in others."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("an id")
    text = _text(str(value)).strip()
    if not text or len(text) > LONGEST_PID:
        raise ValueError(f"an id of 1 to {LONGEST_PID} characters")
    return text


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError("a number of bytes")
    return value


def _quantity(value: Any) -> str | int | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a number or a text")
    if not isinstance(value, str) and abs(value) >= LARGEST_NUMBER:
        raise ValueError(f"a number below {LARGEST_NUMBER:g}")
    return _text(value) if isinstance(value, str) else value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of texts")
    return tuple(_name(one) for one in value)


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("a date such as 2020-05-05T15:01:02.341Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Reader = Callable[[Any], Any]
# By model: what must be there, and what may be.
REQUIRED: Mapping[str, Mapping[str, Reader]] = {
    "Instrument": {"pid": _id, "name": _name, "facility": _name},
    "Technique": {"pid": _id, "name": _name},
    "Sample": {"pid": _id, "name": _name},
    "Affiliation": {"id": _id, "name": _name},
    "Person": {"id": _id, "fullName": _name},
    "Dataset": {"pid": _id, "title": _name, "isPublic": _boolean, "creationDate": _moment},
    "Document": {"pid": _id, "title": _name, "isPublic": _boolean, "type": _name},
    "File": {"id": _id, "name": _name, "datasetId": _id},
    "Parameter": {"id": _id, "name": _name, "value": _quantity},
    "Member": {"id": _id, "documentId": _id, "personId": _id},
}
OPTIONAL: Mapping[str, Mapping[str, Reader]] = {
    "Technique": {"panetId": _name},
    "Sample": {"description": _text},
    "Affiliation": {"address": _words, "city": _words, "country": _words},
    "Person": {"orcid": _text, "firstName": _text, "lastName": _text},
    "Dataset": {"instrumentId": _id},
    "Document": {
        "summary": _text, "doi": _id, "startDate": _moment, "endDate": _moment, "releaseDate": _moment, "license": _text,
        "keywords": _names,
    },
    "File": {"path": _text, "size": _size},
    "Parameter": {"unit": _text, "datasetId": _id, "documentId": _id},
    "Member": {"role": _words, "affiliationId": _id},
}  # fmt: skip
# Join tables: the column of the dataset, the other column, and the model that this one names.
LINKS: Mapping[str, tuple[str, str, str]] = {
    "DatasetSample": ("datasetId", "sampleId", "Sample"),
    "DatasetTechnique": ("datasetId", "techniqueId", "Technique"),
    "DocumentDataset": ("datasetId", "documentId", "Document"),
}
REFERENCES: Mapping[str, Mapping[str, str]] = {
    "Dataset": {"instrumentId": "Instrument"},
    "File": {"datasetId": "Dataset"},
    "Parameter": {"datasetId": "Dataset", "documentId": "Document"},
    "Member": {"documentId": "Document", "personId": "Person", "affiliationId": "Affiliation"},
}
NEEDED = ("Dataset", "Document", "Instrument")


def read_database(content: bytes) -> PanoscDatabase:
    """The database in `content`, every reference in it leading somewhere. Raises PanoscDatabaseError."""
    models = _models_of(content)
    problems: list[str] = []
    rows = {model: dict(_rows(model, models.get(model, {}), problems)) for model in REQUIRED}
    links = {table: tuple(_pairs(table, models.get(table, {}), problems)) for table in LINKS}
    found = PanoscDatabase(rows, links)
    if not problems:
        problems = [*_dangling_references(found), *_dangling_links(found), *_homeless_parameters(found)]
    if problems:
        raise PanoscDatabaseError(problems)
    return found


def _models_of(content: bytes) -> Mapping[str, Mapping[str, Any]]:
    try:
        whole = _loads(content)
    except _Twice as error:
        raise PanoscDatabaseError([f"{error.args[0][:LONGEST_PID]!r} is given twice in one map."]) from None
    except (ValueError, RecursionError):
        raise PanoscDatabaseError(["This file is not JSON."]) from None
    models = whole.get("models") if isinstance(whole, dict) else None
    if not isinstance(models, dict):
        raise PanoscDatabaseError(["This is no database of the reference server: it has no map of `models`."])
    if missing := [name for name in NEEDED if name not in models]:
        raise PanoscDatabaseError([f"The model {name} is missing." for name in missing])
    known = [name for name in (*REQUIRED, *LINKS) if name in models]
    if strange := [name for name in known if not isinstance(models[name], dict)]:
        raise PanoscDatabaseError([f"The model {name} is not a map of rows by id." for name in strange])
    return models


def _loads(text: str | bytes) -> Any:
    return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class _Twice(Exception):
    """A key that stands twice in one object; its name is the argument."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _decoded(model: str, rows: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, text in rows.items():
        try:
            row = _loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError, _Twice):
            row = None
        if isinstance(row, dict):
            yield key, row
        else:
            problems.append(f"{model} {key[:LONGEST_PID]}: a row is an object as JSON text.")


def _rows(model: str, rows: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, Row]]:
    required, optional = REQUIRED[model], OPTIONAL.get(model, {})
    seen: set[str] = set()
    for key, row in _decoded(model, rows, problems):
        label = f"{model} {key[:LONGEST_PID]}"
        problems += [f"{label}: {name} is missing." for name in required if row.get(name) is None]
        values = dict(_values(label, row, {**required, **optional}, problems))
        name = values.get("pid" if "pid" in required else "id")
        if name is None:
            continue
        if name in seen:
            problems.append(f"{label}: another {model} has the same {'pid' if 'pid' in required else 'id'} {name}.")
        elif name != key:
            problems.append(f"{label}: it says that it is {name}.")
        seen.add(name)
        yield name, values


def _values(
    label: str, row: Mapping[str, Any], readers: Mapping[str, Reader], problems: list[str]
) -> Iterator[tuple[str, Any]]:
    for name, reader in readers.items():
        if row.get(name) is None:
            continue
        try:
            yield name, reader(row[name])
        except ValueError as error:
            problems.append(f"{label}: {name} is to be {error}, not {json.dumps(row[name])[:80]}.")


def _pairs(table: str, rows: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, str]]:
    """Ids of join rows mean nothing: in the reference server's own database several share one."""
    dataset, other, _ = LINKS[table]
    for key, row in _decoded(table, rows, problems):
        values = dict(_values(f"{table} {key}", row, {dataset: _id, other: _id}, problems))
        missing = [name for name in (dataset, other) if row.get(name) is None]
        problems += [f"{table} {key}: {name} is missing." for name in missing]
        if len(values) == 2:
            yield values[dataset], values[other]


def _dangling_references(found: PanoscDatabase) -> Iterator[str]:
    for model, columns in REFERENCES.items():
        for key, row in found.of(model).items():
            for column, target in columns.items():
                if column in row and row[column] not in found.of(target):
                    yield f"{model} {key}: there is no {target} {row[column]}."


def _dangling_links(found: PanoscDatabase) -> Iterator[str]:
    for table, (_, _, target) in LINKS.items():
        for dataset, other in found.links[table]:
            if dataset not in found.of("Dataset"):
                yield f"{table}: there is no Dataset {dataset} (linked with {target} {other})."
            if other not in found.of(target):
                yield f"{table}: there is no {target} {other} (linked with Dataset {dataset})."


def _homeless_parameters(found: PanoscDatabase) -> Iterator[str]:
    for key, row in found.of("Parameter").items():
        if ("datasetId" in row) == ("documentId" in row):
            yield f"Parameter {key}: it belongs to either a dataset or a document."
