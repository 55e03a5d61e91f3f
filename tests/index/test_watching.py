"""``sayso watch``: what comes and goes is found, what is being written waits, and its end is clean."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import toy
from sayso import Index
from sayso.cli.watch import _Told
from sayso.index.adding import Adding, add_paths
from sayso.index.report import AddReport
from sayso.index.watching import Settling, Watch, _matters
from waiting import PATIENCE_S, process

TESTS = Path(toy.__file__).parent
PROGRAM = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
import toy
import sayso.encoders
from sayso.index import watching, writer
sayso.encoders.load_encoder = lambda name="auto", **options: toy.ColourEncoder()
watching.SETTLE_S, watching.LOOK_S, writer.FLUSH_ROWS = 0.5, 0.1, 4
sys.argv[0] = "sayso"
from sayso.__main__ import program
program()
"""


def held(where) -> set[str]:
    index = Index.open(where, toy.ColourEncoder())
    rows = index.store.clips.to_arrow().select(["path", "start_s"]).to_pylist()
    assert len({(row["path"], row["start_s"]) for row in rows}) == len(rows)
    return {os.path.basename(path) for path in index.store.records()}


def come(there: Path, make, *what) -> None:
    """Let a file come whole: one that is still being written may look settled where the machine is busy."""
    make(there.with_name(f".{there.name}"), *what).rename(there)


def wait_until(true, what="it"):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"{what} did not come about"
        time.sleep(0.05)


@contextmanager
def watching(where, settling=None, **options):
    """Watch in a thread of this process; what goes wrong there is raised here."""
    problems, said = [], []
    index = Index.open(where, toy.ColourEncoder())
    watch = Watch(
        index,
        Adding(**options),
        lambda report, waiting: said.append((report, waiting)),
        settling=settling or Settling(settle_s=0.5),
    )

    def run():
        try:
            watch.run()
        except BaseException as error:  # noqa: BLE001
            problems.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_until(lambda: said or problems, "the first look")
        yield said
    finally:
        watch.stop.set()
        thread.join()
        assert problems == []


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr("sayso.index.watching.LOOK_S", 0.1)


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "media"
    (folder / "sub").mkdir(parents=True)
    toy.make_picture(folder / "white.png", "white")
    return folder


def test_what_comes_moves_and_goes_is_found(media, tmp_path):
    where = tmp_path / "media" / "x.index"  # in the folder that is watched
    Index.open(where, toy.ColourEncoder()).add(media)
    toy.make_picture(media / "while nobody watched.png", "black")
    with watching(where) as said:
        come(media / "sub" / "red.png", toy.make_picture, "red")
        wait_until(lambda: held(where) == {"white.png", "red.png", "while nobody watched.png"})
        (media / "sub" / "red.png").rename(media / "moved.png")
        wait_until(lambda: held(where) == {"white.png", "moved.png", "while nobody watched.png"})
        come(media / "talk.mp4", toy.make_video, ["red", "blue"])
        wait_until(lambda: "talk.mp4" in held(where))
        (media / "talk.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\na boat\n")
        wait_until(lambda: Index.open(where, toy.ColourEncoder()).search("boat", text_weight=1.0))
        wait_until(lambda: sum(report.moved for report, _ in said) == 1)
        (media / "white.png").unlink()
        wait_until(lambda: said[-1][0].vanished == 1)
        assert "white.png" in held(where)
        assert not any(report.failures for report, _ in said)
    with watching(where, prune=True):
        (media / "moved.png").unlink()
        wait_until(lambda: held(where) == {"talk.mp4", "while nobody watched.png"})


def test_a_file_that_is_being_written_waits(media, tmp_path):
    """The clock by which files settle stands still until the file is whole."""
    where, clock = tmp_path / "x.index", [time.time()]
    os.utime(media / "white.png", (1, 1))
    Index.open(where, toy.ColourEncoder()).add(media)
    content = toy.make_video(tmp_path / "whole.mp4", ["red", "blue", "green"]).read_bytes()
    with watching(where, settling=Settling(3.0, lambda: clock[0])) as said:
        (media / "new.mp4").write_bytes(content[:2000])
        wait_until(lambda: said[-1][1] == 1, "that it waits")
        with (media / "new.mp4").open("ab") as file:
            file.write(content[2000:])
        toy.make_picture(media / "old.png", "black")
        os.utime(media / "old.png", (1, 1))
        wait_until(lambda: held(where) == {"white.png", "old.png"})
        clock[0] += 10
        wait_until(lambda: sum(report.added for report, _ in said) == 2)
        assert held(where) == {"white.png", "old.png", "new.mp4"}
        assert [one.error for report, _ in said for one in report.failures] == []
        assert sum(report.clips for report, _ in said) == 4


