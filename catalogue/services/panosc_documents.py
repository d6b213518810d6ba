"""Documents of a PaNOSC database: proposals become investigations, publications become published collections.

Both are open from the day of their release on. Their DOIs were registered elsewhere: nothing is asked of DataCite here.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from catalogue import changes
from catalogue.audit import write_audit
from catalogue.collection_selectors import text_of
from catalogue.entries import InvestigationEntry
from catalogue.interop.panosc_checks import PROPOSAL, PUBLICATION, doi_of, proposals_of
from catalogue.interop.panosc_database import Row
from catalogue.models import Collection, Dataset, Investigation
from catalogue.publication import Creator, PublicationText, Subject, normalise_doi
from catalogue.publication_checks import find_problems
from catalogue.services.collection_release import begin_publication, publish_collection
from catalogue.services.collections import save_text, start_collection, text_tag
from catalogue.services.investigations import create_investigation
from catalogue.services.panosc_context import NO_PROPOSAL, SAME_AS, Import, about, as_visit, refusal, same_as
from catalogue.services.panosc_people import People, person_entry

LONGEST_NUMBER, LONGEST_TITLE = 60, 500


def import_proposals(current: Import, people: People) -> None:
    """Investigations by the pid of each dataset, those that exist included."""
    proposals = proposals_of(current.database)
    data: dict[str, list[str]] = {}
    for dataset in current.database.of("Dataset"):
        for document in proposals.get(dataset, ()):
            data.setdefault(document, []).append(dataset)
    by_document = {}
    for pid, row in current.database.of("Document").items():
        if row["type"] == PROPOSAL:
            with about("Document", pid):
                existing = _existing(current, pid, row, data[pid][0])
                by_document[pid] = existing or _new_investigation(current, people, pid, row, data[pid])
    without = _without_proposal(
        current, people, [one for one in current.database.of("Dataset") if not proposals.get(one)]
    )
    named = {dataset: by_document[document] for document, datasets in data.items() for dataset in datasets}
    current.investigations = named | without


def _existing(current: Import, pid: str, row: Row, dataset: str) -> Investigation | None:
    """The investigation that came from this document, or that has its DOI."""
    doi = doi_of(pid, row.get("doi", ""))
    found = Investigation.objects.filter(doi=doi).first() if doi else None
    facility = current.instruments[current.database.of("Dataset")[dataset]["instrumentId"]].facility
    named = Investigation.objects.filter(facility=facility, visit_id=as_visit(pid))
    return (
        found or named.filter(relations__relation_type=SAME_AS, relations__identifier=same_as(pid).identifier).first()
    )


def _new_investigation(current: Import, people: People, pid: str, row: Row, datasets: list[str]) -> Investigation:
    rows = [current.database.of("Dataset")[one] for one in datasets]
    ended_at = row.get("endDate")
    doi = doi_of(pid, row.get("doi", ""))
    started_at = row.get("startDate") or min(one["creationDate"] for one in rows)
    entry = InvestigationEntry(
        instrument=str(current.instruments[rows[0]["instrumentId"]].uid),
        visit_id=as_visit(pid),
        title=row["title"],
        abstract=row.get("summary", ""),
        started_at=min(started_at, ended_at) if ended_at else started_at,
        ended_at=ended_at,
        proposal=pid if len(pid) <= LONGEST_NUMBER else "",
        proposal_title=row["title"],
        licence=row.get("license", ""),
        relations=() if doi == normalise_doi(pid) else (same_as(pid),),
    )
    investigation = create_investigation(actor=current.actor, entry=entry)
    people.keep(pid, team=people.join(investigation, pid))
    released_at = row.get("releaseDate") or min(current.now, entry.ended_at or entry.started_at)
    _open(current, investigation, released_at, pid=pid, doi=doi or None)
    current.done.proposals += 1
    return investigation


def _without_proposal(current: Import, people: People, datasets: Iterable[str]) -> dict[str, Investigation]:
    """One investigation for each publication and facility, with the people of the publication; one for each instrument else."""
    rows, documents = current.database.of("Dataset"), current.database.linked("DocumentDataset")
    holders: dict[tuple[str, int], list[str]] = {}
    for dataset in datasets:
        instrument = current.instruments[rows[dataset]["instrumentId"]]
        document = next(iter(documents.get(dataset, ())), "")
        holders.setdefault((document, instrument.facility_id if document else instrument.pk), []).append(dataset)
    found = {}
    for (document, _), names in holders.items():
        with about("Dataset", names[0]):
            found.update(dict.fromkeys(names, _holder(current, people, document, names)))
    return found


def _holder(current: Import, people: People, document: str, datasets: list[str]) -> Investigation:
    """The investigation of data that no proposal is named for, as it was made before or anew."""
    rows = [current.database.of("Dataset")[name] for name in datasets]
    instrument = current.instruments[rows[0]["instrumentId"]]
    whose = current.database.of("Document")[document]["title"] if document else instrument.name
    entry = InvestigationEntry(
        instrument=str(instrument.uid),
        visit_id=as_visit(f"data-of-{document or instrument.short_name}"),
        title=f"Data of {whose}"[:LONGEST_TITLE],
        investigation_type=NO_PROPOSAL,
        started_at=min(row["creationDate"] for row in rows),
    )
    known = Investigation.objects.filter(facility=instrument.facility, investigation_type=NO_PROPOSAL)
    investigation = known.filter(visit_id=entry.visit_id).first()
    if investigation is None:
        investigation = create_investigation(actor=current.actor, entry=entry)
        people.join(investigation, document)
        _open(current, investigation, entry.started_at)
    return investigation


def _open(current: Import, investigation: Investigation, moment: datetime, **values: Any) -> None:
    """Released at `moment`, of which nobody is told: it was so before it came here."""
    pid = values.pop("pid", "")
    opened = min(moment, current.now)
    values |= {"embargo_until": opened, "released_at": opened, "opening_announced_at": current.now}
    Investigation.objects.filter(pk=investigation.pk).update(**values)
    investigation.refresh_from_db()
    after = {"pid": pid, "doi": investigation.doi or "", "released_at": opened.isoformat()}
    write_audit(actor=current.actor, action="import", record=investigation, after=after)
    changes.investigation_changed(investigation)


def import_publications(current: Import, people: People) -> None:
    """After their datasets."""
    rows = {pid: row for pid, row in current.database.of("Document").items() if row["type"] == PUBLICATION}
    dois = {pid: doi_of(pid, row.get("doi", "")) for pid, row in rows.items()}
    known = set(Collection.objects.filter(doi__in=dois.values()).values_list("doi", flat=True))
    data: dict[str, list[Dataset]] = {}
    for dataset, document in dict.fromkeys(current.database.links["DocumentDataset"]):
        data.setdefault(document, []).append(current.datasets[dataset])
    for pid, row in rows.items():
        if dois[pid] not in known:
            with about("Document", pid):
                collection = _publish(current, pid, row, dois[pid], data.get(pid, []))
                people.keep(pid, collection=collection)


def _publish(current: Import, pid: str, row: Row, doi: str, datasets: list[Dataset]) -> Collection:
    text = _text_of(current, pid, row, datasets)
    if problems := find_problems(text):
        raise refusal([f"{field}: {message}" for field, messages in problems.items() for message in messages])
    actor = current.actor
    collection = start_collection(actor=actor, datasets=Q(pk__in=[one.pk for one in datasets]) if datasets else None)
    changed = {name: value for name, value in text.to_json().items() if value != text_of(collection).to_json()[name]}
    collection = save_text(
        actor=actor, collection=collection, changes=changed, seen=text_tag(text_of(collection), changed)
    )
    begin_publication(actor=actor, collection=collection, expected_version=None)
    publish_collection(actor=actor, collection=collection, doi=doi)
    published_at = row.get("releaseDate") or row.get("endDate") or row.get("startDate") or current.now
    Collection.objects.filter(pk=collection.pk).update(published_at=min(published_at, current.now))
    write_audit(actor=actor, action="import", record=collection, after={"pid": pid, "doi": doi})
    current.done.publications += 1
    return collection


def _text_of(current: Import, pid: str, row: Row, datasets: list[Dataset]) -> PublicationText:
    members = current.database.belonging("Member", "documentId").get(pid, ())
    people = {member["personId"]: person_entry(current, member) for _, member in members}
    creators = tuple(
        Creator(family_name=one.family_name, given_name=one.given_name, orcid=one.orcid, affiliation=one.affiliation)
        for one in people.values()
    )
    makers = (one.instrument.facility.name for one in datasets)
    organisation = Creator(name_type="Organizational", name=next(makers, "Authors that are not named"))
    return PublicationText(
        title=row["title"],
        abstract=row.get("summary", ""),
        creators=creators or (organisation,),
        subjects=tuple(Subject(term=word) for word in row.get("keywords", ())),
        **({"licence_id": row["license"]} if row.get("license") else {}),
    )
