"""Place ordered steps in time: each step at one time or at none, in order, at the least total cost.

    minimise    sum_{k present} cost[t_k, k] + sum_{k absent} absent[k]
    subject to  the times of steps that are present rise strictly, each within its window

With best_k[t] the least cost of the first k steps within the first t times,

    best_{k+1}[t] = min( best_k[t] + absent[k],  min over s < t of best_k[s] + cost[s, k] ).

This is exact: each choice leaves a smaller problem of the same kind. O(TK). The inner minimum is a
running one. Step by step down a column it waits for itself; so the times of all videos are cut into
blocks that run side by side, and the blocks' minima are carried on.

Source
    Zhukov et al., CVPR 2019, section 4 (background, step 1, background, ..., step K,
    background; a step lasts one time). https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ABSENT = -1
_CALL = 100  # elements that a running minimum takes in the time of one more call
_PIECE = 32  # blocks copied at a time, so that what is read stays near


def ordered_path(cost: ArrayLike, windows: ArrayLike | None = None, absent: ArrayLike | None = None) -> Ints:
    """Return the time of each step of one video.

    Of several optimal answers, the one whose last step is earliest is returned, among
    those the one whose last but one is, and so on; a step is left out only if that costs less.

    Args:
        cost: (T, K) finite real numbers: the cost of step k at time t.
        windows: (K, 2) integers, the first time and the time after the last that each step may
            have; None: any time.
        absent: (K,) what it costs to leave a step out, infinity if it must not be; None: all
            must be there.

    Returns:
        (K,) int64, in [0, T) and strictly increasing where not -1, which stands for a step left out.

    Raises:
        ValueError: if a shape or number is wrong, or no times keep the order and the windows.
    """
    return ordered_paths(
        [cost], None if windows is None else [windows], None if absent is None else [absent]
    )[0]


def ordered_paths(
    costs: Sequence[ArrayLike],
    windows: Sequence[ArrayLike] | None = None,
    absent: Sequence[ArrayLike] | None = None,
) -> list[Ints]:
    """Return what ``ordered_path`` returns of each video, all of them solved side by side.

    Args:
        costs: of V videos, (T, K) each; T and K may differ.
        windows: for each video, (K, 2).
        absent: for each video, (K,).

    Raises:
        ValueError: as ``ordered_path``.
    """
    given = [_checked(cost) for cost in costs]
    V = len(given)
    T, K = (max((cost.shape[axis] for cost in given), default=0) for axis in (0, 1))
    L = max(1, round(math.sqrt(T * V / _CALL)))  # times in a block
    table = np.empty((K, L, V, max(1, -(-T // L))))
    skip = np.zeros((V, K))  # steps that a video does not have cost nothing
    for v, cost in enumerate(given):
        times, steps = cost.shape
        _lay(table[:, :, v], cost)
        if windows is not None:
            _shut(table[:, :, v], _windows(windows[v], times, steps))
        skip[v, :steps] = np.inf if absent is None else _leaving(absent[v], steps)
        if absent is None and steps > times:
            raise ValueError(f"{steps} steps need at least {steps} times; there are {times}")
    plan = _Plan(table, skip)
    return [plan.trace(v, *cost.shape) for v, cost in enumerate(given)]


class _Plan:
    """The tables of the recursion. Time t of a video is row t % L of its block t // L.

    Args:
        table: (K, L, V, blocks) costs, infinity where a step must not be; changed in place.
        skip: (V, K) costs of leaving steps out.
    """

    def __init__(self, table: Floats, skip: Floats) -> None:
        K, self.rows, V, self.blocks = table.shape
        self.table = table  # table[k] becomes best_k[t] + cost[t, k]
        self.before = np.empty((K, V, self.blocks + 1))  # the least of it before each block, and of all
        self.left: dict[int, tuple[Bools, Bools]] = {}  # where best_{k+1} leaves step k out
        self.end = np.zeros(V)  # best_k[T]
        best = np.zeros(table.shape[1:])  # best_k[t], t < T
        after, run = np.empty_like(best), np.empty_like(best)
        for k in range(K):
            here, before = table[k], self.before[k]
            here += best
            run[0] = here[0]
            for row in range(1, self.rows):
                np.minimum(run[row - 1], here[row], out=run[row])
            before[:, 0] = np.inf
            np.minimum.accumulate(run[-1], axis=1, out=before[:, 1:])
            after[0] = before[:, :-1]
            np.minimum(run[:-1], before[:, :-1], out=after[1:])
            if np.isfinite(skip[:, k]).any():
                self._leave(k, best, after, skip[:, k])
            else:
                self.end = before[:, -1]
            best, after = after, best

    def _leave(self, k: int, best: Floats, after: Floats, skip: Floats) -> None:
        """Leave step k out where that costs less."""
        without, at_end = best + skip[:, None], self.end + skip
        self.left[k] = without < after, at_end < self.before[k, :, -1]
        np.minimum(after, without, out=after)
        self.end = np.minimum(self.before[k, :, -1], at_end)

    def trace(self, v: int, times: int, steps: int) -> Ints:
        """Return the times of a video's steps, from the last step to the first.

        Raises:
            ValueError: if there are none.
        """
        if not np.isfinite(self.end[v]):
            raise ValueError(f"no {steps} of {times} times keep the order and the windows of the steps")
        found = np.full(steps, ABSENT)
        block, row = self.blocks, 0  # times before this row of this block are free
        for k in reversed(range(steps)):
            if k in self.left:
                inside, at_end = self.left[k]
                if at_end[v] if block == self.blocks else inside[row, v, block]:
                    continue
            block, row = self._place(k, v, block, row)
            found[k] = block * self.rows + row
        return found

    def _place(self, k: int, v: int, block: int, row: int) -> tuple[int, int]:
        """Return the first block and row of the least best_k[s] + cost[s, k] before a block and row."""
        least = self.before[k, v, block]
        if row:
            within = self.table[k, :row, v, block]
            first = int(within.argmin())
            if within[first] < least:
                return block, first
        block = int((self.before[k, v, 1:] <= least).argmax())
        return block, int((self.table[k, :, v, block] <= least).argmax())


def _lay(table: Floats, cost: NDArray[Any]) -> None:
    """Copy the costs (T, K) of a video into its blocks (K', L, blocks), infinity where there is nothing."""
    (T, K), (_, L, blocks) = cost.shape, table.shape
    whole, rest = divmod(T, L)
    filled = cost[: whole * L].reshape(whole, L, K).transpose(2, 1, 0)
    for b in range(0, whole, _PIECE):
        table[:K, :, b : min(b + _PIECE, whole)] = filled[:, :, b : b + _PIECE]
    table[K:] = np.inf
    if whole < blocks:
        table[:K, :, whole:] = np.inf
        table[:K, :rest, whole] = cost[whole * L :].T


def _checked(cost: ArrayLike) -> NDArray[Any]:
    given = np.asarray(cost)
    if given.ndim != 2 or given.dtype.kind not in "fiub":
        raise ValueError(f"expected cost (T, K) of real numbers; got {given.shape} {given.dtype}")
    if not np.isfinite(given.sum()) and not np.isfinite(given).all():
        raise ValueError("the cost has entries that are not finite; check the scores it is made of")
    return given


def _windows(windows: ArrayLike, times: int, steps: int) -> Ints:
    spans = np.asarray(windows)
    if spans.shape != (steps, 2) or (spans.size and spans.dtype.kind not in "iu"):
        raise ValueError(f"expected windows ({steps}, 2) of integers; got {spans.shape} {spans.dtype}")
    for k, (first, end) in enumerate(spans):
        if not 0 <= first <= end <= times:
            raise ValueError(f"the window of step {k}, {first} to {end}, is not within the {times} times")
    return spans


def _shut(table: Floats, windows: Ints) -> None:
    """Put infinity outside the windows of a video's steps."""
    _, L, blocks = table.shape
    times = np.arange(L)[:, None] + L * np.arange(blocks)
    for column, (first, end) in zip(table, windows, strict=False):
        column[(times < first) | (times >= end)] = np.inf


def _leaving(absent: ArrayLike, steps: int) -> Floats:
    """Return the cost of leaving each step out."""
    given = np.asarray(absent, dtype=np.float64)
    if given.shape != (steps,) or np.isnan(given).any() or (given == -np.inf).any():
        raise ValueError(f"expected absent ({steps},) of numbers, which may be infinite; got {given}")
    return given
