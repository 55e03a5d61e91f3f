"""Place ordered steps in time: one time for each step, in order, at the least total cost.

    minimise  sum_k cost[t_k, k]   subject to   t_0 < t_1 < ... < t_{K-1}

With best[t, k] the least cost of the first k steps within the first t times, each
step is either placed at the last of these times or before it:

    best[t + 1, k + 1] = min(best[t, k + 1], best[t, k] + cost[t, k])

This is exact: either choice leaves a smaller problem of the same kind. O(TK).

Source
    Zhukov et al., CVPR 2019, section 4 (background, step 1, background, ..., step K,
    background; a step lasts one time). https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ordered_path(cost: ArrayLike) -> NDArray[np.int64]:
    """Return the time of each step.

    Of several optimal answers, the one whose last step is earliest is returned, among
    those the one whose last but one is, and so on.

    Args:
        cost: (T, K) finite real numbers: the cost of step k at time t.

    Returns:
        (K,) int64, strictly increasing, in [0, T).

    Raises:
        ValueError: if the cost is not a (T, K) matrix of finite real numbers, or T < K.
    """
    costs = _checked(cost)
    moments, steps = costs.shape
    best = np.zeros(steps + 1)
    best[1:] = np.inf
    placed = np.zeros((moments, steps), dtype=bool)
    for moment in range(moments):
        here = best[:-1] + costs[moment]
        placed[moment] = here < best[1:]
        best[1:] = np.minimum(best[1:], here)
    return _traced(placed)


def _traced(placed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the times, from the last step to the first, of the choices that were best."""
    moments, steps = placed.shape
    times = np.empty(steps, dtype=np.int64)
    moment = moments
    for step in reversed(range(steps)):
        moment = int(np.flatnonzero(placed[:moment, step])[-1])
        times[step] = moment
    return times


def _checked(cost: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(cost)
    if given.ndim != 2 or given.dtype.kind not in "fiub":
        raise ValueError(f"expected cost (T, K) of real numbers; got {given.shape} {given.dtype}")
    moments, steps = given.shape
    if moments < steps:
        raise ValueError(f"{steps} steps need at least {steps} times, one each; got {moments}")
    costs = given.astype(np.float64)
    if not np.isfinite(costs).all():
        raise ValueError("the cost has entries that are not finite; check the scores it is made of")
    return costs
