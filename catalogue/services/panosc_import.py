"""Imports the database of a PaNOSC reference server: all of it in one transaction or none of it, and nothing twice.

A proposal becomes an investigation, a publication a published collection under the DOI that it has already; data that belong
to no proposal come into an investigation of their instrument. What exists under its pid is left as it is. Documents are made
in `panosc_documents.py`, datasets in `panosc_datasets.py`.
"""

from dataclasses import replace
from hashlib import sha256

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.changes import row_changed
from catalogue.errors import Conflict, NotAllowed
from catalogue.interop.panosc_checks import problems_of
from catalogue.interop.panosc_database import (
    MOST_BYTES,
    PanoscDatabase,
    PanoscDatabaseError,
    Row,
    address_of,
    read_database,
)
from catalogue.models import Facility, Instrument, Licence
from catalogue.services.declarations import declare_account, declare_facility, declare_instrument
from catalogue.services.panosc_context import ACCOUNT, Import, Imported, about, refusal
from catalogue.services.panosc_datasets import import_datasets
from catalogue.services.panosc_documents import import_proposals, import_publications
from catalogue.services.panosc_identifiers import find_techniques
from catalogue.services.panosc_people import People
from catalogue.services.vocabularies import load_techniques
from catalogue.vocabularies.licences import DEFAULT_LICENCE
from catalogue.vocabularies.techniques import PANET, TechniqueTerm

LONGEST_SHORT_NAME = 40


def import_panosc(*, actor: Principal, content: bytes) -> Imported:
    """Bring what is new in the database into the catalogue, open to everyone. For administrators.

    Raises InvalidInput, with every problem in `fields["file"]`, where the file cannot be read or held; nothing is written then.
    """
    if not (actor.is_administrator and actor.has_scope("register")):
        raise NotAllowed("Only administrators import the database of another server.")
    database = _checked(content)
    with transaction.atomic():
        account = declare_account(actor=actor, username=ACCOUNT)
        current = Import(replace(actor, user_id=account.pk, label=ACCOUNT), database, timezone.now())
        _import_instruments(current)
        _import_techniques(current)
        people = People(current)
        import_proposals(current, people)
        import_datasets(current)
        import_publications(current, people)
    return current.done


def _checked(content: bytes) -> PanoscDatabase:
    if len(content) > MOST_BYTES:
        raise refusal([f"A database has at most {MOST_BYTES // 1024**2} MiB. Import it in parts."])
    try:
        database = read_database(content)
    except PanoscDatabaseError as error:
        raise refusal(error.problems) from error
    problems = [*problems_of(database, now=timezone.now()), *_unknown_licences(database)]
    if problems:
        raise refusal(problems)
    return database


def _unknown_licences(database: PanoscDatabase) -> list[str]:
    wanted = {pid: row.get("license") or DEFAULT_LICENCE for pid, row in database.of("Document").items()}
    known = set(Licence.objects.filter(pk__in={*wanted.values(), DEFAULT_LICENCE}).values_list("pk", flat=True))
    if DEFAULT_LICENCE not in known:
        return ["There are no licences here yet: run `manage.py load_vocabulary` first."]
    unknown = {pid: name for pid, name in wanted.items() if name not in known}
    return [f"Document {pid}: {name[:40]!r} is no SPDX licence known here." for pid, name in unknown.items()]


def _import_instruments(current: Import) -> None:
    rows = current.database.of("Instrument")
    addresses = {address_of(pid): pid for pid in rows}
    known = Instrument.objects.exclude(pid="").select_related("facility")
    current.instruments = {addresses[one.pid]: one for one in known if one.pid in addresses}
    facilities = {name: _facility(current, name) for name in {row["facility"] for row in rows.values()}}
    for pid, row in rows.items():
        if pid not in current.instruments:
            with about("Instrument", pid):
                current.instruments[pid] = _instrument(current, facilities[row["facility"]], pid, row)


def _facility(current: Import, name: str) -> Facility:
    existing = Facility.objects.filter(name=name).first()
    short_name = name if len(name) <= LONGEST_SHORT_NAME else name[: LONGEST_SHORT_NAME - 7] + _digest(name)
    return existing or declare_facility(actor=current.actor, short_name=short_name, name=name)


def _instrument(current: Import, facility: Facility, pid: str, row: Row) -> Instrument:
    """A new one, or the one of that name that had no pid until now."""
    existing = Instrument.objects.filter(facility=facility, name=row["name"]).select_related("facility").first()
    if existing is None:
        current.done.instruments += 1
        slug = slugify(row["name"])[:LONGEST_SHORT_NAME] or "instrument"
        is_taken = Instrument.objects.filter(short_name=slug).exists()
        short_name = slug + _digest(pid) if is_taken else slug
        return declare_instrument(
            actor=current.actor, facility=facility, short_name=short_name, name=row["name"], pid=address_of(pid)
        )
    if existing.pid:
        raise Conflict(f"{facility.short_name} has an instrument of this name already, with the pid {existing.pid}.")
    Instrument.objects.filter(pk=existing.pk).update(pid=address_of(pid))
    existing.pid = address_of(pid)
    write_audit(actor=current.actor, action="update", record=existing, before={"pid": ""}, after={"pid": existing.pid})
    row_changed(existing)
    return existing


def _digest(text: str) -> str:
    """Six characters that tell two names with one beginning apart."""
    return "-" + sha256(text.encode()).hexdigest()[:6]


def _import_techniques(current: Import) -> None:
    """By their term of PaNET; those without one, and those that PaNET does not have here yet, become terms of their own."""
    iris: dict[str, str] = {}
    terms: dict[str, TechniqueTerm] = {}
    for pid, row in current.database.of("Technique").items():
        iri = iris[pid] = address_of(row.get("panetId") or pid)
        source = "PaNET" if iri.startswith(PANET) else "PaNOSC"
        terms.setdefault(iri, TechniqueTerm(iri, row["name"], (), "", (), source))
    loaded = load_techniques(actor=current.actor, terms=terms.values(), keeps_known_terms=True)
    current.done.techniques = loaded.added
    current.techniques = find_techniques(current.database.of("Technique"), iris)
