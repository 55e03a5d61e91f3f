"""Shot cuts: where one picture is followed by quite another.

Each frame is kept as a thumbnail of 8 x 8 colours and a histogram of 64 colours. A cut is
a step between two frames that is large, that stands out from the steps around it (so
that a pan or a hand-held camera is no cut), and that is no part of a flash: a few frames with
more light on them (or none at all), before and after which the picture is the same. Fades and
dissolves, which have no one frame of change, are not looked for. Three hundred bytes a frame: a
film of two hours is some 60 MB.
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
GLITCH_FRAMES, FLASH_FRAMES = (
    2,
    10,
)  # whatever comes for so short is no shot; light that comes and goes is none
BLACK, WHITE, DARKER = 16.0, 190.0, 12.0  # mean light, 0 to 255, and how much less is darker


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
    steps = _change(small[1:], small[:-1], counts[1:], counts[:-1])
    cuts: list[int] = []
    for t in map(int, np.argsort(-steps, kind="stable")):
        if steps[t] < MIN_CHANGE:
            break
        around = np.delete(steps[max(0, t - NEIGHBOURS) : t + NEIGHBOURS + 1], min(t, NEIGHBOURS))
        usual = float(np.median(around)) if len(around) else 0.0
        apart = all(abs(t + 1 - cut) >= MIN_FRAMES for cut in cuts)
        if apart and steps[t] > MIN_RATIO * usual and not _is_in_flash(small, counts, t, steps[t], usual):
            cuts.append(t + 1)
    return _once_a_flash(sorted(cuts), small)


def _once_a_flash(cuts: list[int], small: NDArray[np.uint8]) -> list[int]:
    """Return the cuts without one of each two around a flash right at a cut: it belongs to one of the shots.

    Args:
        cuts: the frames that begin a shot, rising.
        small: (T, 8, 8, 3) uint8 mean colours.
    """
    kept: list[int] = []
    for cut in cuts:
        if kept and cut - kept[-1] <= FLASH_FRAMES:
            between, before = small[kept[-1] : cut], small[kept[-1] - 1]
            of_before = _is_brighter(before, between)
            likelier = not of_before or _likeness(small[cut], between) >= _likeness(before, between)
            if _is_brighter(small[cut], between) and likelier:
                continue
            if of_before:
                kept.pop()
        kept.append(cut)
    return kept


def _is_brighter(calm: NDArray[np.uint8], between: NDArray[np.uint8]) -> bool:
    """Tell whether all frames (N, 8, 8, 3) are a frame (8, 8, 3) with more light on it."""
    lighter = between.mean((1, 2, 3)) > float(calm.mean()) + DARKER
    return bool(lighter.all()) and _is_light(calm.astype(np.float64), between)


def _is_in_flash(
    small: NDArray[np.uint8], counts: NDArray[np.float32], t: int, step: float, usual: float
) -> bool:
    """Tell whether the step after frame ``t`` is part of a flash.

    Args:
        small: (T, 8, 8, 3) uint8 mean colours.
        counts: (T, 64) shares of colours.
        t: the frame before the step.
        step: how large it is.
        usual: how large the steps around it are.
    """
    first, last = max(0, t - FLASH_FRAMES), min(len(small) - 1, t + FLASH_FRAMES + 1)
    for before in range(t, first - 1, -1):
        after = np.arange(max(t + 1, before + 2), min(last, before + FLASH_FRAMES + 1) + 1)
        if not len(after):
            continue
        change = _change(small[after], small[before], counts[after], counts[before])
        same = after[change <= np.minimum(0.6 * step, 0.3 * step + usual * (after - before))]
        for end in map(int, same):
            short = end - before - 1 <= GLITCH_FRAMES
            if short or _is_light(small[before].astype(np.float64), small[before + 1 : end]):
                return True
    return False


def _is_light(before: Floats, between: NDArray[np.uint8]) -> bool:
    """Tell whether frames (N, 8, 8, 3) are a frame (8, 8, 3) with more light on it, or without any."""
    calm = before.mean(-1).ravel()
    lit = between.astype(np.float64).mean(-1).reshape(len(between), -1)
    if (lit.mean(1) < BLACK).all():
        return True
    brighter = (lit > calm - DARKER).mean(1) >= 0.8
    spread = (lit - lit.mean(1, keepdims=True)) @ (calm - calm.mean()) / len(calm)
    alike = spread > 0.4 * lit.std(1) * calm.std()
    in_part = (np.abs(lit - calm) <= DARKER).mean(1) >= 0.3
    return bool((brighter & (alike | in_part | (lit.mean(1) > WHITE) | (calm.mean() < BLACK))).all())


def _likeness(calm: NDArray[np.uint8], between: NDArray[np.uint8]) -> float:
    """Return the correlation of frames (N, 8, 8, 3) with a frame (8, 8, 3); 0 where all is plain."""
    one, many = calm.astype(np.float64).ravel(), between.astype(np.float64).reshape(len(between), -1)
    one, many = one - one.mean(), many - many.mean(1, keepdims=True)
    size = np.linalg.norm(many, axis=1) * np.linalg.norm(one)
    return float(np.mean((many @ one) / np.maximum(size, 1e-9)))


def _change(
    later: NDArray[np.uint8],
    earlier: NDArray[np.uint8],
    later_counts: NDArray[np.float32],
    earlier_counts: NDArray[np.float32],
) -> Floats:
    """Return how far frames differ, (N,) from 0 to 1: half in place, half in colours.

    Args:
        later: (N, 8, 8, 3) mean colours.
        earlier: (N, 8, 8, 3) or (8, 8, 3).
        later_counts: (N, 64) shares of colours.
        earlier_counts: (N, 64) or (64,).
    """
    in_place = np.minimum(1.0, np.abs(later.astype(np.int16) - earlier.astype(np.int16)).mean((1, 2, 3)) / 64)
    in_colour = np.abs(later_counts - earlier_counts).sum(1) / 2
    return np.asarray((in_place + in_colour) / 2, dtype=np.float64)
