"""Pictures and clips that texts speak of: what is read of them, and those that a file names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

CLIP_FRAMES = 8


class Media(Protocol):
    """Pictures and clips that texts speak of, by number."""

    @property
    def media(self) -> int:
        """How many pictures and clips there are."""
        ...

    def read(self, number: int, size: int) -> list[Image | NDArray[np.uint8]]:
        """Return the frames of a clip, or a picture alone.

        Args:
            number: which, from 0.
            size: pixels of the short side that are needed.

        Raises:
            SaysoError: if it cannot be read.
        """
        ...

    def name(self, number: int) -> str:
        """Return what to call a picture or a clip in messages."""
        ...


class ListedMedia:
    """Pictures and clips that a file names: paths relative to it, or ``talk.mp4@12.5-18``, of a video.

    Args:
        folder: of the file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._number = folder, dict[str, int]()
        self._names: list[str] = []

    def add(self, name: str) -> int:
        """Return the number of a picture or clip, a new one if it was not named before."""
        place = os.path.abspath(self.folder / name)  # noqa: PTH100
        if place not in self._number:
            self._number[place] = len(self._names)
            self._names.append(place)
        return self._number[place]

    @property
    def media(self) -> int:
        """How many pictures and clips there are."""
        return len(self._names)

    def read(self, number: int, size: int) -> list[Image | NDArray[np.uint8]]:
        """Return the frames of a clip, or a picture alone; see ``Media``."""
        from sayso.media import read_clip, read_image

        path, start_s, end_s = _place(self._names[number])
        if start_s is None or end_s is None:
            return [read_image(path, size=size)]
        return list(read_clip(path, start_s, end_s, frames=CLIP_FRAMES, size=size).frames)

    def name(self, number: int) -> str:
        """Return what to call a picture or a clip."""
        return self._names[number]


def _place(name: str) -> tuple[str, float | None, float | None]:
    """Return the path, and the seconds if there are any after an ``@``."""
    path, at, span = name.rpartition("@")
    start, dash, end = span.partition("-")
    try:
        return (path, float(start), float(end)) if at and dash else (name, None, None)
    except ValueError:
        return name, None, None
