"""All of a video, sampled in one pass at bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sayso.media.container import open_video
from sayso.media.decode import Decoder
from sayso.media.files import MAX_PIXELS
from sayso.media.sampling import Cells, check_rate, check_start, frames_on_screen
from sayso.media.shape import Crop, Shaper, check_shape


def stream_frames(
    path: str | os.PathLike[str],
    *,
    fps: float,
    size: int | None = None,
    crop: Crop = "none",
    start_s: float = 0.0,
    exact: bool = True,
    threads: int = 1,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield ``fps`` frames a second of a whole video, decoding it once.

    The k-th frame is the one on screen at ``start_s + (k + 0.5) / fps``, for every such
    instant before the end of the video; a video shorter than that gives one frame.

    Args:
        path: the video file.
        fps: frames a second of the video.
        size: pixels; see ``read_clip``. None is full resolution.
        crop: ``none``, ``center`` or ``squash``; see ``read_clip``.
        start_s: where to begin, seconds.
        exact: frames are the right ones bit by bit. If false, the decoder leaves out its
            deblocking (about a fifth faster, a little blurred), and where the container does not tell
            the times beforehand a frame may be a few frames early; the times given are true.
        threads: decoder threads. One is best when several files are read at once.
        max_pixels: width times height above which the file is refused.

    Yields:
        Presentation time in seconds, (H, W, 3) uint8 RGB. A frame that stands for several
        instants is the same array each time.

    Raises:
        MediaError: if the file cannot be read. If reading fails half way, after
            all frames that could be decoded, saying at which second.
        SaysoError: if an argument makes no sense.
    """
    check_shape(size, crop)
    cells = Cells(check_start(start_s), 1.0 / check_rate(fps))
    return _stream(path, cells, size, crop, exact=exact, threads=threads, max_pixels=max_pixels)


def _stream(
    path: str | os.PathLike[str],
    cells: Cells,
    size: int | None,
    crop: Crop,
    *,
    exact: bool,
    threads: int,
    max_pixels: int,
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    with open_video(path, threads=threads, max_pixels=max_pixels, fast=not exact) as source:
        decoder = Decoder(source, cells, exact=exact)
        shaper = Shaper(source, size, crop)
        shown = frames_on_screen(decoder.frames(cells.start_s), cells, decoder.end_s)
        for k, (seconds, frame, late) in enumerate(shown):
            if late and k > 0:
                break
            yield seconds, shaper(frame)
        decoder.check()
