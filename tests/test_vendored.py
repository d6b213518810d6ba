"""Other people's files under static/vendor are listed with version, licence and hash, and are what the list says."""

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "static" / "vendor"
PACKAGES = json.loads((VENDOR / "VENDORED.json").read_text())


def test_every_vendored_file_has_the_hash_that_is_listed():
    listed = {name: digest for package in PACKAGES for name, digest in package["files"].items()}
    actual = {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in listed}
    assert actual == listed


def test_nothing_unlisted_lies_among_the_vendored_files():
    listed = {name for package in PACKAGES for name in package["files"]} | {"VENDORED.json"}
    assert {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()} == listed


def test_every_package_states_its_version_source_and_licence_and_brings_the_text_of_it():
    for package in PACKAGES:
        assert package["name"] and package["version"] and package["source"] and package["licence"]
        assert any(name.endswith("/LICENSE") for name in package["files"]), package["name"]
