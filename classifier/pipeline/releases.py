"""A model release on disk: one folder with safe files (Keras, LiteRT, plain arrays, text) and a manifest that holds their SHA-256.

Nothing of a release is loaded before all its files are what the manifest names. Which release is in use stands in the database.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.feature_space import FeatureSpace, read_feature_space

MANIFEST_FILE = "manifest.json"
KERAS_FILE = "model.keras"
LITERT_FILE = "model.tflite"
SPACE_FILE = "features.npz"  # see feature_space.py
CARD_FILE = "card.md"
DEMONSTRATION = Path(__file__).resolve().parents[1] / "demonstration"

_SAFE = {".keras", ".tflite", ".npz", ".md", ".json", ".html", ".txt", ".png", ".svg", ".webp"}
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST_MANIFEST = 4_000_000


@dataclass(frozen=True)
class Manifest:
    """What a release is, and what has to be known to use and to judge it.

    `labels` in the order of the logits. Pictures are (input_side, input_side). `temperature` divides the logits;
    `abstain_below` is the calibrated confidence under which a verdict is uncertain. `metrics` is the report in short,
    `data` says on what it was trained, `training` by which command, options and seed. `files`: name -> SHA-256.
    """

    name: str
    release: str
    architecture: str
    labels: tuple[str, ...]
    input_side: int
    feature_count: int
    temperature: float
    abstain_below: float
    is_demonstration: bool = False
    licence: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The same text for the same manifest, whose SHA-256 is the release's digest."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Manifest:
        """Raises `ModelRefused` for anything that `to_json` would not write."""
        try:
            values = json.loads(text)
            if not isinstance(values["labels"], list):
                raise TypeError("labels")
            manifest = Manifest(**{**values, "labels": tuple(values["labels"])})
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _bad_manifest("it is not a manifest of this application") from error
        _check(manifest)
        return manifest

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, and so of all that it names."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True)
class Release:
    """A verified release in its folder."""

    manifest: Manifest
    folder: Path

    def holds(self, name: str) -> bool:
        return name in self.manifest.files

    def path(self, name: str) -> Path:
        if not self.holds(name):
            raise ModelRefused("file-missing", f"The release holds no {name}.")
        return self.folder / name

    def read_space(self) -> FeatureSpace:
        return read_feature_space(self.path(SPACE_FILE).read_bytes())


def read_release(folder: Path) -> Release:
    """Verify a folder and give its release. Raises `ModelRefused` with `no-manifest`, `bad-manifest`, `file-missing` or
    `wrong-hash`."""
    path = folder / MANIFEST_FILE
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise _bad_manifest("it is too large")
        manifest = Manifest.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelRefused("no-manifest", f"{folder.name} is no model release: it has no {MANIFEST_FILE}.") from error
    except UnicodeDecodeError as error:
        raise _bad_manifest("it is not text") from error
    for name, expected in manifest.files.items():
        _verify(folder / name, expected)
    return Release(manifest, folder)


def write_release(folder: Path, manifest: Manifest, files: Mapping[str, Path | bytes]) -> Release:
    """Write a release that was not there, whole or not at all; `manifest.files` is filled in. Raises `ModelRefused`."""
    if folder.exists():
        raise ModelRefused("release-exists", f"{folder.name} is there already; a release is never changed.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as made:
        unfinished = Path(made) / "release"
        unfinished.mkdir(mode=0o755)
        digests = {}
        for name, content in sorted(files.items()):
            target = unfinished / name
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                shutil.copyfile(content, target)
            digests[name] = _sha256(target)
        complete = replace(manifest, files=digests)
        _check(complete)
        (unfinished / MANIFEST_FILE).write_text(complete.to_json(), encoding="utf-8")
        os.rename(unfinished, folder)
    return Release(complete, folder)


def _check(manifest: Manifest) -> None:
    """Everything that code relies on later."""
    texts = (manifest.name, manifest.release, manifest.architecture, manifest.licence, *manifest.labels)
    numbers = (manifest.temperature, manifest.abstain_below)
    tables = (manifest.metrics, manifest.data, manifest.training, manifest.files)
    sizes = (manifest.input_side, manifest.feature_count)
    if not all(isinstance(text, str) and len(text) <= 200 for text in texts) or not (
        manifest.name and manifest.release
    ):
        raise _bad_manifest("a name is missing or too long")
    if len(set(manifest.labels)) != len(manifest.labels) or len(manifest.labels) < 2:
        raise _bad_manifest("it needs at least two labels, each once")
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise _bad_manifest("temperature and abstain_below are numbers")
    if not (0 < manifest.temperature <= 100 and 0 <= manifest.abstain_below <= 1):
        raise _bad_manifest("temperature or abstain_below is out of its range")
    if not all(type(size) is int and 1 <= size <= 1_000_000 for size in sizes) or not 16 <= manifest.input_side <= 2048:
        raise _bad_manifest("input_side or feature_count is out of its range")
    if not all(isinstance(table, dict) for table in tables) or type(manifest.is_demonstration) is not bool:
        raise _bad_manifest("one of its tables is not a table")
    _check_files(manifest.files)


def _check_files(files: Mapping[str, Any]) -> None:
    for name, digest in files.items():
        if not _FILE_NAME.fullmatch(name) or Path(name).suffix not in _SAFE or name == MANIFEST_FILE:
            raise _bad_manifest(
                f"{name[:100]!r} is not the name of a file that a release may hold ({', '.join(sorted(_SAFE))})"
            )
        if not (isinstance(digest, str) and _SHA256.fullmatch(digest)):
            raise _bad_manifest(f"the SHA-256 of {name} is missing")
    if KERAS_FILE not in files and LITERT_FILE not in files:
        raise _bad_manifest(f"it names neither {KERAS_FILE} nor {LITERT_FILE}")
    if SPACE_FILE not in files:
        raise _bad_manifest(f"it does not name {SPACE_FILE}")


def _verify(path: Path, expected: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise ModelRefused("file-missing", f"{path.name} of the release is missing. Install it again.")
    if _sha256(path) != expected:
        raise ModelRefused(
            "wrong-hash", f"{path.name} is not the file that its manifest names: the SHA-256 differs. Install it again."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _bad_manifest(why: str) -> ModelRefused:
    return ModelRefused("bad-manifest", f"The manifest of the release cannot be used: {why}.")
