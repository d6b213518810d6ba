"""The run-times give the same outputs for the same model, and refuse models that are not what they should be.

The weights are random, so that outputs are compared and not labels; labels are compared on the trained demonstration.
"""

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.pipeline.classifying import Classifier
from classifier.pipeline.errors import ModelRefused, OutOfMemory, RuntimeMissing
from classifier.pipeline.feature_space import fit_feature_space
from classifier.pipeline.labels import NAMES
from classifier.pipeline.releases import (
    DEMONSTRATION,
    KERAS_FILE,
    LITERT_FILE,
    SPACE_FILE,
    Manifest,
    Release,
    read_release,
    write_release,
)
from classifier.pipeline.results import Grey
from classifier.pipeline.runtimes import Runtime, kinds_that_run, load_runtime
from classifier.pipeline.synthetic.pictures import make_picture

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # within Keras
ROOT = Path(__file__).resolve().parents[3]
SIDE, LABELS = 32, ("one", "two", "three")
BATCH: Grey = np.random.default_rng(0).integers(0, 256, (8, SIDE, SIDE), dtype=np.uint8)


@pytest.fixture(scope="module")
def keras() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorFlow's own imports
        import keras
    return keras


@pytest.fixture(scope="module")
def model(keras: Any) -> Any:
    """Two convolutions and the head of `networks.py`: quickly compiled."""
    layers = keras.layers
    keras.utils.set_random_seed(7)
    picture = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="picture")
    maps = layers.Rescaling(1 / 127.5, offset=-1.0)(picture)
    for filters in (8, 16):
        maps = layers.BatchNormalization()(layers.Conv2D(filters, 3, strides=2, activation="relu")(maps))
    class_maps = layers.Dense(len(LABELS), name="maps")(maps)
    logits = layers.GlobalAveragePooling2D(name="logits")(class_maps)
    features = layers.GlobalAveragePooling2D(name="features")(maps)
    return keras.Model(picture, {"logits": logits, "features": features, "maps": class_maps})


