"""Recipes, prepared pictures, figures, report and card: what training needs apart from a network."""

import json
import re
from base64 import b64decode
from dataclasses import asdict
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from classifier.pipeline.errors import ModelRefused, UnreadableImage
from classifier.pipeline.reading import read_picture
from classifier.pipeline.releases import Manifest
from classifier.pipeline.synthetic import make_image
from classifier.pipeline.training import evaluation, plots
from classifier.pipeline.training.cache import cached_pictures
from classifier.pipeline.training.card import IS_DEMONSTRATION, write_card
from classifier.pipeline.training.data import DataReport
from classifier.pipeline.training.recipes import Mode, make_recipe
from classifier.pipeline.training.report import write_report
from classifier.pipeline.training.strange import odd_pictures, scenes

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")


def quiet(text: str) -> None:
    pass


def image_of(seed: int) -> np.ndarray:
    return make_image(np.random.default_rng(seed), "Tips", "zeiss", shape=(240, 320)).pixels


# Recipes


def test_a_recipe_takes_what_is_usual_for_its_mode_unless_it_is_told():
    usual = make_recipe("inception-v3", Mode.SCRATCH, 299)
    chosen = make_recipe("inception-v3", Mode.SCRATCH, 299, epochs=3, batch=None)
    assert (chosen.epochs, chosen.batch) == (3, usual.batch)
    assert make_recipe("inception-v3", Mode.FINETUNE, 299, weights="w.h5").rate < usual.rate


@pytest.mark.parametrize("mode", [Mode.FEATURES, Mode.FINETUNE])
def test_features_and_fine_tuning_without_weights_are_refused(mode: Mode):
    with pytest.raises(ModelRefused, match="weights") as refused:
        make_recipe("inception-v3", mode, 299)
    assert refused.value.code == "weights-needed"


@pytest.mark.parametrize("chosen", [{"weights": "w.h5"}, {"free_after": "mixed7"}, {"groups_by_features": True}])
def test_training_from_scratch_takes_nothing_that_belongs_to_weights(chosen: dict):
    with pytest.raises(ModelRefused) as refused:
        make_recipe("inception-v3", Mode.SCRATCH, 299, **chosen)
    assert refused.value.code == "weights-unwanted"


def test_a_recipe_knows_itself_again_and_no_other(tmp_path: Path):
    recipe = make_recipe("alexnet", Mode.SCRATCH, 227)
    recipe.write(tmp_path / "recipe.json", "data")
    assert recipe.is_that_of(tmp_path / "recipe.json", "data")
    assert not recipe.is_that_of(tmp_path / "recipe.json", "other data")
    assert not make_recipe("alexnet", Mode.SCRATCH, 227, seed=1).is_that_of(tmp_path / "recipe.json", "data")


# Prepared pictures


def test_prepared_pictures_lie_on_disk_in_their_order_and_are_made_once(tmp_path: Path):
    path = tmp_path / "pictures.npy"
    reads = [partial(image_of, seed) for seed in range(5)]
    one_by_one = np.array(cached_pictures(path, reads, 32, quiet, processes=1))
    again = cached_pictures(path, [], 32, quiet)
    assert isinstance(again, np.memmap)
    assert np.array_equal(again, one_by_one)
    by_several = cached_pictures(tmp_path / "several.npy", reads, 32, quiet, processes=2)
    assert np.array_equal(by_several, one_by_one)
    assert len({picture.tobytes() for picture in one_by_one}) == 5


def test_banners_are_cut_unless_they_shall_stay(tmp_path: Path):
    reads = [partial(image_of, 1)]
    without = cached_pictures(tmp_path / "without.npy", reads, 64, quiet, processes=1)
    with_banner = cached_pictures(tmp_path / "with.npy", reads, 64, quiet, keeps_banner=True, processes=1)
    assert not np.array_equal(without, with_banner)


