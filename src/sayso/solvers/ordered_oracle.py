"""The linear oracle of ordered steps: each step at one time, in order, within its window.

The labels of a video are Z (T, C), with exactly one 1 in the column of each step, later for later
steps, inside the step's window. The cheapest are found by the ordered dynamic program
(``solvers/ordered_path.py``). Rows that hold no step are 0: what is between steps has no class of its own.

Windows can contradict the order (somebody narrates two steps the wrong way round). Then the fewest
windows that have to be are dropped, by the same program on the cost "outside the window".

Sources
    Bojanowski et al., ECCV 2014 (ordering); Alayrac et al., CVPR 2016, section 4.2.
    https://arxiv.org/abs/1506.09215
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sayso.core.arrays import Bools, Floats, Ints
from sayso.core.errors import SaysoError
from sayso.solvers.compiled_path import ABSENT
from sayso.solvers.linear_oracle import LinearOracle, Vertex
from sayso.solvers.ordered_path import path_in_windows


class OrderedOracle(LinearOracle):
    """The labels of one video whose steps are in order, and the cheapest of them.

    Args:
        rows: T.
        steps: C, at most T of which are present.
        windows: (C, 2) first time and time after the last that each step may have; None: any time.
        present: (C,) which steps the video has; None: all. The columns of others are 0.

    Attributes:
        windows: (C, 2) as they are kept: those that were dropped are (0, T).
        dropped: (C,) which windows contradict the order.

    Raises:
        SaysoError: if there are more steps than times, or a window is empty or lies outside.
    """

    def __init__(
        self, rows: int, steps: int, windows: ArrayLike | None = None, present: ArrayLike | None = None
    ) -> None:
        super().__init__(rows, steps)
        self.present: Bools = np.ones(steps, bool) if present is None else np.asarray(present, dtype=bool)
        anywhere = np.tile(np.array([0, rows], dtype=np.int64), (steps, 1))
        wanted = anywhere.copy() if windows is None else np.asarray(windows, dtype=np.int64)
        shapes = wanted.shape == (steps, 2) and self.present.shape == (steps,)
        if not shapes or self.present.sum() > rows:
            raise SaysoError(
                f"{steps} steps with a window each need as many times; got {wanted.shape}, {rows}"
            )
        if not ((wanted[:, 0] >= 0) & (wanted[:, 0] < wanted[:, 1]) & (wanted[:, 1] <= rows)).all():
            raise SaysoError(f"the window of a step is empty or not within the {rows} times of its video")
        self.windows, self.dropped = anywhere, np.zeros(steps, dtype=bool)
        if windows is not None:
            self._drop_contradictions(wanted)

    def __call__(self, cost: Floats, slack_cost: Floats) -> Vertex:  # noqa: ARG002  there are no slacks
        """Return the cheapest labels, (T, C), and no slacks."""
        return self.labels(self.times(cost)), np.zeros(0)

    def times(self, cost: Floats) -> Ints:
        """Return the cheapest time of each step, (C,); -1 for steps that are not present.

        Args:
            cost: (T, C) finite.
        """
        if self.present.all():
            return path_in_windows(cost, self.windows)
        times = np.full(self.classes, ABSENT, dtype=np.int64)
        times[self.present] = path_in_windows(cost[:, self.present], self.windows[self.present])
        return times

    def labels(self, times: Ints) -> Floats:
        """Return the labels (T, C) of times (C,)."""
        Z = np.zeros((self.rows, self.classes))
        there = np.flatnonzero(times >= 0)
        Z[times[there], there] = 1
        return Z

    def initial_labels(self) -> Floats:
        """Return labels (T, C) that are uniform over each step's window."""
        Z = np.zeros((self.rows, self.classes))
        for c in np.flatnonzero(self.present):
            first, end = self.windows[c]
            Z[first:end, c] = 1 / (end - first)
        return Z

    def violation(self, Z: Floats, slack: Floats) -> float:  # noqa: ARG002  there are no slacks
        """Return by how much a constraint that all ordered labels keep is broken at most."""
        sums = np.abs(Z.sum(0) - self.present).max(initial=0.0)
        inside = self.initial_labels() > 0
        later = np.maximum(0, np.diff(np.cumsum(Z[:, self.present], 0), axis=1)).max(initial=0.0)
        return float(max(sums, -Z.min(initial=0.0), np.abs(Z[~inside]).max(initial=0.0), later))

    def _drop_contradictions(self, wanted: Ints) -> None:
        """Keep the windows, but for the fewest that contradict the order."""
        times = np.arange(self.rows)[:, None]
        outside = ((times < wanted[:, 0]) | (times >= wanted[:, 1])).astype(np.float64)
        placed = self.times(outside)
        there = np.flatnonzero(placed >= 0)
        self.dropped[there] = outside[placed[there], there] > 0
        self.windows[~self.dropped] = wanted[~self.dropped]
