"""Classes of one's own: things are cut out where their boxes are; stated probabilities are compared."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import toy
from sayso.core.errors import MediaError, SaysoError
from sayso.core.types import Box
from sayso.evaluation import EVALUATORS, Count, EvaluationOptions
from sayso.evaluation.picture_features import PictureCut, embed_pictures


class Encoder(toy.ColourEncoder):
    log_scale, bias = 1.0, None

    def encode_text(self, texts):
        return super().encode_text([text.replace(".", " ") for text in texts])


@pytest.fixture
def coco(tmp_path):
    """Left half red, right half blue, and a small green thing; one picture is missing."""
    (tmp_path / "images").mkdir()
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :100], pixels[:, 100:] = toy.COLOURS["red"], toy.COLOURS["blue"]
    Image.fromarray(pixels).save(tmp_path / "images" / "a.png")
    boxes = [
        (1, 1, [10, 10, 60, 60]),
        (1, 2, [130, 20, 60, 50]),
        (1, 3, [0, 0, 20, 60]),
        (2, 1, [0, 0, 99, 99]),
    ]
    content = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "gone.png"}],
        "categories": [{"id": k, "name": name} for k, name in ((1, "red"), (2, "blue"), (3, "green"))],
        "annotations": [
            {"id": n, "image_id": image, "category_id": kind, "bbox": box}
            for n, (image, kind, box) in enumerate(boxes)
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    return tmp_path / "instances.json"


def test_things_are_cut_out_and_small_ones_left_out(coco):
    encoder = Encoder()
    result = EVALUATORS["zero-shot-boxes"](encoder, coco)
    assert result.counts == {"things": Count(2, 2)}
    assert result.rows["zero-shot"]["top-1"] == 1
    assert any("gone.png" in name for name in result.missing)
    names = encoder.encode_text(["red", "blue", "green"])
    cosines = encoder.encode_text(["red", "blue"]) @ names.T
    odds = np.exp(np.e * cosines)
    confidence = (odds / odds.sum(1, keepdims=True)).max(1).mean()
    assert result.rows["zero-shot"]["confidence"] == pytest.approx(confidence, abs=1e-3)
    assert result.rows["zero-shot"]["calibration_error"] == pytest.approx(1 - confidence, abs=1e-3)
    assert result.definition["likeliest_scale"] > 100  # all right: the surer, the likelier
    (coco.parent / "names.txt").write_text("red\n")
    with pytest.raises(SaysoError, match="holds 1 names, and there are 3 classes"):
        EVALUATORS["zero-shot-boxes"](encoder, coco, EvaluationOptions(names=coco.parent / "names.txt"))


def test_a_box_is_cut_out_as_a_square_with_room(coco):
    assert PictureCut(coco, box=Box(40, 20, 60, 30)).edges(200, 100) == (39, 14, 61, 36)
    assert PictureCut(coco, box=Box(0, 0, 50, 100)).edges(200, 100) == (0, 0, 80, 100)
    assert PictureCut(coco, border=2).edges(200, 100) == (2, 2, 198, 98)
    assert PictureCut(coco, border=2).edges(4, 100) == (0, 0, 4, 100)


def test_boxes_are_part_of_what_is_kept(coco, tmp_path):
    path, cache = coco.parent / "images" / "a.png", tmp_path / "cache"
    left, right = Box(0, 0, 50, 50), Box(150, 0, 200, 50)
    one = embed_pictures(Encoder(), [path, path], boxes=[left, right], cache=cache).embeddings
    other = embed_pictures(Encoder(), [path, path], boxes=[right, left], cache=cache).embeddings
    assert np.array_equal(one, other[::-1])
    assert not np.allclose(one[0], one[1])


def test_without_a_thing_that_is_large_enough_it_is_told(coco):
    content = json.loads(coco.read_text())
    content["annotations"] = content["annotations"][2:3]
    coco.write_text(json.dumps(content))
    with pytest.raises(SaysoError, match="no thing whose box is 48 pixels"):
        EVALUATORS["zero-shot-boxes"](Encoder(), coco)


def test_what_another_package_may_read_is_tried_again(coco, monkeypatch):
    encoder, path, cache = Encoder(), coco.parent / "images" / "a.png", coco.parent / "cache"
    other = toy.make_picture(coco.parent / "b.png", "red")
    with monkeypatch.context() as patch:
        patch.setattr("sayso.media.read_image", _refuse)
        with pytest.raises(SaysoError, match="can be read: install it"):
            embed_pictures(encoder, [path, other], cache=cache)
    monkeypatch.setattr("sayso.evaluation.picture_features._readers", lambda: ["a reader 2"])
    assert len(embed_pictures(encoder, [path, other], cache=cache).used) == 2


def _refuse(path):
    raise MediaError("install it")
