"""Samples of a PaNOSC database: each is one of every investigation whose data were measured on it.

Here the samples of an investigation are told apart by their names. Where there are two of one name, the second is named
with its pid too, and the name that it has there is kept beside it.
"""

from collections.abc import Mapping, Sequence

from catalogue.entries import SampleEntry
from catalogue.models import ForeignIdentifier, Investigation, Sample
from catalogue.models.foreign import ForeignKind
from catalogue.services.investigations import save_sample
from catalogue.services.panosc_context import Import, about
from catalogue.services.panosc_identifiers import keep_identifiers

LONGEST_NAME = 200


def make_samples(current: Import, pids: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The name here of the sample of each dataset, made with what is said of it where it is new. `pids` by those of the datasets."""
    found: dict[tuple[int, str], str] = {}
    names = {}
    for dataset, keys in pids.items():
        for key in keys:
            investigation = current.investigations[dataset]
            place = investigation.pk, key
            if place not in found:
                with about("Sample", key):
                    found[place] = _sample(current, investigation, key).name
            names[dataset] = found[place]
    return names


def _sample(current: Import, investigation: Investigation, key: str) -> Sample:
    """The one that came under this pid, else the one of its name if that has no pid yet, else a new one."""
    row = current.database.of("Sample")[key]
    came = ForeignIdentifier.objects.filter(kind=ForeignKind.SAMPLE, object_id__in=investigation.samples.values("pk"))
    pids = dict(came.values_list("identifier", "object_id"))
    if key in pids:
        return investigation.samples.get(pk=pids[key])
    named = investigation.samples.filter(name=row["name"]).first()
    if named is not None and named.pk not in pids.values():
        sample = named
    else:
        name = row["name"] if named is None else f"{row['name'][: LONGEST_NAME - len(key) - 3]} ({key})"
        entry = SampleEntry(name=name, description=row.get("description", ""))
        sample, _ = save_sample(actor=current.actor, investigation=investigation, entry=entry)
    keep_identifiers(ForeignKind.SAMPLE, [(sample.pk, key)])
    if sample.name != row["name"]:
        keep_identifiers(ForeignKind.SAMPLE_NAME, [(sample.pk, row["name"])])
    return sample
