"""How a process of ours ends: native threads may run until the last moment.

LanceDB's threads call into Python. One that does so while the interpreter is torn down aborts the process
(``Fatal Python error: PyGILState_Release``), and a run that did all it should ends with signal 6.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path


def run_and_leave(main: Callable[[], None]) -> None:
    """Run a program, and end the process behind it without tearing the interpreter down.

    What is registered with ``atexit`` is still called, and what was printed is written. Call it once, first
    of all: what was registered before it is not called.

    Args:
        main: the program; its ``SystemExit`` says the exit code, any other error is 1.
    """
    code = 1
    _open_closed()

    def leave() -> None:
        os._exit(_written(code))

    atexit.register(leave)
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise


def _open_closed() -> None:
    """Give the process an empty stdin, stdout or stderr where it was started with a closed one.

    Else what reads or prints fails, and the next file that is opened takes the number of the closed one.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _written(code: int) -> int:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # where the caller closed it
                stream.flush()
        except (OSError, ValueError):
            code = code or 1
    return code
