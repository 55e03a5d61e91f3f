"""Tags of every kind of data set, read from real files; boxes only where they are asked for."""

import contextlib
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.tagged_folders import Seen, annotation, coco, picture, table, voc, voc_actions
from sayso.core.errors import SaysoError
from sayso.core.types import Box
from sayso.data.datasets import voc_xml
from sayso.data.tags import TaggedBox
from sayso.data.tags_reader import read_boxes, read_tagged

PEOPLE = {
    "000001": [Seen("person"), Seen("dog", (1, 1, 120, 90))],
    "000002": [Seen("dog", difficult=1)],
    "000003": [Seen("cat", (5, 6, 7, 8), 1), Seen("cat", (50, 60, 70, 80))],
}
LABELS = {"000001": (-1, 1, 1), "000002": (-1, 0, -1), "000003": (1, -1, -1)}


def by_id(found):
    return {picture.id: picture.labels for picture in found.pictures}


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("below", ["", "VOC2007", "VOCdevkit/VOC2007"])
def test_voc_from_lists_and_from_annotations(tmp_path, lists, below):
    voc(tmp_path / below, PEOPLE, lists=lists)
    for split in ("test", None):
        found = read_tagged(tmp_path, split=split)
        assert found.names == ("cat", "dog", "person")
        assert by_id(found) == LABELS
        assert all(picture.path.is_file() for picture in found.pictures)


def test_what_macos_notes_beside_each_file_is_no_annotation_and_no_picture(tmp_path):
    voc(tmp_path, PEOPLE)
    for beside in (*tmp_path.glob("Annotations/*"), *tmp_path.glob("JPEGImages/*")):
        beside.with_name(f"._{beside.name}").write_bytes(b"\0\5\x16\7")
    found = read_tagged(tmp_path)
    assert (by_id(found), found.failures, found.missing) == (LABELS, (), ())


def test_voc_boxes_count_from_zero_and_end_outside(tmp_path):
    voc(tmp_path, PEOPLE)
    found = read_tagged(tmp_path, split="test")
    boxes = dict(zip((p.id for p in found.pictures), read_boxes(tmp_path, found), strict=True))
    assert boxes["000001"] == (TaggedBox(2, Box(10, 20, 30, 60)), TaggedBox(1, Box(0, 0, 120, 90)))
    assert boxes["000002"] == (TaggedBox(1, Box(10, 20, 30, 60), True),)
    assert [box.difficult for box in boxes["000003"]] == [True, False]


def test_learning_from_lists_opens_no_annotation(tmp_path, monkeypatch):
    """Without the annotations, or with every reader of boxes broken, the tags are the same."""
    voc(tmp_path, PEOPLE)
    shutil.rmtree(tmp_path / "Annotations")

    def refuse(*_):
        raise AssertionError("an annotation was opened")

    monkeypatch.setattr("sayso.data.datasets.voc.read_voc_xml", refuse)
    assert by_id(read_tagged(tmp_path, split="test")) == LABELS


@pytest.mark.parametrize("kind", ["voc", "coco"])
def test_tags_do_not_depend_on_boxes(tmp_path, kind):
    """Moving every box changes no tag."""
    boxes = [(1, 1, 9, 9), (40, 50, 60, 70)]
    found = []
    for i, box in enumerate(boxes):
        if kind == "voc":
            here = voc(tmp_path / str(i), {"a": [Seen("dog", box)], "b": [Seen("cat", box)]}, lists=False)
        else:
            seen = {"a.jpg": [("dog", list(box), 0)], "b.jpg": [("cat", list(box), 0)]}
            here = coco(tmp_path / str(i) / "instances.json", seen)
        found.append(read_tagged(here))
    assert by_id(found[0]) == by_id(found[1])
    assert found[0].names == found[1].names == ("cat", "dog")


def test_voc_actions_of_pictures_and_where_they_are(tmp_path):
    seen = {
        "p": [Seen("person", actions={"running": 1, "phoning": 0}), Seen("person", actions={"phoning": 0})],
        "q": [Seen("person", (1, 1, 50, 50), actions={"running": 0, "phoning": 1}), Seen("horse")],
    }
    expected = {"p": (-1, 1), "q": (1, -1)}
    here = voc_actions(tmp_path / "lists", seen)
    found = read_tagged(here, split="val", task="actions")
    assert (found.names, by_id(found)) == (("phoning", "running"), expected)
    assert read_boxes(here, found, task="actions") == (
        (TaggedBox(1, Box(10, 20, 30, 60)),),
        (TaggedBox(0, Box(0, 0, 50, 50)),),
    )
    without = voc(tmp_path / "none", seen, lists=False)
    assert by_id(read_tagged(without, task="actions")) == expected


