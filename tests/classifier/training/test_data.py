"""Training data: read from folders and unopened archives, each picture once, near duplicates and sessions on one side."""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier.pipeline.labels import FOLDERS, NAMES
from classifier.pipeline.synthetic import make_picture, write_nffa_tree
from classifier.pipeline.synthetic.nffa import NffaTree
from classifier.pipeline.training.data import LabelledSet, examine, read_nffa
from classifier.pipeline.training.images import FileSource, LabelledImage
from classifier.pipeline.training.nffa import DataLimits, DataRefused, find_nffa

SHAPE = (240, 320)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> NffaTree:
    return write_nffa_tree(tmp_path_factory.mktemp("nffa"), np.random.default_rng(1), 5, shape=SHAPE)


def root_of(tree: NffaTree) -> Path:
    return tree.images[0].parent.parent


@pytest.fixture(scope="module")
def data(tree: NffaTree, tmp_path_factory: pytest.TempPathFactory) -> LabelledSet:
    return read(root_of(tree), tmp_path_factory.mktemp("scratch"))


def read(source: Path, scratch: Path, **options: object) -> LabelledSet:
    return read_nffa(source, scratch, say=lambda text: None, **options)


def keys(paths: list[Path]) -> set[str]:
    return {f"{path.parent.name}/{path.name}" for path in paths}


def test_all_good_images_are_used_with_the_label_of_their_folder(tree, data):
    either = keys([tree.images[0], *tree.duplicates])
    assert {image.key for image in data.images} - either == keys(tree.images) - either
    for image in data.images:
        assert image.label == NAMES[FOLDERS.index(image.key.split("/")[0])]
        assert image.read().shape == SHAPE
    assert data.report.used == len(data.images) == 51
    assert data.report.by_label == {name: 5 + (name == "Tips") for name in NAMES}


def test_every_flaw_is_told_by_name_and_left_out(tree, data):
    report = data.report
    assert set(report.strays) == keys(tree.strays)
    assert set(report.mismatched) == keys(tree.mismatched)
    assert {key for key, reason in report.unreadable} == keys(tree.corrupt)
    assert "cut off or damaged" in report.unreadable[0][1]
    assert set(report.duplicates[0]) == keys([tree.images[0], *tree.duplicates])
    assert report.found == report.used + 3


def test_a_near_duplicate_is_in_the_group_of_its_original_and_nothing_else_is_grouped(tree, data):
    assert [set(group) for group in data.report.near_duplicates] == [keys(list(tree.near_duplicates[0]))]
    assert len(set(data.groups.tolist())) == len(data.images) - 1


def test_the_digest_names_the_data_whatever_its_order_and_changes_with_any_byte(tree, data, tmp_path):
    again = read(root_of(tree), tmp_path / "scratch")
    assert again.report.digest == data.report.digest
    fewer = examine(data.images[1:], say=lambda text: None)
    assert fewer.report.digest != data.report.digest


def test_the_summary_has_counts_and_no_name_of_a_file(data, tmp_path):
    told = json.dumps(data.report.summary())
    assert ".jpg" not in told
    assert data.report.summary()["unreadable"] == 1
    assert data.report.summary()["largest_near_duplicate_group"] == 2
    data.report.write(tmp_path / "data.json")
    written = json.loads((tmp_path / "data.json").read_text())
    assert len(written["files"]) == data.report.used
    assert all(len(sha256) == 64 for sha256 in written["files"].values())


def test_several_processes_find_the_same(tree, data, tmp_path):
    assert read(root_of(tree), tmp_path, processes=2).report == data.report


def pack(tree: NffaTree, target: Path, *, mode: str = "w", suffix: str = ".tar") -> None:
    target.mkdir()
    for folder in FOLDERS:
        with tarfile.open(target / f"{folder}{suffix}", mode) as archive:
            archive.add(root_of(tree) / folder, arcname=folder)


