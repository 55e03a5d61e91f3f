"""The actors of a Ray cluster that a process has started, found in /proc."""

from __future__ import annotations

import contextlib
from pathlib import Path

from test_transcribing import children


def actors(pid: int) -> list[int]:
    """Return the process ids of our actors among all that descend from a process."""
    found = []
    for child in children(pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"ray::_Actor"):
                found.append(child)
        found += actors(child)
    return found
