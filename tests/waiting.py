"""Waiting for what happens elsewhere, in a browser, a thread or a process, however busy the machine is."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

WAIT_S = 120.0
"""As long as anything in a browser may take on a busy machine; on a quiet one nobody waits."""

PATIENCE_S = 300.0
"""As long as a process may take to start, work and end: only what hangs takes longer."""


def wait_for(condition: Callable[[], object], otherwise: Callable[[], str], limit_s: float = WAIT_S) -> None:
    """Ask again and again until a condition holds.

    Args:
        condition: asked.
        otherwise: returns what is said if it never holds.
        limit_s: how long, seconds.
    """
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(otherwise())
        time.sleep(0.03)


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """Give a port that only a process which is told of it takes.

    It stays bound meanwhile, so that the system gives it to nobody; whoever allows the address to be used
    again, as servers do, can bind it and listen all the same.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("", 0))
        yield held.getsockname()[1]


@contextlib.contextmanager
def process(command: Sequence[object], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a process whose output is text; it never outlives the block, however that ends.

    Args:
        command: the program and its arguments.
        options: of ``subprocess.Popen``; without them what it prints is read through pipes.
    """
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    with subprocess.Popen([str(part) for part in command], **options) as started:
        try:
            yield started
        finally:
            started.kill()
