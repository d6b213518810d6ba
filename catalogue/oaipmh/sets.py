"""Sets: what of the archive a harvester may ask for alone. A set is named by something that does not change: a uid, or a
technique's own name.

`facility:UID`, `instrument:UID`, `technique:NAME` (the last part of its IRI; narrower techniques are in it), `type:dataset`,
`type:investigation`, `type:collection`, `access:open`, and `collection:UID` (datasets and investigations in a published
collection). The first part alone, such as `facility`, is the set of everything that is in one of these.
"""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.collection_contents import members_in
from catalogue.models import Collection, CollectionMember, Dataset, Facility, Instrument, Technique, TechniqueAncestor
from catalogue.models.collections import CollectionState
from catalogue.oaipmh.memberships import in_published_collections
from catalogue.oaipmh.places import EVERYTHING, Kind, Selection

OPEN = "access:open"
_FITTING = re.compile(r"[A-Za-z0-9\-_.!~*'()]+")
TYPES = {"dataset": Kind.DATASET, "investigation": Kind.INVESTIGATION, "collection": Kind.COLLECTION}


def selection_of(spec: str) -> Selection | None:
    """What is in the set, or None where there is no such set."""
    root, _, name = spec.partition(":")
    if not spec:
        return EVERYTHING
    if root not in _SELECT or ":" in name:
        return None
    return _SELECT[root](name) if name else _whole(root)


def _of_type(name: str) -> Selection | None:
    if name not in TYPES:
        return None
    return Selection(kinds={TYPES[name]: Q()})


def _of_facility(name: str) -> Selection | None:
    uid = _uid(name)
    if not uid or not Facility.objects.filter(uid=uid).exists():
        return None
    return Selection(
        kinds={
            Kind.DATASET: Q(dataset__instrument__facility__uid=uid),
            Kind.INVESTIGATION: Q(facility__uid=uid),
        }
    )


def _of_instrument(name: str) -> Selection | None:
    key = Instrument.objects.filter(uid=_uid(name)).values_list("pk", flat=True).first()
    if key is None:
        return None
    return Selection(kinds={Kind.DATASET: Q(dataset__instrument=key), Kind.INVESTIGATION: Q(instrument=key)})


def _of_technique(name: str) -> Selection | None:
    found = Technique.objects.filter(iri__endswith=name).values_list("pk", "iri")
    keys = [key for key, iri in found if technique_name(iri) == name]
    if not keys:
        return None
    narrower = TechniqueAncestor.objects.filter(ancestor__in=keys).values("technique")
    links = Dataset.techniques.through._default_manager.filter(technique__in=narrower)
    return Selection(kinds={Kind.DATASET: Q(dataset__in=links.values("dataset"))})


def _of_access(name: str) -> Selection | None:
    return _IS_OPEN if name == "open" else None


def _of_collection(name: str) -> Selection | None:
    collection = Collection.objects.filter(uid=_uid(name), state=CollectionState.PUBLISHED).first()
    if collection is None:
        return None
    return _members(members_in(collection).order_by())


def _members(members: QuerySet[CollectionMember]) -> Selection:
    """What these members stand for, withdrawn ones too. The condition is made of what is there, which databases plan well."""
    named = members.filter(dataset_id__gt=0)
    whole = members.filter(investigation_id__gt=0).values("investigation_id")
    in_whole = Q(dataset__investigation__in=whole)
    datasets = Q(dataset__in=named.values("dataset_id"))
    if not whole.exists():
        return Selection(kinds={Kind.DATASET: datasets})
    return Selection(
        kinds={
            Kind.DATASET: datasets | in_whole if named.exists() else in_whole,
            Kind.INVESTIGATION: Q(pk__in=whole),
        }
    )


def _uid(name: str) -> UUID | None:
    """Only as it is written in headers, so that one set has one name."""
    try:
        uid = UUID(name)
    except ValueError:
        return None
    return uid if str(uid) == name else None


def technique_name(iri: str) -> str:
    """The last part of a technique's IRI, such as "PaNET01145"; empty where it cannot stand in a setSpec."""
    name = iri.rpartition("/")[2].rpartition("#")[2]
    return name if _FITTING.fullmatch(name) else ""


_IS_OPEN = Selection(kinds=EVERYTHING.kinds, is_open=True)
_MEASURED = Selection(kinds={Kind.DATASET: Q(), Kind.INVESTIGATION: Q()})
_SELECT: Mapping[str, Callable[[str], Selection | None]] = {
    "access": _of_access,
    "collection": _of_collection,
    "facility": _of_facility,
    "instrument": _of_instrument,
    "technique": _of_technique,
    "type": _of_type,
}


def _whole(root: str) -> Selection:
    if root == "access":
        return _IS_OPEN
    if root == "type":
        return EVERYTHING
    if root == "technique":
        links = Dataset.techniques.through._default_manager.filter(dataset=OuterRef("dataset"))
        return Selection(kinds={Kind.DATASET: Exists(links)})
    if root == "collection":
        return _members(CollectionMember.objects.filter(in_published_collections()).order_by())
    return _MEASURED
