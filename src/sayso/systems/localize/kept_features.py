"""Features of grid cells that a frozen backbone made, kept in a file that grows: a killed run goes on in it.

    features.f16     the features of all cells, one picture after the other
    features.jsonl   a line with what they follow from, then one a picture: its cells, or why it has none

A line is written when its picture's features are on disk, so that what the lines tell of is there.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import make_folder

if TYPE_CHECKING:
    from sayso.core.progress import Progress

Half = NDArray[np.float16]
_TOGETHER = 16  # pictures whose features go to the disk at once
log = logging.getLogger(__name__)


class KeptPicture(NamedTuple):
    """What is kept of one picture: how many cells each of its views has, or why it cannot be read."""

    cells: list[int]
    error: str = ""


def keep_features(
    file: Path,
    identity: str,
    pictures: int,
    views_of: Callable[[int], list[Half]],
    *,
    dim: int,
    progress: Progress,
) -> list[KeptPicture]:
    """Write the features of all pictures that are not in the file yet; return what is kept of each.

    Args:
        file: of features; the table stands beside it.
        identity: a digest of what they follow from; features of another are written over.
        pictures: how many there are.
        views_of: makes the features (N, D) of each view of a picture.
        dim: D.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if the file cannot be written.
    """
    from filelock import FileLock

    table = file.with_suffix(".jsonl")
    make_folder(file.parent)
    try:
        with FileLock(file.with_suffix(".lock")):
            kept = _done(file, table, identity, 2 * dim)
            with file.open("ab") as out, table.open("a", encoding="utf-8") as lines:
                if not table.stat().st_size:
                    lines.write(json.dumps({"of": identity}) + "\n")
                for first in range(len(kept), pictures, _TOGETHER):
                    some = range(first, min(first + _TOGETHER, pictures))
                    made = [_made(views_of, n) for n in some]
                    _append(out, lines, made)
                    kept += [picture for picture, _ in made]
                    progress.update(len(kept), pictures, "features")
    except OSError as error:
        raise SaysoError(
            f"{file} cannot be written: {error.strerror or error}; make room, and the same command with "
            "--resume goes on, or add --set keep_features=false"
        ) from error
    return kept


def _made(views_of: Callable[[int], list[Half]], n: int) -> tuple[KeptPicture, list[Half]]:
    try:
        views = views_of(n)
    except MediaError as error:
        log.warning("%s", error)
        return KeptPicture([], str(error)), []
    return KeptPicture([len(view) for view in views]), views


def _append(out: IO[bytes], lines: IO[str], made: Sequence[tuple[KeptPicture, list[Half]]]) -> None:
    """Put features on disk, and then the lines that tell of them."""
    for _, views in made:
        for view in views:
            out.write(view.tobytes())
    out.flush()
    os.fsync(out.fileno())
    lines.write("".join(json.dumps(one._asdict()) + "\n" for one, _ in made))
    lines.flush()


def _done(file: Path, table: Path, identity: str, cell_bytes: int) -> list[KeptPicture]:
    """Return what earlier runs kept of the first pictures, and cut off what a kill left half written."""
    size = file.stat().st_size if file.exists() else 0
    lines = table.read_bytes().splitlines(keepends=True) if table.exists() else []
    kept: list[KeptPicture] = []
    taken = 0
    if lines and _parsed(lines[0]) == {"of": identity}:
        for line in lines[1:]:
            row = _parsed(line)
            if not isinstance(row, dict) or taken + cell_bytes * sum(row["cells"]) > size:
                break
            taken += cell_bytes * sum(row["cells"])
            kept.append(KeptPicture(**row))
    if size:
        os.truncate(file, taken)
    if lines:
        os.truncate(table, sum(map(len, lines[: len(kept) + 1])) if kept else 0)
    return kept


def _parsed(line: bytes) -> Any:
    """Return what a whole line says; None of one that was cut off."""
    try:
        return json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
