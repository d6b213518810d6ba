"""Judges a trained model and makes what its release holds: calibration, statistics of features, figures, the int8 model,
report and card. Everything is measured on the test part, which neither training nor calibration has seen."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np

from classifier.pipeline import calibration, conversion, feature_space, networks, releases
from classifier.pipeline.errors import RuntimeMissing
from classifier.pipeline.results import Grey
from classifier.pipeline.training import evaluation, features, plots
from classifier.pipeline.training.card import write_card
from classifier.pipeline.training.report import write_report
from classifier.pipeline.training.run import Run, Trained, parts_of, shown_recipe
from classifier.pipeline.training.strange import odd_pictures

REPORT_FILE, FIGURES_FILE = "report.html", "report.json"
_PREPROCESSING = (
    "8 bit grey, banner cut, both directions scaled to the side of the input (bilinear, every pixel counts); the network itself "
    "takes 0 to 255 to -1 to 1 and repeats the channel three times"
)
_MOST_COMPARED = 2000  # pictures for the agreement of the two models
_MOST_FOR_STATISTICS = 20_000  # pictures, so that memory stays bounded


def judge(run: Run, trained: Trained, pictures: Grey) -> tuple[releases.Manifest, Mapping[str, Path | bytes]]:
    """The manifest and the files of the release. Raises `ModelRefused` when the int8 model disagrees."""
    labels, split = run.labels, trained.split
    logits = features.logits_of(trained.model, trained.features)
    temperature, threshold = evaluation.find_calibration(logits[split.validation], labels[split.validation])
    judged = evaluation.evaluate(
        run.names,
        logits[split.test],
        labels[split.test],
        temperature=temperature,
        threshold=threshold,
        with_banner=conversion.logits_of_pictures(trained.model, run.pictures_with_banner(split.test)),
    )
    space = _space(run, trained)
    agreement = _converted(run, trained, pictures)
    metrics = {
        **judged.as_table(),
        "strangeness": _judge_strangeness(trained, space, run.recipe.side, temperature, threshold),
        "conversion": asdict(agreement) if agreement else None,
    }
    manifest = releases.Manifest(
        name=run.naming.name,
        release=run.naming.release,
        architecture=networks.ARCHITECTURES[run.recipe.architecture].title,
        labels=run.names,
        input_side=run.recipe.side,
        feature_count=int(trained.features.shape[1]),
        temperature=temperature,
        abstain_below=threshold,
        is_demonstration=run.naming.is_demonstration,
        licence=run.naming.licence,
        metrics=json.loads(json.dumps(metrics)),
        data=_described_data(run, trained),
        training=_described_training(run),
    )
    history = plots.read_history(run.work / "checkpoints" / "history.csv")
    drawn = plots.draw_all(judged.scores, judged.calibration, judged.abstention, history)
    return manifest, _files(run, manifest, space, drawn)


def _space(run: Run, trained: Trained) -> feature_space.FeatureSpace:
    chosen = np.random.default_rng(run.recipe.seed).permutation(trained.split.training)[:_MOST_FOR_STATISTICS]
    known = trained.features[trained.split.validation]
    return feature_space.fit_feature_space(trained.features[chosen], run.labels[chosen], known, seed=run.recipe.seed)


def _converted(run: Run, trained: Trained, pictures: Grey) -> conversion.Agreement | None:
    path = run.work / releases.LITERT_FILE
    examples = np.random.default_rng(run.recipe.seed).permutation(trained.split.training)[: conversion.EXAMPLES]
    path.unlink(missing_ok=True)
    try:
        path.write_bytes(conversion.to_litert(trained.model, pictures[examples]))
    except RuntimeMissing as missing:
        run.say(f"{missing.message} This release has no {releases.LITERT_FILE}.")
        return None
    unseen = np.concatenate([trained.split.test, trained.split.validation])[:_MOST_COMPARED]
    agreement = conversion.measure_agreement(trained.model, path, pictures[unseen])
    run.say(f"The int8 model agrees on {agreement.labels:.2%} of {agreement.count} pictures.")
    return agreement


def _judge_strangeness(
    trained: Trained, space: feature_space.FeatureSpace, side: int, temperature: float, threshold: float
) -> dict[str, float]:
    """Which share of the test pictures is called strange, and which of pictures of no sample is called strange or uncertain."""
    others = odd_pictures(np.random.default_rng(0), side)
    both = keras.Model(trained.model.input, [trained.model.output["logits"], trained.model.output["features"]])
    logits, found = both.predict_on_batch(others[..., None])
    is_uncertain = calibration.softmax(logits, temperature).max(axis=1) < threshold
    return {
        "test": float((space.strangeness(trained.features[trained.split.test]) > 1).mean()),
        "others": float(((space.strangeness(found) > 1) | is_uncertain).mean()),
        "count": len(others),
    }


def _described_data(run: Run, trained: Trained) -> dict[str, Any]:
    """Numbers, references and digests; names of files stay in the work folder."""
    summary = run.data.report.summary()
    parts = parts_of(trained.split)
    counts = [
        {"label": name, **{part: int((run.labels[rows] == number).sum()) for part, rows in parts.items()}}
        for number, name in enumerate(run.names)
    ]
    notes = (
        f"Of {summary['found']} images {summary['used']} were used. Left out: {summary['duplicates']} exact duplicates, "
        f"{summary['mismatched']} whose label contradicts their folder, {summary['contradictions']} equal pictures with different "
        f"labels, {summary['unreadable']} that cannot be read. {summary['images_in_near_duplicate_groups']} images in "
        f"{summary['near_duplicate_groups']} groups of near duplicates, and the images of each of {summary['sessions']} sessions, were "
        f"kept in one part. Divided at random, {summary['near_duplicates_across_random_parts']:.1%} of the test pictures would have a "
        "near duplicate in the training part, which flatters a model."
    )
    if run.recipe.groups_by_features:
        notes += " Pictures with like features of the given weights were kept together too."
    return {
        "name": run.naming.data,
        "reference": run.naming.reference,
        "sha256": run.data.report.digest,
        "counts": counts,
        "notes": notes,
        "summary": summary,
    }


def _described_training(run: Run) -> dict[str, Any]:
    backend = keras.backend.backend()
    return {
        "command": run.naming.command,
        "preprocessing": _PREPROCESSING,
        "recipe": shown_recipe(run.recipe),
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            backend: import_module(backend).__version__,
        },
        "trained_on": datetime.now(UTC).date().isoformat(),
    }


def _files(
    run: Run, manifest: releases.Manifest, space: feature_space.FeatureSpace, drawn: Mapping[str, bytes]
) -> Mapping[str, Path | bytes]:
    told = ("name", "release", "is_demonstration", "data", "training", "metrics")
    figures = {name: getattr(manifest, name) for name in told}
    files: dict[str, Path | bytes] = {
        releases.KERAS_FILE: run.work / releases.KERAS_FILE,
        releases.SPACE_FILE: space.to_bytes(),
        releases.CARD_FILE: write_card(manifest).encode(),
        REPORT_FILE: write_report(manifest, drawn).encode(),
        FIGURES_FILE: (json.dumps(figures, indent=1, ensure_ascii=False) + "\n").encode(),
    }
    if (run.work / releases.LITERT_FILE).exists():
        files[releases.LITERT_FILE] = run.work / releases.LITERT_FILE
    return files
