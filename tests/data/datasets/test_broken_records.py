"""One record of a data set that cannot be used is listed and left out; the others are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.tagged_folders import Seen, annotation, picture, voc
from sayso.core.errors import SaysoError
from sayso.core.types import Box
from sayso.data.datasets.coco_boxes import box_of
from sayso.data.datasets.coco_captions import read_captioned
from sayso.data.tags_reader import read_boxes, read_tagged

DOG, CAT = {"id": 1, "name": "dog"}, {"id": 7, "name": "cat"}


def write(folder: Path, images: list, annotations: list, categories: list = (DOG, CAT)) -> Path:
    for name in ("a.png", "b.png", "sub/c.png"):
        picture(folder / "images" / name)
    content = {"images": images, "annotations": annotations, "categories": list(categories)}
    (folder / "instances.json").write_text(json.dumps(content))
    return folder / "instances.json"


def thing(image_id: object, category_id: object = 1, **more: object) -> dict[str, object]:
    return {"image_id": image_id, "category_id": category_id, "bbox": [1, 2, 3, 4], **more}


def labels(found) -> dict[str, tuple[int, ...]]:
    return {one.path.name: one.labels for one in found.pictures}


A, B = {"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (thing(99), "the 2. annotation is of picture 99, which is not listed"),
        (thing(1, 3, id=5), "annotation 5 is of category 3, which is not listed"),
        (thing(None), "the 2. annotation has no image_id"),
        ({"image_id": 1}, "the 2. annotation has no category_id"),
        (thing(True), "the 2. annotation has no image_id"),
        ("text", "the 2. annotation is no object"),
        (None, "the 2. annotation is no object"),
    ],
)
def test_a_stray_annotation_is_left_out(tmp_path, caplog, bad, why):
    path = write(tmp_path, [A, B], [thing(1), bad, thing(2, 7)])
    found = read_tagged(path)
    assert labels(found) == {"a.png": (1, -1), "b.png": (-1, 1)}
    assert [failure.error for failure in found.failures] == [why]
    assert [record.getMessage() for record in caplog.records] == [f"{path}: left out 1, such as: {why}"]


@pytest.mark.parametrize("one", ["1", 1.0, " 1 "])
@pytest.mark.parametrize("other", [1, "1"])
def test_an_id_is_the_same_as_number_and_text(tmp_path, one, other):
    found = read_tagged(write(tmp_path, [{**A, "id": one}], [thing(other, "7")]))
    assert (labels(found), found.failures) == ({"a.png": (-1, 1)}, ())
    assert read_boxes(tmp_path, found)[0][0].box == Box(1, 2, 4, 6)


def test_any_text_is_an_id(tmp_path):
    uuid = "5f0c-img a"
    found = read_tagged(write(tmp_path, [{**A, "id": uuid}], [thing(uuid)]))
    assert [one.id for one in found.pictures] == [uuid]
    assert len(read_boxes(tmp_path, found)[0]) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"id": 3},
        {"file_name": "b.png"},
        7,
        {"id": None, "file_name": "b.png"},
        {"id": 1, "file_name": "b.png"},
    ],
)
def test_a_picture_that_is_not_listed_well_is_left_out(tmp_path, bad):
    found = read_tagged(write(tmp_path, [A, bad], [thing(1)]))
    assert (labels(found), len(found.failures)) == ({"a.png": (1, -1)}, 1)


@pytest.mark.parametrize(
    "name",
    [
        "sub\\c.png",
        "images/sub/c.png",
        "images\\sub\\c.png",
        r"C:\data\images\sub\c.png",
        "/home/u/sub/c.png",
    ],
)
def test_paths_of_other_machines_are_found(tmp_path, name):
    path = write(tmp_path, [{"id": 1, "file_name": name}], [thing(1)])
    expected = tmp_path / "images" / "sub" / "c.png"
    assert [one.path.resolve() for one in read_tagged(path).pictures] == [expected]
    assert [one.path.resolve() for one in read_tagged(path, images=tmp_path / "images").pictures] == [
        expected
    ]


def test_two_names_that_end_alike_are_not_one_picture(tmp_path):
    images = [{"id": 1, "file_name": r"D:\x\a.png"}, {"id": 2, "file_name": r"D:\y\a.png"}]
    found = read_tagged(write(tmp_path, images, [thing(1), thing(2, 7)]))
    assert labels(found) == {"a.png": (1, -1)}
    assert "picture 2" in found.failures[0].error


def test_where_nothing_can_be_used_the_file_is_refused(tmp_path):
    with pytest.raises(SaysoError, match=r"none of its annotations can be used: .* picture 9, which is not"):
        read_tagged(write(tmp_path, [A], [thing(9)]))


SQUARE = {"size": [4, 5], "counts": [5, 2, 2, 2, 9]}  # rows 1 and 2 of columns 1 and 2


@pytest.mark.parametrize(
    ("row", "box"),
    [
        ({"bbox": [1, 2, 3, 4.5]}, Box(1, 2, 4, 6.5)),
        ({"segmentation": [[1, 1, 5, 1, 5, 5]]}, Box(1, 1, 5, 5)),
        ({"bbox": [], "segmentation": [[1, 1, 5, 1, 5, 5], [7, 0, 8, 2, 7, 2]]}, Box(1, 0, 8, 5)),
        ({"bbox": [0, 0, 0, 0], "segmentation": [[1, 1, 5, 1, 5, 5]]}, Box(1, 1, 5, 5)),
        ({"segmentation": SQUARE}, Box(1, 1, 3, 3)),
        ({"segmentation": {"size": [4, 5], "counts": [2, 4, 14]}}, Box(0, 0, 2, 4)),
        ({"segmentation": {"size": [4, 5], "counts": "52207"}}, Box(1, 1, 3, 3)),  # packed by hand
        ({"segmentation": {"size": [10, 20], "counts": "T33Q3"}}, Box(10, 0, 11, 3)),  # 100, 3, 97
        ({"segmentation": {"size": [4, 5], "counts": "492H2"}}, Box(1, 0, 4, 4)),  # 4, 9, 2, 1, 4
    ],
)
def test_the_box_around_a_mask(row, box):
    assert box_of(row) == box


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"bbox": []},
        {"bbox": [1, 2, 3]},
        {"bbox": [1, 2, -3, 4]},
        {"bbox": [1, 2, float("nan"), 4]},
        {"bbox": "here"},
        {"segmentation": [[1, 1]]},
        {"segmentation": [[1, 2, 3]]},
        {"segmentation": ["x"]},
        {"segmentation": {"size": [2, 2], "counts": [1, 9]}},
        {"segmentation": {"size": [2, 2], "counts": "~~"}},
        {"segmentation": {"counts": [1]}},
        {"segmentation": {"size": [2, 2], "counts": [4]}},
    ],
)
def test_an_annotation_without_box_and_mask_says_so(row):
    with pytest.raises(ValueError, match="has no box"):
        box_of(row)


def test_boxes_of_the_others_are_read(tmp_path):
    rows = [thing(1), {"image_id": 1, "category_id": 7, "id": 12}, thing(2, 7)]
    path = write(tmp_path, [A, B], rows)
    boxes = read_boxes(path, read_tagged(path))
    assert [[one.label for one in row] for row in boxes] == [[0], [1]]
    assert boxes.unsure == (0,)
    assert boxes.failures[0].error == "annotation 12 has no box (bbox: x, y, width, height) and no mask"


def test_captions_that_are_empty_or_stray_are_left_out(tmp_path):
    rows = [{"image_id": 1, "caption": "a dog"}, {"image_id": 1, "caption": " "}, {"image_id": 2}]
    rows += [
        {"image_id": 99, "caption": "who?"},
        {"image_id": "2", "caption": 42},
        {"image_id": 1, "caption": None},
    ]
    found = read_captioned(write(tmp_path, [A, B], rows))
    assert (found.texts, found.owners, found.listed) == (["a dog", "42"], [0, 1], 6)
    assert sorted(failure.error for failure in found.failures) == [
        "the 2. annotation has no caption",
        "the 3. annotation has no caption",
        "the 4. annotation is of picture 99, which is not listed",
        "the 6. annotation has no caption",
    ]


def plain(root: Path, **files: str) -> Path:
    """Write a VOC folder of annotations, and the pictures that they name."""
    (root / "Annotations").mkdir(parents=True)
    (root / "JPEGImages").mkdir()
    for id_, name in files.items():
        inside = annotation([Seen("dog")]).replace("<size>", f"<filename>{name}</filename><size>")
        (root / "Annotations" / f"{id_}.xml").write_text(inside)
    return root


@pytest.mark.parametrize("suffix", ["png", "JPG", "jpeg", "bmp", "PNG"])
def test_voc_pictures_of_any_format(tmp_path, suffix):
    root = plain(tmp_path, a=f"a.{suffix}")
    picture(root / "JPEGImages" / f"a.{suffix.lower()}")
    (root / "JPEGImages" / f"a.{suffix.lower()}").rename(root / "JPEGImages" / f"a.{suffix}")
    assert [one.path.name for one in read_tagged(root).pictures] == [f"a.{suffix}"]


def test_a_voc_picture_that_only_its_annotation_names(tmp_path):
    root = plain(tmp_path, a="photo 7.png", b="two.png", c=r"C:\\x\\c9.jpg")
    for name in ("photo 7.png", "b.jpg", "b.png", "c9.jpg", "two.png"):
        picture(root / "JPEGImages" / name)
    found = {one.id: one.path.name for one in read_tagged(root).pictures}
    assert found == {"a": "photo 7.png", "b": "two.png", "c": "c9.jpg"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<annotation><object>",
        annotation([Seen("dog", (9, 9, 3, 12))]),
        annotation([Seen("")]),
        annotation([Seen("dog", ("nan", 1, 2, 3))]),
        annotation([Seen("dog", ("-inf", 1, "inf", 3))]),
        '<?xml version="1.0" encoding="klingon"?><annotation/>',
    ],
)
def test_a_voc_annotation_that_is_broken_costs_its_picture_alone(tmp_path, text):
    seen = {"a": [Seen("dog", ("1.5", "2.0", "30.25", 40))], "b": [Seen("cat")], "c": [Seen("dog")]}
    root = voc(tmp_path, seen, lists=False)
    (root / "Annotations" / "b.xml").write_text(text)
    for split in ("test", None):
        found = read_tagged(root, split=split)
        assert {one.id: one.labels for one in found.pictures} == {"a": (1,), "c": (1,)}
        assert [failure.path for failure in found.failures] == [str(root / "Annotations" / "b.xml")]
    assert read_boxes(root, found)[0][0].box == Box(0.5, 1, 30.25, 40)


def test_boxes_of_a_broken_voc_annotation_are_unsure_where_lists_have_the_tags(tmp_path):
    root = voc(tmp_path, {"a": [Seen("dog")], "b": [Seen("cat")]})
    (root / "Annotations" / "b.xml").write_text("")
    found = read_tagged(root, split="test")
    boxes = read_boxes(root, found)
    assert (len(found.pictures), found.failures) == (2, ())
    assert ([len(row) for row in boxes], boxes.unsure, len(boxes.failures)) == ([1, 0], (1,), 1)


@pytest.mark.parametrize("lists", [True, False])
def test_voc_ids_with_blanks(tmp_path, lists):
    root = voc(tmp_path, {"IMG 001": [Seen("dog")], "IMG 1 0": [Seen("cat")]}, lists=lists)
    found = read_tagged(root, split="test")
    assert {one.id: one.labels for one in found.pictures} == {"IMG 001": (-1, 1), "IMG 1 0": (1, -1)}
    assert not found.missing


def test_a_row_of_tags_without_a_path_is_left_out(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("path,tags\na.png,dog\n,cat\nb.png\n")
    found = read_tagged(tmp_path / "t.csv")
    assert found.names == ("dog",)
    assert [one.error.partition(", ")[2] for one in found.failures] == [
        f"line {line}: expected the columns path and tags" for line in (3, 4)
    ]
