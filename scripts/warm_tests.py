"""Runs tests of a copy of the project in forks of one process, which imported what takes long to import."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

LIBRARIES = (
    "numpy",
    "PIL.Image",
    "scipy.optimize",
    "scipy.sparse",
    "hypothesis.strategies",
    "torch",
    "numba",
)
"""What tests import, none of which starts a thread."""


class Calls:
    """Notes which functions of a folder each test calls, and how long it takes, as a plugin of pytest.

    What a fixture calls counts for all tests of the file, since they may share what it made.

    Args:
        source: the folder.
        file: written at the end: each test's ``seconds`` and ``calls``, these as a file and a qualified name.
    """

    def __init__(self, source: Path, file: Path) -> None:
        self.source, self.file = f"{source}{os.sep}", file
        self.called: dict[int, CodeType] = {}
        self.of_tests: dict[str, set[str]] = {}
        self.of_files: dict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}

    def _trace(self, frame: FrameType, _event: str, _value: object) -> None:
        self.called[id(frame.f_code)] = frame.f_code

    def _ends(self) -> set[str]:
        sys.settrace(None)
        codes = [code for code in self.called.values() if code.co_filename.startswith(self.source)]
        self.called.clear()
        return {
            f"{code.co_filename.removeprefix(self.source)} {outermost(code.co_qualname)}" for code in codes
        }

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Note what its fixtures call."""
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            self.of_files[str(item.path)] |= self._ends()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Note what it calls."""
        began = time.perf_counter()
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            self.of_tests[item.nodeid] = self._ends()
            self.seconds[item.nodeid] = time.perf_counter() - began

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what was noted."""
        paths = {item.nodeid: str(item.path) for item in session.items}
        noted = {
            test: {"seconds": self.seconds[test], "calls": sorted(calls | self.of_files[paths[test]])}
            for test, calls in self.of_tests.items()
        }
        self.file.write_text(json.dumps(noted))


def outermost(name: str) -> str:
    """Return the qualified name of the function that holds a function, a comprehension or a lambda."""
    return name.partition(".<locals>")[0]


class WarmTests:
    """Runs tests in forks of this process, in which nothing of the project is imported.

    Args:
        copy: of the project.
    """

    def __init__(self, copy: Path) -> None:
        self.copy, self.said = copy, ""
        for name in LIBRARIES:
            if find_spec(name.partition(".")[0]):
                import_module(name)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was forked ends too
        if "sayso" in sys.modules or len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
            raise RuntimeError("a fork would have the project's modules, or lose a thread")

    def run(self, tests: list[str], *, limit_s: float, cpu_s: float, calls: Path | None = None) -> int | None:
        """Return the exit status of pytest, 128 and more where a signal ended it; None where time ran out.

        The signal is SIGXCPU where the processor's time ran out. What it said is kept in ``said``.

        Args:
            tests: as pytest takes them.
            limit_s: seconds by the clock.
            cpu_s: seconds of the processor, however busy the machine is.
            calls: where to note which functions each test calls.
        """
        output = self.copy / "said.txt"
        pid = os.fork()
        if pid == 0:
            self._in_child(tests, cpu_s, output, calls)
        with suppress(OSError):  # whoever is first
            os.setpgid(pid, pid)
        ends, status = time.monotonic() + limit_s, None
        try:
            while status is None and time.monotonic() < ends:
                ended, code = os.waitpid(pid, os.WNOHANG)
                status = os.waitstatus_to_exitcode(code) if ended else None
                time.sleep(0.02)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # what tests left, and they themselves where time ran out
            if status is None:
                os.waitpid(pid, 0)
        self.said = output.read_text(errors="replace")
        return 128 - status if status is not None and status < 0 else status

    def _in_child(self, tests: list[str], cpu_s: float, output: Path, calls: Path | None) -> None:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        code = 3
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s) + 1, int(cpu_s) + 5))
            os.chdir(self.copy)
            source = str(self.copy / "src")
            sys.path[:] = [source, *(path for path in sys.path if path and not path.endswith(f"{os.sep}src"))]
            os.environ |= {"PYTHONPATH": source, "NUMBA_CACHE_DIR": str(self.copy / "compiled")}
            sys.dont_write_bytecode = calls is None
            if calls is None:
                os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
            plugins: list[Any] = [Calls(self.copy / "src/sayso", calls)] if calls else []
            options = [
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                "-W",
                "ignore::pytest.PytestAssertRewriteWarning",
            ]
            code = int(pytest.main([*options, *tests], plugins=plugins))
            if "sayso" in sys.modules and not str(sys.modules["sayso"].__file__).startswith(source):
                code = 3
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
