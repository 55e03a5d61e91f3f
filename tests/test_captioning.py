"""Captioning a library: only what is missing is made, whatever ended the run before; search finds it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import sayso
import toy
from command import sayso as command
from generators import vlms
from generators.bright import Bright
from sayso.captioning import caption, seen_path
from sayso.core.errors import SaysoError
from sayso.core.ownership import writing
from sayso.text import find_subtitles
from sayso.text.captions.sidecar import find_seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    (root / "below").mkdir(parents=True)
    for name, shade in (("dark.png", 10), ("light.png", 240), ("below/grey.png", 120)):
        Image.fromarray(np.full((8, 10, 3), shade, np.uint8)).save(root / name)
    movie(root / "talk.mp4", [40, 80, 120])
    return root


def movie(path: Path, shades: list[int], seconds: int = 10) -> None:
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=2)
        stream.width = stream.height = 64
        for shade in shades:
            for _ in range(2 * seconds):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade, np.uint8))))
        file.mux(stream.encode())


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_picture_and_stretch_has_a_row_that_says_what_made_it(folder):
    out = folder / "captions.jsonl"
    report = caption([folder], out, model=Bright(), prompt="How bright?")
    assert (report.files, report.made, report.kept, report.failures) == (4, 6, 0, [])
    made = {(row["path"], row.get("start_s")): row for row in rows(out)}
    assert set(made) == {
        ("dark.png", None), ("light.png", None), ("below/grey.png", None),
        ("talk.mp4", 0.0), ("talk.mp4", 10.0), ("talk.mp4", 20.0),
    }  # fmt: skip
    row = made["below/grey.png", None]
    assert (row["seen"], row["model"], row["made_by"], row["prompt"]) == (
        "shade 120", "bright", "a test", "How bright?",
    )  # fmt: skip
    last = made["talk.mp4", 20.0]
    assert last["end_s"] == 30.0 and abs(int(last["seen"].removeprefix("shade ")) - 120) < 3
    cues = seen_path(folder / "talk.mp4").read_text()
    assert cues.startswith("WEBVTT") and cues.count("-->") == 3 and "00:00:10.000 --> 00:00:20.000" in cues


def test_a_second_run_makes_nothing_and_a_changed_file_is_made_anew(folder):
    out = folder / "captions.jsonl"
    model = Bright()
    caption([folder], out, model=model)
    before, asked = out.read_text(), len(model.prompts)
    report = caption([folder], out, model=model)
    assert (report.made, report.kept, len(model.prompts)) == (0, 6, asked) and out.read_text() == before
    Image.fromarray(np.full((8, 10, 3), 77, np.uint8)).save(folder / "dark.png")
    report = caption([folder], out, model=model)
    assert (report.made, report.kept) == (1, 5)
    assert {row["path"]: row["seen"] for row in rows(out)}["dark.png"] == "shade 77" and len(rows(out)) == 6
    assert caption([folder], out, model=model, prompt="And now?").made == 6


def test_a_line_that_a_kill_cut_off_is_made_again(folder):
    out = folder / "captions.jsonl"
    with writing("caption"):
        caption([folder], out, model=Bright())
    whole = out.read_bytes()
    out.write_bytes(whole[:-30])
    with writing("caption", overwrite=True):
        report = caption([folder], out, model=Bright())
    assert (report.made, report.kept) == (1, 5)
    assert sorted(out.read_bytes().splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize("content", ["no JSON\n", '{"path": "a.png"}\n'])
def test_a_file_of_something_else_is_refused_and_stays(folder, content):
    out = folder / "captions.jsonl"
    out.write_text(content)
    with pytest.raises(SaysoError, match="not as sayso wrote it"):
        caption([folder], out, model=Bright())
    with writing("caption", overwrite=True), pytest.raises(SaysoError, match="line 1, is no caption"):
        caption([folder], out, model=Bright())
    assert out.read_text() == content


def test_what_a_person_wrote_beside_a_video_stays(folder):
    beside = seen_path(folder / "talk.mp4")
    beside.write_text("mine")
    with writing("caption"):
        report = caption([folder], folder / "captions.jsonl", model=Bright())
    assert beside.read_text() == "mine" and report.made == 6
    assert [failure.path for failure in report.failures] == [str(beside)]


def test_a_broken_file_is_listed_and_the_rest_is_captioned(folder):
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    report = caption([folder], folder / "captions.jsonl", model=Bright())
    assert report.made == 6 and [Path(failure.path).name for failure in report.failures] == ["bad.png"]


def test_the_command_ends_with_1_where_nothing_could_be_captioned_and_with_3_where_some_could(
    folder, monkeypatch
):
    monkeypatch.setattr("sayso.generators.load_generator", lambda *_, **__: Bright(), raising=False)
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    out = folder / "captions.jsonl"
    alone = command("caption", folder / "bad.png", "--out", out, "--progress", "off")
    assert alone.returncode == 1 and alone.stdout.startswith(f"{out}: 1 file, 0 captions made; by")
    assert "bad.png" in alone.stderr
    more = command("caption", folder / "dark.png", folder / "bad.png", "--out", out, "--progress", "off")
    assert more.returncode == 3 and more.stdout.startswith(f"{out}: 2 files, 1 caption made; by")
    again = command("caption", folder / "dark.png", folder / "bad.png", "--out", out, "--progress", "off")
    assert again.returncode == 3 and "0 captions made, 1 was there" in again.stdout


def test_a_failure_names_its_path_once_and_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe.mp4")
    (folder / "gone.png").symlink_to(folder / "nowhere")
    (folder / "broken.mp4").write_bytes(b"no video")
    report = caption([folder], folder / "captions.jsonl", model=Bright())
    told = {Path(one.path).name: one for one in report.failures}
    assert set(told) == {"pipe.mp4", "gone.png", "broken.mp4"}
    assert all(one.error.count(one.path) == 1 and "Errno" not in one.error for one in report.failures)


def test_what_a_model_saw_is_never_taken_for_speech(folder):
    caption([folder], folder / "captions.jsonl", model=Bright())
    assert find_subtitles(folder / "talk.mp4") is None
    assert find_seen(folder / "talk.mp4") == seen_path(folder / "talk.mp4")
    (folder / "talk.en.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    assert find_subtitles(folder / "talk.mp4") == folder / "talk.en.srt"


@pytest.mark.parametrize("how", ["folder", "manifest"])
def test_search_finds_what_only_a_caption_has_and_keeps_it_apart(folder, tmp_path, how):
    (folder / "talk.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nwelcome to my lecture\n")
    caption([folder], folder / "captions.jsonl", model=Bright())
    index = sayso.Index.open(tmp_path / "my.index", toy.ColourEncoder())
    report = index.add(folder if how == "folder" else folder / "captions.jsonl")
    assert not report.failures and index.info()["has_text"]
    hit = index.search("shade 240", text_weight=1)[0]
    assert Path(hit.path).name == "light.png" and (hit.seen, hit.text) == ("shade 240", "")
    spoken = index.search("lecture", text_weight=1)[0]
    assert Path(spoken.path).name == "talk.mp4" and "lecture" in spoken.text and "lecture" not in spoken.seen
    assert [c.text for c in index.transcript(spoken.media_id)] == ["welcome to my lecture"]


def test_new_captions_change_the_words_and_keep_the_vectors(folder, tmp_path):
    index = sayso.Index.open(tmp_path / "my.index", toy.ColourEncoder())
    index.add(folder)
    assert not index.info()["has_text"]
    caption([folder], folder / "captions.jsonl", model=Bright())
    report = index.add(folder)
    assert (report.replaced, report.clips) == (4, 0)
    assert Path(index.search("shade 10", text_weight=1)[0].path).name == "dark.png"
    assert index.add(folder).unchanged == 4


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_make_nothing_twice(tmp_path):
    """A real model in a real process, killed at random moments until one run comes to its end."""
    folder = tmp_path / "library"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(60):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{k:02d}.png")
    model = vlms.save_vlm(tmp_path / "llava", "llava", seed=2)
    command = [
        sys.executable,
        "-m",
        "sayso",
        "caption",
        str(folder),
        "--model",
        str(model),
        "--max-tokens",
        "4",
    ]
    kills = 0
    while kills < 20:
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        began = time.monotonic()
        limit = 4 + 6 * rng.random()
        while run.poll() is None and time.monotonic() - began < limit:
            time.sleep(0.02)
        if run.poll() is not None:
            break
        run.send_signal(signal.SIGKILL)
        run.wait()
        kills += 1
    assert subprocess.run(command, check=False).returncode == 0
    found = rows(folder / "captions.jsonl")
    assert sorted(row["path"] for row in found) == [f"{k:02d}.png" for k in range(60)]
