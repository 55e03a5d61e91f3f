"""The ordered dynamic program as two compiled loops (the ``fast`` extra), with the ties of ``ordered_path``.

``free_paths`` goes over the times once, all steps of a time together, for steps that may be at any time and
must be there. ``path_within`` goes over the steps, each within its window, and may leave steps out. What the
numpy form (``running_minimum.py``) computes, they compute in the same order: the answers are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats, Ints
from sayso.core.compiled import WorthCompiling, loop

ABSENT = -1
worth_compiling = WorthCompiling(100_000)  # cells (T x C), which numpy takes half a millisecond for


@loop("Tuple((boolean, float64))(float64[:, :, ::1], int64[::1], int64[:, ::1])")
def free_paths(cost: Any, steps: Any, times: Any) -> Any:
    """Write the times of each video's steps; return whether all have some of finite cost, and all costs' sum.

    Args:
        cost: (B, T, C) float64.
        steps: (B,) int64, how many of the C a video has.
        times: (B, C) int64, written as far as there are steps.
    """
    B, T, C = cost.shape
    took, sums = np.empty((T, C), np.uint8), np.zeros(C)
    found = True
    for b in range(B):
        n = steps[b]
        best, after = np.full(n + 1, np.inf), np.full(n + 1, np.inf)
        best[0] = after[0] = 0.0
        for t in range(0, T - T % 2, 2):  # two at a time: no table need be exchanged
            for c in range(n):
                placed = best[c] + cost[b, t, c]
                sums[c] += cost[b, t, c] + cost[b, t + 1, c]
                took[t, c] = placed < best[c + 1]
                after[c + 1] = placed if placed < best[c + 1] else best[c + 1]
            for c in range(n):
                placed = after[c] + cost[b, t + 1, c]
                took[t + 1, c] = placed < after[c + 1]
                best[c + 1] = placed if placed < after[c + 1] else after[c + 1]
        if T % 2:
            for c in range(n - 1, -1, -1):
                placed = best[c] + cost[b, T - 1, c]
                sums[c] += cost[b, T - 1, c]
                took[T - 1, c] = placed < best[c + 1]
                best[c + 1] = placed if placed < best[c + 1] else best[c + 1]
        if not np.isfinite(best[n]):
            found = False
            continue
        t = T
        for c in range(n - 1, -1, -1):
            t -= 1
            while not took[t, c]:
                t -= 1
            times[b, c] = t
    return found, sums.sum()


@loop("boolean(float64[:, :], int64[:, ::1], float64[::1], int64[::1])")
def path_within(cost: Any, windows: Any, absent: Any, times: Any) -> Any:
    """Write the times of one video's steps, and return whether there are some of finite cost.

    Args:
        cost: (T, C) float64.
        windows: (C, 2) int64, first time and the time after the last.
        absent: (C,) float64, infinite where a step must not be left out.
        times: (C,) int64, written.
    """
    T, C = cost.shape
    starts = np.zeros(C + 1, np.int64)
    for c in range(C):
        starts[c + 1] = starts[c] + windows[c, 1] - windows[c, 0]
    least_at = np.empty(starts[C], np.int64)  # for each time of a window, where the least up to it is
    omitted = np.zeros((C, T + 1), np.uint8)
    best, after = np.zeros(T + 1), np.empty(T + 1)
    for c in range(C):
        first, end = windows[c, 0], windows[c, 1]
        least, at = np.inf, first
        after[: first + 1] = np.inf
        for t in range(first, end):
            placed = best[t] + cost[t, c]
            if placed < least:
                least, at = placed, t
            after[t + 1] = least
            least_at[starts[c] + t - first] = at
        after[end + 1 :] = least
        if absent[c] < np.inf:
            for t in range(T + 1):
                without = best[t] + absent[c]
                if without < after[t]:
                    omitted[c, t] = 1
                    after[t] = without
        best, after = after, best
    if not np.isfinite(best[T]):
        return False
    t = T
    for c in range(C - 1, -1, -1):
        if omitted[c, t]:
            times[c] = ABSENT
        else:
            t = least_at[starts[c] + min(t, windows[c, 1]) - windows[c, 0] - 1]
            times[c] = t
    return True


def compiled_each(costs: Sequence[NDArray[Any]]) -> list[Ints] | None:
    """Return the times (C,) of each video's steps, which may be at any time and must be there.

    Args:
        costs: of B videos, (T, C) each.

    Returns:
        None where nothing is compiled, there is too little to do, or a cost is not finite.
    """
    run = free_paths.compiled() if worth_compiling(sum([cost.size for cost in costs])) else None
    if run is None:
        return None
    steps = np.array([cost.shape[1] for cost in costs], dtype=np.int64)
    found, whole = [], 0.0
    for b, cost in enumerate(costs):
        times = np.empty((1, cost.shape[1]), np.int64)
        fits, total = run(np.ascontiguousarray(cost[None], np.float64), steps[b : b + 1], times)
        whole += total if fits else np.nan
        found.append(times[0])
    return found if np.isfinite(whole) else None


def compiled_padded(cost: Floats, steps: Ints) -> tuple[Ints, bool] | None:
    """Return the times (B, C), ``ABSENT`` at padding, and whether all videos have any.

    Args:
        cost: (B, T, C), infinite where a video has no such time.
        steps: (B,) how many steps a video has.

    Returns:
        None where nothing is compiled, or there is too little to do.
    """
    run = free_paths.compiled() if worth_compiling(cost.size) else None
    if run is None:
        return None
    times = np.full((len(cost), cost.shape[2]), ABSENT, dtype=np.int64)
    fits, _ = run(np.ascontiguousarray(cost, np.float64), np.asarray(steps, np.int64), times)
    return times, fits


def compiled_within(cost: NDArray[Any], windows: Ints, absent: Floats | None) -> tuple[Ints, bool] | None:
    """Return the times (C,), and whether there are any.

    Args:
        cost: (T, C) finite real numbers.
        windows: (C, 2) within the T times.
        absent: (C,) costs of leaving steps out, or None if all must be there.

    Returns:
        None where nothing is compiled, or there is too little to do.
    """
    run = path_within.compiled() if worth_compiling(cost.size) else None
    if run is None:
        return None
    times = np.empty(cost.shape[1], np.int64)
    spans = np.ascontiguousarray(windows, np.int64)
    omission = np.full(len(times), np.inf) if absent is None else absent
    return times, run(np.asarray(cost, np.float64), spans, omission, times)