@pytest.mark.parametrize(("mode", "suffix"), [("w", ".tar"), ("w:gz", ".tar.gz"), ("w:xz", ".tar.xz")])
def test_one_archive_for_each_category_is_read_unopened(mode, suffix, tree, data, tmp_path):
    pack(tree, tmp_path / "packed", mode=mode, suffix=suffix)
    found = read(tmp_path / "packed", tmp_path / "scratch")
    assert found.report.by_label == data.report.by_label
    assert sorted(found.report.files.values()) == sorted(data.report.files.values())
    assert len(found.report.strays) == 10
    assert not [path for path in tmp_path.rglob("*.jpg")], "nothing was unpacked"


def test_an_archive_named_like_a_category_needs_no_folder_in_it(tree, tmp_path):
    with tarfile.open(tmp_path / "Tips.tar", "w") as archive:
        for path in tree.images[-3:]:
            archive.add(path, arcname=path.name)
    found = find_nffa(tmp_path / "Tips.tar", tmp_path)
    assert [image.label for image in found.images] == ["Tips"] * 3


def member(name: str, *, size: int = 4, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def test_members_outside_of_the_archive_links_and_devices_are_refused_and_told(tree, tmp_path):
    good = tree.images[0]
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        for name in ("../Tips/L9_a.jpg", "/etc/Tips/L9_b.jpg"):
            archive.addfile(member(name), io.BytesIO(b"abcd"))
        archive.addfile(member("Tips/L9_c.jpg", size=0, type=tarfile.SYMTYPE, linkname="/etc/passwd"))
        archive.addfile(member("Tips/L9_d.jpg", size=0, type=tarfile.LNKTYPE, linkname="Tips/L9_c.jpg"))
        archive.addfile(member("Tips/L9_e.jpg", size=0, type=tarfile.CHRTYPE))
        archive.add(good, arcname=f"Biological/{good.name}")
    found = find_nffa(tmp_path / "evil.tar", tmp_path / "scratch")
    assert [image.label for image in found.images] == ["Biological"]
    assert len(found.refused) == 5
    assert {reason for _, reason in found.refused} == {
        "a place outside of the archive",
        "a link, a device or a sparse file",
    }


def test_a_link_in_a_folder_is_not_followed(tree, tmp_path):
    folder = tmp_path / "set" / "Tips"
    folder.mkdir(parents=True)
    (folder / tree.images[-1].name).write_bytes(tree.images[-1].read_bytes())
    os.symlink(tree.images[0], folder / "L9_link.jpg")
    found = find_nffa(tmp_path / "set", tmp_path)
    assert len(found.images) == 1
    assert found.refused == [("Tips/L9_link.jpg", "a link")]


def test_an_archive_that_breaks_off_gives_what_is_before_that(tree, tmp_path):
    pack(tree, tmp_path / "packed")
    whole = tmp_path / "packed" / "Tips.tar"
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = find_nffa(whole, tmp_path)
    assert 0 < len(found.images) < 5
    assert found.refused


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path):
    zeros = io.BytesIO(bytes(30_000_000))
    with tarfile.open(tmp_path / "Tips.tar.gz", "w:gz") as archive:
        archive.addfile(member("Tips/L9_a.jpg", size=30_000_000), zeros)
    with pytest.raises(DataRefused) as refusal:
        find_nffa(tmp_path / "Tips.tar.gz", tmp_path / "scratch")
    assert refusal.value.code == "archive-too-large"
    assert not list((tmp_path / "scratch").iterdir())


def test_an_archive_of_too_many_members_is_refused(tree, tmp_path):
    pack(tree, tmp_path / "packed")
    with pytest.raises(DataRefused) as refusal:
        find_nffa(tmp_path / "packed", tmp_path, limits=DataLimits(members=3))
    assert refusal.value.code == "too-many-members"


