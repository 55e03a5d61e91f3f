from __future__ import annotations

import errno
import threading

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sayso.engine.event_file import EventFile


def _shown(folder):
    shown = EventAccumulator(str(folder))
    shown.Reload()
    return {name: [(one.step, one.value) for one in shown.Scalars(name)] for name in shown.Tags()["scalars"]}


def test_tensorboard_shows_what_was_written_and_forgets_what_a_killed_run_wrote_after_its_last_step(tmp_path):
    first = EventFile(tmp_path / "board", 1)
    for step in range(1, 5):
        first.write({"loss": 2.0**-step, "epoch": 0}, step)
    with first.path.open("ab") as file:
        file.write(b"\x20cut off")
    again = EventFile(tmp_path / "board", 3)
    again.write({"loss": 7.5}, 3)
    assert first.path < again.path, "TensorBoard reads files in the order of their names"
    assert _shown(tmp_path / "board") == {
        "loss": [(1, 0.5), (2, 0.25), (3, 7.5)],
        "epoch": [(1, 0.0), (2, 0.0)],
    }


def test_a_full_disk_is_told_where_it_is_written(tmp_path):
    events, threads = EventFile(tmp_path / "board", 1), set(threading.enumerate())
    events.path.unlink()
    events.path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space") as told:
        events.write({"loss": 1.0}, 1)
    assert told.value.errno == errno.ENOSPC
    assert set(threading.enumerate()) <= threads, "no thread prints it as well"
