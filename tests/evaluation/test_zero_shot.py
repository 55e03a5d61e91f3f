"""Published layouts with planted answers: accuracies equal those by sorting, subsets and maps are kept."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from evaluation.picture_trees import (
    NAMES,
    TEMPLATES,
    WNIDS,
    Planted,
    by_hand,
    plant,
    weight,
    write_folders,
    write_words,
)
from sayso.core.errors import SaysoError
from sayso.evaluation import EVALUATORS, Count, EvaluationOptions
from sayso.evaluation.picture_sets import picture_sets, published_rows

TRUE = [0, 0, 0, 9, 10, 657, 744, 836, 837, 999]
SEEN = [0, 5, 0, 9, 657, 657, 744, 837, 836, 31]
PLANTED = list(zip(TRUE, SEEN, strict=True))


@pytest.fixture
def options(tmp_path):
    names, templates = write_words(tmp_path / "words")
    return EvaluationOptions(names=names, templates=templates)


def check(rows, row, pairs, columns, labels):
    """Compare the two rows of a question with ranks by sorting."""
    for ending, strict in (("", False), (", ties strict", True)):
        ranks = np.array(by_hand(pairs, columns, strict=strict))
        found = rows[row + ending]
        recalls = [np.mean(ranks[np.array(labels) == label] == 1) for label in set(labels)]
        assert found["top-1"] == pytest.approx(np.mean(ranks == 1)), row + ending
        assert found["top-5"] == pytest.approx(np.mean(ranks <= 5))
        assert found["mean_class_recall"] == pytest.approx(np.mean(recalls))
        assert found["pictures"] == len(labels)


def test_imagenet_by_wnid_and_its_equal_names(tmp_path, options, caplog):
    root = tmp_path / "data"
    write_folders(root / "val", WNIDS, [(WNIDS[true], seen) for true, seen in PLANTED])
    write_folders(root / "train", WNIDS[:3], [(WNIDS[0], 1)])  # not measured
    with caplog.at_level(logging.WARNING, logger="sayso"):
        result = EVALUATORS["imagenet"](Planted(), root, options)
    check(result.rows, "zero-shot", [({t}, s) for t, s in PLANTED], range(1000), TRUE)
    assert result.rows["zero-shot"]["top-1"] == 0.5  # 0, 0, 9, 657, 836; 744 and 837 cannot be found
    assert result.rows["zero-shot, ties strict"]["top-1"] == pytest.approx(0.3)
    assert result.primary.value == 0.5
    assert result.counts == {"pictures": Count(10, 50_000)}
    assert result.missing == ("49,990 of the 50,000 pictures of ImageNet ILSVRC-2012 validation",)
    assert result.definition["equal_names"] == [["thing 657"] * 2, ["thing 836"] * 2]
    assert result.definition["words"] == "names.json and templates.json"
    assert "'thing 657' (name 658) and 'thing 657' (name 745)" in caplog.text
    assert [row["model"] for row in result.published] == ["CLIP", "ALIGN", "BASIC", "Florence"]
    assert result.published[-1]["top-5"] == 0.9718


@pytest.mark.parametrize("name", ["imagenet-a", pytest.param("imagenet-r", marks=pytest.mark.slow)])
def test_only_the_subset_competes(tmp_path, options, name):
    columns = [*range(3, 1000, 5)]
    pairs = [(3, 3), (3, 4), (8, 0), (13, 999), (658, 657), (993, 998)]
    outside = (
        weight(NAMES[4]),
        weight(NAMES[500]),
    )  # seen, and not in the subset: the nearest that is, is right
    pairs += [
        (max(columns, key=lambda c, v=v: weight(NAMES[c]) @ v), s)
        for v, s in zip(outside, (4, 500), strict=True)
    ]
    write_folders(tmp_path / name, [WNIDS[c] for c in columns], [(WNIDS[t], s) for t, s in pairs])
    result = EVALUATORS[name](Planted(), tmp_path, options)
    check(result.rows, "zero-shot", [({t}, s) for t, s in pairs], columns, [t for t, _ in pairs])
    assert result.primary.value >= 3 / 8
    assert result.definition["classes"] == 200
    (tmp_path / name / WNIDS[3]).rename(tmp_path / "elsewhere")
    with pytest.raises(SaysoError, match=r"holds 199 class folders, and ImageNet-. has 200"):
        EVALUATORS[name](Planted(), tmp_path / name, options)


def test_the_folders_of_v2_are_numbers(tmp_path, options):
    """10 comes after 9: sorted as text, 10 would be the class number 2."""
    pairs = [(10, 10), (2, 2), (100, 1), (999, 999)]
    parts = picture_sets()["imagenet-v2"].parts
    for part in list(parts)[:2]:
        folder = tmp_path / "sets" / parts[part]
        write_folders(folder, [str(k) for k in range(1000)], [(str(t), s) for t, s in pairs])
    result = EVALUATORS["imagenet-v2"](Planted(), tmp_path / "sets", options)
    for part in list(parts)[:2]:
        check(result.rows, part, [({t}, s) for t, s in pairs], range(1000), [t for t, _ in pairs])
    assert result.counts == {"pictures": Count(8, 30_000)}
    assert str(tmp_path / "sets" / parts["top-images"]) in result.missing
    assert result.primary.value == 0.75


OBJECTS = {
    "alarm_clock": ("Alarm clock", "clock a; clock b"),
    "band": ("Band Aid", "thing c"),
    "zip": ("Zip", "z"),
}
TARGETS = {"alarm_clock": {409, 530}, "band": {419}, "zip": {7}}


def write_objectnet(folder, border=True):
    """Write a release: three objects that ImageNet has too, one that it has not; ids of 2012 are others."""
    maps = folder / "mappings"
    maps.mkdir(parents=True)
    id_of = {number: (number * 7 + 3) % 1000 for number in range(1000)}
    lines = [f"label {k}" for k in range(1000)]
    for text, numbers in (("clock a", 409), ("clock b", 530), ("thing c", 419), ("z", 7)):
        lines[id_of[numbers]] = text
    tables = {
        "folder_to_objectnet_label.json": {**{f: label for f, (label, _) in OBJECTS.items()}, "rug": "Rug"},
        "objectnet_to_imagenet_1k.json": dict(OBJECTS.values()),
        "pytorch_to_imagenet_2012_id.json": {str(number): id_ for number, id_ in id_of.items()},
    }
    for name, table in tables.items():
        (maps / name).write_text(json.dumps(table))
    (maps / "imagenet_to_label_2012_v2").write_text("\n".join(lines) + "\n")
    planted = [("alarm_clock", 409), ("alarm_clock", 530), ("band", 7), ("zip", 7), ("rug", 7)]
    for number, (name, seen) in enumerate(planted):
        plant(folder / "images" / name / f"{number}.png", seen, border=border)
    return [(name, seen) for name, seen in planted if name != "rug"]


def test_objectnet_in_both_protocols_without_its_border(tmp_path, options):
    planted = write_objectnet(tmp_path / "objectnet-1.0")
    result = EVALUATORS["objectnet"](Planted(), tmp_path, options)
    columns = sorted(set().union(*TARGETS.values()))
    pairs = [(TARGETS[name], seen) for name, seen in planted]
    row = result.rows["ImageNet's classes"]
    ranks = by_hand(pairs, columns, strict=False)
    assert ranks.count(1) == 3  # both clocks and the zip: any class that the object is mapped to is right
    assert row["top-1"] == pytest.approx(ranks.count(1) / 4)
    assert row["mean_class_recall"] == pytest.approx((1 + 0 + 1) / 3)
    own = {"alarm_clock": "alarm clock", "band": "band aid", "zip": "zip"}  # lower-cased
    right = []
    for name, seen in planted:
        score = {folder: weight(text) @ weight(NAMES[seen]) for folder, text in own.items()}
        right.append(max(score, key=score.__getitem__) == name)
    assert result.rows["its own names"]["top-1"] == pytest.approx(np.mean(right))
    assert result.rows["its own names"]["top-5"] is None  # of three classes
    assert next(iter(result.rows)) == "its own names"
    assert result.definition["border"] == 2
    assert result.counts["pictures"] == Count(4, 18_574)


def test_a_map_of_objectnet_that_is_damaged_is_told(tmp_path, options):
    write_objectnet(tmp_path / "o")
    (tmp_path / "o" / "mappings" / "objectnet_to_imagenet_1k.json").write_text('{"Zip": "unheard of"}')
    with pytest.raises(SaysoError, match=r"maps of ObjectNet in .* cannot be read: KeyError\('unheard of'\)"):
        EVALUATORS["objectnet"](Planted(), tmp_path / "o", options)
    with pytest.raises(SaysoError, match="lacks ObjectNet's own maps"):
        EVALUATORS["objectnet"](Planted(), tmp_path / "o" / "images", options)


def test_any_folder_of_class_folders_by_the_folders_names(tmp_path):
    """The names are those of the folders; or of a file, in their order or by folder, several for a class."""
    write_folders(tmp_path / "d", ["thing_1", "thing_2", "x"], [("thing_1", 1), ("thing_2", 1), ("x", 3)])
    (tmp_path / "t.txt").write_text("\n".join(TEMPLATES) + "\n")
    own = EvaluationOptions(templates=tmp_path / "t.txt")
    result = EVALUATORS["zero-shot"](Planted(), tmp_path / "d", own)
    assert result.definition["names"] == ["thing 1", "thing 2", "x"]
    first = result.rows["zero-shot"]
    assert first["top-1"] <= 2 / 3
    (tmp_path / "names.json").write_text(
        json.dumps({"x": ["thing 3", "thing 4"], "thing_1": "thing 1", "thing_2": "q"})
    )
    (tmp_path / "names.txt").write_text("thing 1\nq\nthing 3\n")
    for file, name in (("names.json", "thing 3"), ("names.txt", "thing 3")):
        found = EVALUATORS["zero-shot"](
            Planted(), tmp_path / "d", EvaluationOptions(names=tmp_path / file, templates=tmp_path / "t.txt")
        )
        assert found.definition["names"] == ["thing 1", "q", name]
        assert found.rows["zero-shot"]["top-1"] == pytest.approx(2 / 3)
        assert found.rows["chance"]["top-1"] == pytest.approx(1 / 3)
    (tmp_path / "names.txt").write_text("one\ntwo\n")
    with pytest.raises(SaysoError, match="holds 2 names, and there are 3 classes"):
        EVALUATORS["zero-shot"](Planted(), tmp_path / "d", EvaluationOptions(names=tmp_path / "names.txt"))
    write_folders(tmp_path / "single", ["a"], [("a", 1)])
    with pytest.raises(SaysoError, match="one class folder"):
        EVALUATORS["zero-shot"](Planted(), tmp_path / "single")


def test_what_is_broken_is_counted_and_the_rest_is_kept_in_the_cache(tmp_path, options):
    write_folders(tmp_path / "d", ["thing 1", "thing 2"], [("thing 1", 1), ("thing 2", 2), ("thing 2", 2)])
    (tmp_path / "d" / "thing 1" / "bad.png").write_bytes(b"not a picture")
    (tmp_path / "d" / "thing 1" / "notes.txt").write_text("no picture by its name")
    kept = EvaluationOptions(cache=tmp_path / "cache")
    model = Planted()
    result = EVALUATORS["zero-shot"](model, tmp_path / "d", kept)
    assert result.counts["pictures"] == Count(3, 4)
    assert len(result.unreadable) == 1 and "bad.png" in result.unreadable[0]
    assert (model.pictures, model.texts) == (3, 2)
    again = EVALUATORS["zero-shot"](model, tmp_path / "d", kept)
    assert (model.pictures, model.texts) == (3, 2)
    assert again.to_dict() == result.to_dict()
    plant(tmp_path / "d" / "thing 1" / "bad.png", 1)
    assert EVALUATORS["zero-shot"](model, tmp_path / "d", kept).counts["pictures"] == Count(4, 4)


def test_without_published_names_wordnets_are_taken_and_told(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("sayso.data.class_names.find_spec", lambda name: None)
    write_folders(tmp_path / "d", WNIDS, [(WNIDS[0], 0)])
    with caplog.at_level(logging.WARNING, logger="sayso"):
        result = EVALUATORS["imagenet"](Planted(), tmp_path / "d")
    assert "do not compare the numbers with published ones" in caplog.text
    assert result.definition["words"] == "WordNet"
    assert "words of WordNet, templates: 1" in result.protocol


def test_the_published_numbers_are_the_lectures(shared_data):
    """Its table, row by row, as the slide's text has it."""
    names = dict(
        zip(
            ("ImageNet", "ImageNet-A", "ImageNet-R", "ImageNet-V2", "ImageNet-Sketch", "ObjectNet"),
            picture_sets(),
            strict=True,
        )
    )
    lines = (shared_data.parent / "lecture.txt").read_text().splitlines()
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in lines if line.count("\t") == 3}
    for title, name in names.items():
        published = {row["model"]: row["top-1"] for row in published_rows(name)}
        slide = [float(cell.split()[0]) / 100 for cell in rows[title]]
        assert [published[model] for model in ("ALIGN", "CLIP", "BASIC")] == pytest.approx(slide)
