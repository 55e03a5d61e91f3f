"""Every write call in turn is the last: a run is killed there, or the disk is full, and it goes on.

A process loads what a run needs and forks: one child runs until its nth call that writes below its folder
(Python's by audit events, LanceDB's before and after each), another looks, goes on and says what came of it.
As a program:

    python kill_points.py FOLDER index --points 40 [--full] [--count]

prints a line of JSON for each point: ``call``, ``wrong`` (empty where all is well), ``seconds``, ``peak_mb``;
or only how many points there are.
"""

from __future__ import annotations

import argparse
import errno
import functools
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from kill_workloads import WORKLOADS, Workload
from memory_folder import memory_folder

GROWS = ("open", "mkdir", "symlink", "link")  # what a full disk refuses
LANCE = ("add", "delete", "update", "optimize", "create_index", "create_scalar_index", "create_fts_index")
LIMIT_S = 300
_NAMED_ANEW = re.compile(r"\.lance/|/events\.out\.tfevents\.")
FULL_SENTENCES = ("disk is full", "No space left on device", "disk may be full")


class LastCall:
    """Counts the calls that write below a folder, and lets one of them be the last.

    Args:
        folder: below which calls count.
        last: the number of the last call, from 0; those before it are as they are.
        full: whether it fails, and all that follow, for want of space; else the process is killed.
        told: a descriptor to which its name is written.
    """

    def __init__(self, folder: Path, last: int, full: bool, told: int) -> None:
        self.folder, self.last, self.full, self.told = str(folder), last, full, told
        self.count, self.lock = 0, threading.Lock()

    def install(self) -> None:
        """Watch this process until it ends."""
        sys.addaudithook(self.audit)
        fsync = os.fsync
        os.fsync = lambda descriptor: (self.call("fsync", None), fsync(descriptor))[1]
        if "lancedb" in sys.modules:
            self.watch_lancedb()

    def watch_lancedb(self) -> None:
        from lancedb.db import LanceDBConnection
        from lancedb.merge import LanceMergeInsertBuilder
        from lancedb.table import LanceTable

        for owner, names in (
            (LanceTable, LANCE),
            (LanceDBConnection, ("create_table", "drop_table")),
            (LanceMergeInsertBuilder, ("execute",)),
        ):
            for name in names:
                setattr(owner, name, self.around(name, getattr(owner, name)))

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of LanceDB between two calls that count."""

        @functools.wraps(function)
        def called(*given: Any, **named: Any) -> Any:
            self.call(f"lance {name}", None)
            result = function(*given, **named)
            if not self.full:
                self.call(f"after lance {name}", None)
            return result

        return called

    def audit(self, event: str, given: tuple[Any, ...]) -> None:
        """Take an audit event."""
        name = event.removeprefix("os.")
        if name == "open":
            path, mode, flags = given
            writes = any(letter in (mode or "") for letter in "wax+") or (mode is None and flags & 0o3103)
            if not writes:
                return
        elif name in ("rename", "remove", "mkdir", "rmdir", "symlink", "truncate", "link"):
            path = given[1 if name in ("symlink", "link") else 0]
        else:
            return
        if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self.folder):
            self.call(name, os.fsdecode(path))
            if name == "open" and given[1] and "a" in given[1] and not self.full:
                self.call("torn", os.fsdecode(path))

    def call(self, name: str, path: str | None) -> None:
        """Count a call; end where it is the last one."""
        if self.full and not name.startswith(("lance", *GROWS)):
            return
        with self.lock:
            number, self.count = self.count, self.count + 1
        if number < self.last:
            return
        if number == self.last:
            os.write(self.told, f"{name} {os.path.relpath(path, self.folder) if path else ''}".encode())
        if not self.full:
            if name == "torn":
                descriptor = os.open(path or "", os.O_WRONLY | os.O_APPEND)
                os.write(descriptor, b'{"to')
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()
        if name.startswith("lance"):
            raise RuntimeError("lance error: LanceError(IO): No space left on device (os error 28)")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def in_child(work: Callable[[int], None], error_file: Path) -> tuple[int, bytes]:
    """Run in a forked process whose stderr goes into a file; return how it ended, and what it told."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid == 0:
        signal.alarm(LIMIT_S)
        os.dup2(os.open(error_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        code = 1
        try:
            work(write)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: BLE001  told below
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(write)
    told = b""
    while piece := os.read(read, 1 << 16):
        told += piece
    os.close(read)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told


def as_a_verb(workload: Workload, folder: Path, full: bool) -> None:
    """Run as the command does, whose errors are sentences."""
    from sayso.cli.boundary import end_of

    try:
        workload.run(folder)
    except Exception as error:
        if not full:
            raise
        sys.exit(end_of(error))


def expected_of(workload: Workload, template: Path, work: Path, errors: Path) -> str:
    """Return what an undisturbed run comes to."""
    renew(template, work)

    def whole(told: int) -> None:
        workload.run(work)
        workload.look(work)
        os.write(told, outcome_of(workload, work))

    code, told = in_child(whole, errors)
    if code:
        raise RuntimeError(f"undisturbed: {errors.read_text()}")
    return told.decode()


def outcome_of(workload: Workload, work: Path) -> bytes:
    """Return as JSON what a run came to, and the names of all files and empty folders.

    Files that the libraries name anew each time are left out.
    """
    left = (path for path in work.rglob("*") if path.is_symlink() or not path.is_dir() or is_empty(path))
    names = (str(path.relative_to(work)) for path in left)
    names = sorted({name for name in names if not _NAMED_ANEW.search(name)})
    return json.dumps({"result": workload.result(work), "files": names}, sort_keys=True).encode()


def is_empty(folder: Path) -> bool:
    """Tell whether nothing is in a folder."""
    return next(folder.iterdir(), None) is None


def renew(template: Path, work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(template, work, symlinks=True)


def points(
    workload: Workload,
    folder: Path,
    *,
    full: bool = False,
    count: int = 10**9,
    offset: int = 0,
    step: int = 1,
    skip: Collection[int] = (),
) -> Iterator[dict[str, Any]]:
    """Yield what came of each point at which a run ended.

    Args:
        workload: what runs.
        folder: an empty one.
        full: whether the disk is full from there on; else the run is killed.
        count: of points at most.
        offset: number of the first.
        step: from one to the next.
        skip: numbers of points that are left out.
    """
    template, work, errors = folder / "template", folder / "work", folder / "errors.txt"
    work.mkdir()
    code, _ = in_child(lambda _: workload.prepare(work), errors)
    if code:
        raise RuntimeError(f"not prepared: {errors.read_text()}")
    work.rename(template)
    expected = expected_of(workload, template, work, errors)
    for n in range(offset, offset + count * step, step):
        if n in skip:
            continue
        renew(template, work)
        began = time.perf_counter()

        def cut_off(told: int, last: int = n) -> None:
            LastCall(work, last, full, told).install()
            as_a_verb(workload, work, full)

        code, told = in_child(cut_off, errors)
        if not told:
            return
        said = errors.read_text(errors="replace")
        wrong = _wrong_end(code, said, full)

        def go_on(told: int) -> None:
            workload.look(work)
            workload.run(work)
            workload.look(work)
            os.write(told, outcome_of(workload, work))

        again, found = in_child(go_on, errors)
        if again:
            wrong = wrong or f"it does not go on: {errors.read_text(errors='replace')[-3000:]}"
        elif found.decode() != expected:
            wrong = wrong or f"another result: {found.decode()[:2000]} instead of {expected[:2000]}"
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        seconds = time.perf_counter() - began
        yield {"n": n, "call": told.decode(), "wrong": wrong, "seconds": seconds, "peak_mb": peak_mb}


def count_points(workload: Workload, folder: Path, *, full: bool = False) -> int:
    """Return at how many points a run may end.

    Args:
        workload: what runs.
        folder: an empty one.
        full: see ``points``.
    """
    work, errors = folder / "work", folder / "errors.txt"
    work.mkdir()

    def counted(told: int) -> None:
        calls = LastCall(work, sys.maxsize, full, told)
        calls.install()
        workload.run(work)
        os.write(told, str(calls.count).encode())

    for step in (lambda _: workload.prepare(work), counted):
        code, told = in_child(step, errors)
        if code:
            raise RuntimeError(errors.read_text())
    return int(told)


def _wrong_end(code: int, said: str, full: bool) -> str:
    if not full:
        return "" if code == -signal.SIGKILL else f"it ended with {code}: {said[-3000:]}"
    if code == 0:
        return ""  # what could not be written is nothing that matters, such as a cache
    plain = "Traceback" not in said and any(sentence in said for sentence in FULL_SENTENCES)
    return "" if code == 1 and plain else f"exit {code}: {said[-3000:]}"


def run_points(name: str, *, full: bool = False, count: int = 10**9, step: int = 1) -> list[dict[str, Any]]:
    """Return the points of a workload that a fresh process tried.

    Args:
        name: of the workload.
        full: see ``points``.
        count: see ``points``.
        step: see ``points``.
    """
    with memory_folder() as folder:
        command = [sys.executable, __file__, str(folder), name, "--points", str(count), "--step", str(step)]
        command += ["--full"] if full else []
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        raise RuntimeError(done.stderr[-4000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def _environment() -> dict[str, str]:
    paths = os.pathsep.join(dict.fromkeys([str(Path(__file__).parent), *filter(None, sys.path)]))
    quiet = {"SAYSO_CONFIG": "", "SAYSO_NO_DAEMON": "1", "OMP_NUM_THREADS": "1", "RUST_LOG": "off"}
    return {**os.environ, **quiet, "PYTHONPATH": paths}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--points", type=int, default=10**9)
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--size", type=int, default=1, help="how many times as much is done")
    parser.add_argument("--skip", type=json.loads, default=[], help="numbers of points, as a JSON list")
    parser.add_argument("--count", action="store_true", help="only say how many there are")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    workload = WORKLOADS[given.workload](given.size)
    workload.load()
    if given.count:
        print(count_points(workload, given.folder.resolve(), full=given.full))
        return
    for point in points(
        workload,
        given.folder.resolve(),
        full=given.full,
        count=given.points,
        offset=given.offset,
        step=given.step,
        skip=set(given.skip),
    ):
        print(json.dumps(point), flush=True)


if __name__ == "__main__":
    main()
