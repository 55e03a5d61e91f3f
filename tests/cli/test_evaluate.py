"""``sayso evaluate`` prints a table or JSON, writes a result, and ends with the right code."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

import toy
from sayso.cli import main
from sayso.cli.evaluate_options import seed_list
from sayso.core.errors import SaysoError
from sayso.evaluation import EVALUATORS

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
    assert set(printed) >= {"protocol", "command", "date", "commit", "machine", "primary", "rows", "counts"}
    assert printed["definition"]["sha256"]
    assert printed["counts"] == {
        "pictures": {"used": 2, "listed": 2},
        "captions": {"used": 2, "listed": 2},
    }


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
        SaysoError,
        match=r"caption.json is neither .* nor a file of captions .*did you mean .*captions.json\?",
    ):
        CliRunner().invoke(
            main.app, ["evaluate", str(captions.with_name("caption.json"))], catch_exceptions=False
        )
    with pytest.raises(
        SaysoError,
        match=r"youcok2 is neither a protocol of sayso evaluate --list nor a .*; did you mean youcook2\?",
    ):
        CliRunner().invoke(main.app, ["evaluate", "youcok2"], catch_exceptions=False)


def test_a_benchmark_is_measured_and_what_was_published_of_other_windows_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data" / "videos").mkdir(parents=True)
    for number, colour in enumerate(("red", "blue")):
        toy.make_video(tmp_path / "data" / "videos" / f"video{number}.mp4", [colour], 4)
    rows = ["key,vid_key,video_id,sentence", "a,a,video0,all red", "b,b,video1,all blue", "c,c,video2,gone"]
    (tmp_path / "data" / "msrvtt_test.csv").write_text("\n".join(rows) + "\n")
    command = (
        "msrvtt",
        "--data",
        tmp_path / "data",
        "--model",
        "offline",
        "--windows",
        1,
        "--progress",
        "off",
    )
    done = run(*command, "--out", tmp_path / "result.json")
    assert done.exit_code == 3
    assert "2 of 3 clips" in done.stdout
    assert done.stderr.splitlines()[-1] == "not used: video2"
    assert "MIL-NCE" not in done.stdout  # its row was measured with ten windows
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["definition"]["windows"] == 1
    assert result["definition"]["as_published"] is False
    assert set(result) >= {"command", "commit", "model"}
    assert list(result["rows"]) == ["text to clip", "clip to text"]


def test_a_benchmark_needs_its_folder(tmp_path):
    with pytest.raises(SaysoError, match=r"youcook2 needs --data: the folder of validation_youcook.csv"):
        CliRunner().invoke(main.app, ["evaluate", "youcook2"], catch_exceptions=False)


def test_steps_are_localised(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "tasks_primary.txt").write_text("7\nPaint\nx\n2\nall red,all blue\n")
    (tmp_path / "videos_val.csv").write_text("7,aa,x\n7,bb,x\n")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "7_aa.csv").write_text("1,0,4\n2,4,8\n")
    toy.make_video(tmp_path / "aa.mp4", ["red", "blue"], 4)
    done = run("crosstask", "--data", tmp_path, "--model", "offline", "--progress", "off")
    assert done.exit_code == 3
    lines = done.stdout.splitlines()
    assert lines[1] == "1 of 2 videos"
    assert [line.split()[0] for line in lines[3:5]] == ["Paint", "mean"]
    for name in ("crosstask", "ucf101"):
        with pytest.raises(SaysoError, match=f"{name} needs --data"):
            CliRunner().invoke(main.app, ["evaluate", name], catch_exceptions=False)


def test_lists_every_evaluator():
    done = run("--list")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(EVALUATORS)
    assert "localizer" in next(line for line in lines if line.startswith("weak-localization"))
    rows = [json.loads(line) for line in run("--list", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows] == list(EVALUATORS)
    assert all(row["title"] and row["measures"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("crosstask", "--windows", 2), "crosstask does not take --windows; it takes --features"),
        (("word-alignment", "--seeds", 2), "word-alignment does not take --seeds; it takes no option"),
        (("youcook2", "--images", "x"), "youcook2 does not take --images; it takes --windows"),
        (("word-alignment", "--model", "toy"), "word-alignment measures no model; leave --model out"),
        (("calibrations",), "did you mean calibration\\?"),
    ],
)
def test_what_an_evaluator_does_not_take_is_told_before_anything_is_loaded(arguments, told, monkeypatch):
    monkeypatch.setattr("sayso.hub.load_model.load", lambda *_: pytest.fail("a model was loaded"))
    with pytest.raises(SaysoError, match=told):
        CliRunner().invoke(main.app, ["evaluate", *map(str, arguments)], catch_exceptions=False)


def test_a_protocol_of_ones_own_is_measured_by_its_path(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number, colour in enumerate(("red", "blue")):
        toy.make_video(tmp_path / f"v{number}.mp4", [colour], 4)
    (tmp_path / "clips.tsv").write_text("v0\tall red\nv1\tall blue\n")
    (tmp_path / "mine.toml").write_text(
        'title = "My clips"\nannotations = "clips.tsv"\ndelimiter = "\\t"\n'
        "columns = { video = 0, text = 1 }\nwindows = 1\n"
    )
    done = run(tmp_path / "mine.toml", "--data", tmp_path, "--model", "offline", "--progress", "off")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:2] == ["My clips, offline", "2 of 2 clips"]


PACKAGE = """
from sayso.evaluation import EvaluationResult, Primary


