"""Waiting for what happens elsewhere, in a browser or a thread, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_S = 30.0
"""As long as anything in a browser may take on a busy machine; on a quiet one nobody waits."""


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
