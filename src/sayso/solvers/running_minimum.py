"""How the times of an ordered dynamic program lie in memory, and the running minimum over them.

``ordered_path`` asks four things: the least costs before any step, those after one more step
(the minimum of ``best + cost`` over all earlier times), one of them, and where it is attained first. Three
layouts give the same answers, each fastest for something:

    Windows    one video, step by step within its window; no more than the windows is read
    Batch      many videos side by side, step by step
    Blocks     one long video: a running minimum waits for itself, so the times are cut into blocks that
               run side by side, and the blocks' minima are carried on

"Within the first t times" goes from t = 0 to T: there are T + 1 entries.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats, Ints

_CALL = 100  # elements that a running minimum takes in the time of one more call
_PIECE = 32  # blocks copied at a time, so that what is read stays near


class Layout(Protocol):
    """What the recursion needs; a video's time is an int, those of B videos are (B,)."""

    times: Any  # T, or (B,) of them

    def start(self) -> Floats:
        """Return the least costs before any step: 0."""

    def place(self, c: int, best: Floats) -> Floats:
        """Return for each t the least of ``best + cost`` of step c over the times before t."""

    def at(self, values: NDArray[Any], times: Any) -> Any:
        """Return the entries of an array like ``best`` at some times."""

    def first(self, c: int, times: Any) -> Any:
        """Return the first time before ``times`` where the least that ``place`` found is attained."""


class Windows:
    """One video.

    Args:
        cost: (T, C).
        windows: (C, 2) first time and the time after the last of each step.
    """

    def __init__(self, cost: NDArray[Any], windows: Ints) -> None:
        self.times = len(cost)
        self._cost, self._windows = cost, windows.tolist()
        self._sums: list[Floats] = []

    def start(self) -> Floats:
        """Return zeros (T + 1,)."""
        return np.zeros(self.times + 1)

    def place(self, c: int, best: Floats) -> Floats:
        """Return the running minimum, (T + 1,)."""
        first, end = self._windows[c]
        sums = best[first:end] + self._cost[first:end, c]
        after = np.empty(self.times + 1)
        after[: first + 1] = np.inf
        np.minimum.accumulate(sums, out=after[first + 1 : end + 1])
        after[end + 1 :] = after[end]
        self._sums.append(sums)
        return after

    def at(self, values: NDArray[Any], times: int) -> Any:
        """Return one entry."""
        return values[times]

    def first(self, c: int, times: int) -> int:
        """Return a time."""
        start: int = self._windows[c][0]
        return start + int(self._sums[c][: times - start].argmin())


class SideBySide:
    """Many videos, those with the most steps first.

    Args:
        cost: (C, B, T), infinite where a video has no such time.
        having: (C,) how many of the videos have step c.
    """

    def __init__(self, cost: Floats, having: list[int]) -> None:
        _, B, T = cost.shape
        self.times = np.full(B, T)
        self._cost, self._having, self._rows = cost, having, np.arange(B)
        self._tables: list[tuple[Floats, Floats]] = []

    def start(self) -> Floats:
        """Return zeros (B, T + 1)."""
        return np.zeros((len(self._rows), self._cost.shape[2] + 1))

    def place(self, c: int, best: Floats) -> Floats:
        """Return the running minima, (B, T + 1)."""
        n = self._having[c]
        sums, after = best[:n, :-1] + self._cost[c, :n], best.copy()
        after[:n, 0] = np.inf
        np.minimum.accumulate(sums, axis=1, out=after[:n, 1:])
        self._tables.append((sums, after))
        return after

    def at(self, values: NDArray[Any], times: Ints) -> NDArray[Any]:
        """Return one entry a video, (B,)."""
        found: NDArray[Any] = values[self._rows, times]
        return found

    def first(self, c: int, times: Ints) -> Ints:
        """Return one time a video, (B,)."""
        sums, after = self._tables[c]
        found = times.copy()
        found[: len(sums)] = (sums <= self.at(after, times)[: len(sums), None]).argmax(1)
        return found


class Blocks:
    """One long video. Entry t is row t % L of block t // L.

    Args:
        cost: (T, C).
        windows: (C, 2) first time and the time after the last of each step.
    """

    def __init__(self, cost: NDArray[Any], windows: Ints) -> None:
        self.times, C = cost.shape
        self._rows = max(1, round(math.sqrt(self.times / _CALL)))
        self._count = self.times // self._rows + 1
        self._table = np.full((C, self._rows, self._count), np.inf)  # becomes best + cost
        self._before = np.full((C, self._count + 1), np.inf)  # the least of it before each block, and of all
        self._spare = np.empty((self._rows, self._count))
        self._write(cost)
        self._close(windows)

    def start(self) -> Floats:
        """Return zeros (L, blocks)."""
        return np.zeros((self._rows, self._count))

    def place(self, c: int, best: Floats) -> Floats:
        """Return the running minimum, (L, blocks)."""
        sums, before, run = self._table[c], self._before[c], self._spare
        sums += best
        run[0] = sums[0]
        for row in range(1, self._rows):
            np.minimum(run[row - 1], sums[row], out=run[row])
        np.minimum.accumulate(run[-1], out=before[1:])
        after = np.empty_like(run)
        after[0] = before[:-1]
        np.minimum(run[:-1], before[:-1], out=after[1:])
        return after

    def at(self, values: NDArray[Any], times: int) -> Any:
        """Return one entry."""
        return values[times % self._rows, times // self._rows]

    def first(self, c: int, times: int) -> int:
        """Return a time."""
        block, row = divmod(times, self._rows)
        least = self._before[c, block]
        if row:
            within = self._table[c, :row, block]
            at = int(within.argmin())
            if within[at] < least:
                return block * self._rows + at
        block = int((self._before[c, 1:] <= least).argmax())
        return block * self._rows + int((self._table[c, :, block] <= least).argmax())

    def _write(self, cost: NDArray[Any]) -> None:
        """Copy the costs into the blocks; infinity stays where there is nothing."""
        T, C = cost.shape
        whole, rest = divmod(T, self._rows)
        filled = cost[: whole * self._rows].reshape(whole, self._rows, C).transpose(2, 1, 0)
        for b in range(0, whole, _PIECE):
            self._table[:, :, b : min(b + _PIECE, whole)] = filled[:, :, b : b + _PIECE]
        self._table[:, :rest, whole] = cost[whole * self._rows :].T

    def _close(self, windows: Ints) -> None:
        """Put infinity outside the windows."""
        times = np.arange(self._rows)[:, None] + self._rows * np.arange(self._count)
        for column, (first, end) in zip(self._table, windows.tolist(), strict=True):
            if (first, end) != (0, self.times):
                column[(times < first) | (times >= end)] = np.inf
