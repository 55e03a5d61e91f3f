"""Nothing lost, nothing twice: processes killed at random moments, and two writers at once."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

import toy
from sayso import Index
from sayso.index.background import load_calibration
from waiting import PATIENCE_S, process

PROGRAM = Path(toy.__file__)
COLOURS = sorted(toy.COLOURS)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """Forty short videos and twenty pictures."""
    folder = tmp_path_factory.mktemp("library")
    for k in range(40):
        toy.make_video(folder / f"v{k}.mp4", [COLOURS[k % 8], COLOURS[(k + 3) % 8]], fps=2)
    for k in range(20):
        toy.make_picture(folder / f"p{k}.png", COLOURS[k % 8], size=(32 + k, 32))
    return folder


def start(index: Path, *paths: Path):
    return process([sys.executable, PROGRAM, index, *paths])


def clips(index: Path) -> list[tuple[str, float]]:
    table = Index.open(index, toy.ColourEncoder()).store.clips.to_arrow()
    rows = table.select(["path", "start_s"]).to_pylist()
    return sorted((os.path.basename(row["path"]), row["start_s"]) for row in rows)


EXPECTED = sorted(
    [(f"v{k}.mp4", start) for k in range(40) for start in (0.0, 4.0)]
    + [(f"p{k}.png", 0.0) for k in range(20)]
)


def kill_and_go_on(index: Path, library: Path, rng: random.Random, kills: int) -> None:
    done = 0
    for _ in range(kills):
        with start(index, library) as adding:
            time.sleep(rng.uniform(0.0, 2.2))
            adding.send_signal(signal.SIGKILL)
        if (index / "media.lance").is_dir():
            now = len(Index.open(index, toy.ColourEncoder()).store.records())
            assert now >= done, "a file that was done is lost"
            done = now
    with start(index, library) as adding:
        out, err = adding.communicate(timeout=PATIENCE_S)
    assert adding.returncode == 0, err
    assert clips(index) == EXPECTED, out


def test_killed_at_random_moments(tmp_path, library):
    kill_and_go_on(tmp_path / "x.index", library, random.Random(0), kills=2)


@pytest.mark.slow
def test_killed_at_fifty_random_moments(tmp_path, library):
    rng = random.Random(1)
    for k in range(10):
        kill_and_go_on(tmp_path / f"{k}.index", library, rng, kills=5)


def test_two_writers_at_once(tmp_path, library):
    with start(tmp_path / "x.index", library) as first, start(tmp_path / "x.index", library) as second:
        for adding in (first, second):
            _, err = adding.communicate(timeout=PATIENCE_S)
            assert adding.returncode == 0, err
    assert clips(tmp_path / "x.index") == EXPECTED


def test_every_write_order_survives(tmp_path, library, monkeypatch):
    """Stop between any two commits of a run that adds, replaces and moves; then run again."""
    folder = tmp_path / "media"
    folder.mkdir()
    for k in range(3):
        (folder / f"v{k}.mp4").write_bytes((library / f"v{k}.mp4").read_bytes())
    stops = 0
    for stop_at in range(12):
        index = Index.open(tmp_path / f"{stop_at}.index", toy.ColourEncoder())
        (folder / "v0.mp4").write_bytes((library / "v0.mp4").read_bytes())
        index.add(folder)
        (folder / "v0.mp4").write_bytes((library / "v5.mp4").read_bytes())
        (folder / "v1.mp4").rename(folder / "moved.mp4")
        stops += _stopped(index, folder, stop_at, monkeypatch)
        index.add(folder)
        assert clips(tmp_path / f"{stop_at}.index") == sorted(
            (name, start) for name in ("moved.mp4", "v0.mp4", "v2.mp4") for start in (0.0, 4.0)
        )
        (folder / "moved.mp4").rename(folder / "v1.mp4")
    assert stops >= 4


def _stopped(index, folder, stop_at, monkeypatch) -> bool:
    """Run ``add`` with its ``stop_at``-th write failing as a kill would; say whether it came to that."""
    left = iter(range(stop_at))

    class Stop(BaseException):
        pass

    class Guarded:
        def __init__(self, table):
            self.table = table

        def __getattr__(self, name):
            if name in ("add", "delete", "update", "merge_insert") and next(left, None) is None:
                raise Stop
            return getattr(self.table, name)

    store = index.store
    tables = store.clips, store.media
    store.clips, store.media = map(Guarded, tables)
    try:
        index.add(folder)
    except Stop:
        return True
    finally:
        store.clips, store.media = tables
    return False


@pytest.mark.parametrize("last", ["sayso.index.update.maintain", "sayso.index.adding.calibrate_index"])
def test_what_a_kill_left_to_do_for_searches_is_done_by_the_next_run(tmp_path, last, monkeypatch):
    """All is written, and then: nothing is new for the next run, but words and calibration are not there."""
    (tmp_path / "media").mkdir()
    toy.make_video(tmp_path / "media" / "a.mp4", ["red", "blue"], fps=2)
    (tmp_path / "media" / "a.srt").write_text("1\n00:00:00,000 --> 00:00:03,000\nhello there\n")

    def killed(*_):
        raise KeyboardInterrupt

    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    with monkeypatch.context() as patched:
        patched.setattr(last, killed)
        with pytest.raises(KeyboardInterrupt):
            index.add(tmp_path / "media")
    assert index.add(tmp_path / "media").unchanged == 1
    assert {one.columns[0] for one in index.store.clips.list_indices()} == {"text"}
    assert load_calibration(index.store)[0].clips == 2
    version = index.store.clips.version
    index.add(tmp_path / "media")
    assert index.store.clips.version == version, "nothing is left to do"
