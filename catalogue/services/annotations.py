"""Annotations: what models and people say of an image. The only door by which results of a classifier enter the catalogue."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalogue import access, changes
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit, write_audit_rows
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.models import Annotation, Datafile, Dataset
from catalogue.models.datasets import Source
from catalogue.services.parameters import touch
from catalogue.services.rows import insert_rows

CATEGORY = "category"
LONGEST_LABEL = 200
COLUMNS = (
    "dataset_id",
    "datafile_id",
    "kind",
    "label",
    "confidence",
    "source",
    "model_release",
    "verified_by_id",
    "verified_at",
    "created_at",
)


@dataclass(frozen=True)
class Label:
    """One answer of a model: `confidence` from 0 to 1."""

    text: str
    confidence: float


def record_labels(
    *, actor: Principal, datafile: Datafile, kind: str, labels: Sequence[Label], model_release: str
) -> None:
    """Replace what `model_release` said of `datafile` about `kind`; what a person verified stays verified.

    Raises NotAllowed unless a curator or the site itself acts, InvalidInput for labels that cannot be kept.
    """
    record_labels_of_many(actor=actor, said={datafile: labels}, kind=kind, model_release=model_release)


def record_labels_of_many(
    *, actor: Principal, said: Mapping[Datafile, Sequence[Label]], kind: str, model_release: str
) -> None:
    """As `record_labels` for many files in one transaction and a constant number of queries for any number of them.

    Each dataset gets one audit row, and its version is raised once. Raises as `record_labels` does, then nothing is kept.
    """
    if not actor.sees_everything:
        raise NotAllowed("Only the site's own classifier and curators record what a model says.")
    for labels in said.values():
        _check(labels, model_release)
    spoken = Annotation.objects.filter(
        datafile__in=[file.pk for file in said], kind=kind, model_release=model_release, source=Source.AI
    )
    with transaction.atomic():
        datasets = _locked_datasets(said)
        verified = spoken.filter(verified_at__isnull=False).values_list("datafile_id", "label")
        kept = set(verified)
        spoken.filter(verified_at__isnull=True).delete()
        now = timezone.now()
        rows = (
            (file.dataset_id, file.pk, kind, one.text, one.confidence, Source.AI.value, model_release, None, None, now)
            for file, labels in said.items()
            for one in labels
            if (file.pk, one.text) not in kept
        )
        insert_rows(Annotation, COLUMNS, rows)
        _tell_of_many(actor, datasets, said, model_release)


def _locked_datasets(files: Iterable[Datafile]) -> list[Dataset]:
    """The datasets of `files`, locked in the order of their keys, so that two writers wait for each other."""
    keys = {file.dataset_id for file in files}
    rows = Dataset.objects.filter(pk__in=keys).order_by("pk").only("uid", "title")
    return list(rows.select_for_update(of=("self",)))


def _tell_of_many(
    actor: Principal, datasets: Sequence[Dataset], said: Mapping[Datafile, Sequence[Label]], model_release: str
) -> None:
    counts: Counter[int] = Counter()
    for file, labels in said.items():
        counts[file.dataset_id] += len(labels)
    raised = Dataset.objects.filter(pk__in=[dataset.pk for dataset in datasets])
    raised.update(version=F("version") + 1, updated_at=timezone.now())
    changes.datasets_changed(datasets)
    write_audit_rows(
        audit_entry(
            actor=actor,
            action="annotate",
            record=dataset,
            before={},
            after={"model": model_release, "labels": counts[dataset.pk]},
        )
        for dataset in datasets
    )


def verify_label(*, actor: Principal, datafile: Datafile, kind: str, text: str) -> Annotation:
    """A person says that `text` is right for `datafile`; what models said of the same kind and is not that is no longer verified.

    Raises NotAllowed unless the actor belongs to the team or is a curator.
    """
    dataset = datafile.dataset
    if actor.instrument_id or not access.may_register_in(dataset.investigation, actor):
        raise NotAllowed("Only people of the investigation's team and curators say what an image shows.")
    _check([Label(text, 1.0)], "")
    with transaction.atomic():
        others = Annotation.objects.filter(datafile=datafile, kind=kind)
        others.exclude(label=text).update(verified_by=None, verified_at=None)
        others.exclude(label=text).filter(source=Source.PERSON).delete()
        verified = {"verified_by_id": actor.user_id, "verified_at": timezone.now()}
        if not others.filter(label=text).update(**verified):
            Annotation.objects.create(
                dataset=dataset, datafile=datafile, kind=kind, label=text, source=Source.PERSON, **verified
            )
        _tell(actor, dataset, "verify-label", {"file": datafile.name, "label": text})
    return others.filter(label=text).order_by("id")[0]


def _check(labels: Sequence[Label], model_release: str) -> None:
    if any(not 0 < len(label.text) <= LONGEST_LABEL for label in labels):
        raise InvalidInput(f"A label has 1 to {LONGEST_LABEL} characters.", fields={"label": ["Too long or empty."]})
    if any(not 0 <= label.confidence <= 1 for label in labels):
        raise InvalidInput("A confidence is from 0 to 1.", fields={"confidence": ["Must be from 0 to 1."]})
    if len({label.text for label in labels}) < len(labels) or len(model_release) > 100:
        raise InvalidInput("Each label is given once, by a model whose name has at most 100 characters.")


def _tell(actor: Principal, dataset: Dataset, action: str, after: dict) -> None:
    touch(dataset)
    write_audit(actor=actor, action=action, record=dataset, after=after)
