"""Pictures become squares: the middle of the short side's scale, or the whole squashed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.encoders.preprocess import as_rgb, as_square


def ramp(height, width):
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 / (width - 1), y * 255 / (height - 1), 0 * x], -1).round().astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 300), st.integers(8, 300), st.integers(8, 64))
def test_the_middle_is_cut_and_the_edges_are_where_they_should_be(height, width, size):
    square = as_square(ramp(height, width), size, "center").astype(float)
    assert square.shape == (size, size, 3)
    for channel, long, values in ((0, width, square[size // 2, :, 0]), (1, height, square[:, size // 2, 1])):
        short = min(height, width)
        centres = (long - short) / 2 + (np.arange(size) + 0.5) * short / size - 0.5
        expected = np.clip(centres, 0, long - 1) * 255 / (long - 1)
        inner = slice(size // 4, size - size // 4)
        step = 255 / (long - 1)
        assert np.abs(values - expected)[inner].max() <= 0.6 * step + 2, channel


def test_center_equals_scaling_then_cutting_by_hand():
    picture = np.kron(
        np.random.default_rng(0).integers(0, 256, (12, 18, 3), np.uint8), np.ones((20, 20, 1), np.uint8)
    )
    by_hand = Image.fromarray(picture).resize((90, 60), Image.Resampling.BICUBIC).crop((15, 0, 75, 60))
    difference = np.abs(as_square(picture, 60, "center").astype(int) - np.asarray(by_hand).astype(int))
    assert difference.max() <= 1


def test_squash_keeps_everything():
    square = as_square(ramp(40, 120), 32, "squash").astype(int)
    assert square[:, 0, 0].max() < 10
    assert square[:, -1, 0].min() > 245
    assert square[0, :, 1].max() < 10
    assert square[-1, :, 1].min() > 245


def test_a_picture_of_the_right_size_is_left_alone():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert as_square(picture, 32, "center") is picture
    np.testing.assert_array_equal(as_square(Image.fromarray(picture), 32, "squash"), picture)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "LA"])
def test_pil_images_of_any_mode_are_read(mode):
    image = Image.fromarray(ramp(20, 30)).convert(mode)
    assert as_rgb(image).shape == (20, 30, 3)
    assert as_square(image, 16, "center").shape == (16, 16, 3)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (np.zeros((4, 4), np.uint8), r"\(H, W, 3\) uint8; got \(4, 4\) uint8"),
        (np.zeros((4, 4, 3), np.float32), r"got \(4, 4, 3\) float32"),
        (np.zeros((0, 4, 3), np.uint8), r"got \(0, 4, 3\) uint8"),
        ("picture.jpg", "a PIL image or an array; got str"),
    ],
)
def test_what_is_no_picture_is_told(wrong, told):
    with pytest.raises(SaysoError, match=told):
        as_square(wrong, 8, "center")
    with pytest.raises(SaysoError, match=told):
        as_rgb(wrong)
