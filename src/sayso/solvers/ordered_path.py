"""Place ordered steps in time: each step at one time or at none, in order, at the least total cost.

    minimise    sum_{c present} cost[t_c, c] + sum_{c absent} absent[c]
    subject to  the times of steps that are present rise strictly, each within its window

With best_c[t] the least cost of the first c steps within the first t times,

    best_{c+1}[t] = min( best_c[t] + absent[c],  min over s < t of best_c[s] + cost[s, c] ).

This is exact: each choice leaves a smaller problem of the same kind. O(TC). It is the one ordered
dynamic program of the toolkit: the linear oracle of ordered steps and the alignment of sequences call it.
With the ``fast`` extra it runs as compiled loops (``solvers/compiled_path.py``). The numpy form is the
reference, and what runs without numba, with the same answers; its inner minimum is a running one, and how
it is computed depends on how the times lie in memory (``solvers/running_minimum.py``).

Source
    Zhukov et al., CVPR 2019, section 4 (background, step 1, background, ..., step C,
    background; a step lasts one time). https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Floats, Ints
from sayso.solvers.compiled_path import ABSENT, compiled_each, compiled_padded, compiled_within
from sayso.solvers.running_minimum import Blocks, Layout, SideBySide, Windows

_LONG = 2000  # times a step may have, on average, from which blocks are faster
_FEW = 8  # videos that are faster one by one


def ordered_path(cost: ArrayLike, windows: ArrayLike | None = None, absent: ArrayLike | None = None) -> Ints:
    """Return the time of each step of one video.

    Of several optimal answers, the one whose last step is earliest is returned, among
    those the one whose last but one is, and so on; a step is left out only if that costs less.

    Args:
        cost: (T, C) finite real numbers: the cost of step c at time t.
        windows: (C, 2) integers, the first time and the time after the last that each step may
            have; None: any time.
        absent: (C,) what it costs to leave a step out, infinity if it must not be; None: all
            must be there.

    Returns:
        (C,) int64, in [0, T) and strictly increasing where not -1, which stands for a step left out.

    Raises:
        ValueError: if a shape or number is wrong, or no times keep the order and the windows.

    Examples:
        >>> cost = [[0, 9], [5, 1], [5, 0]]  # three seconds, two steps
        >>> ordered_path(cost).tolist()
        [0, 2]
    """
    given = _shaped(cost)
    T, C = given.shape
    if absent is None and C > T:
        raise ValueError(f"{C} steps need at least {C} times; there are {T}")
    free = compiled_each([given]) if windows is None and absent is None else None
    if free is not None:
        return free[0]
    _check_finite(given)
    spans = np.tile(np.array([0, T]), (C, 1)) if windows is None else _windows(windows, T, C)
    return path_in_windows(given, spans, None if absent is None else _absent(absent, C))


def ordered_paths(
    costs: Sequence[ArrayLike],
    windows: Sequence[ArrayLike] | None = None,
    absent: Sequence[ArrayLike] | None = None,
) -> list[Ints]:
    """Return what ``ordered_path`` returns of each video; many without windows are solved side by side.

    Args:
        costs: of B videos, (T, C) each; T and C may differ.
        windows: for each video, (C, 2).
        absent: for each video, (C,).

    Raises:
        ValueError: as ``ordered_path``.
    """
    if windows is not None or absent is not None or len(costs) < _FEW:
        nothing = [None] * len(costs)
        each = zip(costs, windows or nothing, absent or nothing, strict=True)
        return [ordered_path(*video) for video in each]
    given = [_shaped(cost) for cost in costs]
    for cost in given:
        if cost.shape[1] > cost.shape[0]:
            raise ValueError(f"{cost.shape[1]} steps need at least as many times; there are {cost.shape[0]}")
    return compiled_each(given) or _side_by_side(given)


def _side_by_side(costs: list[NDArray[Any]]) -> list[Ints]:
    """Return the times (C,) of each video's steps, by numpy."""
    for cost in costs:
        _check_finite(cost)
    steps = np.array([cost.shape[1] for cost in costs])
    order = np.argsort(-steps, kind="stable")
    T, C = np.max([cost.shape for cost in costs], axis=0)
    table = np.full((C, len(costs), T), np.inf)
    for row, b in enumerate(order):
        table[: steps[b], row, : len(costs[b])] = costs[b].T
    times = _solve(SideBySide(table, _having(steps, C)), C)
    return [times[: steps[b], row].copy() for b, row in enumerate(np.argsort(order))]


