"""Studies of structure: features of images in a range of scales, studied by the pipeline and kept for curators to walk through."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings as site
from django.db import transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotFound
from catalogue.identifiers import new_uid
from catalogue.models import Annotation, Investigation
from catalogue.services.annotations import CATEGORY
from classifier.models import Category, CategoryState, Image, ModelRelease, Prediction, StructureStudy
from classifier.pipeline.errors import PipelineError
from classifier.services.categories import check_curator, clean_category_name

LAYERS = ("features", "logits")
# What the range of scales is about: a column of `Scale`.
MEASURES = ("printed_value", "pixel_size", "field_of_view")
LABELLED_BY = ("persons", "model")
CHUNK = 1_000
LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Wanted:
    """Which images: scales from `lowest` to `highest` metres by `measure`, of one session or of all. `labels` says whose words
    the clusters are compared with; the other fields are those of the pipeline's Settings."""

    title: str
    release: str = ""
    layer: str = "features"
    measure: str = "printed_value"
    lowest: float | None = None
    highest: float | None = None
    investigation: UUID | None = None
    labels: str = "persons"
    coding_size: int = 0
    maximum: int = 8_000
    leaves: int = 40
    method: str = "ward"
    seed: int = 1
    epochs: int = field(default=60)


def make_study(*, actor: Principal, wanted: Wanted) -> StructureStudy:
    """Study the images of the catalogue that are `wanted` and keep figures, report and tree. Minutes of work, for a command.

    Raises NotAllowed unless a curator or the site itself acts, and InvalidInput for what cannot be studied.
    """
    from classifier.pipeline.structure.report import write_report
    from classifier.pipeline.structure.study import Settings, run_study

    check_curator(actor)
    release = _release(wanted)
    investigation = _investigation(wanted)
    keys = _sampled(_image_keys(wanted, release, investigation), wanted)
    asked = Settings(
        coding_size=wanted.coding_size,
        maximum=wanted.maximum,
        leaves=wanted.leaves,
        method=wanted.method,
        seed=wanted.seed,
        epochs=wanted.epochs,
    )
    try:
        study = run_study(_features(keys, release, wanted.layer), _labels(keys, release, wanted.labels), asked)
    except PipelineError as error:
        raise InvalidInput(error.message, code=error.code) from None
    uid = new_uid()
    folder = folder_of(uid)
    write_report(folder, study, title=wanted.title, about=_about(wanted, release))
    summary = study.summary()
    uids = dict(Image.objects.filter(pk__in=_shown(summary["tree"], keys)).values_list("pk", "uid"))
    _name_images(summary["tree"], keys, uids)
    try:
        return _keep(actor, wanted, release, investigation, uid, summary)
    except BaseException:
        shutil.rmtree(folder)
        raise


def folder_of(uid: UUID) -> Path:
    """Where the report of a study lies."""
    return Path(site.CLASSIFIER_DIR) / "studies" / str(uid)


def propose_subcategory(*, actor: Principal, study: StructureStudy, node: int, name: str, parent: str) -> Category:
    """Propose a name for what a cluster of the tree shows, below the accepted category `parent`; no image is labelled by it."""
    check_curator(actor)
    cluster = find_node(study, node)
    name = clean_category_name(name)
    above = Category.objects.filter(name__iexact=parent.strip(), state=CategoryState.ACCEPTED).first()
    if above is None:
        message = "Name an accepted category that it belongs to."
        raise InvalidInput(message, fields={"parent": [message]})
    with transaction.atomic():
        category, is_new = Category.objects.get_or_create(
            name__iexact=name,
            defaults={
                "name": name,
                "parent": above,
                "proposed_by_id": actor.user_id,
                "description": f"Cluster {node} of {cluster['size']} images in the study “{study.title}”.",
            },
        )
        if not is_new:
            raise Conflict(f"There is a category “{category.name}” already: {category.get_state_display()}.")
        write_audit(actor=actor, action="propose-category", record=category, after={"study": study.title, "node": node})
    return category


def find_node(study: StructureStudy, number: int) -> dict:
    """A cluster of the tree by its number, as `Node` of `classifier/pipeline/structure/study.py`. Raises NotFound."""
    waiting = [study.summary["tree"]]
    while waiting:
        node = waiting.pop()
        if node["number"] == number:
            return node
        waiting.extend(node["children"])
    raise NotFound("The study has no such cluster.")


def _release(wanted: Wanted) -> ModelRelease:
    rows = ModelRelease.objects.order_by("-id")
    for release in rows:
        if release.label == wanted.release or (not wanted.release and release.state == "active"):
            return release
    named = ", ".join(release.label for release in rows) or "none is installed"
    raise InvalidInput(f"Name a model release; there are: {named}.", fields={"release": ["Unknown."]})


