"""Karpathy's splits: the test part, five captions a picture, where the pictures lie."""

from __future__ import annotations

import json

import pytest

from sayso.core.errors import SaysoError
from sayso.data.datasets.karpathy import is_karpathy, read_karpathy


def record(name, split="test", captions=5, **more):
    sentences = [{"raw": f" {name} {k} ", "tokens": ["a"], "imgid": 0, "sentid": k} for k in range(captions)]
    return {"filename": f"{name}.jpg", "split": split, "sentids": [0], "sentences": sentences, **more}


@pytest.fixture
def coco(tmp_path):
    """COCO's file: pictures in two folders, some with more than five captions."""
    images = [
        record("a", filepath="val2014", cocoid=1, captions=7),
        record("b", "restval", filepath="train2014"),
        record("c", filepath="val2014", captions=4),
        record("d", filepath="val2014", captions=0),
        {"split": "test", "sentences": [{"raw": "x"}]},
        "no record",
        record("e", "train", filepath="train2014"),
    ]
    path = tmp_path / "dataset_coco.json"
    path.write_text(json.dumps({"images": images, "dataset": "coco"}))
    (tmp_path / "val2014").mkdir()
    (tmp_path / "val2014" / "a.jpg").write_bytes(b"x")
    return path


def test_the_test_part_is_read(coco):
    read = read_karpathy(coco)
    assert read.pictures == [coco.parent / "val2014" / "a.jpg", coco.parent / "images" / "val2014" / "c.jpg"]
    assert read.texts == [f"a {k}" for k in range(5)] + [f"c {k}" for k in range(4)]
    assert read.owners == [0] * 5 + [1] * 4
    assert [failure.error.partition(" of ")[0] for failure in read.failures] == [
        "picture 4",
        "picture 5",
        "picture 6",
    ]
    assert [len(read_karpathy(coco, split=split).pictures) for split in ("train", "restval")] == [1, 1]
    assert len(read_karpathy(coco, captions=1).texts) == 2


def test_flickr30k_lies_in_one_folder(tmp_path):
    path = tmp_path / "dataset_flickr30k.json"
    path.write_text(json.dumps({"images": [record("1000092795")], "dataset": "flickr30k"}))
    (tmp_path / "flickr30k-images").mkdir()
    (tmp_path / "flickr30k-images" / "1000092795.jpg").write_bytes(b"x")
    assert read_karpathy(path).pictures == [tmp_path / "flickr30k-images" / "1000092795.jpg"]
    (tmp_path / "flickr30k-images").rename(tmp_path / "elsewhere")
    assert read_karpathy(path, tmp_path / "elsewhere").pictures[0].parent.name == "elsewhere"


def test_the_form_is_known_by_its_beginning(coco, tmp_path):
    assert is_karpathy(coco)
    (tmp_path / "captions.json").write_text('{"images": [], "annotations": []}')
    assert not is_karpathy(tmp_path / "captions.json")
    assert not is_karpathy(tmp_path / "none.json")


def test_what_is_wrong_is_told(coco, tmp_path):
    with pytest.raises(SaysoError, match="no captioned picture in the split 'val'"):
        read_karpathy(coco, split="val")
    for text, told in (("{", "JSONDecodeError"), ("[]", "TypeError"), ('{"a": 1}', "KeyError: 'images'")):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(SaysoError, match=f"not in the form of Karpathy's splits: {told}"):
            read_karpathy(tmp_path / "bad.json")
