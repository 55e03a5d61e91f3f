"""The verb writes every file, prints plain rows, and says in one sentence what is wrong."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.text import read_subtitles

SCRIPT = """INT. KITCHEN - DAY

BOB
Did you see the garden this morning, my dear?

Bob sits down.

ALICE
No. I was asleep until eleven o'clock.
"""
SRT = """1
00:00:10,000 --> 00:00:12,000
Did you see the garden
this morning, my dear?

2
00:00:15,000 --> 00:00:18,000
No. I was asleep till 11 o'clock.
"""


@pytest.fixture
def film(tmp_path):
    (tmp_path / "film.txt").write_text(SCRIPT)
    (tmp_path / "film.srt").write_text(SRT)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["align", *map(str, words)])


def test_rows_as_json(film):
    done = run(film / "film.txt", film / "film.srt", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["heading", "dialogue", "description", "dialogue"]
    assert rows[1]["speaker"] == "BOB"
    assert (rows[2]["start_s"], rows[2]["end_s"]) == (12.0, 15.0)
    assert "2 of 2 speeches placed" in done.stderr


def test_descriptions_are_mapped_onto_named_actions(film):
    done = run(film / "film.txt", film / "film.srt", "--json", "--actions", "sit down, drive car")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    (found,) = rows[2]["actions"]
    assert found["name"] == "sit down" and found["score"] > 0.5
    assert "actions" not in rows[1]


def test_actions_by_patterns_and_by_a_learned_classifier(film):
    (film / "classes.json").write_text('{"sit down": "sits? .*down", "drive car": "drives?"}')
    (film / "labelled.csv").write_text(
        "text,actions\nHe sits down.,sit down\nThey rest.,rest; wait\nA car stops.,\nShe drives.,drive\n"
    )
    for file, names in (("classes.json", ["sit down"]), ("labelled.csv", ["sit down"])):
        done = run(film / "film.txt", film / "film.srt", "--json", "--actions", film / file)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert [action["name"] for action in rows[2]["actions"]] == names, done.output
    (film / "classes.json").write_text('{"sit down": "sits("}')
    with pytest.raises(SaysoError, match="no regular expression"):
        raise run(film / "film.txt", film / "film.srt", "--actions", film / "classes.json").exception
    (film / "labelled.csv").write_text("words\nHe sits.\n")
    with pytest.raises(SaysoError, match="the columns text and actions"):
        raise run(film / "film.txt", film / "film.srt", "--actions", film / "labelled.csv").exception


def make_video(path, seconds):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for _ in range(5 * seconds):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def test_all_files(film):
    make_video(film / "film.mp4", 20)
    done = run(film / "film.txt", film / "film.srt", "--out", film / "out", "--video", film / "film.mp4")
    assert done.exit_code == 0, done.output
    assert "another frame rate" not in done.stderr
    written = {path.name for path in film.glob("out.*")}
    assert written == {f"out.{kind}" for kind in ("srt", "vtt", "csv", "jsonl", "html", "moments.jsonl")}
    assert [caption.speaker for caption in read_subtitles(film / "out.vtt")] == ["BOB", "ALICE"]


def test_a_table_for_people(film):
    done = run(film / "film.txt", film / "film.srt")
    assert "0:10-0:12" in done.stdout and "BOB: Did you see" in done.stdout


def test_a_reference_puts_the_times_right(film):
    text = "\n".join(f"word{k} other{k} third{k}" for k in range(20))
    cues = text.split("\n")
    for name, shift in (("film.srt", 0), ("reference.srt", 5)):
        (film / name).write_text(
            "\n\n".join(
                f"00:00:{k + shift:02d},000 --> 00:00:{k + shift:02d},900\n{cue}"
                for k, cue in enumerate(cues)
            )
        )
    (film / "film.txt").write_text("\n".join(f"BOB: {cue}" for cue in cues))
    done = run(film / "film.txt", film / "film.srt", "--reference", film / "reference.srt", "--json")
    assert json.loads(done.stdout.splitlines()[0])["start_s"] == 5.0
    assert "+5.00 s" in done.stderr


def test_subtitles_of_a_longer_copy_are_noticed(film):
    make_video(film / "film.mp4", 10)
    done = run(film / "film.txt", film / "film.srt", "--out", film / "out", "--video", film / "film.mp4")
    assert "go on 8 s after the end" in done.stderr


def test_what_is_wrong_is_said(film):
    (film / "none.srt").write_text("")
    assert "--video needs --out" in run(film / "film.txt", film / "film.srt", "--video", "x.mp4").output
    with pytest.raises(SaysoError, match="no captions in the file"):
        raise run(film / "film.txt", film / "none.srt").exception
    (film / "other.txt").write_text("Cleo: Something else is spoken here, in other terms.\n")
    assert "are they of the same film?" in run(film / "other.txt", film / "film.srt").stderr
    (film / "bad.srt").write_text(SRT + "\n3\n00:00:40,000 --> 00:00:30,000\nBackwards.\n")
    assert run(film / "film.txt", film / "bad.srt").exit_code == 3