def test_pictures_that_are_listed_but_gone_are_counted(tmp_path):
    voc(tmp_path, PEOPLE)
    (tmp_path / "JPEGImages" / "000002.jpg").unlink()
    found = read_tagged(tmp_path, split="test")
    assert [picture.id for picture in found.pictures] == ["000001", "000003"]
    assert found.missing == (str(tmp_path / "JPEGImages" / "000002.jpg"),)
    assert len(read_boxes(tmp_path, found)) == 2
    shutil.rmtree(tmp_path / "JPEGImages")
    with pytest.raises(SaysoError, match=r"none of the 3 pictures .* first of which is .*000001.jpg"):
        read_tagged(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<annotation><object>", "no annotation as PASCAL VOC's: no element|not well-formed|unclosed"),
        ("<html/>", "there is no <annotation>"),
        ("<annotation><object/></annotation>", "has no <name>"),
        ('<!DOCTYPE a [<!ENTITY b "bomb">]><annotation>&b;</annotation>', "remove <!DOCTYPE"),
        (annotation([Seen("dog", (9, 9, 3, 12))]), r"a box goes from 9.0, 9.0 to 3.0, 12.0"),
        ("<annotation><object><name>dog</name><bndbox/></object></annotation>", "a box goes from nan"),
    ],
)
def test_a_broken_annotation_says_so(tmp_path, text, said):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(SaysoError, match=said):
        voc_xml.read_voc_xml(tmp_path / "a.xml")


@given(st.text(alphabet="<>/&!annotionbjecame \n\x00é", max_size=60))
def test_any_text_is_an_annotation_or_an_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.xml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(SaysoError):
        assert isinstance(voc_xml.read_voc_xml(path), list)


def test_voc_says_which_splits_there_are_and_which_line_is_wrong(tmp_path):
    voc(tmp_path / "VOC2007", PEOPLE)
    with pytest.raises(SaysoError, match="no split 'trian'; there are test"):
        read_tagged(tmp_path, split="trian")
    (tmp_path / "VOC2007" / "ImageSets" / "Main" / "dog_test.txt").write_text("000001  1\n000002 yes\n")
    found = read_tagged(tmp_path)
    assert by_id(found) == LABELS  # the class of the broken line is left open
    (failure,) = found.failures
    assert failure.error.endswith("line 2: expected a picture and 1, 0 or -1; got '000002 yes'")
    voc(tmp_path / "VOC2012", PEOPLE)
    with pytest.raises(SaysoError, match="holds VOC2007, VOC2012; name one"):
        read_tagged(tmp_path)


def test_coco_categories_crowds_and_boxes(tmp_path):
    seen = {
        "a.jpg": [("dog", [1, 2, 30, 40], 0), ("cat", [0, 0, 5, 5], 1)],
        "b.jpg": [],
        "c.jpg": [("cat", [2, 3, 4, 5.5], 0), ("cat", [0, 0, 9, 9], 1)],
    }
    path = coco(tmp_path / "instances.json", seen)
    for place in (path, tmp_path):
        found = read_tagged(place)
        assert (found.names, by_id(found)) == (("cat", "dog"), {"10": (0, 1), "11": (-1, -1), "12": (1, -1)})
    assert read_boxes(path, found) == (
        (TaggedBox(1, Box(1, 2, 31, 42)), TaggedBox(0, Box(0, 0, 5, 5), True)),
        (),
        (TaggedBox(0, Box(2, 3, 6, 8.5)), TaggedBox(0, Box(0, 0, 9, 9), True)),
    )


def test_coco_as_released_has_a_file_and_a_folder_a_split(tmp_path):
    for split, name in (("train2017", "a.jpg"), ("val2017", "b.jpg")):
        coco(tmp_path / "annotations" / f"instances_{split}.json", {name: [("dog", [1, 2, 3, 4], 0)]})
        (tmp_path / "annotations" / "images" / name).unlink()
        picture(tmp_path / split / name)
    assert read_tagged(tmp_path, split="val").pictures[0].path == tmp_path / "val2017" / "b.jpg"
    with pytest.raises(SaysoError, match=r"instances_train2017.json, instances_val2017.json; name one"):
        read_tagged(tmp_path)


