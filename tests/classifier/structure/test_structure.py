"""Structure that is known in advance is found: dimensions of curved sheets, separate clouds, and trees that cut as they should."""

import json

import numpy as np
import pytest
from scipy.cluster import hierarchy

from classifier.pipeline.errors import PipelineError
from classifier.pipeline.structure import clustering
from classifier.pipeline.structure.dimension import scree, two_nn
from classifier.pipeline.structure.peaks import density_peaks
from classifier.pipeline.structure.report import write_report
from classifier.pipeline.structure.study import Settings, run_study


def sheet(count: int, dimension: int, *, seed: int = 3) -> np.ndarray:
    """Points of a curved sheet of that dimension in a space of forty."""
    rng = np.random.default_rng(seed)
    flat = rng.uniform(-1, 1, (count, dimension))
    return np.sin(flat @ rng.normal(0, 0.7, (dimension, 40)))


def clouds(sizes: list[int], *, distance: float = 12.0, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (len(sizes), 16))
    centres *= distance / np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return centres[labels] + rng.normal(0, 1, (len(labels), 16)), labels


@pytest.mark.parametrize("dimension", [1, 2, 5, 9])
def test_the_dimension_of_a_curved_sheet_is_found(dimension: int) -> None:
    assert two_nn(sheet(4000, dimension)) == pytest.approx(dimension, rel=0.15)


def test_the_scree_is_level_for_a_sheet_and_every_subset_is_smaller() -> None:
    found = scree(sheet(4000, 3), seed=1)
    sizes = [one.size for one in found]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == 4000 and len(found) > 4
    assert all(one.mean == pytest.approx(3, rel=0.25) for one in found[:4])


def test_images_that_are_there_twice_count_once() -> None:
    points = sheet(1000, 3)
    assert two_nn(np.vstack([points, points])) == pytest.approx(two_nn(points))
    with pytest.raises(PipelineError, match="20 images"):
        two_nn(np.repeat(points[:5], 50, axis=0))


@pytest.mark.parametrize("method", clustering.METHODS)
def test_separate_clouds_are_found_by_every_method(method: str) -> None:
    points, labels = clouds([60, 40, 80, 30])
    found = clustering.cut(clustering.tree_of(points, method), 4)
    assert clustering.agreement(labels, found) == pytest.approx(1.0)


def test_a_cut_gives_exactly_so_many_clusters_each_within_one_of_the_cut_above() -> None:
    points, _ = clouds([50, 50, 50], distance=3.0)
    for method in clustering.METHODS:
        tree = clustering.tree_of(points, method)
        above = np.zeros(len(points), int)
        for count in range(1, 30):
            found = clustering.cut(tree, count)
            assert set(found) == set(range(count))
            for cluster in range(count):
                assert len(set(above[found == cluster])) == 1
            above = found


def test_a_cut_of_a_monotonic_tree_is_that_of_scipy() -> None:
    points, _ = clouds([40, 40], distance=2.0)
    tree = clustering.tree_of(points, "ward")
    for count in (2, 5, 11):
        theirs = hierarchy.fcluster(tree, count, "maxclust")
        assert clustering.agreement(theirs, clustering.cut(tree, count)) == pytest.approx(1.0)


def test_density_peaks_find_clouds_that_single_linkage_takes_for_one() -> None:
    rng = np.random.default_rng(2)
    points, labels = clouds([150, 150], distance=8.0)
    bridge = np.linspace(points[labels == 0].mean(axis=0), points[labels == 1].mean(axis=0), 40)
    joined = np.vstack([points, bridge + rng.normal(0, 0.05, bridge.shape)])

    def found(tree: np.ndarray) -> float:
        return clustering.agreement(labels, clustering.cut(tree, 2)[: len(labels)])

    assert found(density_peaks(joined)) > 0.9
    assert found(clustering.tree_of(joined, "single")) < 0.5


def test_the_reference_scenarios_are_the_ends_of_the_scale() -> None:
    labels = np.repeat(np.arange(10), 50)
    assert clustering.agreement(labels, clustering.good_scenario(labels, 10)) == pytest.approx(1.0)
    assert clustering.agreement(labels, clustering.uniform_scenario(labels, 10, seed=1)) < 0.1
    for count in (3, 20, 100):
        good = clustering.good_scenario(labels, count)
        assert len(set(good)) == count
        if count >= 10:
            assert all(len(set(labels[good == cluster])) == 1 for cluster in set(good))


def test_a_study_finds_the_clouds_and_tells_them_in_figures_and_a_tree(tmp_path) -> None:
    points, labels = clouds([60, 50, 40], distance=20.0)
    names = [f"label {label}" for label in labels]
    study = run_study(points, names, Settings(coding_size=4, leaves=6))
    summary = study.summary()
    assert summary["images"] == 150 and summary["coding_size"] == 4 and summary["explained"] > 0.5
    assert summary["best"]["ward"]["agreement"] > 0.95
    tree = summary["tree"]
    assert tree["size"] == 150 and tree["labels"] == {"label 0": 60, "label 1": 50, "label 2": 40}

    def leaves(node: dict) -> list[dict]:
        return [leaf for child in node["children"] for leaf in leaves(child)] or [node]

    ends = leaves(tree)
    assert len(ends) == 6 and sum(end["size"] for end in ends) == 150
    assert all(len(end["labels"]) == 1 for end in ends)
    for end in ends:
        assert {names[row] for row in end["representatives"]} == set(end["labels"])
    written = write_report(tmp_path / "study", study, title="Clouds <&>", about="A test.")
    assert json.loads(written[0].read_text())["images"] == 150
    page = written[1].read_text()
    assert page.count("<svg") == 4 and "Clouds &lt;&amp;&gt;" in page and "<script" not in page


def test_more_images_than_the_maximum_are_sampled_and_rows_lead_back() -> None:
    points, labels = clouds([200, 200], distance=15.0)
    study = run_study(points, ["a" if label else "" for label in labels], Settings(coding_size=99, maximum=100))
    assert len(study.rows) == 100 == len(study.coding.codes) and study.curves == ()
    assert set(study.root.representatives) <= set(study.rows.tolist())


@pytest.mark.parametrize(
    ("count", "settings"),
    [(5, Settings()), (50, Settings(method="k-means")), (50, Settings(maximum=10**6))],
)
def test_a_study_that_cannot_be_made_is_refused_in_words(count: int, settings: Settings) -> None:
    with pytest.raises(PipelineError) as refusal:
        run_study(sheet(count, 2), [""] * count, settings)
    assert refusal.value.message.endswith(".")