def _investigation(wanted: Wanted) -> Investigation | None:
    if wanted.investigation is None:
        return None
    found = Investigation.objects.filter(uid=wanted.investigation).first()
    if found is None:
        raise InvalidInput("There is no such investigation.", fields={"investigation": ["Unknown."]})
    return found


def _image_keys(wanted: Wanted, release: ModelRelease, investigation: Investigation | None) -> QuerySet:
    """Keys of the images of the catalogue that `release` has seen, in the range of scales."""
    _check(wanted)
    rows = Prediction.objects.filter(release=release, image__datafile__dataset__state="active")
    if investigation is not None:
        rows = rows.filter(image__datafile__dataset__investigation=investigation)
    if wanted.lowest is not None:
        rows = rows.filter(**{f"image__scale__{wanted.measure}__gte": wanted.lowest})
    if wanted.highest is not None:
        rows = rows.filter(**{f"image__scale__{wanted.measure}__lte": wanted.highest})
    return rows.order_by("image_id").values_list("image_id", flat=True)


def _check(wanted: Wanted) -> None:
    for name, choices in (("layer", LAYERS), ("measure", MEASURES), ("labels", LABELLED_BY)):
        if getattr(wanted, name) not in choices:
            raise InvalidInput(f"{name} is one of: {', '.join(choices)}.", fields={name: ["Unknown."]})
    if not wanted.title.strip():
        raise InvalidInput("Give the study a title.", fields={"title": ["Missing."]})


def _sampled(rows: QuerySet, wanted: Wanted) -> NDArray[np.int64]:
    """All keys, or `maximum` of them drawn by the seed, so that no more features than these are ever read."""
    keys = np.fromiter(rows, dtype=np.int64)
    if len(keys) <= wanted.maximum:
        return keys
    return np.sort(np.random.default_rng(wanted.seed).choice(keys, wanted.maximum, replace=False))


def _features(keys: NDArray[np.int64], release: ModelRelease, layer: str) -> NDArray[np.float32]:
    """(N, F) in the order of `keys`: pooled features of length 1, or logits but for a constant, as logarithms of probabilities."""
    column = "features" if layer == "features" else "probabilities"
    found: dict[int, NDArray[np.float32]] = {}
    for part in _chunks(keys):
        for key, value in Prediction.objects.filter(release=release, image__in=part).values_list("image_id", column):
            if layer == "features":
                found[key] = np.frombuffer(bytes(value), dtype="<f2").astype(np.float32)
            else:
                found[key] = np.log(np.maximum(np.asarray(value, np.float32), LEAST_PROBABILITY))
    return np.stack([found[key] for key in keys.tolist()]) if len(keys) else np.empty((0, 1), np.float32)


def _labels(keys: NDArray[np.int64], release: ModelRelease, by: str) -> list[str]:
    found: dict[int, str] = {}
    for part in _chunks(keys):
        if by == "model":
            found |= dict(Prediction.objects.filter(release=release, image__in=part).values_list("image_id", "label"))
        else:
            verified = Annotation.objects.filter(
                kind=CATEGORY, verified_at__isnull=False, datafile__classified_image__in=part
            )
            found |= dict(verified.order_by("id").values_list("datafile__classified_image", "label"))
    return [found.get(key, "") for key in keys.tolist()]


def _chunks(keys: NDArray[np.int64]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK].tolist()


def _about(wanted: Wanted, release: ModelRelease) -> str:
    ends = [f"{value:.3g} m" if value is not None else "any" for value in (wanted.lowest, wanted.highest)]
    named = wanted.measure.replace("_", " ")
    return f"{wanted.layer.capitalize()} of {release.label}; {named} from {ends[0]} to {ends[1]}; labels by {wanted.labels}."


def _shown(node: dict, keys: NDArray[np.int64]) -> set[int]:
    found = {int(keys[row]) for row in node["representatives"]}
    return found.union(*(_shown(child, keys) for child in node["children"]))


def _name_images(node: dict, keys: NDArray[np.int64], uids: dict[int, UUID]) -> None:
    """In the stored tree images stand by their uids, since rows mean nothing afterwards."""
    node["representatives"] = [str(uids[key]) for row in node["representatives"] if (key := int(keys[row])) in uids]
    for child in node["children"]:
        _name_images(child, keys, uids)


def _keep(
    actor: Principal,
    wanted: Wanted,
    release: ModelRelease,
    investigation: Investigation | None,
    uid: UUID,
    summary: dict,
) -> StructureStudy:
    parameters = {name: getattr(wanted, name) for name in ("layer", "measure", "lowest", "highest", "labels", "method")}
    with transaction.atomic():
        study = StructureStudy.objects.create(
            uid=uid,
            title=wanted.title.strip()[:200],
            release=release,
            investigation=investigation,
            made_by_id=actor.user_id,
            parameters=parameters,
            summary=summary,
        )
        write_audit(actor=actor, action="make-study", record=study, after=parameters | {"images": summary["images"]})
    return study
