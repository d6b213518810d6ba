"""Synthetic images: banners that say what is so, files that carry vendors' metadata, wrong ones where that is wanted."""

import hashlib
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from django.core.management import CommandError, call_command
from PIL import Image

from catalogue.extraction.registry import extract
from catalogue.extraction.source import LocalFile
from catalogue.units import to_si
from classifier.pipeline.banner import find_banner
from classifier.pipeline.labels import FOLDERS, NAMES
from classifier.pipeline.synthetic import STYLES, make_image, write_files, write_nffa_tree
from classifier.pipeline.synthetic.banners import HITACHI_TICKS, hitachi_text, length_text
from classifier.pipeline.synthetic.images import NO_BANNER

SHAPES = ((768, 1024), (480, 640))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("style", STYLES)
def test_the_bar_is_where_the_truth_says_and_as_long(style, shape):
    for seed in range(6):
        image = make_image(np.random.default_rng(seed), NAMES[seed], style, shape=shape)
        bar, truth = image.truth.bar, image.truth
        row = image.pixels[bar.row].astype(int)
        ink = row > 128 if row[0] < 128 or np.median(row) < 128 else row < 128
        ends = np.flatnonzero(ink[: bar.left + round(bar.length) + 3][bar.left - 2 :])
        assert abs(ends[0] - 2) <= 2, "the bar begins at its left end"
        assert abs(ends[-1] - 2 - bar.length) <= 2, "and ends at its right one"
        assert truth.printed_value / bar.length == pytest.approx(truth.pixel_size, rel=0.02)
        assert image.pixels.shape == shape


@pytest.mark.parametrize("style", STYLES)
def test_the_banner_is_one_even_grey_with_text_in_it_and_as_high_as_told(style):
    for seed in range(6):
        image = make_image(np.random.default_rng(seed), NAMES[seed], style)
        banner = image.pixels[-image.banner_height :]
        paper = np.bincount(banner.ravel()).argmax()
        assert 0.6 < (banner == paper).mean() < 0.98
        assert (np.abs(banner.astype(int) - paper) > 200).mean() > 0.01
        assert (image.pixels[: -image.banner_height] == paper).mean() < 0.5
        assert image.picture_shape == (768 - image.banner_height, 1024)


@pytest.mark.parametrize(
    ("style", "seeds"), [("zeiss", (46, 50, 53)), ("fei", (2, 15)), ("jeol", (4,)), ("hitachi", (0, 15))]
)
def test_the_pipeline_finds_banners_of_all_styles_white_ones_below_dark_pictures_too(style, seeds):
    for seed in seeds:
        image = make_image(np.random.default_rng(seed), NAMES[seed % 10], style)
        banner = find_banner(image.pixels)
        assert banner is not None, seed
        assert banner.height == pytest.approx(image.banner_height, abs=2), seed


def test_the_ruler_of_hitachi_has_eleven_ticks():
    image = make_image(np.random.default_rng(7), "Tips", "hitachi")
    bar = image.truth.bar
    ruler = image.pixels[bar.row, bar.left - 1 : bar.left + round(bar.length) + 4].astype(int)
    is_ink = np.abs(ruler - ruler[-1]) > 100 if ruler[0] == ruler[-1] else ruler > 128
    assert (np.diff(is_ink.astype(int)) == 1).sum() + int(is_ink[0]) == HITACHI_TICKS


def test_lengths_are_written_as_the_makers_do():
    assert [length_text(value) for value in (2e-7, 1e-6, 5e-5, 1e-3)] == ["200 nm", "1 µm", "50 µm", "1 mm"]
    assert [hitachi_text(value) for value in (5e-7, 1e-6, 2e-5, 5e-4)] == ["500nm", "1.00um", "20.0um", "500um"]


def test_printed_lengths_are_of_the_series_one_two_five():
    rng = np.random.default_rng(0)
    values = {make_image(rng, "Tips", "jeol", shape=(240, 320)).truth.printed_value for _ in range(60)}
    assert {float(f"{value:e}"[:8]) for value in values} == {1.0, 2.0, 5.0}
    assert len(values) > 8


