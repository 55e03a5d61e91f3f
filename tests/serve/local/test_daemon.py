"""The daemon as a process: left behind, asked, killed, idle, stopped; and one that is there already."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from listening import listening
from sayso.serve.local.client import WarmIndex
from sayso.serve.local.lines import SilentError, ask
from sayso.serve.local.listener import take_lock
from sayso.serve.local.place import socket_name
from sayso.serve.local.start import listeners, start_daemon, stop_daemons
from waiting import PATIENCE_S, process

PICTURES = "kind = 'picture'"


def wait_for(what):
    """Wait until something is true; return it."""
    until = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def answers(path):
    """Whether somebody answers at a path: it has taken its handlers and reads."""
    try:
        return ask(path, {"do": "about"})
    except SilentError:
        return None


def titles(address, **options):
    warm = WarmIndex(address)
    return sorted(hit.title for hit in warm.search("", filter=PICTURES)), warm._opened is None


def ended(pid):
    """Whether a process that is not ours has ended: it may wait for init to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_answers_is_killed_is_followed_by_another_and_is_stopped(runtime, index):
    address, name = index.store.address, socket_name()
    start_daemon(name, address, "auto")
    first = wait_for(lambda: [one for one in listeners() if "indexes" in one])[0]
    wait_for(lambda: titles(address) == (["green", "white"], True))
    start_daemon(name, address, "auto")  # does nothing
    assert [one["pid"] for one in listeners()] == [first["pid"]]
    os.kill(first["pid"], signal.SIGKILL)
    wait_for(lambda: ended(first["pid"]))
    assert (runtime / name).exists()
    assert titles(address) == (["green", "white"], False)
    start_daemon(name, address, "auto")
    second = wait_for(lambda: [one for one in listeners() if "indexes" in one])[0]
    assert second["pid"] != first["pid"]
    assert stop_daemons()[0]["pid"] == second["pid"]
    wait_for(lambda: ended(second["pid"]))
    assert not list(runtime.iterdir())
    assert listeners() == []


def test_one_that_hangs_is_ended_all_the_same(runtime, index, monkeypatch):
    start_daemon(socket_name(), index.store.address, "auto")
    pid = wait_for(lambda: [one for one in listeners() if "indexes" in one])[0]["pid"]
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("sayso.serve.local.lines.PATIENCE_S", 0.2)
    monkeypatch.setattr("sayso.serve.local.start.STOP_S", 0.2)
    assert titles(index.store.address) == (["green", "white"], False)
    assert [one["pid"] for one in stop_daemons()] == [pid]
    wait_for(lambda: ended(pid))


def test_the_command_leaves_one_and_asks_it(runtime, index):
    def sayso(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "sayso", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        return done.stdout

    search = ("search", index.store.address, "--filter", PICTURES, "--json")
    first = sayso(*search)
    assert first.count("\n") == 2
    wait_for(lambda: any("indexes" in one for one in listeners()) or sayso(*search) != first)
    assert sayso(*search) == first
    wait_for(lambda: [list(one.get("indexes", ())) for one in listeners()] == [[index.store.address]])
    assert json.loads(sayso("daemon", "--stop", "--json"))["kind"] == "daemon"
    assert listeners() == []


def test_it_ends_when_idle_when_told_and_when_its_socket_is_gone(runtime, index):
    command = [
        sys.executable,
        "-c",
        "import sys; from sayso.serve.local.daemon import main; main(*sys.argv[1:])",
    ]
    runtime.mkdir(mode=0o700)

    def started(name, minutes):
        return process([*command, runtime / name, minutes, index.store.address, "auto"])

    with (
        started("a.sock", "0.001") as idle,
        started("b.sock", "9") as told,
        started("c.sock", "9") as lost,
    ):
        wait_for(lambda: answers(runtime / "b.sock") and answers(runtime / "c.sock"))
        told.terminate()
        (runtime / "c.sock").unlink()
        assert [one.wait(PATIENCE_S) for one in (idle, told, lost)] == [0, 0, 0]
    assert not list(runtime.iterdir())


def test_a_second_one_ends_at_once_and_the_first_goes_on(runtime, index):
    with listening() as first:
        command = "import sys; from sayso.serve.local.daemon import main; main(*sys.argv[1:])"
        told = [str(first.path), "9", index.store.address, "auto"]
        subprocess.run([sys.executable, "-c", command, *told], check=True, timeout=PATIENCE_S)
        assert ask(first.path, {"do": "about"})["pid"] == os.getpid()
    with pytest.raises(SilentError):
        ask(first.path, {"do": "about"})


def test_a_lock_goes_with_its_file(tmp_path):
    path = tmp_path / "x.lock"
    held = take_lock(path)
    with pytest.raises(OSError, match=r".*"):
        take_lock(path)
    path.unlink()
    other = take_lock(path)
    os.close(held)
    os.close(other)


def test_a_full_disk_or_a_folder_that_is_gone_starts_none(runtime, index, monkeypatch):
    monkeypatch.setattr("sayso.serve.local.start.private_folder", lambda make=False: None)
    monkeypatch.setattr("subprocess.run", lambda *told, **options: pytest.fail("started"))
    start_daemon(socket_name(), index.store.address, "auto")
    monkeypatch.undo()

    def full(*told, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("subprocess.run", full)
    monkeypatch.setattr("sayso.serve.local.start.private_folder", lambda make=False: runtime)
    start_daemon(socket_name(), index.store.address, "auto")


def test_what_killed_ones_left_is_removed_once_it_is_old(runtime, index):
    runtime.mkdir(mode=0o700)
    for name, age_s in (("old", 3600), ("new", 0), ("held", 3600)):
        (runtime / f"{name}.sock").write_text("")
        lock = runtime / f"{name}.lock"
        lock.write_text("")
        os.utime(lock, (time.time() - age_s,) * 2)
    held = take_lock(runtime / "held.lock")
    with listening():
        left = {path.name for path in runtime.iterdir() if not path.name.startswith("daemon")}
        assert left == {"new.sock", "new.lock", "held.sock", "held.lock"}
    os.close(held)
