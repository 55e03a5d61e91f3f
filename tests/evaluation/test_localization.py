"""VOC and COCO, small, measured with a model that looks for colours: every number is known."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from data.tagged_folders import Seen, coco, voc, voc_actions
from sayso.cli import main
from sayso.core.errors import SaysoError
from sayso.evaluation import EVALUATORS
from sayso.evaluation.evaluator import Count

RGB = {"cat": (250, 0, 0), "dog": (0, 250, 0), "potted plant": (0, 0, 250)}


class ColourLocalizer:
    """A class is as likely as its colour is common, and is where the colour's middle is; else in a corner."""

    name = "colours"
    sha256 = hashlib.sha256(b"colours").hexdigest()
    names = ("Dog", "cat", "pottedplant", "unicorn")

    def locate(self, paths, *, progress=None):
        for done, path in enumerate(paths, 1):
            try:
                with Image.open(path) as image:
                    pixels = np.asarray(image.convert("RGB")).astype(int)
            except OSError:
                yield None
                continue
            if progress is not None:
                progress.update(done, len(paths))
            yield self.look(pixels)

    def look(self, pixels):
        scores, points = np.zeros(4), np.zeros((4, 2))
        for k, colour in enumerate([RGB["dog"], RGB["cat"], RGB["potted plant"], (1, 2, 3)]):
            ys, xs = np.nonzero(np.abs(pixels - colour).max(2) < 60)
            scores[k] = len(xs)
            if len(xs):
                points[k] = xs.mean(), ys.mean()
        return SimpleNamespace(scores=scores, points=points, size=pixels.shape[1::-1])


def painted(things):
    """Return what draws a picture of things: their boxes, in their colours, on grey."""

    def draw(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (120, 90), "grey")
        for name, box in things[path.stem]:
            image.paste(RGB[name], box)
        image.save(path, quality=100, subsampling=0)

    return draw


THINGS = {
    "a": [("cat", (0, 0, 20, 20)), ("dog", (60, 40, 120, 90))],
    "b": [("dog", (0, 0, 60, 60))],
    "c": [("potted plant", (70, 10, 110, 50))],
    "d": [("cat", (20, 20, 70, 60))],
}


def annotated(wrong=()):
    """VOC's objects of the pictures; those in ``wrong`` are annotated where they are not."""
    return {
        id_: [
            Seen(name, (101, 71, 102, 72) if (id_, name) in wrong else (x0 + 1, y0 + 1, x1, y1))
            for name, (x0, y0, x1, y1) in things
        ]
        for id_, things in THINGS.items()
    }


@pytest.mark.parametrize(("name", "year", "split"), [("voc2007", "2007", "test"), ("voc2012", "2012", "val")])
def test_a_model_that_sees_it_all_scores_one(tmp_path, name, year, split):
    voc(tmp_path / "VOCdevkit" / f"VOC{year}", annotated(), split, draw=painted(THINGS))
    voc(tmp_path / "VOCdevkit" / "VOC1999", annotated(), split, draw=painted(THINGS))
    found = EVALUATORS[name](ColourLocalizer(), tmp_path)
    assert found.rows == {
        "cat": {"pictures": 2, "classification": 1.0, "pointing": 1.0},
        "dog": {"pictures": 2, "classification": 1.0, "pointing": 1.0},
        "potted plant": {"pictures": 1, "classification": 1.0, "pointing": 1.0},
        "mean": {"classification": 1.0, "pointing": 1.0},
    }
    assert (found.primary.key, found.primary.value) == ("pointing", 1)
    assert (found.counts, found.missing) == ({"pictures": Count(4, 4)}, ())
    assert found.definition["rule"] == EVALUATORS[name].rule
    (centre,) = found.published
    assert 0 < centre["pointing"] < 1


@pytest.mark.parametrize(("name", "expected"), [("voc2007", 6 / 11 * 0.5), ("voc2012", 0.25)])
def test_a_point_beside_the_box_is_wrong(tmp_path, name, expected):
    """Of two cats the surer one is annotated elsewhere: the other is second, and half of them are found."""
    root = tmp_path / EVALUATORS[name].year
    voc(root, annotated({("d", "cat")}), EVALUATORS[name].split, draw=painted(THINGS))
    found = EVALUATORS[name](ColourLocalizer(), tmp_path).rows
    assert found["cat"] == {"pictures": 2, "classification": 1.0, "pointing": pytest.approx(expected)}
    assert found["dog"]["pointing"] == 1