def test_an_image_without_a_banner_has_no_printed_value_and_no_bar():
    image = make_image(np.random.default_rng(0), "Fibres", NO_BANNER)
    assert image.truth.printed_value is None
    assert image.truth.bar is None
    assert image.banner_height == 0
    assert image.picture_shape == image.pixels.shape


def test_a_style_that_nobody_knows_and_an_image_without_room_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="none of the styles"):
        make_image(rng, "Tips", "Leica")
    with pytest.raises(ValueError, match="320 x 240"):
        make_image(rng, "Tips", "zeiss", shape=(160, 160))


def read_pixel_size(path: Path) -> float:
    """As registration reads it, in metres."""
    parameters = extract(LocalFile(path)).parameters
    size = next(one for one in parameters if one.name == "pixel_size_x" and not one.group)
    return to_si(float(size.value), size.unit).value


@pytest.mark.parametrize("style", STYLES)
def test_files_carry_metadata_that_our_readers_understand_and_agree_with_the_banner(style, tmp_path):
    for shape in SHAPES:
        image = make_image(np.random.default_rng(1), "Particles", style, shape=shape)
        paths = write_files(tmp_path, f"{style}-{shape[1]}", image)
        assert read_pixel_size(paths[0]) == pytest.approx(image.truth.pixel_size, rel=0.01)
        assert np.array_equal(tifffile.imread(paths[0]), image.pixels)


@pytest.mark.parametrize("style", STYLES)
def test_wrong_metadata_are_off_by_more_than_a_fifth_and_the_banner_stays_right(style, tmp_path):
    image = make_image(np.random.default_rng(1), "Particles", style, is_metadata_wrong=True)
    right = make_image(np.random.default_rng(1), "Particles", style)
    assert np.array_equal(image.pixels, right.pixels), "only what the files say differs"
    told = read_pixel_size(write_files(tmp_path, "wrong", image)[0])
    assert abs(told / image.truth.pixel_size - 1) > 0.19


def test_every_file_says_that_it_is_synthetic(tmp_path):
    for style in (*STYLES, NO_BANNER):
        path = write_files(tmp_path, style, make_image(np.random.default_rng(2), "Tips", style))[0]
        with tifffile.TiffFile(path) as file:
            assert "SYNTHETIC" in file.pages[0].description
    tree = write_nffa_tree(tmp_path / "nffa", np.random.default_rng(0), 1, with_flaws=False, shape=(240, 320))
    assert all(b"SYNTHETIC" in path.read_bytes()[:400] for path in tree.images)


def test_the_tree_has_the_shape_of_the_nffa_set_and_the_flaws_of_its_copies(tmp_path):
    tree = write_nffa_tree(tmp_path, np.random.default_rng(0), 2, shape=(240, 320))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FOLDERS)
    assert len(tree.images) == 21
    for path in tree.images:
        label = FOLDERS.index(path.parent.name)
        assert path.name == f"L{label}_{hashlib.md5(path.read_bytes()).hexdigest()}.jpg"
        with Image.open(path) as image:
            assert image.mode == "RGB"
            channels = np.asarray(image)
        assert (channels == channels[:, :, :1]).all(), "grey in three channels"
    assert len(tree.strays) == 10
    assert tree.duplicates[0].read_bytes() in {path.read_bytes() for path in tree.images}
    with pytest.raises(OSError, match="truncated"), Image.open(tree.corrupt[0]) as image:
        image.load()
    assert not tree.mismatched[0].name.startswith(f"L{FOLDERS.index(tree.mismatched[0].parent.name)}_")


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(("layout", "count"), [("nffa", 10 + 14), ("files", 10)])
def test_the_command_writes_either_layout_the_same_again_by_seed(layout, count, tmp_path):
    for name in ("one", "other"):
        said = StringIO()
        call_command(
            "classifier_synthesize", tmp_path / name, "--per-category=1", "--seed=4", f"--layout={layout}", stdout=said
        )
        assert "synthetic images in" in said.getvalue()
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert len(contents(tmp_path / "one")) == count


def test_the_command_writes_into_new_folders_only(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CommandError, match="not empty"):
        call_command("classifier_synthesize", tmp_path)
    with pytest.raises(CommandError, match="at least 1"):
        call_command("classifier_synthesize", tmp_path / "new", "--per-category=0")
