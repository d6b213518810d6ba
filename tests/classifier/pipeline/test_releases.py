"""A model release is what its manifest says, or it is refused before anything of it is loaded."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.releases import (
    CARD_FILE,
    KERAS_FILE,
    MANIFEST_FILE,
    SPACE_FILE,
    Manifest,
    read_release,
    write_release,
)
from tests.classifier.pipeline.small import small_release


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_release(tmp_path / "releases" / "small-1").folder


def refusal(folder: Path) -> str:
    with pytest.raises(ModelRefused) as refused:
        read_release(folder)
    assert refused.value.message.endswith(".")
    return refused.value.code


def test_what_was_written_is_read_again_with_the_same_digest(folder: Path) -> None:
    release = read_release(folder)
    assert release.manifest.labels == ("dark", "bright", "striped")
    assert Manifest.from_json(release.manifest.to_json()) == release.manifest
    assert Manifest.from_json(release.manifest.to_json()).digest == release.manifest.digest
    assert set(release.manifest.files) == {KERAS_FILE, SPACE_FILE}


def test_a_file_with_another_hash_is_refused(folder: Path) -> None:
    (folder / KERAS_FILE).write_bytes(b"not looked aT")
    assert refusal(folder) == "wrong-hash"


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / KERAS_FILE).unlink()
    assert refusal(folder) == "file-missing"


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    os.rename(folder / KERAS_FILE, tmp_path / "elsewhere")
    (folder / KERAS_FILE).symlink_to(tmp_path / "elsewhere")
    assert refusal(folder) == "file-missing"


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "no-manifest"


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["one"]},
        {"labels": ["one", "one"]},
        {"labels": "ab"},
        {"labels": None},
        {"name": ""},
        {"name": 7},
        {"temperature": 0},
        {"temperature": "1"},
        {"temperature": True},
        {"abstain_below": 1.1},
        {"input_side": 5},
        {"input_side": 1e9},
        {"feature_count": 0},
        {"metrics": []},
        {"is_demonstration": "yes"},
        {"files": {}},
        {"files": {KERAS_FILE: "0" * 64}},
        {"files": {"../model.keras": "0" * 64, SPACE_FILE: "0" * 64}},
        {"files": {"model.pkl": "0" * 64, KERAS_FILE: "0" * 64, SPACE_FILE: "0" * 64}},
        {"files": {KERAS_FILE: "short", SPACE_FILE: "0" * 64}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_manifest_with_something_else_in_it_is_refused(folder: Path, change: dict) -> None:
    path = folder / MANIFEST_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert refusal(folder) == "bad-manifest"


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"name": NaN}', "[" * 100_000, "\xff"], ids=lambda text: text[:20]
)
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST_FILE).write_bytes(text.encode("latin-1"))
    assert refusal(folder) == "bad-manifest"


def test_a_release_is_never_written_over(folder: Path) -> None:
    release = read_release(folder)
    with pytest.raises(ModelRefused) as refused:
        write_release(folder, release.manifest, {KERAS_FILE: b"other"})
    assert refused.value.code == "release-exists"
    assert read_release(folder) == release


def test_a_release_that_cannot_be_written_whole_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    release = read_release(folder)
    target = folder.parent / "small-2"
    with pytest.raises(OSError):
        write_release(target, release.manifest, {KERAS_FILE: b"new", SPACE_FILE: tmp_path / "is not there"})
    assert [path.name for path in folder.parent.iterdir()] == ["small-1"]


def test_a_release_without_a_model_or_with_a_pickle_is_not_written(folder: Path) -> None:
    manifest = replace(read_release(folder).manifest, release="2")
    for files in ({CARD_FILE: b"# Card"}, {KERAS_FILE: b"", SPACE_FILE: b"", "weights.pkl": b""}):
        with pytest.raises(ModelRefused):
            write_release(folder.parent / "small-2", manifest, files)
        assert not (folder.parent / "small-2").exists()
