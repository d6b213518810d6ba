"""The ids of a PaNOSC database at the rows that became of it: those for which the rows here have no column.

What has an id already keeps it, so that importing again changes nothing.
"""

from collections.abc import Iterable, Mapping

from catalogue.entries import ParameterEntry
from catalogue.interop.panosc_checks import file_name
from catalogue.interop.panosc_database import Row
from catalogue.models import Datafile, Dataset, ForeignIdentifier, ForeignTechnique, Parameter, Technique
from catalogue.models.foreign import ForeignKind
from catalogue.services.references import chunks


def keep_identifiers(kind: ForeignKind, found: Iterable[tuple[int, str]]) -> None:
    """`found` are primary keys here, each with the id there."""
    for portion in chunks(list(found)):
        rows = [ForeignIdentifier(kind=kind, object_id=key, identifier=text) for key, text in portion]
        ForeignIdentifier.objects.bulk_create(rows, ignore_conflicts=True)


def find_techniques(rows: Mapping[str, Row], iris: Mapping[str, str]) -> dict[str, ForeignTechnique]:
    """Of the techniques with these `iris` what they are called there, by pid, made where it was not known."""
    terms = Technique.objects.in_bulk(list(iris.values()), field_name="iri")
    return {
        pid: ForeignTechnique.objects.get_or_create(technique=terms[iri], identifier=pid, name=rows[pid]["name"])[0]
        for pid, iri in iris.items()
    }


def keep_techniques(
    made: Mapping[str, Dataset], pids: Mapping[str, Iterable[str]], techniques: Mapping[str, ForeignTechnique]
) -> None:
    """`pids` of the techniques of each dataset."""
    link = ForeignTechnique.datasets.through
    link.objects.bulk_create(
        link(dataset=dataset, foreigntechnique=techniques[one])
        for pid, dataset in made.items()
        for one in pids.get(pid, ())
    )


def keep_files(made: Mapping[str, Dataset], files: Mapping[str, Iterable[tuple[str, Row]]]) -> None:
    """`made` are the new datasets by pid; `files` what the database tells of the files of each."""
    wanted = {(made[pid].pk, file_name(row)): key for pid in made for key, row in files.get(pid, ())}
    for portion in chunks([dataset.pk for dataset in made.values()]):
        rows = Datafile.objects.filter(dataset__in=portion).order_by().values_list("pk", "dataset_id", "name")
        keep_identifiers(ForeignKind.FILE, [(key, wanted[dataset, name]) for key, dataset, name in rows])


def keep_parameters(
    made: Mapping[str, Dataset], parameters: Mapping[str, Iterable[tuple[str, ParameterEntry]]]
) -> None:
    """`parameters` of each of the new datasets, with their ids; one that a document states has its id at each dataset."""
    wanted = {(made[pid].pk, one.group, one.name): key for pid in made for key, one in parameters[pid]}
    for portion in chunks([dataset.pk for dataset in made.values()]):
        rows = Parameter.objects.filter(dataset__in=portion).order_by()
        places = rows.values_list("pk", "dataset_id", "group", "name")
        keep_identifiers(
            ForeignKind.PARAMETER, [(key, wanted[dataset, group, name]) for key, dataset, group, name in places]
        )
