"""Networks and whole trainings, with TensorFlow: the head that all share, given weights, resuming, conversion, the release."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from classifier.pipeline.classifying import Classifier
from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.releases import CARD_FILE, KERAS_FILE, LITERT_FILE, SPACE_FILE, Release, read_release
from classifier.pipeline.runtimes import load_runtime
from classifier.pipeline.training.data import LabelledSet
from classifier.pipeline.training.recipes import Mode, Recipe, make_recipe
from tests.classifier.training.small_sets import CATEGORIES, small_set, write_tree

keras = pytest.importorskip("keras", reason="needs TensorFlow")
pytestmark = pytest.mark.filterwarnings("ignore")  # of TensorFlow, of itself

from classifier.pipeline import conversion, networks  # noqa: E402
from classifier.pipeline.training import features, fitting  # noqa: E402
from classifier.pipeline.training.run import Naming, train_release  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
NAMING = Naming("small", "1", "manage.py classifier_train", "a small set", reference="10.5072/example")
SCRATCH = make_recipe("demonstration", Mode.SCRATCH, 32, epochs=25, batch=8, rate=3e-3, is_augmented=False)
AUGMENTED = make_recipe("demonstration", Mode.SCRATCH, 32, batch=16, shows_scenes=True)


def quiet(text: str) -> None:
    pass


def pictures_of(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, side, side), dtype=np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LabelledSet:
    return small_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trained") / "output"


@pytest.fixture(scope="module")
def release(data: LabelledSet, folder: Path) -> Release:
    return train_release(SCRATCH, data, NAMING, folder, quiet)


# Networks


@pytest.mark.parametrize("name", networks.ARCHITECTURES)
def test_all_networks_end_in_one_head_whose_logits_are_the_mean_of_its_maps(name: str):
    side = networks.ARCHITECTURES[name].smallest_side
    model = networks.build(name, side, 4)
    outputs = model(pictures_of(1, side)[..., None], training=False)
    found = {part: keras.ops.convert_to_numpy(values) for part, values in outputs.items()}
    assert found["logits"].shape == (1, 4)
    assert np.allclose(found["maps"].mean(axis=(1, 2)), found["logits"], atol=1e-4)
    assert np.allclose(features.logits_of(model, found["features"]), found["logits"], atol=1e-3)
    known = {layer.name for layer in model.get_layer("base").layers}
    assert known.issuperset(networks.ARCHITECTURES[name].blocks)
    with pytest.raises(ModelRefused) as refused:
        networks.build(name, side - 1, 4)
    assert refused.value.code == "side-too-small"


def test_inception_v4_has_as_many_weights_as_was_published():
    model = networks.build("inception-v4", 299, 1000)
    statistics = sum(int(np.prod(weight.shape)) for weight in model.non_trainable_weights)
    assert model.count_params() - statistics // 2 == 42_679_816


def test_weights_without_a_head_come_from_a_file_of_the_operator(tmp_path: Path):
    given = networks.build("demonstration", 32, 7)
    given.get_layer("base").save_weights(tmp_path / "notop.weights.h5")
    model = networks.build("demonstration", 48, 3, weights=tmp_path / "notop.weights.h5")
    for one, other in zip(given.get_layer("base").get_weights(), model.get_layer("base").get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_weights_of_another_network_are_refused_with_a_sentence(tmp_path: Path):
    small = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    small.save(tmp_path / "other.keras")
    (tmp_path / "text.h5").write_text("no weights")
    for path in (tmp_path / "other.keras", tmp_path / "text.h5"):
        with pytest.raises(ModelRefused, match="does not fit demonstration") as refused:
            networks.build("demonstration", 32, 3, weights=path)
        assert refused.value.code == "weights-do-not-fit"


def test_only_what_comes_after_the_named_block_is_trained():
    model = networks.build("demonstration", 32, 3)
    networks.freeze_until(model, "stage2")
    base = model.get_layer("base")
    names = [layer.name for layer in base.layers]
    after = base.layers[names.index("stage2") + 1 :]
    expected = sum(len(layer.trainable_weights) for layer in after) + 2
    assert len(model.trainable_weights) == expected > 2
    networks.freeze_until(model, "base")
    assert len(model.trainable_weights) == 2
    networks.freeze_until(model, "")
    assert len(model.trainable_weights) > expected
    with pytest.raises(ModelRefused, match="stage1"):
        networks.freeze_until(model, "mixed7")


# What a training sees


def part_of(labels: list[int]) -> fitting.Part:
    return fitting.Part(pictures_of(len(labels), 32), np.array(labels), np.arange(len(labels)))


def test_validation_pictures_come_once_in_their_order_and_as_they_are():
    part = part_of([2, 0, 1, 1, 0])
    batches = [fitting.Examination(part, 3, 2)[index] for index in range(3)]
    assert np.concatenate([targets for _, targets in batches]).argmax(axis=1).tolist() == [2, 0, 1, 1, 0]
    assert np.array_equal(np.concatenate([pictures for pictures, _ in batches])[..., 0], part.pictures)


def test_batches_of_an_epoch_follow_from_seed_and_number_and_hold_each_picture_once():
    part = part_of(list(range(64)))
    weights = np.ones(64, np.float32)
    first, second = (fitting.Batches(part, AUGMENTED, weights) for _ in range(2))
    targets = np.concatenate([first[index][1] for index in range(len(first))])
    assert sorted(targets[targets.max(axis=1) == 1].argmax(axis=1)) == list(range(64))
    assert np.array_equal(first[2][0], second[2][0])
    second.epoch = 1
    assert not np.array_equal(first[2][1], second[2][1])
    other = fitting.Batches(part, replace(AUGMENTED, seed=9), weights)
    assert not np.array_equal(first[2][1], other[2][1])


def test_scenes_come_with_each_batch_and_no_category_is_right_for_them():
    part = part_of([0, 1, 2, 3] * 8)
    pictures, targets, weights = fitting.Batches(part, AUGMENTED, np.full(4, 2, np.float32))[0]
    assert len(pictures) == len(targets) == len(weights) == 18
    assert (targets[16:] == 0.25).all()
    assert weights.tolist() == [2.0] * 16 + [1.0] * 2


def test_rare_classes_weigh_more_up_to_a_limit():
    labels = np.repeat([0, 1, 2], [900, 99, 1])
    weights = fitting.class_weights(labels, 3, is_balanced=True)
    assert weights[0] < 1 < weights[1] < weights[2] == fitting.LARGEST_CLASS_WEIGHT
    assert fitting.class_weights(labels, 3, is_balanced=False).tolist() == [1, 1, 1]


def test_augmented_pictures_differ_and_keep_their_size():
    picture = pictures_of(1, 40)[0]
    made = [fitting.augment(np.random.default_rng(seed), picture) for seed in range(8)]
    assert all(one.shape == (40, 40) and one.dtype == np.uint8 for one in made)
    assert len({one.tobytes() for one in made}) == 8


# A whole training


def test_a_training_ends_in_a_release_that_knows_its_categories(release: Release, data: LabelledSet):
    read = read_release(release.folder)
    manifest = read.manifest
    assert manifest.labels == CATEGORIES
    assert manifest.metrics["scores"]["accuracy"] > 0.5
    assert manifest.metrics["banner"]["count"] == manifest.metrics["scores"]["count"]
    assert manifest.data["sha256"] == data.report.digest
    assert manifest.data["reference"] == "10.5072/example"
    assert set(manifest.files) == {KERAS_FILE, LITERT_FILE, SPACE_FILE, CARD_FILE, "report.html", "report.json"}
    figures = json.loads(read.path("report.json").read_text())
    assert figures["metrics"] == manifest.metrics


def test_both_models_of_a_release_agree_and_are_run_by_the_run_times(release: Release, data: LabelledSet):
    from classifier.pipeline.preparing import prepare

    pictures = np.stack([prepare(image.read(), 32) for image in data.images])
    small = Classifier(release, load_runtime(release, kind="litert")).classify(pictures)
    large = Classifier(release, load_runtime(release, kind="keras")).classify(pictures)
    agreement = np.mean([one.label == other.label for one, other in zip(small, large, strict=True)])
    assert agreement > 0.95
    assert release.manifest.metrics["conversion"]["labels"] > 0.95
    is_right = [one.label == image.label for one, image in zip(large, data.images, strict=True)]
    assert np.mean(is_right) > 0.6


def test_an_int8_model_of_other_weights_is_refused(release: Release, data: LabelledSet, folder: Path, tmp_path: Path):
    keras.utils.set_random_seed(1)
    other = networks.build("demonstration", 32, 3)
    with pytest.raises(ModelRefused) as refused:
        conversion.measure_agreement(
            other, release.path(LITERT_FILE), np.load(next((folder / "work").glob("pictures*")))
        )
    assert refused.value.code == "conversion-disagrees"


def test_the_course_is_logged_for_tensorboard_and_as_a_table(release: Release, folder: Path):
    assert list((folder / "work" / "checkpoints" / "tensorboard").rglob("events.out.tfevents*"))
    with (folder / "work" / "checkpoints" / "history.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [float(line["epoch"]) for line in lines] == list(range(1, 26))
    assert float(lines[-1]["loss"]) < float(lines[0]["loss"])
    assert len(list((folder / "work" / "checkpoints").glob("epoch-*"))) == fitting.KEPT_CHECKPOINTS


def test_another_recipe_does_not_go_on_with_a_training(release: Release, data: LabelledSet, folder: Path):
    with pytest.raises(ModelRefused) as refused:
        train_release(replace(SCRATCH, seed=4), data, NAMING, folder, quiet)
    assert refused.value.code == "other-recipe"


def test_a_training_does_not_go_on_with_pictures_divided_otherwise(data: LabelledSet, tmp_path: Path):
    (tmp_path / "work").mkdir()
    np.save(tmp_path / "work" / "parts.npy", np.zeros(len(data.images), np.int64))
    with pytest.raises(ModelRefused) as refused:
        train_release(SCRATCH, data, NAMING, tmp_path, quiet)
    assert refused.value.code == "other-parts"


def test_a_category_with_too_few_pictures_is_named(tmp_path: Path):
    with pytest.raises(ModelRefused, match="Biological") as refused:
        train_release(SCRATCH, small_set(tmp_path, 1), NAMING, tmp_path / "output", quiet)
    assert refused.value.code == "too-few-pictures"


# From given weights


def head_on(release: Release, **chosen: object) -> Recipe:
    return make_recipe("demonstration", Mode.FEATURES, 32, weights=str(release.path(KERAS_FILE)), **chosen)


def test_features_are_computed_once_and_the_head_is_trained_on_them(
    release: Release, data: LabelledSet, tmp_path: Path
):
    trained = train_release(head_on(release), data, NAMING, tmp_path / "first", quiet)
    assert trained.manifest.metrics["scores"]["accuracy"] > 0.5
    assert "Loss and accuracy" not in trained.path("report.html").read_text()
    assert trained.manifest.training["recipe"]["weights_sha256"] == release.manifest.files[KERAS_FILE]
    assert str(tmp_path) not in json.dumps(trained.manifest.training)
    (cached,) = (tmp_path / "first" / "work").glob("features-of-*.npy")
    made_at = cached.stat().st_mtime_ns
    again = features.pooled_features(networks.build("demonstration", 32, 3), pictures_of(1, 32), cached, quiet)
    assert again.shape == (len(data.images), trained.manifest.feature_count)
    assert cached.stat().st_mtime_ns == made_at


def test_features_that_a_killed_run_had_computed_are_kept(tmp_path: Path):
    model = networks.build("demonstration", 32, 3)
    pictures = pictures_of(70, 32)
    whole = np.array(features.pooled_features(model, pictures, tmp_path / "whole.npy", quiet))
    marked = whole.copy()
    marked[:64] = 7.0
    np.save(tmp_path / "new-killed.npy", marked)
    (tmp_path / "killed.done").write_text("64")
    resumed = features.pooled_features(model, pictures, tmp_path / "killed.npy", quiet)
    assert (resumed[:64] == 7.0).all()
    assert np.allclose(resumed[64:], whole[64:], atol=1e-5)
    assert not (tmp_path / "killed.done").exists()


def test_fine_tuning_changes_the_freed_blocks_only(release: Release, data: LabelledSet, tmp_path: Path):
    recipe = make_recipe(
        "demonstration",
        Mode.FINETUNE,
        32,
        weights=str(release.path(KERAS_FILE)),
        free_after="stage2",
        epochs=1,
        precision="mixed_bfloat16",
    )
    tuned = train_release(recipe, data, NAMING, tmp_path, quiet)
    before, after = (keras.saving.load_model(one.path(KERAS_FILE)).get_layer("base") for one in (release, tuned))
    names = [layer.name for layer in before.layers]
    frozen = names.index("stage2")
    for place, (one, other) in enumerate(zip(before.layers, after.layers, strict=True)):
        assert other.dtype_policy.name == "float32"
        for old, new in zip(one.get_weights(), other.get_weights(), strict=True):
            assert np.array_equal(old, new) == (place <= frozen)
    assert tuned.manifest.training["recipe"]["precision"] == "mixed_bfloat16"


def test_grouping_by_features_that_know_the_classes_is_refused(release: Release, data: LabelledSet, tmp_path: Path):
    with pytest.raises(ModelRefused, match="ImageNet") as refused:
        train_release(head_on(release, groups_by_features=True), data, NAMING, tmp_path, quiet)
    assert refused.value.code == "groups-too-large"


def test_another_backend_refuses_to_convert_and_says_which_one_does():
    program = (
        "from classifier.pipeline import conversion, errors\n"
        "try:\n    conversion.to_litert(None, None)\n"
        "except errors.RuntimeMissing as missing:\n    print(missing.code, missing.message)\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("tensorflow-needed"), done.stderr
    assert "KERAS_BACKEND=tensorflow" in done.stdout


# The command


def epochs_in(folder: Path) -> list[dict[str, str]]:
    with (folder / "work" / "checkpoints" / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_training_that_was_killed_goes_on_where_it_was(tmp_path: Path):
    tree, output = write_tree(tmp_path / "tree", 9), tmp_path / "output"
    options = ["--nffa", str(tree), "--output", str(output), "--architecture", "demonstration", "--mode", "scratch"]
    options += ["--side", "32", "--epochs", "16", "--batch", "8", "--name", "killed"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "manage.py", "classifier_train", *options]
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for(output / "work" / "checkpoints", child)
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert not (output / "release").exists()
    before = epochs_in(output)
    finished = max(int(path.name[6:10]) for path in (output / "work" / "checkpoints").glob("epoch-*"))
    with pytest.raises(CommandError, match="--resume"):
        call_command("classifier_train", *options)
    call_command("classifier_train", *options, "--resume")
    after = epochs_in(output)
    assert len(after) == 16 > len(before) >= finished >= 2
    assert after[:finished] == before[:finished]
    assert read_release(output / "release").manifest.name == "killed"
    with pytest.raises(CommandError, match="finished release"):
        call_command("classifier_train", *options, "--resume")


def wait_for(checkpoints: Path, child: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and len(list(checkpoints.glob("epoch-*"))) < 2:
        assert child.poll() is None, child.communicate()[0].decode()[-2000:]
        time.sleep(0.02)


def test_the_command_says_what_is_missing(tmp_path: Path):
    output = ["--output", str(tmp_path / "output")]
    with pytest.raises(CommandError, match="weights"):
        call_command("classifier_train", "--nffa", str(tmp_path), *output)
    with pytest.raises(CommandError, match="no file"):
        call_command("classifier_train", "--nffa", str(tmp_path), *output, "--weights", str(tmp_path / "none.h5"))
    with pytest.raises(CommandError, match="named like the categories"):
        call_command("classifier_train", "--nffa", str(tmp_path), *output, "--mode", "scratch")
    assert not (tmp_path / "output" / "release").exists()


@pytest.mark.django_db
def test_a_catalogue_in_which_nobody_verified_anything_trains_nothing(tmp_path: Path):
    with pytest.raises(CommandError, match="No image of open data"):
        call_command("classifier_train", "--catalogue", "--mode", "scratch", "--output", str(tmp_path / "output"))


def test_the_names_of_networks_that_the_command_offers_are_those_that_there_are():
    from classifier.management.commands.classifier_train import ARCHITECTURES

    assert set(ARCHITECTURES) == set(networks.ARCHITECTURES)