def path_in_windows(cost: NDArray[Any], windows: Ints, absent: Floats | None = None) -> Ints:
    """Return what ``ordered_path`` returns, without looking whether the numbers make sense.

    Args:
        cost: (T, C) finite real numbers.
        windows: (C, 2) within the T times.
        absent: (C,) costs of leaving steps out.

    Raises:
        ValueError: if no times keep the order and the windows.
    """
    within = compiled_within(cost, windows, absent)
    if within is not None:
        _must_exist(within[1])
        return within[0]
    few = (windows[:, 1] - windows[:, 0]).sum() <= _LONG * len(windows)
    layout = Windows(cost, windows) if few else Blocks(cost, windows)
    return _solve(layout, cost.shape[1], absent)


def padded_paths(cost: Floats, steps: Ints) -> Ints:
    """Return the times of each video's steps, (B, C); -1 at padding.

    Args:
        cost: (B, T, C); infinite where a video has no such time, anything where it has no such step.
        steps: (B,) number of steps of each video, at most C; no more than it has times.
    """
    padded = compiled_padded(cost, steps)
    if padded is not None:
        _must_exist(padded[1])
        return padded[0]
    order, C = np.argsort(-steps, kind="stable"), cost.shape[2]
    table = np.ascontiguousarray(cost.transpose(2, 0, 1))[:, order]
    times = np.empty((len(cost), C), dtype=np.int64)
    times[order] = _solve(SideBySide(table, _having(steps, C)), C).T
    times[np.arange(C) >= steps[:, None]] = ABSENT
    return times


def _solve(layout: Layout, steps: int, absent: Floats | None = None) -> Ints:
    """Return the times of the steps, (C,) or (C, B): least costs forwards, where they are attained backwards.

    Raises:
        ValueError: if there are none.
    """
    best, omitted = layout.start(), {}
    for c in range(steps):
        after = layout.place(c, best)
        if absent is not None and np.isfinite(absent[c]):
            without = best + absent[c]
            omitted[c] = without < after
            np.minimum(after, without, out=after)
        best = after
    free = layout.times
    found = [free] * steps
    _must_exist(bool(np.isfinite(layout.at(best, free)).all()))
    for c in reversed(range(steps)):
        if c in omitted and layout.at(omitted[c], free):
            found[c] = ABSENT
        else:
            found[c] = free = layout.first(c, free)
    return np.array(found, dtype=np.int64).reshape(steps, *np.shape(layout.times))


def _must_exist(found: bool) -> None:
    if not found:
        raise ValueError("no times keep the order and the windows of the steps")


def _having(steps: Ints, C: int) -> list[int]:
    """Return how many videos have step c, for each c."""
    return [int((steps > c).sum()) for c in range(C)]


def _shaped(cost: ArrayLike) -> NDArray[Any]:
    given = np.asarray(cost)
    if given.ndim != 2 or given.dtype.kind not in "fiub":
        raise ValueError(f"expected cost (T, C) of real numbers; got {given.shape} {given.dtype}")
    return given


def _check_finite(cost: NDArray[Any]) -> None:
    if not np.isfinite(cost.sum()) and not np.isfinite(cost).all():
        raise ValueError("the cost has entries that are not finite; check the scores it is made of")


def _windows(windows: ArrayLike, times: int, steps: int) -> Ints:
    spans = np.asarray(windows)
    if spans.shape != (steps, 2) or (spans.size and spans.dtype.kind not in "iu"):
        raise ValueError(f"expected windows ({steps}, 2) of integers; got {spans.shape} {spans.dtype}")
    for c, (first, end) in enumerate(spans.tolist()):
        if not 0 <= first <= end <= times:
            raise ValueError(f"the window of step {c}, {first} to {end}, is not within the {times} times")
    return spans


def _absent(absent: ArrayLike, steps: int) -> Floats:
    given = np.asarray(absent, dtype=np.float64)
    if given.shape != (steps,) or np.isnan(given).any() or (given == -np.inf).any():
        raise ValueError(f"expected absent ({steps},) of numbers, which may be infinite; got {given}")
    return given
