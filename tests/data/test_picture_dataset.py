"""Examples of captioned pictures: which part is shown, upright, unmirrored, decoded no larger than needed."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.data import PicturePairDataset, read_picture_pairs
from sayso.data.picture_dataset import random_crop

RATIO = (3 / 4, 4 / 3)


def photo(width=1600, height=1200):
    """Soft colours that differ from corner to corner."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    waves = np.stack([x, y, 0.5 + 0.4 * np.sin(9 * x + 4 * y)], 2)
    return Image.fromarray(np.uint8(255 * waves))


def corpus(folder, picture, captions="one caption", name="a.jpg", **options):
    picture.save(folder / name, quality=95, **options)
    (folder / name).with_suffix(".txt").write_text(captions)
    return read_picture_pairs(folder)


@given(
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)).map(sorted),
    st.integers(0, 1000),
)
def test_a_random_part_lies_within_and_has_the_area_and_aspect_asked_for(width, height, scale, seed):
    left, top, right, bottom = random_crop(width, height, np.random.default_rng(seed), scale, RATIO)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    w, h = right - left, bottom - top
    if RATIO[0] * 1.1 < width / height < RATIO[1] / 1.1 and min(width, height) > 200 and scale[1] < 0.9:
        assert scale[0] - 0.01 <= w * h / (width * height) <= scale[1] + 0.01
        assert RATIO[0] - 0.02 <= w / h <= RATIO[1] + 0.02


@pytest.mark.parametrize(("width", "height"), [(1000, 100), (100, 1000)])
def test_of_a_long_picture_the_middle_is_shown(width, height):
    box = random_crop(width, height, np.random.default_rng(0), (0.9, 1.0), RATIO)
    long, short = (0, 1) if width > height else (1, 0)
    assert box[short + 2] - box[short] == 100
    assert box[long + 2] - box[long] == 133
    assert box[long] == (1000 - 133) // 2


@pytest.mark.parametrize("size", [24, 64, 150, 301])
def test_a_jpeg_is_decoded_no_larger_than_needed_and_shows_the_same(tmp_path, monkeypatch, size):
    pairs = corpus(tmp_path, photo())
    dataset = PicturePairDataset(pairs, size)
    decoded = []
    read = pairs.read
    monkeypatch.setattr(pairs, "read", lambda *asked: decoded.append(read(*asked)) or decoded[-1])
    (example,) = dataset.sample(0, np.random.default_rng(5))
    assert example["image"].shape == (size, size, 3)
    rng = np.random.default_rng(5)
    rng.integers(1)  # the caption
    box = random_crop(1600, 1200, rng, (0.9, 1.0), RATIO)
    whole = Image.open(tmp_path / "a.jpg").crop(box).resize((size, size), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(whole, int) - example["image"]).mean() < 1.5
    shrunk = 1600 / decoded[0].width
    shown = min(box[2] - box[0], box[3] - box[1])
    assert shrunk == max(f for f in (1, 2, 4, 8) if shown / f >= size)


def test_a_picture_that_lies_on_its_side_is_shown_upright(tmp_path):
    (tmp_path / "turned").mkdir()
    (tmp_path / "upright").mkdir()
    upright, exif = photo(900, 400), Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    turned = corpus(tmp_path / "turned", upright.transpose(Image.Transpose.ROTATE_90), exif=exif)
    plain = corpus(tmp_path / "upright", upright, name="a.png")
    for seed in range(5):
        shown = [
            PicturePairDataset(pairs, 50).sample(0, np.random.default_rng(seed))[0]["image"].astype(int)
            for pairs in (turned, plain)
        ]
        assert np.abs(shown[0] - shown[1]).mean() < 2


def test_pictures_are_mirrored_only_if_asked_for_and_then_half_of_them(tmp_path):
    pairs = corpus(tmp_path, photo(200, 200))  # red grows to the right

    def mirrored(dataset):
        shown = [dataset.sample(0, np.random.default_rng(seed))[0]["image"] for seed in range(60)]
        return sum(int(one[:, 0, 0].mean() > one[:, -1, 0].mean()) for one in shown)

    assert mirrored(PicturePairDataset(pairs, 16)) == 0
    assert 15 < mirrored(PicturePairDataset(pairs, 16, flip=True)) < 45


def test_every_caption_is_drawn_as_often(tmp_path):
    dataset = PicturePairDataset(corpus(tmp_path, photo(64, 64), "one\ntwo\nthree"), 8)
    drawn = Counter(dataset.sample(0, np.random.default_rng(seed))[0]["text"] for seed in range(300))
    assert set(drawn) == {"one", "two", "three"}
    assert min(drawn.values()) > 100 - 4 * math.sqrt(300 * 2 / 9)


@pytest.mark.parametrize(
    "options",
    [{"size": 0}, {"crop_scale": (0.9, 0.5)}, {"crop_scale": (0, 1)}, {"crop_ratio": (2, 1)}],
)
def test_numbers_that_make_no_sense(tmp_path, options):
    with pytest.raises(SaysoError, match="crop_scale within 0 to 1"):
        PicturePairDataset(corpus(tmp_path, photo(16, 16)), **{"size": 8, **options})
