"""Shot cuts: where one picture is followed by quite another.

Each frame is kept as a thumbnail of 8 x 8 colours and a histogram of 64 colours. A cut is
a step between two frames that is large, that stands out from the steps around it (so
that a pan or a hand-held camera is no cut), and after which the picture does not come back (so that
a flash is none). Fades and dissolves, which have no one frame of change, are not looked for.
Three hundred bytes a frame: a film of two hours is some 60 MB.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.core.errors import MediaError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span

log = logging.getLogger(__name__)
GRID, LEVELS = 8, 4
NEIGHBOURS = 8  # frames to each side that a step must stand out from
MIN_CHANGE, MIN_RATIO = 0.18, 2.5  # how large a step must be, and how many times the usual one around it
MIN_FRAMES = 4  # frames of the shortest shot


@dataclass(frozen=True)
class Shots:
    """The shots of a video.

    Attributes:
        spans: of the shots in order, from the first frame to the last, seconds.
        problems: damage in the middle of the file, after which nothing was read.
    """

    spans: tuple[Span, ...]
    problems: tuple[MediaError, ...] = ()


def find_shots(
    path: str | os.PathLike[str], *, fps: float | None = None, progress: Progress | None = None
) -> Shots:
    """Return the shots of a video; those before damage in the middle of the file, which is logged.

    Args:
        path: the video file.
        fps: frames a second to look at; default the video's own, at most 30.
        progress: updated in seconds of the video.

    Raises:
        MediaError: if not one frame can be read.
    """
    from sayso.media.header import probe
    from sayso.media.stream import stream_frames

    header, progress = probe(path), progress or Silent()
    rate = fps or min(30.0, header.fps or 25.0)
    times, problems = list[float](), list[MediaError]()
    signatures: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
    try:
        for seconds, frame in stream_frames(path, fps=rate, size=64, crop="squash", exact=False):
            times.append(seconds)
            signatures.append(frame_signature(frame))
            if len(times) % 100 == 0:
                progress.update(seconds, header.duration, "shots")
    except MediaError as error:
        if not times:
            raise
        log.warning("%s; shots after %.1f s are not found", error, times[-1])
        problems.append(error)
    cuts = [times[k] for k in find_cuts(signatures)]
    edges = [times[0], *cuts, max(times[-1] + 1 / rate, header.duration or 0.0)]
    spans = tuple(Span(start, end) for start, end in itertools.pairwise(edges) if end > start)
    return Shots(spans, tuple(problems))


def frame_signature(frame: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return what is kept of a frame (H, W, 3) uint8: (8, 8, 3) mean colours, and (64,) shares of colours."""
    H, W = frame.shape[0] // GRID * GRID, frame.shape[1] // GRID * GRID
    blocks = frame[:H, :W].reshape(GRID, H // GRID, GRID, W // GRID, 3)
    levels = (frame // (256 // LEVELS)).astype(np.int64)
    codes = (levels[..., 0] * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]
    counts = np.bincount(codes.ravel(), minlength=LEVELS**3) / codes.size
    return blocks.mean((1, 3)).astype(np.uint8), counts.astype(np.float32)


def find_cuts(signatures: Iterable[tuple[NDArray[np.uint8], NDArray[np.float32]]]) -> list[int]:
    """Return the frames (indices, from 1) that begin a new shot."""
    rows = list(signatures)
    if len(rows) < 2:
        return []
    small, counts = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    steps = _change(small, counts, 1)
    across = _change(small, counts, min(3, len(rows) - 1))  # over a flash of one or two frames
    cuts: list[int] = []
    for t in np.argsort(-steps, kind="stable"):
        if steps[t] < MIN_CHANGE:
            break
        around = np.delete(steps[max(0, t - NEIGHBOURS) : t + NEIGHBOURS + 1], min(t, NEIGHBOURS))
        usual = float(np.median(around)) if len(around) else 0.0
        beyond = [across[k] for k in (t - 2, t) if 0 <= k < len(across)]
        stays = all(change > 0.6 * steps[t] for change in beyond)
        if steps[t] > MIN_RATIO * usual and stays and all(abs(t + 1 - cut) >= MIN_FRAMES for cut in cuts):
            cuts.append(int(t) + 1)
    return sorted(cuts)


def _change(small: NDArray[np.uint8], counts: NDArray[np.float32], step: int) -> Floats:
    """Return how far frames ``step`` apart differ, 0 to 1: half in place, half in colours."""
    later, earlier = small[step:].astype(np.int16), small[:-step].astype(np.int16)
    in_place = np.minimum(1.0, np.abs(later - earlier).mean((1, 2, 3)) / 64)
    in_colour = np.abs(counts[step:] - counts[:-step]).sum(1) / 2
    return np.asarray((in_place + in_colour) / 2, dtype=np.float64)
