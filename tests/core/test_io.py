"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sayso.core.errors import SaysoError
from sayso.core.io import UNFINISHED, atomic_file, atomic_folder, make_folder, sha256_of, write_atomic
from sayso.core.ownership import RECORD


def test_writes_text_and_bytes_and_makes_the_folders_above(tmp_path):
    write_atomic(tmp_path / "a" / "b.txt", "käse \udc80")
    write_atomic(tmp_path / "a" / "c.bin", b"\x00\xff")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "käse ?".encode()
    assert (tmp_path / "a" / "c.bin").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [RECORD, "b.txt", "c.bin"]


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), atomic_file(path, guarded=False) as file:
        file.write(b"half of it" * (1 // 0))
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["kept.txt"]


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("before")
    program = textwrap.dedent(f"""
        import time
        from sayso.core.io import atomic_file
        with atomic_file({str(path)!r}, guarded=False) as file:
            file.write(b"new" * 100_000)
            file.flush()
            print("written", flush=True)
            time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "before"
    left = set(os.listdir(tmp_path)) - {"kept.txt"}
    assert len(left) == 1, "what the next writing must take up"
    write_atomic(path, "after", guarded=False)
    assert path.read_text() == "after"
    assert os.listdir(tmp_path) == ["kept.txt"]


def test_writers_of_one_file_at_a_time_do_not_meet(tmp_path):
    path = tmp_path / "kept.txt"
    with atomic_file(path, guarded=False) as first:
        first.write(b"first")
        first.flush()
        with atomic_file(path, guarded=False) as second:
            second.write(b"the second")
        assert path.read_text() == "the second"
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["kept.txt"]


def _is_open(path: Path) -> bool:
    """Return whether this process has a file open."""
    held = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
    return any(one.exists() and one.samefile(path) for one in held)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list what is open")
@pytest.mark.parametrize("fails", [False, True])
def test_without_locks_a_file_is_closed_before_it_gets_its_name_or_goes(tmp_path, monkeypatch, fails):
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows, which renames and removes no open file
    seen = []
    for name in ("replace", "unlink"):
        plain = getattr(Path, name)

        def watched(self, *given, _name=name, _plain=plain, **options):
            seen.append((_name, _is_open(self)))
            return _plain(self, *given, **options)

        monkeypatch.setattr(Path, name, watched)
    ending = pytest.raises(ZeroDivisionError) if fails else contextlib.nullcontext()
    with ending, atomic_file(tmp_path / "a.txt", guarded=False) as file:
        file.write(b"new")
        assert _is_open(next(tmp_path.iterdir()))
        1 // (not fails)
    assert seen == [("unlink" if fails else "replace", False)]
    assert os.listdir(tmp_path) == ([] if fails else ["a.txt"])


def test_a_folder_that_the_system_does_not_open_is_written_to(tmp_path, monkeypatch):
    plain = os.open

    def opened(path, *given, **options):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return plain(path, *given, **options)

    monkeypatch.setattr(os, "open", opened)
    write_atomic(tmp_path / "a.txt", "new", guarded=False)
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "folder"])
def test_nothing_of_others_is_written_to_under_the_name_of_a_file_in_writing(tmp_path, kind):
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    waiting = tmp_path / f".new{UNFINISHED}"
    {
        "link": lambda: waiting.symlink_to(theirs),
        "hard link": lambda: waiting.hardlink_to(theirs),
        "pipe": lambda: os.mkfifo(waiting),
        "folder": waiting.mkdir,
    }[kind]()
    write_atomic(tmp_path / "new", "new", guarded=False)
    assert (tmp_path / "new").read_text() == "new"
    assert theirs.read_text() == "theirs"
    assert sorted(os.listdir(tmp_path)) == sorted([waiting.name, "new", "theirs"])


def test_where_files_cannot_be_locked_nothing_is_left(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    for text in ("once", "again"):
        write_atomic(tmp_path / "kept.txt", text, guarded=False)
        assert (tmp_path / "kept.txt").read_text() == text
        assert os.listdir(tmp_path) == ["kept.txt"]
    theirs = tmp_path / f".kept.txt{UNFINISHED}"
    theirs.write_text("half of what another writes")
    write_atomic(tmp_path / "kept.txt", "thrice", guarded=False)
    assert theirs.read_text() == "half of what another writes"


def test_many_processes_that_write_one_file_leave_one_whole(tmp_path):
    path = tmp_path / "kept.txt"
    program = textwrap.dedent(f"""
        import sys
        from sayso.core.io import write_atomic
        for _ in range(50):
            write_atomic({str(path)!r}, sys.argv[1] * 50_000, guarded=False)
    """)
    writers = [subprocess.Popen([sys.executable, "-c", program, letter]) for letter in "abcd"]
    assert [one.wait() for one in writers] == [0] * 4
    assert path.read_text() in {letter * 50_000 for letter in "abcd"}
    assert os.listdir(tmp_path) == ["kept.txt"]


def test_the_file_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("fsync"), real_fsync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda *a: (steps.append("rename"), real_replace(*a))[1])
    monkeypatch.setattr(os, "rename", lambda *a: (steps.append("rename"), real_replace(*a))[1])
    write_atomic(tmp_path / "x", "x", guarded=False)
    assert steps == ["fsync", "rename", "fsync"]


def test_new_files_have_the_usual_permissions(tmp_path):
    write_atomic(tmp_path / "x", "x")
    (tmp_path / "y").write_text("y")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaysoError, match=r"file/x cannot be written: .*; give another place"):
        write_atomic(tmp_path / "file" / "x", "x")
    with pytest.raises(SaysoError, match="cannot be written: Is a directory"):
        write_atomic(tmp_path, "x", guarded=False)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "model") as new:
        (new / "config.json").write_text("{}" * (1 // 0))
    assert os.listdir(tmp_path) == []
    with atomic_folder(tmp_path / "model") as new:
        (new / "inner").mkdir()
        (new / "inner" / "config.json").write_text("{}")
        assert not (tmp_path / "model").exists()
    assert (tmp_path / "model" / "inner" / "config.json").read_text() == "{}"
    assert os.listdir(tmp_path) == ["model"]


def test_a_folder_in_use_is_refused_and_untouched(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").write_text("mine")
    with pytest.raises(SaysoError, match="not an empty folder"), atomic_folder(tmp_path / "model"):
        raise AssertionError("the block must not run")
    assert (tmp_path / "model" / "mine.txt").read_text() == "mine"


def test_an_empty_folder_may_be_taken_and_a_file_may_not(tmp_path):
    (tmp_path / "model").mkdir()
    with atomic_folder(tmp_path / "model") as new:
        (new / "x").write_text("x")
    assert os.listdir(tmp_path / "model") == ["x"]
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(SaysoError, match="file is there already and not an empty folder"),
        atomic_folder(tmp_path / "file"),
    ):
        raise AssertionError("the block must not run")
    with pytest.raises(
        SaysoError, match=r"the folder .*file cannot be made: File exists; give another place"
    ):
        make_folder(tmp_path / "file")


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    with pytest.raises(SaysoError, match="model cannot be written: No space left on device"):
        fill(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def fill(folder):
    """Write until the disk is full."""
    with atomic_folder(folder) as new:
        (new / "config.json").write_text("{}")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_digest_is_that_of_hashlib(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "x").write_bytes(content)
    assert sha256_of(tmp_path / "x") == hashlib.sha256(content).hexdigest()
