"""From claimed work to stored results: files opened and decoded, the model run, rows written in bulk. Only workers come here.

The model is loaded at the first batch and kept for the life of the process. One batch is decoded by other processes while the
one before it is classified and stored.
"""

import logging
import os
import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from django.db import transaction
from django.utils import timezone

from catalogue.access import SYSTEM, Principal
from catalogue.services.annotations import CATEGORY, Label, record_labels_of_many
from catalogue.services.rows import insert_rows
from classifier.models import ModelRelease, Prediction, Work
from classifier.pipeline.classifying import Classifier
from classifier.pipeline.errors import ModelRefused, PipelineError, UnreadableImage
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import read_picture
from classifier.pipeline.releases import read_release
from classifier.pipeline.results import Grey, Verdict
from classifier.pipeline.runtimes import load_runtime
from classifier.services import dispatch
from classifier.services.opening import Opened, open_files, settle_unopened
from classifier.services.releases import folder_of

logger = logging.getLogger(__name__)

# A worker that was woken for one list goes on for so many seconds while more waits, so that no device stands still.
STAYS = 2.0
# Batches that are decoded while one is used.
AHEAD = 1
# Labels that a file is found by: the first, and others that are nearly as probable.
LEAST_TOLD = 0.2
COLUMNS = (
    "image_id",
    "release_id",
    "label",
    "confidence",
    "probabilities",
    "is_uncertain",
    "strangeness",
    "is_strange",
    "features",
    "cell",
    "created_at",
)


@dataclass(frozen=True)
class _Batch:
    """Images of one release, and of each the prepared picture, or why there is none, when it is asked for."""

    release: ModelRelease
    opened: list[Opened]
    loading: list[Future[Grey] | None]


def classify(queue: str, keys: Sequence[int]) -> int:
    """Find out what the images of the work `keys` show, and of what else waits in `queue` for a moment; how many were done."""
    with (
        tempfile.TemporaryDirectory(prefix="faircat-images-") as folder,
        closing(_prepared(_claims(queue, keys), Path(folder))) as batches,
    ):
        return sum(_classify(batch, "batch" if queue == dispatch.GPU else "single") for batch in batches)


def _claims(queue: str, keys: Sequence[int]) -> Iterator[list[Work]]:
    ends_at = time.monotonic() + (STAYS if queue == dispatch.GPU else 0.0)
    yield dispatch.claim(queue, len(keys), keys)
    while time.monotonic() < ends_at and (work := dispatch.claim(queue, dispatch.QUEUES[queue].list_length)):
        yield work


def _prepared(claims: Iterator[list[Work]], folder: Path) -> Generator[_Batch]:
    """The claimed images; a batch is being decoded while the one before it is used. What is not used is given back."""
    begun: deque[_Batch] = deque()
    try:
        for work in claims:
            begun.extend(_begin(release, open_files(part, folder)) for release, part in _by_release(work))
            while len(begun) > AHEAD:
                yield begun.popleft()
        while begun:
            yield begun.popleft()
    finally:
        for batch in begun:
            dispatch.give_back([one.work for one in batch.opened])


def _by_release(work: Sequence[Work]) -> list[tuple[ModelRelease, list[Work]]]:
    parts: dict[ModelRelease, list[Work]] = {}
    for one in work:
        assert one.release is not None
        parts.setdefault(one.release, []).append(one)
    return list(parts.items())


def _classify(batch: _Batch, prefers: Literal["single", "batch"]) -> int:
    """Classify and store; a failure becomes the state of the work, and nothing is raised for it."""
    pictures = _pictures(batch)
    work = list(pictures)
    if not work:
        return 0
    try:
        classifier = _classifier(batch.release.digest, folder_of(batch.release), prefers)
        work = dispatch.renew(work)
        verdicts = classifier.classify([pictures[one] for one in work])
        found = zip(work, verdicts, classifier.cells_of(verdicts), strict=True)
        return store_verdicts(actor=SYSTEM, release=batch.release, found=list(found))
    except PipelineError as error:
        logger.error("the model release %s cannot be used: %s", batch.release, error.message)
        dispatch.retry(work, error.code, error.message)
    except Exception:
        logger.exception("images were not classified")
        dispatch.retry(work, "unexpected", "Something went wrong here. It is tried again by itself.")
    return 0


