"""Drawings by name equal counting by hand, alone and among photographs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.data.datasets.named_drawings import read_emoji
from sayso.encoders.interface import ClipSpec
from sayso.evaluation.drawing_retrieval import DRAWING_RETRIEVAL
from sayso.evaluation.evaluator import EvaluationOptions


class ByGrey:
    """A picture is its brightness on a quarter circle; the text of a thing is a number, with an error."""

    name, sha256, dim, similarity, clip = "grey", "0" * 64, 2, "cosine", ClipSpec(1, 1.0, 8)

    def encode_text(self, texts):
        numbers = np.array([int(text.split()[-1]) for text in texts])
        return turned(numbers + np.where(numbers % 3 == 0, 8.6, 0.7))

    def encode_images(self, images):
        return turned(np.array([np.asarray(image)[0, 0, 0] for image in images]))


def turned(numbers):
    angles = numbers / 255 * np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


@pytest.fixture
def modules(tmp_path):
    """255 things by two artists, the second a little brighter."""
    rows = []
    for n in range(0, 250, 2):
        row = {"name": f"THING {n}", "short_name": f"t{n}", "short_names": [f"t{n}"], "unified": str(n)}
        images = {"image": f"{n}.png", "has_img_google": True, "has_img_twitter": n % 4 == 0}
        rows.append(row | images | {"non_qualified": None, "category": "Objects"})
    for artist, more in (("google", 0), ("twitter", 1)):
        folder = tmp_path / f"emoji-datasource-{artist}" / "img" / artist / "64"
        folder.mkdir(parents=True)
        (folder.parents[2] / "emoji.json").write_text(json.dumps(rows))
        for row in rows:
            grey = int(row["unified"]) + more
            Image.new("RGB", (4, 4), (grey, grey, grey)).save(folder / row["image"])
    return tmp_path


def ranks(queries, items, targets):
    found = []
    for query, target in zip(queries, targets, strict=True):
        found.append(sum(float(query @ item) >= float(query @ items[target]) for item in items))
    return np.array(found)


def test_each_drawing_is_ranked_for_its_name(modules):
    result = DRAWING_RETRIEVAL(ByGrey(), modules)
    found = [one for one in read_emoji(modules) if one.held_out]
    assert 10 < len(found) < 60
    model = ByGrey()
    for row, chosen in [("all artists", found)] + [
        (artist, [one for one in found if one.artist == artist]) for artist in ("google", "twitter")
    ]:
        items = model.encode_images([Image.open(one.path) for one in chosen]).astype(float)
        texts = model.encode_text([one.names[0] for one in chosen]).astype(float)
        expected = ranks(texts, items, range(len(chosen)))
        assert result.rows[row]["R@1"] == pytest.approx(np.mean(expected <= 1))
        assert result.rows[row]["mean_rank"] == pytest.approx(expected.mean())
    assert result.primary.value == result.rows["all artists"]["R@10"]
    assert result.counts["drawings"].used == len(found)


def test_photographs_and_drawings_share_one_collection(modules, tmp_path):
    folder = tmp_path / "photographs"
    (folder / "images").mkdir(parents=True)
    greys = [3, 90, 181]
    for grey in greys:
        Image.new("RGB", (4, 4), (grey, grey, grey)).save(folder / "images" / f"{grey}.png")
    content = {
        "images": [{"id": grey, "file_name": f"{grey}.png"} for grey in greys],
        "annotations": [{"image_id": grey, "caption": f"number {grey}"} for grey in greys],
    }
    (folder / "captions.json").write_text(json.dumps(content))
    result = DRAWING_RETRIEVAL(ByGrey(), modules, EvaluationOptions(images=folder))
    model = ByGrey()
    drawn = [Image.open(one.path) for one in read_emoji(modules) if one.held_out]
    taken = [Image.open(folder / "images" / f"{grey}.png") for grey in greys]
    both = model.encode_images(taken + drawn).astype(float)
    captions = model.encode_text([f"number {grey}" for grey in greys]).astype(float)
    expected = ranks(captions, both, range(3))
    assert result.rows["photographs among drawings"]["mean_rank"] == pytest.approx(expected.mean())
    alone = ranks(captions, both[:3], range(3))
    assert result.rows["photographs alone"]["mean_rank"] == pytest.approx(alone.mean())
    assert result.rows["drawings among photographs"]["mean_rank"] > result.rows["all artists"]["mean_rank"]
    assert result.counts["photographs"].used == 3


def test_unreadable_drawings_are_listed_and_none_is_an_error(modules):
    held = [one for one in read_emoji(modules) if one.held_out]
    held[0].path.write_bytes(b"no picture")
    result = DRAWING_RETRIEVAL(ByGrey(), modules)
    assert len(result.lost) == 1
    assert result.counts["drawings"].used == len(held) - 1
    for one in held:
        one.path.write_bytes(b"no picture")
    with pytest.raises(SaysoError, match="can be read"):
        DRAWING_RETRIEVAL(ByGrey(), modules)
