"""Annotations: what models and people say of an image. The only door by which results of a classifier enter the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from catalogue import access
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.models import Annotation, Datafile, Dataset
from catalogue.models.datasets import Source
from catalogue.services.parameters import touch

CATEGORY = "category"
LONGEST_LABEL = 200


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
    if not actor.sees_everything:
        raise NotAllowed("Only the site's own classifier and curators record what a model says.")
    _check(labels, model_release)
    said = Annotation.objects.filter(datafile=datafile, kind=kind, model_release=model_release, source=Source.AI)
    with transaction.atomic():
        kept = set(said.filter(verified_at__isnull=False).values_list("label", flat=True))
        said.filter(verified_at__isnull=True).delete()
        Annotation.objects.bulk_create(
            Annotation(
                dataset_id=datafile.dataset_id,
                datafile=datafile,
                kind=kind,
                label=label.text,
                confidence=label.confidence,
                source=Source.AI,
                model_release=model_release,
            )
            for label in labels
            if label.text not in kept
        )
        _tell(actor, datafile.dataset, "annotate", {"model": model_release, "labels": len(labels)})


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