class Length:
    name, title, measures = "name_length", "names", "how long a model's name is"
    needs, data, takes = ("encoder",), "anything", ("seeds",)

    def __call__(self, model, data, options, progress):
        seeds = len(options.seeds or (0,))
        return EvaluationResult(
            protocol="length of names",
            primary=Primary("letters", len(model.name)),
            columns=("letters", "seeds"),
            rows={"name": {"letters": len(model.name), "seeds": seeds}},
            unreadable=("its voice",),
            published=({"model": "a long one", "source": "elsewhere", "letters": 99},),
        )


EVALUATOR = Length()
"""


def test_an_evaluator_of_another_package_is_found_by_its_entry_point(tmp_path, monkeypatch):
    """The package is installed as pip does it, and no line of this one knows it."""
    (tmp_path / "outside_package.py").write_text(PACKAGE)
    (tmp_path / "outside_package-1.dist-info").mkdir()
    points = "[sayso.evaluation]\nname_length = outside_package:EVALUATOR\nbroken = outside_package:NOTHING\n"
    (tmp_path / "outside_package-1.dist-info" / "entry_points.txt").write_text(points)
    (tmp_path / "outside_package-1.dist-info" / "METADATA").write_text("Name: outside_package\nVersion: 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    listed = run("--list").stdout.splitlines()
    assert "how long a model's name is; names" in next(line for line in listed if "name_length" in line)
    assert "cannot be loaded" in next(line for line in listed if line.startswith("broken"))
    done = run("name_length", "--data", tmp_path, "--model", "offline", "--seeds", 2, "--progress", "off")
    assert done.exit_code == 3
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["length", "of", "names,", "offline"],
        ["letters", "seeds"],
        ["name", "7", "2"],
        ["a", "long", "one", "(elsewhere)", "99"],
    ]
    assert done.stderr == "not used: its voice\n"


@pytest.mark.parametrize(
    ("text", "seeds"),
    [(None, None), ("3", (0, 1, 2)), ("42,43", (42, 43)), ("42,", (42,)), (" 7 , 8 ", (7, 8))],
)
def test_seeds_are_a_number_or_a_list(text, seeds):
    assert seed_list(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "x", "1.5", "-1", ","])
def test_what_is_no_list_of_seeds_is_wrong_usage(text):
    done = run("toy-step-names", "--seeds", text)
    assert done.exit_code == 2 and "--seeds" in done.stderr
