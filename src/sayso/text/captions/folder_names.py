"""The names of the files in a folder, listed once for all videos in it."""

from __future__ import annotations

import os
import time
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

SETTLED_S = 2.0

Names = tuple[tuple[str, str, str], ...]


def file_names(folder: Path) -> Names:
    """Return the file names of a folder without their case, composed (NFC) and as they are, in order."""
    try:
        changed = folder.stat().st_mtime_ns
        if time.time_ns() - changed < SETTLED_S * 1e9:  # it may change again within the clock's grain
            return _list(str(folder), changed)
        return _listed(str(folder), changed)
    except OSError:
        return ()


def starting_with(names: Names, start: str, *, any_case: bool = False) -> Iterator[tuple[str, str]]:
    """Yield names composed and as they are, in order.

    Args:
        names: of a folder, sorted.
        start: with which they begin.
        any_case: whether capitals count as small letters.
    """
    folded = start.casefold()
    at = bisect_left(names, (folded,))
    while at < len(names) and names[at][0].startswith(folded):
        if any_case or names[at][1].startswith(start):
            yield names[at][1:]
        at += 1


def holds(names: Names, name: str) -> bool:
    """Say whether there is a file of that name."""
    return any(found == name for found, _ in starting_with(names, name))


def _list(folder: str, changed: int) -> Names:  # noqa: ARG001
    composed = ((unicodedata.normalize("NFC", name), name) for name in os.listdir(folder))  # noqa: PTH208
    return tuple(sorted((name.casefold(), name, real) for name, real in composed))


_listed = lru_cache(maxsize=4)(_list)
