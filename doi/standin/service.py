"""What a repository account and the public can do at the stand-in. No HTTP but the statuses that DataCite gives."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from doi.standin.rules import Record, Repository, changed, find_problems
from doi.standin.store import Store

NOT_FOUND = "The resource you are looking for doesn't exist."
FORBIDDEN = "You are not authorized to access this resource."
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
Errors = list[dict[str, Any]]


class Refusal(Exception):
    """An answer other than success: its HTTP status, error document and headers."""

    def __init__(self, code: int, errors: Errors, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors
        self.headers = headers or {}


def refusal(code: int, title: str, headers: dict[str, str] | None = None) -> Refusal:
    return Refusal(code, [{"status": str(code), "title": title}], headers)


class Service:
    """`reads_until_registered`: how many reads after publishing still find a name unregistered, as on the real service."""

    def __init__(self, store: Store, repositories: tuple[Repository, ...], *, reads_until_registered: int = 1) -> None:
        self.store = store
        self.repositories = {repository.user.upper(): repository for repository in repositories}
        self._reads_until_registered = reads_until_registered
        self._random = random.SystemRandom()

    def create(self, sent: dict[str, Any], repository: Repository) -> Record:
        """POST /dois: a name, or a prefix for which one is drawn. Never changes a name that exists."""
        doi = str(sent.get("doi") or "").lower()
        if not doi and (prefix := sent.get("prefix")):
            doi = self.random_names(str(prefix), 1)[0]
        if not doi:
            raise Refusal(422, _validation_errors({"doi": "Can't be blank"}, ""))
        with self.store.transaction():
            if self.store.read(doi):
                raise Refusal(422, _validation_errors({"doi": "This DOI has already been taken"}, doi))
            return self._change(None, doi, sent, repository)

    def change(self, doi: str, sent: dict[str, Any], repository: Repository) -> tuple[Record, bool]:
        """PUT and PATCH /dois/:id: the record, and whether it is new."""
        doi = doi.lower()
        with self.store.transaction():
            record = self.store.read(doi)
            return self._change(record, doi, sent, repository), record is None

    def read(self, doi: str, repository: Repository | None) -> Record:
        """A findable name, or any of the repository's own; others do not exist."""
        doi = doi.lower()
        with self.store.transaction():
            record = self.store.read(doi)
            if record is None or (record.state != "findable" and not _owns(repository, record)):
                raise refusal(404, NOT_FOUND)
            if record.state != "draft" and record.registered is None:
                self.store.write(_after_a_read(record))
        return record

    def delete(self, doi: str, repository: Repository) -> None:
        doi = doi.lower()
        with self.store.transaction():
            record = self.store.read(doi)
            if record is None:
                raise refusal(404, NOT_FOUND)
            if not _owns(repository, record):
                raise refusal(403, FORBIDDEN)
            if record.state != "draft":
                raise refusal(405, "Method not allowed", {"Allow": "HEAD, GET, POST, PATCH, PUT, OPTIONS"})
            self.store.delete(doi)

    def validate(self, sent: dict[str, Any], repository: Repository) -> tuple[Record, Errors]:
        """POST /dois/validate: what would be said of these attributes if they were published; nothing is kept."""
        doi = str(sent.get("doi") or f"{repository.prefixes[0]}/validate").lower()
        record, _ = changed(Record(doi, repository.user), sent, repository)
        return record, _validation_errors(find_problems(record, repository, is_checked_as_public=True), doi)

    def random_names(self, prefix: str, number: int) -> list[str]:
        """Names with eight characters of base 32 in two groups, the last two a checksum (ISO 7064, MOD 97-10)."""
        return [f"{prefix}/{_suffix(self._random.getrandbits(30))}" for _ in range(number)]

    def _change(self, record: Record | None, doi: str, sent: dict[str, Any], repository: Repository) -> Record:
        is_new = record is None
        if record is None:
            if doi.partition("/")[0] not in repository.prefixes:
                raise refusal(403, FORBIDDEN)
            record = Record(doi, repository.user, created=_now())
        elif not _owns(repository, record):
            raise refusal(403, FORBIDDEN)
        after, problems = changed(record, sent, repository)
        if problems:
            raise Refusal(422, _validation_errors(problems, doi))
        is_mint = record.state == "draft" and after.state != "draft"
        after = self._with_times(after, is_mint=is_mint)
        self.store.write(after)
        self.store.note(doi, is_creation=is_new, is_mint=is_mint)
        return after

    def _with_times(self, record: Record, *, is_mint: bool) -> Record:
        record = replace(record, updated=_now())
        if not is_mint:
            return record
        if self._reads_until_registered == 0:
            return replace(record, registered=_now())
        return replace(record, reads_left=self._reads_until_registered)


def _owns(repository: Repository | None, record: Record) -> bool:
    return repository is not None and repository.user == record.owner


def _after_a_read(record: Record) -> Record:
    """Another read without registration; the handle system is done after the last of them."""
    left = record.reads_left - 1
    return replace(record, reads_left=max(left, 0), registered=_now() if left <= 0 else None)


def _validation_errors(problems: dict[str, str], doi: str) -> Errors:
    """The other shape of errors: no status, and attributes as the database of DataCite calls them."""
    return [{"source": _snake(name), "title": message, "uid": doi} for name, message in problems.items()]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _suffix(number: int) -> str:
    digits = "".join(_BASE32[number >> shift & 31] for shift in range(25, -1, -5))
    text = f"{digits}{98 - number * 100 % 97:02d}"
    return f"{text[:4]}-{text[4:]}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
