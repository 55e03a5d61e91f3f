"""What was embedded is kept, by all that decides it, so that an evaluation that was cut off goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import read_arrays
from sayso.core.errors import SaysoError
from sayso.core.io import atomic_file

Arrays = dict[str, NDArray[Any]]


def cached(cache: Path | None, decides: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """Return arrays from the cache, or make and keep them.

    Args:
        cache: a folder; None: nothing is kept.
        decides: all that the arrays follow from, as JSON: model, files, how they are cut.
        make: makes them; arrays of numbers and text only.
    """
    if cache is None:
        return make()
    path = cache / f"{hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()}.npz"
    try:
        return read_arrays(path, "the cache")
    except SaysoError:
        made = make()
    with atomic_file(path, guarded=False) as new:
        np.savez(new, allow_pickle=False, **made)
    return made


def file_state(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Return size and time of a file, by which a change shows; None if it is not there."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns
