"""The evaluator of search, on a small collection of plain colours whose answers are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.evaluation.search import COLUMNS, SEARCH, balance, calibration_error, half_rows
from sayso.evaluation.search_collection import AskedFor, absent_queries, build_collection
from sayso.metrics.calibration import calibration

LINES = [
    f"the {k} committee decided about {w} again yesterday" for k, w in enumerate(["apples", "pears", "plums"])
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "coco" / "images").mkdir(parents=True)
    (folder / "videos").mkdir()
    (folder / "tvperson").mkdir()
    names = ["red", "blue", "white"]
    for name in names:
        toy.make_picture(folder / "coco" / "images" / f"{name}.png", name)
    content = {
        "images": [{"id": k, "file_name": f"{name}.png"} for k, name in enumerate(names)],
        "annotations": [
            {"id": k, "image_id": k, "caption": f"a {name} wall"} for k, name in enumerate(names)
        ],
    }
    (folder / "coco" / "captions.json").write_text(json.dumps(content))
    toy.make_video(folder / "videos" / "a.mp4", ["green"], seconds_each=5)
    toy.make_video(folder / "videos" / "b.mp4", ["cyan"])
    (folder / "videos" / "c.mp4").write_bytes(b"\0" * 100)
    rows = [{"start": 0, "end": 1, "text": line} for line in [*LINES, "too short"]]
    (folder / "tvperson" / "x.subtitles.json").write_text(json.dumps(rows))
    return folder


def test_pictures_have_no_captions_and_every_other_video_has(data, tmp_path):
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    asked = build_collection(data, tmp_path / "with", captions=True)
    assert asked == build_collection(data, tmp_path / "without", captions=False)
    assert [path.name for path in sorted((tmp_path / "with").glob("*.vtt"))] == ["a.vtt"]
    assert not list((tmp_path / "without").glob("*.vtt"))
    said = (tmp_path / "with" / "a.vtt").read_text()
    assert all(line in said for line in LINES)
    for one in asked:
        if one.kind == "spoken":
            assert 3 <= len(one.text.split()) <= 6
            assert one.file == "a.mp4"
            assert one.text in LINES[round(one.span.start / 1.5)]
    assert [one.file for one in asked if one.kind == "visual"] == ["red.png", "blue.png", "white.png"]
    with pytest.raises(SaysoError, match=r"subtitles\.json"):
        _without_lines(data, tmp_path)


def _without_lines(data, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for name in ("coco", "videos"):
        (other / name).symlink_to(data / name)
    (tmp_path / "collection").mkdir()
    build_collection(other, tmp_path / "collection", captions=True)


def test_absent_queries_are_the_same_each_time_and_no_background():
    from sayso.index.background import background_captions

    asked = absent_queries()
    assert asked == absent_queries()
    assert len({one.text for one in asked}) == len(asked) == 200
    assert not any(one.present for one in asked)
    assert not {one.text for one in asked} & set(background_captions()), "they are held out"


def test_a_model_that_sees_colours_finds_them_with_and_without_captions(data, monkeypatch):
    few = [*absent_queries()[:5], *absent_queries()[-5:]]
    monkeypatch.setattr("sayso.evaluation.search_collection.absent_queries", lambda: few)
    monkeypatch.setattr("sayso.evaluation.search_collection.SPOKEN", 10)
    found = SEARCH(toy.ColourEncoder(), data)
    assert found.columns == COLUMNS
    for name in ("with captions", "without"):
        assert found.rows[name]["R@1"] == found.rows[name]["R@10"] == 1
    assert found.rows["with captions"]["spoken R@1"] == 1
    assert found.rows["without"].keys() == {"R@1", "R@10"}
    assert found.primary.value == found.rows["with captions"]["AUROC"] > 0.95
    assert found.rows["rank fusion, with captions"]["AUROC"] < found.primary.value
    assert found.counts["visual"].used == 3
    assert {row for row in found.rows if "97.5" in row} == {
        "other halves, as it is, 97.5 %",
        "other halves, fitted anew, 97.5 %",
    }


def test_the_error_is_that_of_the_metric_where_all_weigh_the_same():
    rng = np.random.default_rng(0)
    scores, present = rng.random(400), rng.random(400) < 0.8
    assert calibration_error(scores, present, np.ones(400)) == pytest.approx(
        calibration(scores, present).error
    )
    weights = balance(present)
    assert weights[present].sum() == pytest.approx(weights[~present].sum()) == pytest.approx(200)


def test_a_true_probability_has_little_error_on_other_halves_and_a_wrong_one_is_mended():
    rng = np.random.default_rng(1)
    truth = rng.random(8000)
    asked = [AskedFor(str(k), "x", str(k) if rng.random() < p else "") for k, p in enumerate(truth)]
    rows = half_rows(asked, truth, (0, 1, 2))
    assert rows["other halves, as it is, mean"]["ECE"] < 0.03
    wrong = truth**4
    rows = half_rows(asked, wrong, (0, 1, 2))
    assert rows["other halves, as it is, mean"]["ECE"] > 0.2
    assert rows["other halves, fitted anew, mean"]["ECE"] < 0.06
