"""Data with records that cannot be used: the verbs go on without them, list them, and exit with 3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.tagged_folders import coco, picture
from planted_steps import plant
from sayso.cli.main import app, main
from sayso.core.errors import SaysoError

STRAY = {"image_id": 99, "category_id": 1, "bbox": [1, 1, 5, 5], "caption": "of no picture"}


def add_stray(path: Path) -> Path:
    content = json.loads(path.read_text())
    content["annotations"].append(STRAY)
    path.write_text(json.dumps(content))
    return path


def test_training_lists_stray_annotations(tmp_path: Path) -> None:
    seen = {f"{n}.png": [("dog" if n % 2 else "cat", [1, 2, 30, 40], 0)] for n in range(4)}
    data = add_stray(coco(tmp_path / "instances.json", seen))
    small = ("steps=2", "batch_size=2", "size=64", "views=1", "warmup=0", "workers=1", "scales=[1.0]")
    changes = [part for change in small for part in ("--set", change)]
    asked = ["train", "localize", str(data), "--out", str(tmp_path / "run"), "--json", *changes]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 3, (done.output, done.exception)
    (failure,) = json.loads(done.stdout)["failures"]
    assert failure["path"] == str(data)
    assert failure["error"] == "the 5. annotation is of picture 99, which is not listed"
    assert f"{data}: the 5. annotation" in done.stderr


def test_training_on_steps_lists_a_broken_constraints_file(tmp_path: Path) -> None:
    release = plant(tmp_path / "release", 6)
    (release / "constraints" / "7_v70.csv").write_text("1;2;3\n")
    asked = ["train", "crosstask", str(release), "--out", str(tmp_path / "run"), "--json"]
    asked += ["--set", f"features={release / 'features'}", "--set", "steps=2", "--set", "batch_size=2"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 3, done.output
    assert [failure["path"] for failure in json.loads(done.stdout)["failures"]] == ["v70"]


def test_evaluation_lists_stray_captions(tmp_path: Path) -> None:
    for name, colour in (("red", "red"), ("blue", "blue")):
        picture(tmp_path / "images" / f"{name}.png", colour)
    images = [{"id": "red", "file_name": "red.png"}, {"id": "blue", "file_name": "blue.png"}]
    rows = [{"image_id": name, "caption": f"all {name}"} for name in ("red", "blue")]
    rows.append({"image_id": "red", "caption": ""})
    (tmp_path / "captions.json").write_text(json.dumps({"images": images, "annotations": rows}))
    data = add_stray(tmp_path / "captions.json")
    done = CliRunner().invoke(app, ["evaluate", str(data), "--model", "offline", "--json"])
    assert done.exit_code == 3, done.output
    result = json.loads(done.stdout)
    assert result["counts"]["captions"] == {"used": 2, "listed": 4}
    assert result["unreadable"] == [
        "the 4. annotation is of picture 99, which is not listed",
        "the 3. annotation has no caption",
    ]


def test_a_row_of_a_manifest_that_names_no_file_is_listed(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("path,title\na.png,one\n,two\n")
    asked = ["index", str(tmp_path / "x.index"), str(tmp_path / "list.csv"), "--model", "offline"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 3, done.output
    assert "row 3: there is no 'path'" in done.stderr


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_completion_for_a_named_shell_touches_nothing(option, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["sayso", option, "nosuchshell"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "takes no 'nosuchshell'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["convert", "notes.txt", "--words", "notes.txt", "--out", "m"],
            "file of tensors that torch saved",
        ),
        (["localize", "nosuch", "--model", "nosuch"], "there is nothing at nosuch; name pictures"),
        (["localize", ".", "--model", "nosuch"], "there is nothing at nosuch; name a model folder"),
        (
            ["train", "localize", "coco", "--out", "notes.txt/run"],
            "notes.txt/run cannot be made: Not a dir",
        ),
        (["search", "no index", "dog"], "make one with: sayso index '"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("buy milk\n")
    coco(tmp_path / "coco" / "instances.json", {"a.png": [("dog", [1, 2, 3, 4], 0)]})
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, SaysoError), done.output
    assert said in str(done.exception)
    assert len(str(done.exception).splitlines()) == 1


def test_a_full_disk_is_one_sentence(monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "runs/mine/log.jsonl")

    monkeypatch.setattr("sayso.cli.main.command", lambda _verbs: full)
    monkeypatch.setattr("sys.argv", ["sayso", "models"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    said = "sayso: the disk is full; free some space, and the same command goes on\n"
    assert capsys.readouterr().err == said


def test_a_right_id_offline_suggests_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    done = CliRunner().invoke(app, ["pull", "openai/clip-vit-base-patch32", "--out", str(tmp_path / "m")])
    assert "forbids fetching it" in str(done.exception)
    assert "did you mean" not in str(done.exception)