@lru_cache(maxsize=2)
def _classifier(digest: str, folder: Path, prefers: Literal["single", "batch"]) -> Classifier:
    """The model of a release, verified and loaded once in this process."""
    release = read_release(folder)
    if release.manifest.digest != digest:
        raise ModelRefused("release-changed", "The files of the model release are not those that were installed.")
    return Classifier(release, load_runtime(release, prefers=prefers))


def store_verdicts(*, actor: Principal, release: ModelRelease, found: Sequence[tuple[Work, Verdict, int]]) -> int:
    """Keep what `release` said of images, with the cell of each, and annotate the files of the catalogue among them.

    One transaction and a constant number of queries. Of work that was overtaken nothing is kept, and what a release said once
    of an image stays. Strange images get no annotation. How many were stored.
    """
    with transaction.atomic():
        held = {one.pk for one in dispatch.hold([work for work, _, _ in found])}
        kept = [(work, verdict, cell) for work, verdict, cell in found if work.pk in held]
        images = [work.image_id for work, _, _ in kept]
        known = set(Prediction.objects.filter(release=release, image__in=images).values_list("image_id", flat=True))
        now = timezone.now()
        rows = (
            _row(work.image_id, release.pk, verdict, cell, now)
            for work, verdict, cell in kept
            if work.image_id not in known
        )
        insert_rows(Prediction, COLUMNS, rows)
        said = {work.image.datafile: told_labels(verdict) for work, verdict, _ in kept if work.image.datafile}
        if said:
            record_labels_of_many(actor=actor, said=said, kind=CATEGORY, model_release=release.label)
        dispatch.finish([work for work, _, _ in kept])
    return len(kept)


def _row(image: int, release: int, verdict: Verdict, cell: int, now: datetime) -> tuple[Any, ...]:
    probabilities = [round(float(value), 5) for value in verdict.probabilities]
    features = verdict.features / max(float(np.linalg.norm(verdict.features)), 1e-12)
    return (
        image,
        release,
        verdict.label,
        min(verdict.confidence, 1.0),
        probabilities,
        bool(verdict.is_uncertain),
        float(verdict.strangeness),
        bool(verdict.is_strange),
        features.astype("<f2").tobytes(),
        cell,
        now,
    )


def told_labels(verdict: Verdict) -> list[Label]:
    """What a file is found by: the most probable label and those that are nearly as probable, nothing of a strange image."""
    if verdict.is_strange:
        return []
    ranked = sorted(zip(verdict.probabilities.tolist(), verdict.labels, strict=True), reverse=True)
    return [
        Label(label, min(round(probability, 4), 1.0))
        for place, (probability, label) in enumerate(ranked)
        if place == 0 or probability >= LEAST_TOLD
    ]


def _begin(release: ModelRelease, opened: list[Opened]) -> _Batch:
    side = int(release.manifest["input_side"])
    return _Batch(release, opened, [_pool().submit(_load, one.path, side) if one.path else None for one in opened])


def _pictures(batch: _Batch) -> dict[Work, Grey]:
    """The prepared pictures; of those that there are not the work fails, or waits for what passes."""
    pictures = {}
    for opened, loading in zip(batch.opened, batch.loading, strict=True):
        if loading is None:
            settle_unopened(opened)
            continue
        try:
            pictures[opened.work] = loading.result()
        except UnreadableImage as refusal:
            dispatch.fail(opened.work, refusal.code, refusal.message)
    return pictures


def _load(path: Path, side: int) -> Grey:
    return prepare(read_picture(path).pixels, side)


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)))
