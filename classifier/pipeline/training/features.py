"""Pooled features of pictures, computed once and kept on disk, and the head, which is linear in them and so trained in seconds."""

import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from classifier.pipeline.results import Floats, Grey

Say = Callable[[str], None]
_BATCH = 32
_KEPT_EVERY = 32  # batches
_STRENGTHS = (0.01, 0.1, 1.0, 10.0)


def pooled_features(model: keras.Model, pictures: Grey, path: Path, say: Say) -> Floats:
    """Features float32 (N, F) of pictures uint8 (N, side, side) at `path`, mapped from disk. What a killed run had computed is
    kept. The file's name must tell weights and pictures apart."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pooled = keras.Model(model.input, model.output["features"])
        pooled.compile(jit_compile=True)
        unfinished, done = path.with_name(f"new-{path.name}"), path.with_name(f"{path.stem}.done")
        shape = (len(pictures), int(pooled.output.shape[-1]))
        start = int(done.read_text()) if done.exists() and unfinished.exists() else 0
        features = open_memmap(unfinished, mode="r+" if start else "w+", dtype=np.float32, shape=shape)
        for first in range(start, len(pictures), _BATCH):
            batch = np.asarray(pictures[first : first + _BATCH])
            whole = np.concatenate([batch, np.repeat(batch[-1:], _BATCH - len(batch), axis=0)])
            features[first : first + len(batch)] = pooled.predict_on_batch(whole[..., None])[: len(batch)]
            if (first // _BATCH + 1) % _KEPT_EVERY == 0:
                features.flush()
                done.write_text(str(first + len(batch)))
                say(f"Features of {first + len(batch)} of {len(pictures)} pictures")
        features.flush()
        os.replace(unfinished, path)
        done.unlink(missing_ok=True)
    mapped: Floats = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def logits_of(model: keras.Model, features: Floats) -> Floats:
    """Logits (N, C) of pooled features (N, F): the mean over places of a linear head is the head of the mean."""
    kernel, bias = model.get_layer("maps").get_weights()
    return np.asarray(features @ kernel + bias, np.float32)


def train_head(
    model: keras.Model,
    features: Floats,
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    validation: NDArray[np.int64],
    *,
    is_balanced: bool,
    say: Say,
) -> None:
    """Set the head of the model to a multinomial logistic regression on the features of `rows`; how strong it is held is chosen
    by the likelihood of `validation`. Each class must be among `rows`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    centre, spread = features[rows].mean(axis=0), features[rows].std(axis=0) + 1e-6
    standard = (features - centre) / spread
    found = []
    for strength in _STRENGTHS:
        regression = LogisticRegression(
            C=strength, max_iter=1000, class_weight="balanced" if is_balanced else None
        ).fit(standard[rows], labels[rows])
        loss = log_loss(labels[validation], regression.predict_proba(standard[validation]), labels=regression.classes_)
        found.append((float(loss), strength, regression))
        say(f"Head with strength {strength}: loss {loss:.4f} on the validation part")
    _, _, best = min(found, key=lambda one: one[:2])
    weights, offset = best.coef_, best.intercept_
    if len(weights) == 1:  # of two classes only the difference is learnt
        weights, offset = np.concatenate([0 * weights, weights]), np.concatenate([0 * offset, offset])
    kernel = weights.T / spread[:, None]
    model.get_layer("maps").set_weights([kernel, offset - centre @ kernel])
