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

Names = tuple[tuple[str, str], ...]


def file_names(folder: Path) -> Names:
    """Return the file names of a folder, composed (NFC) and as they are, sorted by the first."""
    try:
        changed = folder.stat().st_mtime_ns
        if time.time_ns() - changed < SETTLED_S * 1e9:  # it may change again within the clock's grain
            return _list(str(folder), changed)
        return _listed(str(folder), changed)
    except OSError:
        return ()


def starting_with(names: Names, start: str) -> Iterator[tuple[str, str]]:
    """Yield the names that begin with ``start``, in order."""
    at = bisect_left(names, (start,))
    while at < len(names) and names[at][0].startswith(start):
        yield names[at]
        at += 1


def holds(names: Names, name: str) -> bool:
    """Say whether there is a file of that name."""
    at = bisect_left(names, (name,))
    return at < len(names) and names[at][0] == name


def _list(folder: str, changed: int) -> Names:  # noqa: ARG001
    return tuple(sorted((unicodedata.normalize("NFC", name), name) for name in os.listdir(folder)))  # noqa: PTH208


_listed = lru_cache(maxsize=4)(_list)
