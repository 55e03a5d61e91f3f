"""What is shown with a question, as a person writes it: a picture, a video, a moment or a stretch of one.

beach.jpg            a picture
talk.mp4             a whole video, by some frames of it
talk.mp4@12.5        the frame at second 12.5
talk.mp4@12.5-18     a stretch
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.errors import SaysoError

FRAMES = 4  # of a video or a stretch, spread over it
_PLACE = re.compile(r"(?P<path>.+)@(?P<start>\d+(?:\.\d+)?)(?:-(?P<end>\d+(?:\.\d+)?))?$")


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A picture, or what is shown of a video.

    Args:
        path: the file.
        start_s: second of a moment, or of the beginning of a stretch; None: all of it.
        end_s: end of the stretch; None: a moment.

    Raises:
        SaysoError: if a stretch ends before it begins.
    """

    path: Path
    start_s: float | None = None
    end_s: float | None = None

    def __post_init__(self) -> None:
        if self.start_s is not None and self.end_s is not None and self.end_s <= self.start_s:
            raise SaysoError(f"{self.path}@{self.start_s:g}-{self.end_s:g} ends before it begins")

    @classmethod
    def parse(cls, text: str) -> MediaPart:
        """Return what is written like ``talk.mp4@12.5-18``; a file of that very name goes first.

        Raises:
            SaysoError: if the file is not there.
        """
        path = Path(text).expanduser()
        if path.is_file():
            return cls(path)
        place = _PLACE.match(text)
        path = Path(place["path"]).expanduser() if place else path
        if not path.is_file():
            raise SaysoError(f"there is no file {path}; name a picture or a video, such as talk.mp4@12.5-18")
        if place is None:
            return cls(path)
        return cls(path, float(place["start"]), float(place["end"]) if place["end"] else None)

    def read(self, frames: int = FRAMES) -> Pixels:
        """Return a picture or frame (H, W, 3), or a clip (T, H, W, 3).

        Args:
            frames: T.

        Raises:
            MediaError: if the file cannot be read.
            SaysoError: if a picture is asked for at a second.
        """
        from sayso.media import kind_of, probe, read_clip, read_image, sniff

        if (sniff(self.path) or kind_of(self.path)) == "picture":
            if self.start_s is not None:
                raise SaysoError(f"{self.path} is a picture, which has no second {self.start_s:g}")
            return np.asarray(read_image(self.path))
        known = probe(self.path)
        if known.length is not None and (self.start_s or 0.0) > known.length:
            raise SaysoError(f"{self.path} ends at {known.length:.1f} s, before second {self.start_s:g}")
        if self.start_s is not None and self.end_s is None:
            at: Pixels = read_clip(self.path, self.start_s, self.start_s + 2e-6, frames=1).frames[0]
            return at
        start = known.start if self.start_s is None else self.start_s
        end = self.end_s or max(known.duration or 0.0, start + 1.0)
        return read_clip(self.path, start, end, frames=frames).frames

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {"path": str(self.path), "start_s": self.start_s, "end_s": self.end_s}


def read_all(shown: Sequence[MediaPart], frames: int = FRAMES) -> tuple[Pixels, ...]:
    """Return the pixels of each.

    Args:
        shown: pictures, moments, stretches.
        frames: of each stretch.

    Raises:
        MediaError: if a file cannot be read.
        SaysoError: as ``MediaPart.read``.
    """
    return tuple(one.read(frames) for one in shown)
