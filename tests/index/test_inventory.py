"""What an index holds, and taking out of it: ``sayso info``, ``list``, ``roots`` and ``remove``."""

from __future__ import annotations

import json

import pytest

import toy
from command import sayso


@pytest.fixture
def library(tmp_path, monkeypatch):
    """An index ``x.index`` of a folder with another in it, and of a list."""
    models = {"hue": toy.HueEncoder}
    monkeypatch.setattr(
        "sayso.encoders.load_encoder", lambda name="auto", **options: models.get(name, toy.ColourEncoder)()
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos" / "private").mkdir(parents=True)
    toy.make_video(tmp_path / "videos" / "rb.mp4", ["red", "blue"])
    toy.make_picture(tmp_path / "videos" / "private" / "cyan.png", "cyan")
    toy.make_picture(tmp_path / "white.png", "white")
    (tmp_path / "rows.csv").write_text("path,text\nwhite.png,a wall\n")
    assert sayso("index", "x.index", "videos").returncode == 0
    assert sayso("index", "x.index", "rows.csv").returncode == 0
    return tmp_path


def rows(*arguments):
    return [json.loads(line) for line in sayso(*arguments, "--json").stdout.splitlines()]


def held() -> set[str]:
    return {row["path"].rpartition("/")[2] for row in rows("list", "x.index")}


def test_what_it_holds_is_said_in_all_and_file_by_file(library):
    (facts,) = rows("info", "x.index")
    assert facts["files"] == {"video": 1, "picture": 2, "sound": 0}
    assert (facts["model"], facts["media"], facts["clips"], facts["failed"]) == ("colour", 3, 4, 0)
    assert facts["duration_s"] == pytest.approx(8, abs=0.3)
    assert facts["index_bytes"] > facts["media_bytes"] > 0 and facts["upgrading_to"] is None
    shown = sayso("info", "x.index").stdout
    assert "1 video, 2 pictures, 0:08 in all" in shown
    assert f"{library / 'videos'} (2 files)" in shown and "rows.csv (1 file)" in shown
    listed = rows("list", "x.index")
    assert [(row["path"], row["kind"], row["clips"], row["exists"]) for row in listed] == [
        (str(library / "videos/private/cyan.png"), "picture", 1, True),
        (str(library / "videos/rb.mp4"), "video", 2, True),
        (str(library / "white.png"), "picture", 1, True),
    ]
    assert len(rows("list", "x.index", "videos/private")) == 1
    (library / "white.png").unlink()
    missing = sayso("list", "x.index", "--missing")
    assert missing.stdout.split() == ["picture", "1", str(library / "white.png"), "(not", "there", "now)"]
    assert sayso("list", "x.index", "--missing", "--paths").stdout.strip() == str(library / "white.png")
    assert sayso("list", "x.index", "--failed").stdout == ""


def test_what_was_removed_stays_out_until_it_is_named_again(library):
    done = sayso("remove", "x.index", "videos/private", "nowhere")
    assert (done.returncode, done.stdout) == (3, "videos/private: 1 file removed from x.index\n")
    assert done.stderr == "x.index holds nothing of nowhere\n"
    alone = sayso("remove", "x.index", "nowhere")
    assert (alone.returncode, alone.stderr) == (1, "x.index holds nothing of nowhere\n")
    assert held() == {"rb.mp4", "white.png"} and (library / "videos/private/cyan.png").exists()
    for again in (("index", "x.index"), ("index", "x.index", "videos"), ("index", "x.index", "--prune")):
        assert sayso(*again).returncode == 0
        assert held() == {"rb.mp4", "white.png"}
    assert "left out" in sayso("roots", "x.index").stdout
    assert "cyan.png" not in sayso("search", "x.index", "cyan", "--paths").stdout
    assert sayso("index", "x.index", "--upgrade-model", "hue").stdout.endswith(
        "2 files, 3 clips anew; the model is now hue\n"
    )
    assert held() == {"rb.mp4", "white.png"}
    sayso("index", "x.index", "videos/private")
    assert held() == {"rb.mp4", "white.png", "cyan.png"}
    assert [row["kind"] for row in rows("roots", "x.index")] == ["folder", "list"]


def test_a_folder_that_was_named_is_forgotten_with_its_files(library):
    assert rows("remove", "x.index", "videos") == [{"path": "videos", "removed": 2}]
    assert held() == {"white.png"}
    left = rows("roots", "x.index")
    assert [(row["kind"], row["files"]) for row in left] == [("list", 1), ("left out", 0)]
    assert rows("remove", "x.index", "rows.csv") == [{"path": "rows.csv", "removed": 1}]
    assert held() == set()
    assert [row for row in rows("roots", "x.index") if row["kind"] != "left out"] == []
    nothing = sayso("index", "x.index")
    assert nothing.returncode == 1 and "remembers no folders" in nothing.stderr


def test_what_is_removed_while_a_model_is_changed_does_not_come_back(library, monkeypatch):
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr("sayso.index.upgrading.switch_generation", stop)
        assert sayso("index", "x.index", "--upgrade-model", "hue").returncode == 1
    assert rows("info", "x.index")[0]["upgrading_to"] == {"model": "hue", "files": 3}
    assert "changes to  hue (3 files done)" in sayso("info", "x.index").stdout
    sayso("remove", "x.index", "rows.csv", "videos/private")
    assert sayso("index", "x.index", "--upgrade-model", "hue").returncode == 0
    assert held() == {"rb.mp4"}
    assert rows("info", "x.index")[0]["model"] == "hue"


@pytest.mark.parametrize("verb", ["info", "list", "roots", "remove"])
def test_no_index_is_one_sentence(tmp_path, verb):
    done = sayso(verb, tmp_path / "x.index", *(["y"] if verb == "remove" else []))
    assert done.returncode == 1 and "there is no index at" in done.stderr
    assert not (tmp_path / "x.index").exists()