@pytest.fixture(scope="module")
def release(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Release:
    from classifier.pipeline.conversion import to_litert

    folder = tmp_path_factory.mktemp("releases")
    model.save(folder / KERAS_FILE)
    features = model(BATCH[..., None])["features"].numpy()
    space = fit_feature_space(features, np.arange(len(BATCH)) % 3, features, cells=4)
    files = {KERAS_FILE: folder / KERAS_FILE, LITERT_FILE: to_litert(model, BATCH), SPACE_FILE: space.to_bytes()}
    manifest = Manifest("random", "1", "demonstration", LABELS, SIDE, features.shape[1], 1.0, 0.5)
    return write_release(folder / "random-1", manifest, files)


@pytest.fixture(scope="module")
def on_keras(release: Release) -> Runtime:
    return load_runtime(release, kind="keras", threads=1)


@pytest.fixture(scope="module")
def on_litert(release: Release) -> Runtime:
    return load_runtime(release, kind="litert", threads=1)


def changed(release: Release, folder: Path, **values: Any) -> Release:
    files = {name: release.folder / name for name in release.manifest.files}
    files.update({name: values.pop(name) for name in (KERAS_FILE, LITERT_FILE) if name in values})
    kept = {name: content for name, content in files.items() if content is not None}
    return write_release(folder / "changed", replace(release.manifest, **values), kept)


def test_keras_compiled_gives_what_the_model_gives(model: Any, on_keras: Runtime) -> None:
    assert on_keras.name.startswith("TensorFlow")
    outputs = on_keras.run(BATCH, with_maps=True)
    for name, values in model(BATCH[..., None], training=False).items():
        assert np.allclose(getattr(outputs, name), values.numpy(), atol=1e-5)


def test_the_maps_average_to_the_logits_on_every_run_time(on_keras: Runtime, on_litert: Runtime) -> None:
    for runtime in (on_keras, on_litert):
        outputs = runtime.run(BATCH, with_maps=True)
        assert outputs.maps is not None
        assert np.allclose(outputs.maps.mean(axis=(1, 2)), outputs.logits, atol=0.02)


def test_litert_in_int8_is_near_keras(on_keras: Runtime, on_litert: Runtime) -> None:
    small, large = on_litert.run(BATCH), on_keras.run(BATCH)
    assert small.maps is None
    assert small.logits.shape == large.logits.shape
    assert np.abs(small.logits - large.logits).max() < 0.15 * np.abs(large.logits).max()
    alike = (small.features * large.features).sum(axis=1)
    alike /= np.linalg.norm(small.features, axis=1) * np.linalg.norm(large.features, axis=1)
    assert alike.min() > 0.98


def test_on_trained_weights_litert_and_keras_name_the_same_categories(keras: Any) -> None:
    demonstration = read_release(DEMONSTRATION)
    rng = np.random.default_rng(5)
    side = demonstration.manifest.input_side
    pictures = np.stack([make_picture(rng, NAMES[number % 10], (side, side)) for number in range(200)])
    verdicts = [
        Classifier(demonstration, load_runtime(demonstration, kind=kind, threads=1)).classify(pictures)
        for kind in ("litert", "keras")
    ]
    alike = [small.label == large.label for small, large in zip(*verdicts, strict=True)]
    assert np.mean(alike) >= 0.97
    apart = [abs(small.confidence - large.confidence) for small, large in zip(*verdicts, strict=True)]
    assert np.mean(apart) < 0.03


def test_a_picture_is_answered_the_same_alone_and_in_a_batch(release: Release, on_keras: Runtime) -> None:
    classifier = Classifier(release, on_keras)
    together = classifier.classify(BATCH)
    (alone,) = classifier.classify(BATCH[4:5])
    assert np.allclose(alone.probabilities, together[4].probabilities, atol=1e-5)


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_the_same_file_runs_on_jax_with_the_same_outputs(release: Release, on_keras: Runtime, tmp_path: Path) -> None:
    np.save(tmp_path / "pictures.npy", BATCH)
    arguments = [str(release.folder), str(tmp_path / "pictures.npy"), str(tmp_path / "results.npz")]
    command = [sys.executable, "-m", "tests.classifier.pipeline.on_jax", *arguments]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    expected = on_keras.run(BATCH, with_maps=True)
    with np.load(tmp_path / "results.npz") as found:
        assert str(found["name"]).startswith("JAX")
        for name in ("logits", "features", "maps"):
            assert np.allclose(found[name], getattr(expected, name), atol=1e-5)
        assert np.abs(found["logits_of_bfloat16"] - expected.logits).max() < 0.05 * np.abs(expected.logits).max()
        assert np.allclose(found["probabilities"].sum(axis=1), 1)
        assert bool(found["names_missing_memory"])


def test_a_processor_prefers_litert_for_one_picture_and_keras_runs_without_it(release: Release, tmp_path: Path) -> None:
    assert load_runtime(release, prefers="single").name.startswith("LiteRT")
    without = changed(release, tmp_path, **{LITERT_FILE: None})
    assert kinds_that_run(without) == ["keras"]
    assert load_runtime(without, prefers="single", threads=1).name.startswith("TensorFlow")


def test_a_release_that_nothing_runs_says_what_to_install(release: Release, tmp_path: Path) -> None:
    with pytest.raises(RuntimeMissing) as missing:
        load_runtime(changed(release, tmp_path, **{LITERT_FILE: None}), kind="litert")
    assert "install" in missing.value.message


def test_a_device_without_memory_is_named(keras: Any) -> None:
    """Asked for more than a terabyte."""
    from classifier.pipeline.runtimes.tensorflow import TensorFlowRuntime

    picture = keras.Input((SIDE, SIDE, 1), dtype="uint8")
    large = keras.layers.UpSampling2D(20_000)(keras.layers.Rescaling(1 / 255)(picture))
    logits = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(1, 3)(large))
    runtime = TensorFlowRuntime(keras.Model(picture, {"logits": logits, "features": logits}), SIDE, 1)
    with pytest.raises(OutOfMemory):
        runtime.run(BATCH[:1])


def test_code_in_a_keras_file_is_not_run(keras: Any, release: Release, tmp_path: Path) -> None:
    picture = keras.Input((SIDE, SIDE, 1), dtype="uint8")
    outside = keras.layers.Lambda(lambda x: __import__("os").system("true") + x, output_shape=(SIDE, SIDE, 1))(picture)
    keras.Model(picture, {"logits": outside}).save(tmp_path / "evil.keras")
    with pytest.raises(ModelRefused) as refused:
        load_runtime(changed(release, tmp_path, **{KERAS_FILE: tmp_path / "evil.keras"}), kind="keras")
    assert refused.value.code == "model-unreadable"


@pytest.mark.parametrize("kind", ["keras", "litert"])
def test_a_file_that_is_no_model_is_refused(release: Release, tmp_path: Path, kind: Any) -> None:
    with pytest.raises(ModelRefused) as refused:
        load_runtime(changed(release, tmp_path, **{KERAS_FILE: b"nonsense", LITERT_FILE: b"nonsense"}), kind=kind)
    assert refused.value.code == "model-unreadable"


@pytest.mark.parametrize("kind", ["keras", "litert"])
@pytest.mark.parametrize("change", [{"labels": ("one", "two")}, {"feature_count": 5}, {"input_side": 64}], ids=str)
def test_a_model_that_is_not_what_its_manifest_says_is_refused(
    release: Release, tmp_path: Path, kind: Any, change: dict
) -> None:
    with pytest.raises(ModelRefused) as refused:
        load_runtime(changed(release, tmp_path, **change), kind=kind, threads=1)
    assert refused.value.code == "model-unfit"