def test_a_broken_coco_file_says_so(tmp_path):
    (tmp_path / "x.json").write_text('{"images": [{"id": 1}]}')
    with pytest.raises(SaysoError, match=r"x.json is not in COCO's instances format .* 'categories'"):
        read_tagged(tmp_path / "x.json")
    found = read_tagged(coco(tmp_path / "y.json", {"a.jpg": [("dog", [1, 2, 3, 4], 0)]}))
    (tmp_path / "y.json").write_text((tmp_path / "y.json").read_text().replace("[1, 2, 3, 4]", "[1, 2]"))
    boxes = read_boxes(tmp_path / "y.json", found)
    assert (boxes, boxes.unsure) == (((),), (0,))
    assert boxes.failures[0].error.startswith("the 1. annotation has no box")


def test_a_csv_of_tags(tmp_path):
    rows = [
        {"path": "a.png", "tags": "dog; red car|cat?", "split": "train"},
        {"path": "sub/b.png", "tags": "", "split": "train"},
        {"path": "a.png", "tags": "tree", "split": "train"},
        {"path": "c.png", "tags": "cat,dog?,dog", "split": "test"},
        {"path": "gone.png", "tags": "dog", "split": "test"},
    ]
    for name in ("a.png", "sub/b.png", "c.png"):
        picture(tmp_path / name)
    path = table(tmp_path / "tags.csv", rows)
    found = read_tagged(path)
    assert found.names == ("cat", "dog", "red car", "tree")
    assert by_id(found) == {"a.png": (0, 1, 1, 1), "sub/b.png": (-1,) * 4, "c.png": (1, 1, -1, -1)}
    assert found.missing == (str(tmp_path / "gone.png"),)
    assert by_id(read_tagged(path, split="test")) == {"c.png": (1, 1)}
    with pytest.raises(SaysoError, match="no row whose column split is 'val'"):
        read_tagged(path, split="val")
    with pytest.raises(SaysoError, match="tells where none of its 3 pictures' things are"):
        read_boxes(path, found)


@pytest.mark.parametrize("head", ["file,tags", "path,label"])
def test_a_csv_without_its_columns_says_so(tmp_path, head):
    (tmp_path / "t.csv").write_text(f"{head}\na.png,dog\n")
    with pytest.raises(SaysoError, match=r"t\.csv, line 2: expected the columns path and tags"):
        read_tagged(tmp_path / "t.csv")


def test_a_folder_for_each_tag(tmp_path):
    for name in ("cat/1.png", "cat/deep/2.jpg", "dog/1.png", ".cache/3.png", "dog/.old/4.png", "dog/._1.png"):
        picture(tmp_path / name)
    (tmp_path / "cat" / "notes.txt").write_text("not a picture")
    found = read_tagged(tmp_path)
    assert found.names == ("cat", "dog")
    assert by_id(found) == {"cat/1.png": (1, -1), "cat/deep/2.jpg": (1, -1), "dog/1.png": (-1, 1)}
    shutil.rmtree(tmp_path / "dog")
    with pytest.raises(SaysoError, match="expected a folder of pictures for each of two tags"):
        read_tagged(tmp_path)


def test_what_is_no_data_set_says_so(tmp_path):
    with pytest.raises(SaysoError, match="there is nothing at"):
        read_tagged(tmp_path / "gone")
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(SaysoError, match="is no data set of tagged pictures"):
        read_tagged(tmp_path / "x.txt")
    with pytest.raises(SaysoError, match="has no actions; give the folder of VOC 2012"):
        read_tagged(tmp_path, task="actions")


def test_real_pictures(shared_data):
    found = read_tagged(shared_data / "coco")
    assert (len(found.pictures), len(found.names), found.missing) == (128, 80, ())
    boxes = read_boxes(shared_data / "coco", found)
    assert sum(map(len, boxes)) == 898
    for tagged, here in zip(found.pictures, boxes, strict=True):
        assert {box.label for box in here} == {k for k, label in enumerate(tagged.labels) if label >= 0}


@pytest.mark.parametrize(("parts", "named"), [((), "."), (("test",), "test")])
def test_a_folder_without_the_part_that_is_asked_for_is_named_itself(tmp_path, parts, named):
    for part in parts:
        (tmp_path / part).mkdir()
    with pytest.raises(SaysoError) as said:
        read_tagged(tmp_path, split="test")
    assert str(said.value).startswith(f"{tmp_path / named} is no data set of tagged pictures")