def test_actions_are_classes_of_their_own(tmp_path):
    seen = {
        "a": [Seen("person", (1, 1, 20, 20), actions={"cat": 1, "dog": 0})],
        "b": [Seen("person", (1, 1, 60, 60), actions={"cat": 0, "dog": 1})],
    }
    voc_actions(tmp_path, seen)
    for id_ in seen:
        painted(THINGS)(tmp_path / "JPEGImages" / f"{id_}.jpg")
    found = EVALUATORS["voc2012-actions"](ColourLocalizer(), tmp_path)
    assert [found.rows[name]["pointing"] for name in ("cat", "dog")] == [1, 1]


@pytest.fixture
def small_coco(tmp_path):
    seen = {
        f"{id_}.png": [(name, [x0, y0, x1 - x0, y1 - y0], 0) for name, (x0, y0, x1, y1) in things]
        for id_, things in THINGS.items()
    }
    return coco(tmp_path / "instances.json", seen, draw=painted(THINGS))


def run(monkeypatch, *arguments, model=None):
    monkeypatch.setattr("sayso.hub.load", lambda *_, **__: model or ColourLocalizer())
    return CliRunner().invoke(main.app, ["evaluate", *map(str, arguments)], catch_exceptions=False)


def test_the_command_prints_every_class_and_their_means(small_coco, monkeypatch):
    done = run(monkeypatch, "coco-localization", "--data", small_coco, "--model", "x")
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert done.stdout.startswith("COCO val, from tags alone, colours\n4 of 4 pictures\n")
    assert lines[2] == ["pictures", "classification", "pointing"]
    assert lines[3:] == [
        ["cat", "2", "1.000", "1.000"],
        ["dog", "2", "1.000", "1.000"],
        ["potted", "plant", "1", "1.000", "1.000"],
        ["mean", "1.000", "1.000"],
        ["always", "the", "middle", "of", "the", "picture", "(here)", lines[-1][-1]],
    ]


def test_missing_and_broken_pictures_are_counted_and_change_the_exit_code(small_coco, monkeypatch):
    (small_coco.parent / "images" / "b.png").unlink()
    (small_coco.parent / "images" / "c.png").write_bytes(b"no picture")
    out = small_coco.parent / "out.json"
    done = run(monkeypatch, "coco-localization", "--data", small_coco.parent, "--model", "x", "--out", out)
    assert done.exit_code == 3
    assert "2 of 4 pictures" in done.stdout
    assert "not used: b.png" in done.stderr and "c.png" in done.stderr
    assert '"potted plant": {\n      "pictures": 0,\n      "classification": null' in out.read_text()
    assert '"command"' in out.read_text()


def test_says_what_is_wrong(small_coco, monkeypatch, tmp_path):
    with pytest.raises(SaysoError, match=r"voc2007 needs --data: .* with the pictures beside or below"):
        run(monkeypatch, "voc2007")
    with pytest.raises(SaysoError, match="offline does not say where things are; name a run"):
        run(monkeypatch, "voc2007", "--data", tmp_path, model=SimpleNamespace(name="offline"))
    model = ColourLocalizer()
    model.names = ("dog", "cat", "bird", "cow")
    with pytest.raises(SaysoError, match="colours knows no potted plant; measure it on classes"):
        EVALUATORS["coco-localization"](model, small_coco)
    for path in (small_coco.parent / "images").iterdir():
        path.write_bytes(b"")
    with pytest.raises(SaysoError, match=r"none of the 4 pictures of .* could be read"):
        EVALUATORS["coco-localization"](ColourLocalizer(), small_coco)


def test_a_picture_whose_boxes_are_broken_is_not_measured(tmp_path):
    """Its tags are in the lists; the model's point cannot be judged, so it counts neither way."""
    root = voc(tmp_path / "VOC2007", annotated(), draw=painted(THINGS))
    whole = EVALUATORS["voc2007"](ColourLocalizer(), root)
    (root / "Annotations" / "b.xml").write_text("")
    result = EVALUATORS["voc2007"](ColourLocalizer(), root)
    assert (whole.counts["pictures"], result.counts["pictures"]) == (Count(4, 4), Count(3, 4))
    path, why = result.unreadable
    assert path.endswith("b.jpg")
    assert why.endswith("b.xml is no annotation as PASCAL VOC's: it is empty")
    assert result.rows["dog"]["pictures"] == 1
    assert result.rows["mean"]["pointing"] == whole.rows["mean"]["pointing"] == 1
