"""What the parts of one import from a PaNOSC reference server share: who acts, what is read, and what was made of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from catalogue.access import Principal
from catalogue.entries import RelationEntry
from catalogue.errors import DomainError, InvalidInput
from catalogue.interop.panosc_database import LOCAL, MOST_PROBLEMS, PanoscDatabase, address_of, is_doi, is_handle
from catalogue.models import Dataset, ForeignTechnique, Instrument, Investigation

# How a record here says which one elsewhere it is.
SAME_AS = "IsIdenticalTo"
# Who registers what is imported, under its pid as the key.
ACCOUNT = "panosc-import"
# The type of an investigation that holds what belongs to no proposal. It is no Document of the PaNOSC API.
NO_PROPOSAL = "data without a proposal"
# How the group of a parameter begins that a document states: every dataset of the document keeps it.
STATED_BY = "document "


@dataclass
class Imported:
    """How much of each was new."""

    instruments: int = 0
    techniques: int = 0
    people: int = 0
    proposals: int = 0
    publications: int = 0
    datasets: int = 0
    files: int = 0


@dataclass
class Import:
    """One import under way. Rows by the pids of the file."""

    actor: Principal
    database: PanoscDatabase
    now: datetime
    done: Imported = field(default_factory=Imported)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    techniques: dict[str, ForeignTechnique] = field(default_factory=dict)
    investigations: dict[str, Investigation] = field(default_factory=dict)
    datasets: dict[str, Dataset] = field(default_factory=dict)


def refusal(problems: list[str]) -> InvalidInput:
    more = [f"And {len(problems) - MOST_PROBLEMS} more."] if len(problems) > MOST_PROBLEMS else []
    return InvalidInput("\n".join([*problems[:MOST_PROBLEMS], *more]), fields={"file": problems})


@contextmanager
def about(model: str, pid: str) -> Iterator[None]:
    """Say of which row of the file a refusal is."""
    try:
        yield
    except DomainError as error:
        details = [f"{name}: {text}" for name, texts in error.fields.items() for text in texts]
        raise refusal([f"{model} {pid}: {' '.join([error.message, *details])}"]) from error


def same_as(pid: str) -> RelationEntry:
    """The relation that keeps a pid. One that is neither DOI, handle nor address has the form of a URN."""
    kinds = ("DOI", is_doi(pid)), ("Handle", is_handle(pid)), ("URN", address_of(pid).startswith(LOCAL))
    kind = next((name for name, is_it in kinds if is_it), "URL")
    return RelationEntry(
        relation_type=SAME_AS, identifier=address_of(pid) if kind == "URN" else pid, identifier_type=kind
    )


def as_visit(pid: str) -> str:
    """A pid in the letters that a visit id may have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", pid).strip("-._")[:100] or "imported"
