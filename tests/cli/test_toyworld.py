"""``sayso toyworld`` as a person meets it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.data.manifest import read_manifest
from sayso.data.tags_reader import read_tagged
from sayso.media import probe


def run(*arguments):
    return CliRunner().invoke(app, ["toyworld", *map(str, arguments)])


def small(out, *arguments):
    return run("--out", out, "--videos", 2, "--test-clips", 4, "--size", 16, "--fps", 5, *arguments)


def test_videos_with_captions_and_a_test_set(tmp_path):
    done = small(tmp_path / "toy")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "toy")
    videos = sorted((tmp_path / "toy" / "train").glob("*.mp4"))
    assert len(videos) == 2 and all(list(video.parent.glob(f"{video.stem}.*t*")) for video in videos)
    assert (probe(videos[0]).width, probe(videos[0]).fps) == (16, pytest.approx(5))
    clips = list(read_manifest(tmp_path / "toy" / "test" / "manifest.csv"))
    assert sum(len(clip.rows) for clip in clips) == 4
    assert all(row.text for clip in clips for row in clip.rows)
    assert json.loads((tmp_path / "toy" / "truth.json").read_text())


def test_the_seed_decides_what_is_drawn(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert small(tmp_path / name, "--seed", seed).exit_code == 0
    a, b, c = ((tmp_path / name / "truth.json").read_text() for name in "abc")
    assert a == b != c


def test_tagged_pictures_instead(tmp_path):
    done = run("-o", tmp_path / "scenes", "--scenes", 4, "--size", 32, "--progress", "json")
    assert done.exit_code == 0, done.output
    assert [len(read_tagged(tmp_path / "scenes" / part).pictures) for part in ("train", "test")] == [4, 1]
    assert json.loads(done.stderr.splitlines()[-1])["done"] == 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--chatter", 1.5], "chatter"), (["--size", 17], "even size"), (["--test-clips", 1000], "392")],
)
def test_what_cannot_be_drawn_is_one_sentence_and_leaves_nothing(tmp_path, arguments, sentence):
    done = small(tmp_path / "toy", *arguments)
    assert isinstance(done.exception, SaysoError) and sentence in str(done.exception)
    assert not (tmp_path / "toy").exists()


def test_nothing_is_drawn_over(tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "mine.txt").write_text("x")
    done = small(tmp_path / "toy")
    assert isinstance(done.exception, SaysoError) and "is there already" in str(done.exception)
    assert [path.name for path in (tmp_path / "toy").iterdir()] == ["mine.txt"]


def test_a_folder_is_asked_for():
    done = run()
    assert done.exit_code == 2 and "--out" in done.output
