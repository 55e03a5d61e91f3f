"""``sayso evaluate`` prints a table or JSON, writes a result, and ends with the right code."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from sayso.cli import main
from sayso.core.errors import SaysoError

RED = {"id": 1, "file_name": "red.png"}
BLUE = {"id": 2, "file_name": "blue.png"}


@pytest.fixture
def captions(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "images" / "red.png")
    Image.new("RGB", (40, 30), "blue").save(tmp_path / "images" / "blue.png")
    annotations = [{"image_id": 1, "caption": "all red"}, {"image_id": 2, "caption": "all blue"}]
    path = tmp_path / "captions.json"
    path.write_text(json.dumps({"images": [RED, BLUE], "annotations": annotations}))
    return path


def run(*arguments):
    return CliRunner().invoke(main.app, ["evaluate", *map(str, arguments)])


def test_prints_both_directions_and_the_counts(captions):
    done = run(captions, "--model", "offline", "--progress", "off")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "caption retrieval, offline"
    assert lines[1] == "2 of 2 pictures, 2 of 2 captions"
    assert lines[2].split() == ["R@1", "R@5", "R@10", "median", "rank", "mean", "rank"]
    assert [line[:15] for line in lines[3:]] == ["text to picture", "picture to text"]
    assert all(float(line.split()[-4]) == 1 for line in lines[3:])  # R@5 of two


def test_json_and_file_hold_the_same(captions, tmp_path):
    done = run(captions, "--model", "offline", "--json", "--out", tmp_path / "result.json")
    printed = json.loads(done.stdout)
    assert printed == json.loads((tmp_path / "result.json").read_text())
    assert printed["model"]["name"] == "offline"
    assert set(printed) >= {"protocol", "command", "date", "commit", "machine", "source_sha256"}


def test_missing_pictures_are_listed_and_change_the_exit_code(captions):
    (captions.parent / "images" / "blue.png").unlink()
    done = run(captions, "--model", "offline", "--progress", "off")
    assert done.exit_code == 3
    assert "1 of 2 pictures, 1 of 2 captions" in done.stdout
    assert "not used: " in done.stderr
    assert "blue.png" in done.stderr


def test_the_fall_back_of_auto_is_told_on_stderr(captions, monkeypatch, tmp_path):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    done = run(captions, "--progress", "off")
    assert done.exit_code == 0
    assert done.stderr.startswith("using the model 'offline', which finds less, because")
    assert "using" not in done.stdout


def test_the_nearest_file_is_offered(captions):
    with pytest.raises(
        SaysoError, match=r"caption.json is not a file of captions .*did you mean .*captions.json\?"
    ):
        CliRunner().invoke(
            main.app, ["evaluate", str(captions.with_name("caption.json"))], catch_exceptions=False
        )
    with pytest.raises(SaysoError, match=r"youcok2 is not a file of captions \(COCO format, .json\)"):
        CliRunner().invoke(main.app, ["evaluate", "youcok2"], catch_exceptions=False)
