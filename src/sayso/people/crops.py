"""Cut out of a video: the face of a track in its middle frame, and the person over all of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError
from sayso.core.types import Box
from sayso.people.faces import head_and_shoulders
from sayso.people.tracks import Track

if TYPE_CHECKING:
    from PIL.Image import Image

Frames = NDArray[np.uint8]
MARGIN = 0.25  # of the face's size, to each side
HEIGHT = 480  # pixels of the picture that people are cut out of


def face_pictures(path: str | os.PathLike[str], tracks: Mapping[int, Track]) -> dict[int, Image]:
    """Return the picture of each track that has a box, square; what cannot be read is left out.

    Args:
        path: the video.
        tracks: number -> track, boxes in the video's own pixels.
    """
    from PIL.Image import fromarray

    from sayso.media.clip import read_clip

    pictures: dict[int, Image] = {}
    for number, track in tracks.items():
        middle = (track.span.start + track.span.end) / 2
        try:
            clip = read_clip(path, middle, middle + 0.04, frames=1, size=None)
        except MediaError:
            continue
        if track.box is not None:
            frame = fromarray(clip.frames[0])
            pictures[number] = frame.crop(square_crop(track.box, frame.width, frame.height))
    return pictures


def person_clip(path: str | os.PathLike[str], track: Track, frames: int, height: int = HEIGHT) -> Frames:
    """Return the head and shoulders of a track, followed from its first moment to its last, (T, H, W, 3) RGB.

    Args:
        path: the video.
        track: with its boxes in the video's own pixels; without any the whole picture is shown.
        frames: T, uniformly spread.
        height: pixels to which the short side of the whole picture is scaled before it is cut.

    Raises:
        MediaError: if the video cannot be read there.
    """
    from sayso.media.clip import read_clip

    clip = read_clip(path, track.span.start, track.span.end, frames=frames, size=height)
    shown, times = clip.frames, clip.times
    if track.box is None:
        return shown
    H, W = shown.shape[1:3]
    scale = picture_scale(path, H, W)
    cut = [
        _person(frame, track.at(seconds) or track.box, scale)
        for frame, seconds in zip(shown, times, strict=True)
    ]
    side = max(len(piece) for piece in cut)
    return np.stack([piece if len(piece) == side else _resized(piece, side) for piece in cut])


def picture_scale(path: str | os.PathLike[str], height: int, width: int) -> float:
    """Return how large a pixel of the video is in a picture of it.

    Args:
        path: the video.
        height: pixels of the picture.
        width: pixels of the picture.
    """
    from sayso.media.header import probe

    header = probe(path)
    return min(height, width) / max(1, min(header.width or width, header.height or height))


def scale_box(box: Box, scale: float) -> Box:
    """Return a box in a picture that is so many times as large."""
    return Box(scale * box.x0, scale * box.y0, scale * box.x1, scale * box.y1)


def _person(frame: Frames, face: Box, scale: float) -> Frames:
    H, W = frame.shape[:2]
    x0, y0, x1, y1 = square_crop(head_and_shoulders(scale_box(face, scale), W, H), W, H, margin=0.0)
    return frame[y0:y1, x0:x1]


def _resized(piece: Frames, side: int) -> Frames:
    from PIL.Image import fromarray

    return np.asarray(fromarray(piece).resize((side, side)))


def square_crop(box: Box, width: int, height: int, margin: float = MARGIN) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of a square around a box, moved into the picture, whole pixels.

    Args:
        box: in the picture.
        width: pixels of the picture.
        height: pixels of the picture.
        margin: to each side, in the box's longer side.
    """
    side = max(box.x1 - box.x0, box.y1 - box.y0) * (1 + 2 * margin)
    side = max(2.0, min(side, width, height))
    x = min(max(0.0, (box.x0 + box.x1 - side) / 2), width - side)
    y = min(max(0.0, (box.y0 + box.y1 - side) / 2), height - side)
    return int(x), int(y), int(x + side), int(y + side)