def test_a_picture_that_cannot_be_read_leaves_no_half_made_file(tmp_path: Path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG nothing more")
    with pytest.raises(UnreadableImage):
        cached_pictures(tmp_path / "pictures.npy", [partial(read_picture, broken)], 32, quiet, processes=1)
    assert not (tmp_path / "pictures.npy").exists()


# Figures


LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
FOUND = np.array([0, 0, 0, 1, 1, 1, 2, 0, 0, 2])


def test_scores_tell_each_class_for_itself():
    scores = evaluation.score(("a", "b", "c"), LABELS, FOUND)
    assert scores.accuracy == 0.7
    assert scores.confusion == ((3, 1, 0), (0, 2, 0), (2, 0, 2))
    a, b, c = scores.classes
    assert (a.recall, a.precision, a.mistaken_for, a.mistakes) == (0.75, 0.6, "b", 1)
    assert (b.recall, b.precision, b.mistaken_for) == (1.0, pytest.approx(2 / 3), "")
    assert (c.recall, c.mistaken_for, c.mistakes) == (0.5, "a", 2)
    assert scores.macro_f1 == pytest.approx((2 * 3 / 9 + 2 * 2 / 5 + 2 * 2 / 6) / 3)
    low, high = scores.accuracy_interval
    assert low == pytest.approx(0.397, abs=0.001)
    assert high == pytest.approx(0.892, abs=0.001)


def test_scores_agree_with_those_of_scikit_learn():
    from sklearn import metrics

    rng = np.random.default_rng(1)
    labels, found = rng.integers(0, 6, 300), rng.integers(0, 6, 300)
    scores = evaluation.score([f"class {number}" for number in range(6)], labels, found)
    assert scores.macro_f1 == pytest.approx(metrics.f1_score(labels, found, average="macro"))
    assert [each.recall for each in scores.classes] == pytest.approx(
        metrics.recall_score(labels, found, average=None).tolist()
    )


def logits_of(labels: np.ndarray, found: np.ndarray, certainty: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    return (np.eye(3)[found] * certainty + rng.normal(0, 1, (len(labels), 3))).astype(np.float32)


def judged(count: int = 60) -> evaluation.Evaluation:
    labels, found = np.tile(LABELS, count), np.tile(FOUND, count)
    logits = logits_of(labels, found, 9.0)
    temperature, threshold = evaluation.find_calibration(logits, labels)
    return evaluation.evaluate(
        ("a", "b", "c"), logits, labels, temperature=temperature, threshold=threshold, with_banner=logits
    )


def test_confidences_that_are_too_high_become_honest():
    calibration = judged().calibration
    assert calibration.temperature > 2
    assert calibration.error_before > 0.25
    assert calibration.error_after < 0.06


def test_a_model_that_cannot_reach_the_wanted_accuracy_abstains_from_nearly_all():
    abstention = judged().abstention
    assert abstention.accuracy >= 0.7
    assert abstention.coverage < 0.5
    assert abstention.mistakes_held_back > 0.5
    assert len(abstention.curve) <= 200


def test_a_model_that_is_always_right_abstains_where_it_is_least_sure():
    labels = np.arange(300) % 3
    logits = logits_of(labels, labels, 9.0)
    assert (logits.argmax(axis=1) == labels).all()
    temperature, threshold = evaluation.find_calibration(logits[:200], labels[:200])
    judged_alone = evaluation.evaluate(("a", "b", "c"), logits, labels, temperature=temperature, threshold=threshold)
    assert 0.9 < judged_alone.abstention.coverage < 1


# Pictures of no sample


def test_odd_pictures_are_of_six_kinds_and_the_same_each_time():
    first, second = (odd_pictures(np.random.default_rng(0), 48) for _ in range(2))
    assert first.shape == (120, 48, 48)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)


def test_scenes_differ_from_each_other_and_are_the_same_for_one_seed():
    first, second = (scenes(np.random.default_rng(0), 9, 48) for _ in range(2))
    assert first.shape == (9, 48, 48)
    assert np.array_equal(first, second)
    assert len({scene.tobytes() for scene in first}) == 9


# Report and card


def manifest(*, is_demonstration: bool) -> Manifest:
    counts = [{"label": name, "training": 7, "validation": 2, "test": 3} for name in ("a", "b", "c")]
    metrics = {**judged().as_table(), "strangeness": {"test": 0.01, "others": 0.9, "count": 120}, "conversion": None}
    return Manifest(
        name="nffa",
        release="2",
        architecture="Inception-v3",
        labels=("a", "b", "c"),
        input_side=299,
        feature_count=8,
        temperature=1.5,
        abstain_below=0.7,
        is_demonstration=is_demonstration,
        licence="CC-BY-4.0",
        metrics=json.loads(json.dumps(metrics)),
        data={
            "name": "Images <of> a set",
            "reference": "10.5072/example",
            "sha256": "0" * 64,
            "counts": counts,
            "notes": "2 duplicates left out.",
            "summary": DataReport(
                digest="0" * 64, found=12, used=10, by_label={}, files={}, near_duplicates=(("a", "b"),)
            ).summary(),
        },
        training={
            "command": "manage.py classifier_train",
            "preprocessing": "grey",
            "recipe": {"seed": 1},
            "versions": {"keras": "3"},
        },
    )


@pytest.mark.parametrize("write", [lambda one: write_report(one, {}), write_card])
def test_report_and_card_of_a_demonstration_say_so_before_any_figure(write):
    text = write(manifest(is_demonstration=True))
    assert text.index(IS_DEMONSTRATION) < text.index("Macro-F1")
    assert IS_DEMONSTRATION not in write(manifest(is_demonstration=False))


def test_the_card_tells_use_data_each_class_limits_licence_and_how_to_run_it():
    card = write_card(manifest(is_demonstration=False))
    for heading in ("What it is for", "Data", "Training", "Figures", "Limits", "Licence", "How to run it"):
        assert f"\n## {heading}" in card
    assert "10.5072/example" in card
    assert "| c | 240 | 0.500 |" in card
    assert "| c | 120 | 0 | 120 |" in card, "the confusion"
    assert "Weak categories: a (recall 0.75, taken for b)" in card


def test_the_report_needs_nothing_from_elsewhere_and_runs_nothing():
    one = judged()
    drawn = plots.draw_all(one.scores, one.calibration, one.abstention, [])
    page = write_report(manifest(is_demonstration=False), drawn)
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=\"(?:https?:|//)", page)
    pictures = [b64decode(content) for content in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)]
    assert sorted(pictures) == sorted(drawn.values())
    assert len(pictures) == 3, "there were no epochs, so there is no course"
    assert "Images &lt;of&gt; a set" in page
    assert "banner left in" in page


def test_plots_are_svg_with_text_and_the_same_each_time():
    history = [{"epoch": 1.0, "loss": 2.0, "accuracy": 0.3, "val_loss": 2.1, "val_accuracy": 0.2}]
    one = judged()
    drawn = plots.draw_all(one.scores, one.calibration, one.abstention, history)
    assert set(drawn) == {"confusion.svg", "reliability.svg", "coverage.svg", "course.svg"}
    for content in drawn.values():
        texts = [element.text for element in ElementTree.fromstring(content).iter() if element.tag.endswith("}text")]
        assert texts
        assert b"http://www.w3.org" in content
        assert not re.findall(rb"xlink:href=\"http", content)
    assert drawn == plots.draw_all(one.scores, one.calibration, one.abstention, history)
    assert "course.svg" not in plots.draw_all(one.scores, one.calibration, one.abstention, [])


def test_an_evaluation_can_be_stored_as_json():
    table = judged().as_table()
    assert json.loads(json.dumps(table))["scores"]["classes"][1] == asdict(judged().scores.classes[1])
