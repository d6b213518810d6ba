"""What may be wrong with one entry of a registration, with the code, the message and the fields to mend."""

import re

from catalogue.access import Principal
from catalogue.entries import DatasetEntry, FileEntry
from catalogue.errors import InvalidInput
from catalogue.models.datasets import DatasetKind, FileRole
from catalogue.services.investigations import check_relations
from catalogue.services.parameters import parameter_problems
from catalogue.services.references import References, path_problem
from catalogue.storages.errors import StoragePathRefused
from catalogue.storages.paths import clean_path

SHA256 = re.compile(r"[0-9a-fA-F]{64}|")
# `values` of choices is worked out anew each time, which counts for thousands of files.
KINDS = frozenset(DatasetKind.values)
ROLES = frozenset(FileRole.values)
LONGEST_TITLE = 500
LONGEST_KEY = 300
LONGEST_PATH_BYTES = 1000
MOST_FILES = 100_000

MOST_PROBLEMS = 20
TAKEN = "registered already in another dataset."

Refusal = tuple[str, str, dict[str, list[str]]]


def problems_of(entry: DatasetEntry, found: References, actor: Principal) -> Refusal | None:
    """Why `entry` is refused, or None. Access comes first, so that a refusal tells a stranger nothing."""
    investigation = found.investigation_of(entry)
    if investigation is None or investigation.pk not in found.allowed_investigations:
        message = "There is no such investigation in which you may register. Check its uid or visit id."
        return "not-allowed", message, {"investigation": [message]}
    fields: dict[str, list[str]] = {}
    _check_texts(entry, fields)
    _check_references(entry, found, fields)
    is_known = (investigation.instrument_id, entry.registration_key) in found.existing_by_key
    if not (entry.registration_key and is_known):
        _check_files(entry, found, actor, fields)
    fields |= parameter_problems(entry.parameters)
    if not fields:
        return None
    is_taken = any(TAKEN in text for texts in fields.values() for text in texts)
    code = "file-registered" if is_taken else "invalid"
    return code, f"Not registered: check {', '.join(sorted(fields)[:MOST_PROBLEMS])}.", fields


def _check_texts(entry: DatasetEntry, fields: dict[str, list[str]]) -> None:
    if not entry.title.strip() or len(entry.title) > LONGEST_TITLE:
        fields["title"] = [f"A title has 1 to {LONGEST_TITLE} characters."]
    if entry.kind not in KINDS:
        fields["kind"] = [f"Must be one of {', '.join(DatasetKind.values)}."]
    if len(entry.registration_key) > LONGEST_KEY:
        fields["registration_key"] = [f"Has at most {LONGEST_KEY} characters."]
    if entry.acquired_at is not None and entry.acquired_at.tzinfo is None:
        fields["acquired_at"] = ["Give the time with its zone, for example 2026-05-03T10:00:00+02:00."]
    if len(entry.sample) > 200:
        fields["sample"] = ["A sample's name has at most 200 characters."]
    for name in ("title", "description", "sample", "registration_key"):
        if "\x00" in getattr(entry, name):
            fields[name] = ["Contains a NUL character; remove it."]


def _check_references(entry: DatasetEntry, found: References, fields: dict[str, list[str]]) -> None:
    for place, iri in enumerate(entry.techniques):
        if iri not in found.techniques:
            fields[f"techniques.{place}"] = [f"{iri[:100]}: no such technique; give its IRI, see /api/v1/techniques."]
    if entry.licence and entry.licence not in found.licences:
        fields["licence"] = [f"{entry.licence[:40]}: no SPDX licence known here."]
    for place, uid in enumerate(entry.derived_from):
        if uid not in found.sources:
            fields[f"derived_from.{place}"] = [f"{uid}: no such dataset that you may read."]
    try:
        check_relations(entry.relations)
    except InvalidInput as error:
        fields["relations"] = list(error.fields["relations"])


def _check_files(entry: DatasetEntry, found: References, actor: Principal, fields: dict[str, list[str]]) -> None:
    if len(entry.files) > MOST_FILES:
        fields["files"] = [f"A dataset takes at most {MOST_FILES} files in one request."]
        return
    names = set()
    places = set()
    for place, file in enumerate(entry.files):
        name = file.name or file.path.rsplit("/", 1)[-1]
        problem = _file_problem(entry, file, found, actor)
        if name in names or (file.storage, file.path) in places:
            problem = problem or "two files of this dataset have this name; give each a name of its own."
        names.add(name)
        places.add((file.storage, file.path))
        if problem:
            fields[f"files.{place}"] = [f"{name[:100]}: {problem}"]
        if len(fields) >= MOST_PROBLEMS:
            return


def _file_problem(entry: DatasetEntry, file: FileEntry, found: References, actor: Principal) -> str:
    storage = found.storages.get(file.storage)
    if storage is None:
        return "no such storage that you may use."
    if len(file.path.encode()) > LONGEST_PATH_BYTES or len(file.name.encode()) > LONGEST_PATH_BYTES:
        return f"a path has at most {LONGEST_PATH_BYTES} bytes."
    if problem := path_problem(storage, file.path, found.investigations[entry.investigation], actor):
        return problem
    if file.name:
        try:
            clean_path(file.name)
        except StoragePathRefused as error:
            return str(error)
    if (storage.pk, file.path) in found.taken_paths:
        return TAKEN
    if not SHA256.fullmatch(file.sha256):
        return "a SHA-256 has 64 hexadecimal digits."
    if file.role not in ROLES:
        return f"role must be one of {', '.join(FileRole.values)}."
    if file.size is not None and file.size < 0:
        return "a size cannot be negative."
    return ""
