"""Copies of test pictures are found however they were encoded, cropped or framed; other pictures are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from sayso.data.alt_text.near_duplicates import TestSet, fingerprint, fingerprints

WIDTH, HEIGHT = 240, 180


def scene(seed: int) -> Image.Image:
    """A picture with large and small things in it: noise of several scales, and boxes."""
    rng = np.random.default_rng(seed)
    total = np.zeros((HEIGHT, WIDTH, 3))
    for cells in (3, 7, 16, 40):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += np.asarray(noise.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), float) / cells**0.5
    picture = Image.fromarray(np.uint8(255 * (total - total.min()) / np.ptp(total)))
    for _ in range(6):
        x, y, w, h = rng.integers(0, (180, 130, 60, 50))
        picture.paste(tuple(rng.integers(0, 256, 3).tolist()), (x, y, x + w + 8, y + h + 8))
    return picture


def jpeg(picture, quality=30):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def framed(picture):
    side = max(picture.size)
    frame = Image.new("RGB", (side, side), "white")
    frame.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return jpeg(frame.resize((256, 256)), 80)


def cropped(share, x, y):
    def crop(picture):
        w, h = picture.size
        left, top = int(w * (1 - share) * x), int(h * (1 - share) * y)
        return picture.crop((left, top, left + int(w * share), top + int(h * share)))

    return crop


COPIES = {
    "itself": lambda picture: picture,
    "quality 15": lambda picture: jpeg(picture, 15),
    "80 pixels": lambda picture: jpeg(picture.resize((80, 60))),
    "squashed": lambda picture: picture.resize((224, 224)),
    "framed": framed,
    "90 %": cropped(0.9, 0.3, 0.8),
    "80 %": cropped(0.8, 1.0, 0.2),
    "middle square": lambda picture: ImageOps.fit(picture, (120, 120)),
    "90 %, small, quality 30": lambda picture: jpeg(cropped(0.9, 0.7, 0.1)(picture).resize((128, 96))),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.3),
    "paler": lambda picture: ImageEnhance.Contrast(picture).enhance(0.6),
    "mirrored": ImageOps.mirror,
}


def kept_aside(pictures):
    kept = [(str(n), one) for n, picture in enumerate(pictures) for one in fingerprints(picture)]
    return TestSet([name for name, _ in kept], np.stack([one for _, one in kept]))


@pytest.fixture(scope="module")
def held_out():
    return kept_aside([scene(n) for n in range(40)])


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_found(held_out, how):
    copies = np.stack([fingerprint(COPIES[how](scene(n))) for n in range(12)])
    assert held_out.find(copies) == [str(n) for n in range(12)]


def test_other_pictures_are_not_found(held_out):
    others = [scene(n) for n in range(100, 140)]
    flat = [Image.new("RGB", (99, 70), colour) for colour in ("white", "black", "red")]
    ramp = Image.fromarray(np.tile(np.arange(240, dtype=np.uint8), (180, 1))).convert("RGB")
    thumbnails = np.stack([fingerprint(picture) for picture in [*others, *flat, ramp]])
    assert held_out.find(thumbnails) == [None] * len(thumbnails)
    assert held_out.find(thumbnails[:0]) == []


def test_two_flat_pictures_are_not_taken_for_each_other():
    one = TestSet(["white"], fingerprint(Image.new("RGB", (80, 60), "white"))[None])
    assert one.find(fingerprint(Image.new("RGB", (80, 60), "grey"))[None]) == [None]


def test_photographs(shared_data):
    """COCO's pictures against others, and against copies of themselves."""

    def pictures(folder, count):
        paths = sorted((shared_data / folder / "images").glob("*.jpg"))[:count]
        return [Image.open(path).convert("RGB") for path in paths]

    others, known = pictures("coco", 50), pictures("coco_more", 8)
    held_out = kept_aside(known)
    assert set(held_out.find(np.stack([fingerprint(one) for one in others]))) == {None}
    missed = []
    for how, copy in COPIES.items():
        found = held_out.find(np.stack([fingerprint(copy(one)) for one in known]))
        missed += [(how, n) for n in range(len(known)) if found[n] != str(n)]
    assert missed == []
