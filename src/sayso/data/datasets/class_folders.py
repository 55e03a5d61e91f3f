"""Pictures in folders, a folder a class: the form in which data sets for classification come."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sayso.core.arrays import Ints
from sayso.core.errors import SaysoError
from sayso.media.kinds import kind_of

_DEPTH = 4  # folders that archives and copies put around a data set
_OTHERS = frozenset({"train", "training"})  # parts that are not measured


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """N pictures, each of one of C classes.

    Args:
        pictures: N paths; the files need not exist.
        labels: (N,) the class of each, by number.
        classes: the names of the C folders, or what identifies the classes.
    """

    pictures: list[Path]
    labels: Ints
    classes: list[str]


def read_class_folders(folder: Path, classes: Iterable[str] | None = None) -> LabelledPictures:
    """Read a folder of class folders; in each, pictures lie at any depth.

    Args:
        folder: of the class folders.
        classes: the folders that are classes, in their order; all, sorted by name, unless given.

    Raises:
        SaysoError: if it cannot be read, has no class folder, or no picture.
    """
    names = sorted(path.name for path in subfolders(folder)) if classes is None else list(classes)
    found = [(path, number) for number, name in enumerate(names) for path in _pictures_in(folder / name)]
    if not found:
        raise SaysoError(f"{folder} has no pictures in folders, one a class; name the folder above them")
    return LabelledPictures([path for path, _ in found], np.array([k for _, k in found], np.int64), names)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, hidden ones aside, sorted.

    Raises:
        SaysoError: if it cannot be read.
    """
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise SaysoError(f"{folder} cannot be read: {error.strerror}; name a folder") from error
    return [path for path in inside if not path.name.startswith(".") and path.is_dir()]


def search_folder(root: Path, wanted: Callable[[Path], bool]) -> Path | None:
    """Return the folder that is wanted: the root, or the nearest below it; None if there is none.

    Args:
        root: where to begin; folders of training data are not entered, and none deeper than a few.
        wanted: tells of a folder whether it is the one.

    Raises:
        SaysoError: if the root cannot be read.
    """
    waiting = deque([(root, 0)])
    while waiting:
        folder, depth = waiting.popleft()
        if wanted(folder):
            return folder
        if depth < _DEPTH:
            waiting += [(one, depth + 1) for one in subfolders(folder) if one.name.lower() not in _OTHERS]
    return None


def _pictures_in(folder: Path) -> Iterator[Path]:
    for above, below, files in os.walk(folder, followlinks=True):
        below.sort()
        yield from (Path(above, name) for name in sorted(files) if kind_of(name) == "picture")
