"""Caption retrieval equals counting by hand, and counts what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.data.datasets.coco_captions import read_captioned
from sayso.encoders.interface import ClipSpec
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.image_retrieval import IMAGE_RETRIEVAL, rank_pictures

COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250), "grey": (90, 90, 90)}


class ByColour:
    """The mean colour of a picture; a text names a colour."""

    name, sha256, dim, similarity, clip = "colour", "0" * 64, 3, "cosine", ClipSpec(1, 1.0, 8)

    def __init__(self):
        self.batches: list[int] = []

    def encode_text(self, texts):
        return np.array([COLOURS[text.split()[-1]] for text in texts], np.float32).reshape(-1, 3) / 250

    def encode_images(self, images):
        self.batches.append(len(images))
        return np.array([np.asarray(image).reshape(-1, 3).mean(0) for image in images], np.float32) / 250


def write(folder: Path, captions: list[tuple[int, str]], pictures: dict[int, str]) -> Path:
    """Write pictures of plain colours and a captions file; ids are not positions."""
    (folder / "images").mkdir()
    for number, colour in pictures.items():
        Image.new("RGB", (9, 7), COLOURS[colour]).save(folder / "images" / f"{number}.png")
    content = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in pictures],
        "annotations": [{"image_id": number, "caption": text} for number, text in captions],
    }
    path = folder / "captions.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def file(tmp_path) -> Path:
    captions = [(30, "all red"), (30, "very green"), (10, "green"), (20, "blue"), (20, "so red")]
    return write(tmp_path, captions, {10: "green", 20: "blue", 30: "red", 40: "grey"})


def test_ranks_equal_those_by_hand(file):
    """The captions of 10 are right; of 20 and 30 one each; 40 has none, but competes."""
    result = IMAGE_RETRIEVAL(ByColour(), file)
    assert result.counts == {"pictures": Count(4, 4), "captions": Count(5, 5)}
    # "very green" and "so red" find the pictures 10 and 30; theirs tie with one other at 0, after grey.
    assert result.rows["text to picture"]["R@1"] == pytest.approx(3 / 5)
    assert result.rows["text to picture"]["mean_rank"] == pytest.approx((1 + 4 + 1 + 1 + 4) / 5)
    # 10 looks like both green captions: the tie with the wrong one counts against it. So for 30; not for 20.
    assert result.rows["picture to text"]["R@1"] == pytest.approx(1 / 3)
    assert result.rows["picture to text"]["R@5"] == 1
    assert result.lost == ()


def test_what_is_missing_or_broken_is_counted_and_left_out(file):
    (file.parent / "images" / "20.png").unlink()
    (file.parent / "images" / "30.png").write_bytes(b"not a picture")
    result = IMAGE_RETRIEVAL(ByColour(), file)
    assert result.counts == {"pictures": Count(2, 4), "captions": Count(1, 5)}
    assert result.missing == (str(file.parent / "images" / "20.png"),)
    assert len(result.unreadable) == 1
    assert "30.png" in result.unreadable[0]
    assert result.rows["text to picture"]["R@1"] == 1


def test_pictures_are_held_a_batch_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.evaluation.picture_features.BATCH", 4)
    colours = list(COLOURS)
    path = write(tmp_path, [(i, colours[i % 4]) for i in range(11)], {i: colours[i % 4] for i in range(11)})
    encoder, told = ByColour(), []

    class Progress:
        def update(self, done, total=None, note="", amount=None):
            told.append((done, total))

    rank_pictures(encoder, read_captioned(path), progress=Progress())
    assert encoder.batches == [4, 4, 3]
    assert told == [(4, 11), (8, 11), (11, 11)]


def test_the_folder_of_the_pictures_can_be_given(file, tmp_path):
    (tmp_path / "images").rename(tmp_path / "val")
    with pytest.raises(SaysoError, match=r"none of the 4 pictures .* such as .*10.png; give their folder"):
        IMAGE_RETRIEVAL(ByColour(), file)
    found = IMAGE_RETRIEVAL(ByColour(), file, EvaluationOptions(images=tmp_path / "val"))
    assert found.counts["pictures"].used == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"images": []}', "KeyError: 'annotations'"),
        ('{"images": [], "annotations": [{"image_id": 7, "caption": "x"}]}', "none of its pictures"),
        ('{"images": [{"id": 1}], "annotations": []}', "picture 1 has no id or no file_name"),
        ('{"images": [], "annotations": []}', "none of its pictures"),
        ('{"images": [{"id": 1, "file_name": "a"}], "annotations": []}', "holds no captions"),
        (b"\xff\xfe\x00", "UnicodeDecodeError"),
    ],
)
def test_another_format_is_told(tmp_path, content, told):
    path = tmp_path / "x.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SaysoError, match=told):
        read_captioned(path)


def test_karpathys_test_split_is_ranked_like_the_same_captions_in_cocos_format(file):
    """The same five captions, in the other form, beside a picture of another split."""
    plain = IMAGE_RETRIEVAL(ByColour(), file)
    content = json.loads(file.read_text())
    images = [
        {
            "filename": row["file_name"],
            "split": "test",
            "sentences": [
                {"raw": one["caption"]} for one in content["annotations"] if one["image_id"] == row["id"]
            ],
        }
        for row in content["images"]
        if row["id"] != 40
    ]
    images.append({"filename": "40.png", "split": "train", "sentences": [{"raw": "grey"}]})
    path = file.with_name("dataset_mine.json")
    path.write_text(json.dumps({"images": images, "dataset": "mine"}))
    result = IMAGE_RETRIEVAL(ByColour(), path)
    assert result.counts == {"pictures": Count(3, 3), "captions": Count(5, 5)}
    assert result.rows["picture to text"] == plain.rows["picture to text"]
    assert result.rows["text to picture"]["R@1"] == plain.rows["text to picture"]["R@1"]
    assert result.definition["split"] == "test, Karpathy's"
    assert result.definition["captions_a_picture"] == 5


def test_what_was_embedded_is_kept(file, tmp_path):
    encoder, kept = ByColour(), EvaluationOptions(cache=tmp_path / "cache")
    first = IMAGE_RETRIEVAL(encoder, file, kept)
    assert IMAGE_RETRIEVAL(encoder, file, kept).rows == first.rows
    assert encoder.batches == [4]