def test_a_damaged_compressed_archive_and_a_folder_without_images_say_so(tmp_path):
    (tmp_path / "Tips.tar.gz").write_bytes(b"\x1f\x8b\x08\x00nonsense")
    with pytest.raises(DataRefused) as refusal:
        find_nffa(tmp_path / "Tips.tar.gz", tmp_path)
    assert refusal.value.code == "damaged-archive"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataRefused, match="named like the categories"):
        find_nffa(tmp_path / "empty", tmp_path)
    with pytest.raises(DataRefused, match="neither a folder nor a tar archive"):
        find_nffa(Path(__file__), tmp_path)


def labelled(folder: Path, name: str, label: str, pixels: np.ndarray, session: str = "") -> LabelledImage:
    path = folder / name
    Image.fromarray(pixels).save(path)
    return LabelledImage(name, label, session, FileSource(path))


def test_equal_pictures_with_two_labels_are_both_left_out_and_told(tmp_path):
    rng = np.random.default_rng(0)
    picture, other = (make_picture(rng, category, (64, 64)) for category in ("Powders", "Tips"))
    images = [
        labelled(tmp_path, "a.png", "Powders", picture),
        labelled(tmp_path, "b.tif", "Particles", picture),
        labelled(tmp_path, "c.png", "Tips", other),
    ]
    found = examine(images, say=lambda text: None)
    assert [image.key for image in found.images] == ["c.png"]
    assert found.report.contradictions == (("a.png", "b.tif"),)


def test_nothing_that_can_be_read_is_refused_as_a_whole(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DataRefused):
        examine([LabelledImage("a.png", "Tips", "", FileSource(tmp_path / "a.png"))], say=lambda text: None)


def test_images_of_one_session_share_a_group_and_so_do_alike_features(tmp_path):
    rng = np.random.default_rng(0)
    images = [
        labelled(tmp_path, f"{number}.png", "Powders", make_picture(rng, "Powders", (64, 64)), session)
        for number, session in enumerate(("monday", "monday", "", "tuesday", ""))
    ]
    found = examine(images, say=lambda text: None)
    assert found.groups.tolist() == [0, 0, 1, 2, 3]
    assert found.report.sessions == 2
    features = np.eye(5, 8, dtype=np.float32)
    features[4] = features[0] + 0.2 * features[4]
    assert found.grouped_by_features(features).groups.tolist() == [0, 0, 1, 2, 0]


def test_the_report_says_what_a_division_at_random_would_have_hidden(tmp_path):
    """Checked against many random divisions of the same groups."""
    rng = np.random.default_rng(0)
    picture, other = (make_picture(rng, category, (64, 64)) for category in ("Powders", "Tips"))
    brighter = [np.clip(picture.astype(int) + number, 0, 255).astype(np.uint8) for number in range(3)]
    images = [labelled(tmp_path, f"{number}.png", "Powders", each) for number, each in enumerate([*brighter, other])]
    data = examine(images, say=lambda text: None)
    assert data.groups.tolist() == [0, 0, 0, 1]
    shares = []
    for _ in range(4000):
        is_trained = rng.uniform(size=4) < 0.7
        twins = [
            (data.groups == group) & is_trained & (np.arange(4) != place) for place, group in enumerate(data.groups)
        ]
        shares += [twin.any() for twin in twins]
    assert data.report.summary()["near_duplicates_across_random_parts"] == pytest.approx(np.mean(shares), abs=0.02)


def test_a_file_far_too_large_for_an_image_is_told_without_being_read(tree, tmp_path):
    folder = tmp_path / "set" / "Tips"
    folder.mkdir(parents=True)
    (folder / "good.jpg").write_bytes(tree.images[-1].read_bytes())
    with (folder / "huge.jpg").open("wb") as stream:
        stream.truncate(50 * 1024**3)
    assert dict(read(tmp_path / "set", tmp_path).report.unreadable)["Tips/huge.jpg"].startswith("The file has")
    with (tmp_path / "Tips.tar").open("wb") as stream:
        stream.write(member("Tips/huge.jpg", size=50 * 1024**3).tobuf())
        stream.truncate(51 * 1024**3)
    with pytest.raises(DataRefused):
        find_nffa(tmp_path / "Tips.tar", tmp_path)