def test_what_is_named_and_what_is_mounted_meanwhile_is_watched_too(media, tmp_path):
    where, drive = tmp_path / "x.index", tmp_path / "drive"
    drive.mkdir()
    toy.make_picture(drive / "cyan.png", "cyan")
    Index.open(where, toy.ColourEncoder()).add(media, drive)
    drive.rename(tmp_path / "unplugged")
    toy.make_picture(tmp_path / "unplugged" / "red.png", "red")
    alone = toy.make_picture(tmp_path / "alone.png", "blue")
    with watching(where, prune=True):
        assert held(where) == {"white.png", "cyan.png"}
        (tmp_path / "unplugged").rename(drive)
        wait_until(lambda: held(where) == {"white.png", "cyan.png", "red.png"})
        Index.open(where, toy.ColourEncoder()).add(alone)
        before = Index.open(where, toy.ColourEncoder()).store.records()[str(alone)]
        toy.make_picture(alone, "green", size=(80, 60))
        wait_until(lambda: Index.open(where).store.records()[str(alone)].content != before.content)


def test_neither_the_index_nor_what_is_hidden_matters():
    folders = ["/home/.videos", "/b"]
    assert _matters("/home/.videos/x.mp4", folders, "/b/my.index")
    assert _matters("/b/my.index2/x.mp4", folders, "/b/my.index")
    assert not _matters("/b/my.index/media.lance/data", folders, "/b/my.index")
    assert not _matters("/b/sub/.x.mp4.part", folders, "/b/my.index")
    assert not _matters("/b/.trash/x.mp4", folders, "/b/my.index")


def test_settling_goes_by_size_and_date():
    clock = [1000.0]
    settling = Settling(3.0, lambda: clock[0])
    assert not settling.is_held("/nowhere")
    path = __file__
    real = os.stat(path).st_mtime
    clock[0] = real + 3.01
    assert not settling.is_held(path)
    clock[0] = real + 1
    assert settling.is_held(path) and len(settling) == 1 and settling.ready() == set()
    clock[0] = real + 3.5
    assert settling.ready() == {path} and len(settling) == 0
    clock[0] = real - 5000  # the camera's clock is ahead
    assert settling.is_held(path)
    clock[0] += 2
    assert settling.is_held(path)
    clock[0] += 2
    assert not settling.is_held(path)


def start(where):
    command = [sys.executable, "-c", PROGRAM, "watch", str(where)]
    return process(command)


@pytest.mark.parametrize("ends", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_end_is_clean(media, tmp_path, ends):
    where = tmp_path / "x.index"
    Index.open(where, toy.ColourEncoder()).add(media)
    with start(where) as watcher:
        assert f"watching {media}" in watcher.stderr.readline()
        come(media / "red.png", toy.make_picture, "red")
        wait_until(lambda: "red.png" in held(where))
        watcher.send_signal(ends)
        _, err = watcher.communicate(timeout=PATIENCE_S)
    assert watcher.returncode == 0, err
    assert err == "sayso: watching ended; the index is whole\n"


@pytest.mark.slow
def test_killed_twenty_times_nothing_is_lost_or_there_twice(media, tmp_path):
    where, rng, colours = tmp_path / "x.index", random.Random(0), sorted(toy.COLOURS)
    Index.open(where, toy.ColourEncoder()).add(media)
    for k in range(20):
        with start(where) as watcher:
            watcher.stderr.readline()
            for j in range(3):
                toy.make_video(media / f"{k}-{j}.mp4", [colours[k % 8], colours[j]], fps=1)
            time.sleep(rng.uniform(0.0, 2.5))
            watcher.kill()
    with start(where) as watcher:
        wait_until(lambda: len(held(where)) == 61)
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=PATIENCE_S)
    assert len(Index.open(where, toy.ColourEncoder())) == 121


def test_a_renamed_file_that_waits_is_not_said_to_have_vanished(capsys):
    told = _Told(as_json=False)
    told(AddReport(files=3, vanished=1), 1)
    assert "vanished" not in (said := capsys.readouterr().out) and "1 still being written" in said
    told(AddReport(files=3, moved=1), 0)
    assert "1 moved" in capsys.readouterr().out
    told(AddReport(files=2, vanished=1), 0)
    assert "1 vanished" in capsys.readouterr().out


def test_what_comes_while_it_looks_for_the_first_time_is_not_missed(media, tmp_path, monkeypatch):
    where = tmp_path / "x.index"
    Index.open(where, toy.ColourEncoder()).add(media)
    looks = []

    def looked(*given):
        report = add_paths(*given)
        if not looks:  # after the look, before the system tells what changes
            os.utime(toy.make_picture(media / "late.png", "red"), (1e9, 1e9))
        looks.append(report)
        return report

    monkeypatch.setattr("sayso.index.watching.add_paths", looked)
    with watching(where):
        wait_until(lambda: "late.png" in held(where), "the file that came meanwhile")


def test_nothing_waits_for_a_change_that_does_not_come(media, tmp_path, monkeypatch):
    """Where the machine is busy watchfiles does not say that nothing changed: its time-outs do not come."""
    where = tmp_path / "x.index"
    os.utime(media / "white.png", (1, 1))
    Index.open(where, toy.ColourEncoder()).add(media)

    def silent(*folders, stop_event, **_):
        while not stop_event.is_set():
            time.sleep(0.01)
        yield from ()

    monkeypatch.setattr("watchfiles.watch", silent)
    toy.make_picture(media / "new.png", "red")
    with watching(where):
        wait_until(lambda: "new.png" in held(where), "the file that was still being written")
