"""Fills the tables of techniques and licences from `catalogue.vocabularies`; loading the same again changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from catalogue import changes
from catalogue.access import Principal
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.models import Licence, Technique, TechniqueAncestor
from catalogue.vocabularies.licences import spdx_licences
from catalogue.vocabularies.techniques import TechniqueTerm, find_problems

TECHNIQUE_FIELDS = ("label", "alternative_labels", "definition", "source")


@dataclass(frozen=True)
class Loaded:
    """How many terms were new, and how many stood there with other words or parents."""

    added: int
    changed: int


def load_licences(*, actor: Principal) -> int:
    """Bring the table of licences to the present SPDX list and return how many it holds. None is removed: data carry them."""
    _authorise(actor)
    rows = [Licence(spdx_id=term.spdx_id, name=term.name, url=term.url) for term in spdx_licences()]
    Licence.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["spdx_id"], update_fields=["name", "url"], batch_size=500
    )
    return len(rows)


@transaction.atomic
def load_techniques(*, actor: Principal, terms: Iterable[TechniqueTerm], keeps_known_terms: bool = False) -> Loaded:
    """Add `terms` and bring those that are known to their present words and parents.

    With `keeps_known_terms` only the missing ones are added: a short table must not overwrite the official one.
    Raises InvalidInput when the terms contradict each other; then nothing is changed.
    """
    _authorise(actor)
    known = {technique.iri: technique for technique in Technique.objects.prefetch_related("parents")}
    wanted = [term for term in terms if not (keeps_known_terms and term.iri in known)]
    if problems := find_problems(wanted, known_iris=known):
        raise InvalidInput("The vocabulary cannot be loaded: " + " ".join(problems[:5]), fields={"terms": problems})
    added = Technique.objects.bulk_create(_row(term) for term in wanted if term.iri not in known)
    changed = {term.iri for term in wanted if term.iri in known and _update(known[term.iri], term)}
    changed |= _set_parents(wanted, known)
    rebuild_ancestors()
    for technique in Technique.objects.filter(iri__in=changed & set(known)):
        changes.row_changed(technique)
    return Loaded(added=len(added), changed=len(changed - {technique.iri for technique in added}))


def _authorise(actor: Principal) -> None:
    if not actor.is_administrator:
        raise NotAllowed("Only administrators load vocabularies.")


def _values(term: TechniqueTerm) -> dict[str, object]:
    return {
        "label": term.label,
        "alternative_labels": list(term.alternative_labels),
        "definition": term.definition,
        "source": term.source,
    }


def _row(term: TechniqueTerm) -> Technique:
    return Technique(iri=term.iri, **_values(term))


def _update(technique: Technique, term: TechniqueTerm) -> bool:
    values = _values(term)
    if all(getattr(technique, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(technique, name, value)
    technique.save(update_fields=TECHNIQUE_FIELDS)
    return True


def _set_parents(terms: list[TechniqueTerm], known: dict[str, Technique]) -> set[str]:
    """Give each term its parents and return the IRIs of those whose parents became others."""
    keys = dict(Technique.objects.values_list("iri", "pk"))
    links = Technique.parents.through
    changed, rows = set(), []
    for term in terms:
        before = {parent.iri for parent in known[term.iri].parents.all()} if term.iri in known else set()
        if before != set(term.parent_iris):
            changed.add(term.iri)
            rows += [
                links(from_technique_id=keys[term.iri], to_technique_id=keys[iri])
                for iri in dict.fromkeys(term.parent_iris)
            ]
    links.objects.filter(from_technique__iri__in=changed & set(known)).delete()
    links.objects.bulk_create(rows)
    return changed


@transaction.atomic
def rebuild_ancestors() -> None:
    """Make `TechniqueAncestor` the transitive closure of the parents again, touching only the rows that differ."""
    wanted = ancestor_pairs()
    rows = {(row.technique_id, row.ancestor_id): row.pk for row in TechniqueAncestor.objects.all()}
    surplus = [key for pair, key in rows.items() if pair not in wanted]
    TechniqueAncestor.objects.filter(pk__in=surplus).delete()
    TechniqueAncestor.objects.bulk_create(
        TechniqueAncestor(technique_id=technique, ancestor_id=ancestor)
        for technique, ancestor in sorted(wanted - set(rows))
    )


def ancestor_pairs() -> set[tuple[int, int]]:
    """All pairs (technique, ancestor) by primary key, each technique being its own ancestor."""
    parents: dict[int, list[int]] = {}
    for child, parent in Technique.parents.through.objects.values_list("from_technique_id", "to_technique_id"):
        parents.setdefault(child, []).append(parent)
    return {
        (key, ancestor)
        for key in Technique.objects.values_list("pk", flat=True)
        for ancestor in _reachable(key, parents)
    }


def _reachable(start: int, parents: dict[int, list[int]]) -> set[int]:
    found, waiting = {start}, [start]
    while waiting:
        new = set(parents.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found
