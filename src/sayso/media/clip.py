"""A stretch of a video as one array, found by seeking."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sayso.core.errors import SaysoError
from sayso.media.container import VideoSource, open_video
from sayso.media.decode import Decoder
from sayso.media.files import MAX_PIXELS
from sayso.media.sampling import TOLERANCE_S, Cells, check_span, frames_on_screen
from sayso.media.shape import Crop, Shaper, check_shape

_MAX_BYTES = 8 << 30


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrames:
    """The frames of a clip. ``frames, times = clip`` and ``np.asarray(clip)`` work.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        times: (T,) float64, the second of the file at which each is shown (``media/clock.py``).
        padded: how many frames at the end repeat the last one because the video is shorter.
    """

    frames: NDArray[np.uint8]
    times: NDArray[np.float64]
    padded: int = 0

    def __iter__(self) -> Iterator[NDArray[np.uint8] | NDArray[np.float64]]:
        return iter((self.frames, self.times))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        return np.array(self.frames, dtype=dtype, copy=bool(copy)) if copy else np.asarray(self.frames, dtype)


def read_clip(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    *,
    frames: int | None = None,
    fps: float | None = None,
    size: int | None = None,
    crop: Crop = "none",
    threads: int = 1,
    max_pixels: int = MAX_PIXELS,
) -> ClipFrames:
    """Read a stretch of a video, seeking to it.

    The clip is cut into T cells of equal length, and each is represented by the frame on
    screen at its centre, the last one presented not later: ``start_s + (k + 0.5) / fps``, or
    ``start_s + (k + 0.5) (end_s - start_s) / frames``. With neither ``frames`` nor ``fps``:
    every frame whose presentation time lies in ``[start_s, end_s)``.

    Args:
        path: the video file.
        start_s: second of the file, as players count.
        end_s: seconds.
        frames: T, how many frames.
        fps: frames a second; T is then ``round((end_s - start_s) * fps)``, at least 1, unless given.
        size: pixels. None is full resolution.
        crop: ``none`` scales the short side to ``size`` and keeps the aspect, ``center`` also
            cuts the middle ``size x size`` out, ``squash`` scales to ``size x size``.
        threads: decoder threads.
        max_pixels: width times height above which the file is refused.

    Raises:
        MediaError: if the file cannot be read, or is damaged before the end of the clip.
        SaysoError: if an argument makes no sense.
    """
    check_shape(size, crop)
    check_span(start_s, end_s)
    sampled = frames is not None or fps is not None
    cells = Cells.of_clip(start_s, end_s, frames, fps) if sampled else None
    with open_video(path, threads=threads, max_pixels=max_pixels) as source:
        shaper = Shaper(source, size, crop)
        if cells is None:
            return _every_frame(source, start_s, end_s, shaper)
        return _sampled(source, cells, shaper)


def _sampled(source: VideoSource, cells: Cells, shaper: Shaper) -> ClipFrames:
    decoder = Decoder(source, cells)
    count = cells.count or 0
    times = np.empty(count)
    pixels = np.empty(0, np.uint8)
    padded = 0
    shown = frames_on_screen(decoder.frames(cells.start_s), cells, decoder.end_s)
    for k, (seconds, frame, late) in enumerate(shown):
        shaped = shaper(frame)
        if k == 0:
            _check_bytes(shaped.nbytes * count)
            pixels = np.empty((count, *shaped.shape), np.uint8)
        times[k], pixels[k] = seconds, shaped
        padded += late
    decoder.check(until_s=cells.instant(count - 1))
    return ClipFrames(pixels, times, padded)


def _every_frame(source: VideoSource, start_s: float, end_s: float, shaper: Shaper) -> ClipFrames:
    decoder = Decoder(source, None)
    times: list[float] = []
    pixels: list[NDArray[np.uint8]] = []
    for seconds, frame in decoder.frames(start_s):
        shaped = shaper(frame)
        if seconds >= end_s - TOLERANCE_S:
            break
        if seconds >= start_s - TOLERANCE_S:
            times.append(seconds)
            pixels.append(shaped)
            _check_bytes(shaped.nbytes * len(pixels))
    decoder.check(until_s=end_s)
    return ClipFrames(np.stack(pixels) if pixels else shaped[None][:0], np.array(times))


def _check_bytes(count: int) -> None:
    if count > _MAX_BYTES:
        raise SaysoError(
            f"the clip would take {count / 2**30:.0f} GiB of memory; ask for fewer or smaller frames, "
            "or use stream_frames"
        )
