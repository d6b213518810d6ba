"""From claimed work to stored results: files opened and decoded, the model run, rows written in bulk. Only workers come here.

The model is loaded at the first image and kept for the life of the process. While one batch is classified and stored, the next
one is decoded by other processes.
"""

import atexit
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
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
from classifier.pipeline.errors import ModelRefused, PipelineError
from classifier.pipeline.loading import Batch, Decoder, Source
from classifier.pipeline.releases import read_release
from classifier.pipeline.results import Verdict
from classifier.pipeline.runtimes import load_runtime
from classifier.services import dispatch
from classifier.services.opening import source_of
from classifier.services.releases import folder_of

logger = logging.getLogger(__name__)

# A worker that was woken for one list goes on for so many seconds while more waits, so that no device stands still.
STAYS = 5.0
# It claims twice as many the next time while they take no longer than this, so that a fast device gets long runs.
QUICK = 0.5
MOST_CLAIMED = 2048
MOST_STORED_AT_ONCE = 256
MOST_DECODERS = 2
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

_decoders: dict[tuple[int, int], Decoder] = {}


def classify(queue: str, keys: Sequence[int]) -> int:
    """Find out what the images of the work `keys` show, and of what else waits in `queue` for a moment; how many were done."""
    count, size = 0, len(keys)
    ends_at = time.monotonic() + (STAYS if queue == dispatch.GPU else 0.0)
    work = dispatch.claim(queue, size, keys)
    while work:
        began_at = time.monotonic()
        done = sum(_classify_all(release, part, queue) for release, part in _by_release(work))
        count += done
        if not done or time.monotonic() > ends_at:
            break
        is_quick = time.monotonic() - began_at < QUICK
        size = min(2 * size, MOST_CLAIMED) if is_quick else dispatch.QUEUES[queue].list_length
        work = dispatch.claim(queue, size)
    return count


def _by_release(work: Sequence[Work]) -> list[tuple[ModelRelease, list[Work]]]:
    parts: dict[int | None, list[Work]] = {}
    for one in work:
        parts.setdefault(one.release_id, []).append(one)
    releases = ModelRelease.objects.in_bulk(list(parts))
    return [(releases[key], part) for key, part in parts.items() if key is not None]


def _classify_all(release: ModelRelease, work: Sequence[Work], queue: str) -> int:
    """Classify and store batch by batch, and say how many; a failure becomes the state of the work and is not raised."""
    by_key = {one.pk: one for one in work}
    decoder = _decoder(int(release.manifest["input_side"]), 0 if queue == dispatch.GPU else 1)
    try:
        classifier = _classifier(release.digest, folder_of(release), "batch" if queue == dispatch.GPU else "single")
        batches = decoder.decode(list(_sources(work)), MOST_STORED_AT_ONCE)
        return sum(_classify_batch(release, classifier, batch, by_key) for batch in batches)
    except PipelineError as error:
        logger.error("the model release %s cannot be used: %s", release, error.message)
        dispatch.retry(work, error.code, error.message)
    except Exception:
        logger.exception("%s images were not classified", len(work))
        dispatch.retry(work, "unexpected", "Something went wrong here. It is tried again by itself.")
    return 0


def _sources(work: Sequence[Work]) -> Iterator[Source]:
    """Where the bytes are; of those that are nowhere the work is settled at once."""
    for one in work:
        try:
            yield Source(one.pk, source_of(one.image), one.image.name)
        except PipelineError as error:
            dispatch.settle(one, error)


def _classify_batch(release: ModelRelease, classifier: Classifier, batch: Batch, by_key: Mapping[Any, Work]) -> int:
    for key, failure in batch.failures:
        dispatch.settle(by_key[key], failure)
    work = [by_key[one.key] for one in batch.decoded]
    if not work:
        return 0
    dispatch.renew(work)
    verdicts = classifier.classify(batch.pictures)
    found = list(zip(work, verdicts, classifier.cells_of(verdicts), strict=True))
    return store_verdicts(actor=SYSTEM, release=release, found=found)


def _decoder(side: int, processes: int) -> Decoder:
    """The processes that decode for this one, kept for the next images; others than these end when too many are kept."""
    key = (side, processes)
    if key not in _decoders:
        if len(_decoders) >= MOST_DECODERS:
            _decoders.pop(next(iter(_decoders))).close()
        _decoders[key] = Decoder(side, processes)
    return _decoders[key]


@atexit.register
def close_decoders() -> None:
    """End the processes that decode. They start again when they are needed."""
    while _decoders:
        _decoders.popitem()[1].close()


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
