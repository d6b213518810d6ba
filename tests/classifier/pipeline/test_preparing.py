"""What a network sees: the picture without its banner, square, and nothing that is not in it. What it looked at."""

import io

import numpy as np
from PIL import Image

from classifier.pipeline.preparing import prepare, without_banner
from classifier.pipeline.saliency import draw_overlay, evidence


def textured(height: int = 600, width: int = 800) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(rng.normal(120, 25, (height, width)), 0, 255).astype(np.uint8)


def with_banner(pixels: np.ndarray) -> np.ndarray:
    banner = np.zeros((60, pixels.shape[1]), np.uint8)
    banner[20:40, 50:300:6] = 255
    banner[20:40, 51:300:6] = 255
    return np.concatenate([pixels, banner])


def test_a_picture_of_any_size_becomes_a_square() -> None:
    for shape in ((16, 16), (17, 900), (2000, 30), (768, 1024)):
        assert prepare(textured(*shape), 64).shape == (64, 64)


def test_the_banner_is_not_seen() -> None:
    pixels = textured()
    assert np.array_equal(without_banner(with_banner(pixels)), pixels)
    assert np.array_equal(prepare(with_banner(pixels), 99), prepare(pixels, 99))
    assert not np.array_equal(prepare(with_banner(pixels), 99, keeps_banner=True), prepare(pixels, 99))


def test_fine_lines_become_an_even_grey_and_no_false_pattern() -> None:
    lines = np.zeros((1024, 1024), np.uint8)
    lines[:, ::2] = 255
    prepared = prepare(lines, 299, keeps_banner=True)
    assert 120 < prepared.mean() < 135
    assert prepared.std() < 14


def test_fast_preparing_is_what_exact_resizing_gives() -> None:
    pixels = textured()
    smooth = np.asarray(Image.fromarray(pixels).resize((90, 70), Image.Resampling.BOX).resize((1024, 768)))
    exact = np.asarray(Image.fromarray(smooth).resize((299, 299), Image.Resampling.BILINEAR))
    assert np.abs(prepare(smooth, 299, keeps_banner=True).astype(int) - exact).max() <= 8


def test_evidence_is_strongest_where_the_category_is_said_and_no_other() -> None:
    maps = np.zeros((5, 7, 3), np.float32)
    maps[1, 2] = (0, 4, 0)
    maps[3, 6] = (4, 4, 4)  # says everything, so nothing
    found = evidence(maps, 1)
    assert found.shape == (5, 7)
    assert found[1, 2] == 1.0
    assert found[3, 6] == 0.0


def test_evidence_of_a_flat_map_is_none() -> None:
    assert not evidence(np.ones((4, 4, 2), np.float32), 0).any()


def test_the_overlay_tints_the_place_of_the_evidence_and_leaves_the_banner() -> None:
    pixels = with_banner(np.full((600, 800), 100, np.uint8) + (textured() // 32))
    maps = np.zeros((6, 8, 2), np.float32)
    maps[1, 1, 0] = 5
    with Image.open(io.BytesIO(draw_overlay(pixels, maps, 0))) as image:
        assert image.format == "WEBP"
        assert image.size == (800, 660)
        colours = np.asarray(image.convert("RGB")).astype(int)
    tint = colours[..., 0] - colours[..., 2]
    assert tint[150, 150] > 80
    assert np.abs(tint[350:600, 400:]).max() < 25
    assert np.abs(tint[605:]).max() < 25


def test_the_overlay_of_a_large_picture_is_small() -> None:
    with Image.open(io.BytesIO(draw_overlay(textured(3000, 1500), np.ones((4, 4, 2), np.float32), 1))) as image:
        assert image.size == (400, 800)
