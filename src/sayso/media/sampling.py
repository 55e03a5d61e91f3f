"""The one rule by which frames are sampled from a video.

Time is cut into cells of equal length. Each cell is represented by the frame on
screen at its centre: the last frame whose presentation time is not later. Times
are compared to the microsecond, so that rounding never decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sayso.core.errors import SaysoError

TOLERANCE_S = 1e-6
_ROUNDING_S = 1e-8  # of sums of seconds
_MAX_CELLS = 10_000_000
_MAX_TIME_S = 1e9
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Cells:
    """The wanted instants: the centres of cells, one after the other.

    Args:
        start_s: where the first cell begins, seconds.
        step_s: length of a cell, seconds.
        count: number of cells; None for as many as the file has.
    """

    start_s: float
    step_s: float
    count: int | None = None

    @classmethod
    def of_clip(cls, start_s: float, end_s: float, frames: int | None, fps: float | None) -> Cells:
        """Return the cells of a clip, from its number of frames, its frames a second, or both.

        Args:
            start_s: seconds.
            end_s: seconds.
            frames: how many; None: as many as ``fps`` gives.
            fps: frames a second; None: ``frames`` spread uniformly over the clip.

        Raises:
            SaysoError: if the numbers make no sense.
        """
        length_s = end_s - start_s
        if frames is None:
            frames = max(1, round(length_s * check_rate(fps or 0.0)))
        if not 1 <= frames <= _MAX_CELLS:
            raise SaysoError(f"a clip must have between 1 and {_MAX_CELLS} frames; got {frames}")
        return cls(start_s, length_s / frames if fps is None else 1.0 / check_rate(fps), frames)

    def instant(self, k: int) -> float:
        """Return the centre of the k-th cell, seconds."""
        return self.start_s + (k + 0.5) * self.step_s

    def any_in(self, low_s: float, high_s: float) -> bool:
        """Tell whether a frame shown from ``low_s`` to ``high_s`` is on screen at one; in doubt, yes."""
        low_s, high_s = low_s - TOLERANCE_S - _ROUNDING_S, high_s - TOLERANCE_S + _ROUNDING_S
        if self.step_s < _ROUNDING_S:
            return low_s <= self.start_s < high_s
        k = max(0, math.ceil((low_s - self.start_s) / self.step_s - 0.5 - 1e-6))
        return (self.count is None or k < self.count) and self.instant(k) < high_s


def check_rate(fps: float) -> float:
    """Return ``fps``.

    Raises:
        SaysoError: if it is not a positive number.
    """
    if not 1e-6 <= fps <= 1e6:
        raise SaysoError(f"fps must be a positive number of frames a second; got {fps}")
    return fps


def check_start(start_s: float) -> float:
    """Return ``start_s``.

    Raises:
        SaysoError: if it is negative or not a number.
    """
    if not 0 <= start_s <= _MAX_TIME_S:
        raise SaysoError(f"a start must be 0 or more seconds; got {start_s}")
    return start_s


def check_span(start_s: float, end_s: float) -> None:
    """Refuse times that do not make a clip.

    Raises:
        SaysoError: if the start is negative or the end lies before it.
    """
    if not check_start(start_s) <= end_s <= _MAX_TIME_S:
        raise SaysoError(f"a clip must end after it starts; got {start_s} to {end_s} seconds")


def frames_on_screen(
    frames: Iterable[tuple[float, F]], cells: Cells, end_s: Callable[[], float]
) -> Iterator[tuple[float, F, bool]]:
    """Yield for each cell the frame on screen at its centre, in one pass.

    Args:
        frames: (seconds, frame) in order of time.
        cells: the instants wanted.
        end_s: asked after the last frame: when that frame leaves the screen.

    Yields:
        (time of the frame, the frame, whether the instant lies after the end). After the
        end the last frame is repeated as often as ``cells.count`` asks, or for ever.
    """
    k = 0
    shown: tuple[float, F] | None = None
    for moment in frames:
        while shown is not None and moment[0] > cells.instant(k) + TOLERANCE_S:
            yield (*shown, False)
            k += 1
            if k == cells.count:
                return
        shown = moment
    while shown is not None and k != cells.count:
        yield (*shown, cells.instant(k) >= end_s() - TOLERANCE_S)
        k += 1
