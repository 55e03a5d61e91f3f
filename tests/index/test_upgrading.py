"""Another model for an index: searches answer all the time, nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

import toy
from sayso import Index
from sayso.core.errors import IndexMismatch, SaysoError
from sayso.index import generations
from sayso.index.background import load_calibration
from sayso.index.opened import OpenIndex
from sayso.index.store import Store
from sayso.index.upgrading import pending_upgrade

PROGRAM = Path(toy.__file__)


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    toy.make_video(folder / "rbg.mp4", ["red", "blue", "green"])
    toy.make_picture(folder / "white.png", "white")
    (folder / "rbg.srt").write_text("1\n00:00:04,500 --> 00:00:07,000\na white boat\n")
    return folder


def rows(index: Index) -> dict[tuple[str, float], tuple]:
    """Every clip: where it is, its words, and its vector; each once."""
    table = index.store.clips.to_arrow().select(["path", "start_s", "end_s", "text", "vector"]).to_pylist()
    found = {
        (os.path.basename(row["path"]), row["start_s"]): (row["end_s"], row["text"], tuple(row["vector"]))
        for row in table
    }
    assert len(found) == len(table)
    return found


def test_the_index_becomes_what_the_new_model_would_have_made(media, tmp_path, monkeypatch):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media, window_s=2.0)
    reader = Index.open(tmp_path / "x.index", create=False, encoder=None)
    report = index.upgrade(toy.HueEncoder())
    assert (report.files, report.clips, report.failures) == (2, 7, [])
    fresh = Index.open(tmp_path / "fresh.index", toy.HueEncoder())
    fresh.add(media, window_s=2.0)
    assert rows(index) == rows(fresh)
    assert index.info()["model"] == "hue" and index.info()["dim"] == 6
    assert index.search("blue", text_weight=0.0)[0].start_s == 4.0
    assert index.search("boat", text_weight=1.0)[0].text == "a white boat"
    found = load_calibration(index.store)
    assert found is not None and found[1].shape[1:] == (6,)
    again = Index.open(tmp_path / "x.index", toy.HueEncoder())
    assert again.add().unchanged == 2
    assert again.upgrade(toy.HueEncoder()).files == 0
    with pytest.raises(IndexMismatch, match=r"made by the model hue, not by colour.*--upgrade-model colour"):
        Index.open(tmp_path / "x.index", toy.ColourEncoder())
    monkeypatch.setattr("sayso.index.store.LOOK_S", -1.0)  # a second later
    assert reader.store.identity.model == "hue" and len(reader) == 7


def test_a_model_that_is_not_the_one_of_the_index_is_not_kept(media, tmp_path):
    Index.open(tmp_path / "x.index", toy.ColourEncoder()).add(media)
    loaded = [toy.ColourEncoder(), toy.HueEncoder(), toy.HueEncoder()]
    index = OpenIndex(Store(tmp_path / "x.index"), load=lambda _: loaded.pop())
    for _ in range(2):
        with pytest.raises(IndexMismatch):
            _ = index.encoder
    assert index.encoder.name == "colour"


def test_what_a_kill_left_unmeasured_is_measured_by_the_next_run(media, tmp_path, monkeypatch):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media)
    with monkeypatch.context() as patch:
        patch.setattr("sayso.index.background.save_calibration", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            index.upgrade(toy.HueEncoder())
    assert index.upgrade(toy.HueEncoder()).clips == 0, "all was embedded before"
    found = load_calibration(index.store)
    assert found is not None and found[0].clips == len(index)


def test_until_then_the_old_model_answers_and_files_may_be_added(media, tmp_path, monkeypatch):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media)
    other = Index.open(tmp_path / "x.index", toy.ColourEncoder())

    class Watched(toy.HueEncoder):
        def encode_video(self, frames):
            if not (media / "new.png").exists():
                assert other.search("blue", text_weight=0.0)[0].start_s == 4.0
                toy.make_picture(media / "new.png", "cyan")
                assert other.add().added == 1
                assert pending_upgrade(other.store) is not None
            return super().encode_video(frames)

    index.upgrade(Watched())
    assert {name for name, _ in rows(index)} == {"rbg.mp4", "white.png", "new.png"}
    assert pending_upgrade(index.store) is None
    monkeypatch.setattr("sayso.index.store.LOOK_S", -1.0)
    with pytest.raises(IndexMismatch, match="made by the model hue"):
        other.search("blue")


def test_what_cannot_be_read_now_keeps_the_old_model_until_it_is_let_go(media, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    toy.make_picture(drive / "cyan.png", "cyan")
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media, drive)
    drive.rename(tmp_path / "unplugged")
    with pytest.raises(SaysoError, match=r"keeps its model colour: one of its files .*cyan.png.* --prune"):
        index.upgrade(toy.HueEncoder())
    assert Index.open(tmp_path / "x.index", toy.ColourEncoder()).search("cyan")[0].path.endswith("cyan.png")
    (tmp_path / "unplugged").rename(drive)
    assert index.upgrade(toy.HueEncoder()).clips == 1, "the rest was embedded before"
    drive.rename(tmp_path / "unplugged")
    assert index.upgrade(toy.ColourEncoder(), prune=True).removed == 1
    assert {name for name, _ in rows(index)} == {"rbg.mp4", "white.png"}


def test_another_model_than_the_one_begun_begins_anew(media, tmp_path, monkeypatch):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media)

    class Stop(BaseException):
        pass

    def stop(*_):
        raise Stop

    monkeypatch.setattr("sayso.index.upgrading.switch_generation", stop)
    with pytest.raises(Stop):
        index.upgrade(toy.HueEncoder())
    monkeypatch.undo()
    pending = pending_upgrade(index.store)
    assert pending is not None and (pending.model, pending.files) == ("hue", 2)

    class Third(toy.ColourEncoder):
        name, sha256 = "third", "33" * 32

    assert index.upgrade(Third()).clips == 4
    assert index.info()["model"] == "third"


def test_old_tables_go_when_nobody_reads_them_any_more(media, tmp_path, monkeypatch):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media)
    index.upgrade(toy.HueEncoder())
    index.add()
    assert (tmp_path / "x.index" / "clips.lance").is_dir()
    later = SimpleNamespace(time=lambda: time.time() + 1e9)  # for it alone: servers of other tests run on
    monkeypatch.setattr(generations, "time", later)
    index.add()
    assert not (tmp_path / "x.index" / "clips.lance").exists()
    assert len(rows(index)) == 4 and index.search("red")


def test_who_was_waiting_to_add_does_not_write_to_old_tables(media, tmp_path):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media)
    stale = Store(tmp_path / "x.index")
    assert stale.exists and stale.generation == 1
    index.upgrade(toy.HueEncoder())
    with pytest.raises(IndexMismatch, match="given another model just now"), stale.writing():
        pass


def killed_upgrades(where: Path, media: Path, rng: random.Random, kills: int) -> None:
    first = Index.open(where, toy.ColourEncoder())
    first.add(media)
    before, done = rows(first), 0
    command = [sys.executable, str(PROGRAM), "--upgrade", str(where)]
    for _ in range(kills):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(rng.uniform(0.5, 3.0))
            process.send_signal(signal.SIGKILL)
        now = Index.open(where, create=False)
        if now.store.identity.model == "colour":
            assert rows(now) == before, "the old tables changed"
            pending = pending_upgrade(now.store)
            assert pending is None or pending.files >= done, "a file that was embedded is lost"
            done = pending.files if pending else 0
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert finished.returncode == 0, finished.stderr
    index, fresh = Index.open(where, toy.HueEncoder()), Index.open(f"{where}.fresh", toy.HueEncoder())
    fresh.add(media)
    assert rows(index) == rows(fresh)
    np.testing.assert_allclose(index.calibration.background, fresh.calibration.background)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    colours = sorted(toy.COLOURS)
    for k in range(12):
        toy.make_video(folder / f"v{k}.mp4", [colours[k % 8], colours[(k + 3) % 8]], fps=2)
    return folder


@pytest.mark.slow
def test_killed_while_it_upgrades(tmp_path, library):
    killed_upgrades(tmp_path / "x.index", library, random.Random(0), kills=2)


@pytest.mark.slow
def test_killed_twenty_times_while_it_upgrades(tmp_path, library):
    rng = random.Random(1)
    for k in range(5):
        killed_upgrades(tmp_path / f"{k}.index", library, rng, kills=4)
