"""Quasi-Newton on the regression weights: the labels follow, as the nearest ones that keep the demands.

For fixed weights the best labels are a projection, row by row and demand by demand. What is
left is a smooth convex function of W and b alone, without constraints, D x K numbers however many rows:

    F(W, b) = min_{Z, slack}  1/N ||Z - X W - b||^2 + sum_j kappa_j slack_j^2  +  lam ||W||^2

    gradient 2/N (G W - X^T Z),  so that in the metric of G it is  2/N (W - G^-1 X^T Z)

A step along that gradient is alternating minimisation, which crawls where lam is small;
L-BFGS in the same metric needs some tens of passes. A pass reads each block once, and its time is
linear in N. Where the corner steps of Frank-Wolfe zigzag, because good labels lie inside
faces, this does not. The linear oracles still prove the gap, for the labels found.

Sources
    Golub & Pereyra 1973 (eliminating one set of unknowns); Danskin's theorem; Liu & Nocedal 1989 (L-BFGS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.progress import Progress, Silent
from sayso.solvers.diffrac import Diffrac, Floats
from sayso.solvers.frank_wolfe import Watch
from sayso.solvers.iterate import Labelling, Solution, load_arrays, save_arrays
from sayso.solvers.linear_oracle import Oracle
from sayso.solvers.projection import Nearest

_MEMORY = 10  # pairs that L-BFGS remembers


def quasi_newton(
    problem: Diffrac,
    oracles: Sequence[Oracle],
    *,
    gap: float = 1e-4,
    relative: bool = False,
    passes: int = 1000,
    every: int = 5,
    start: Floats | None = None,
    state: Path | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Minimise the objective over the labellings that keep the demands.

    Args:
        problem: the objective.
        oracles: one for each block.
        gap: stop when the value is proved within this much of the optimum.
        relative: whether ``gap`` is a fraction of the value.
        passes: stop after so many passes over the features; a proof counts as one.
        every: passes between proofs.
        start: (N, K) labels whose regression is the start; default as ``Labelling``.
        state: file that is written at every proof; where it exists, solving goes on from it.
        watch: called at every proof with the labelling, the pass and the gap; returning True stops.
        progress: what is told of each proof.

    Returns:
        The labels of least value among those proved, with ``steps`` the number of passes.

    Raises:
        SaysoError: if shapes disagree, the state is of another problem, or no labelling keeps the demands.
    """
    progress = progress or Silent()
    labelling = Labelling(problem, oracles, start)
    descent = _Descent(labelling)
    if state is not None and state.exists():
        descent.restore(load_arrays(state, {"point": descent.point.flat.shape}))
    best, least = descent.point, np.inf
    while True:
        here = descent.prove(labelling)
        if here < least:
            best, least = descent.point, here
        left = max(0.0, least - descent.bound)
        if state is not None:
            save_arrays(state, **descent.arrays())
        progress.update(min(descent.passes, passes), passes, f"gap {left:.2g}")
        stopped = watch is not None and watch(labelling, descent.passes, left) is True
        converged = left <= (gap * abs(least) if relative else gap)
        if converged or stopped or descent.passes >= passes:
            best.write(labelling)
            return labelling.solution(left, descent.passes, converged)
        until = min(passes, descent.passes + every)
        while descent.passes < until:
            descent.step()


@dataclass(frozen=True, eq=False)
class _Point:
    """Weights and bias as one (D + 1, K) array, the labels that follow, and where these lead."""

    flat: Floats
    value: float
    away: Floats  # the gradient in the metric, times N / 2
    Z: Floats
    slack: list[Floats]
    S: Floats

    def write(self, labelling: Labelling) -> None:
        """Give the labels to a labelling, with their own best regression."""
        labelling.Z, labelling.slack, labelling.S = self.Z, self.slack, self.S
        goal = self.flat - self.away
        labelling.W, labelling.mean = goal[:-1], goal[-1]


class _Descent:
    """L-BFGS on F."""

    def __init__(self, labelling: Labelling) -> None:
        self.problem, self.oracles = labelling.problem, labelling.oracles
        weights = [self.problem.weights[rows] for rows in self.problem.slices]
        self.nearest = [Nearest(o, w, self.problem.total) for o, w in zip(self.oracles, weights, strict=True)]
        self.pairs: list[
            tuple[Floats, Floats, Floats, Floats]
        ] = []  # change, change of gradient; each times G
        self.passes, self.bound = 0, -np.inf
        self.point = self.at(np.vstack([labelling.W, labelling.mean]))

    def at(self, flat: Floats) -> _Point:
        """Return the point of these weights; one pass over the features."""
        problem, W, bias = self.problem, flat[:-1], flat[-1]
        Z, slack, S = np.empty((problem.rows, flat.shape[1])), [], np.zeros_like(W)
        value = problem.lam * float(np.vdot(W, W))
        for i, rows in enumerate(problem.slices):
            scores = problem.block_scores(i, W, bias)
            Z[rows] = self.nearest[i](scores)
            slack.append(self.oracles[i].slack(Z[rows]))
            value += float(problem.weights[rows] @ np.square(Z[rows] - scores).sum(1)) / problem.total
            value += float(self.oracles[i].kappa @ slack[-1] ** 2)
            S += problem.block_correlation(i, Z[rows])
        self.passes += 1
        goal = np.vstack([problem.solve(S), problem.label_mean(Z)])
        return _Point(flat, value, flat - goal, Z, slack, S)

    def step(self) -> None:
        """Move along the quasi-Newton direction, or, where that does not descend, to the goal."""
        here, way = self.point, self._direction()
        slope = -2 / self.problem.total * float(np.vdot(self._metric(here.away), way))
        for length in (1.0, 0.5, 0.1):
            there = self.at(here.flat - length * way)
            if there.value <= here.value + 1e-4 * length * slope:
                break
        else:
            self.pairs.clear()
            there = self.at(here.flat - here.away)
        self._remember(there.flat - here.flat, there.away - here.away)
        self.point = there

    def prove(self, labelling: Labelling) -> float:
        """Write the point into the labelling, raise the bound, and return the labels' value; one pass."""
        self.point.write(labelling)
        slope = sum(labelling.look(i)[1] for i in range(len(self.oracles)))
        value = labelling.value()
        self.passes, self.bound = self.passes + 1, max(self.bound, value - slope)
        return value

    def arrays(self) -> dict[str, Any]:
        """Return all that is needed to go on: nothing in it grows with N."""
        pairs = np.array(self.pairs).reshape(-1, 4, *self.point.flat.shape)
        return {"point": self.point.flat, "pairs": pairs, "counts": np.array([self.passes, self.bound])}

    def restore(self, arrays: dict[str, Any]) -> None:
        """Go on from ``arrays``."""
        self.point = self.at(arrays["point"])
        self.pairs = [(p[0], p[1], p[2], p[3]) for p in arrays["pairs"]]
        self.passes, self.bound = int(arrays["counts"][0]) - 1, float(arrays["counts"][1])

    def _metric(self, flat: Floats) -> Floats:
        return np.vstack([self.problem.metric @ flat[:-1], self.problem.total * flat[-1:]])

    def _remember(self, change: Floats, turn: Floats) -> None:
        heavy = self._metric(change)
        if np.vdot(heavy, turn) > 1e-14 * np.vdot(heavy, change):
            self.pairs = [*self.pairs, (change, turn, heavy, self._metric(turn))][-_MEMORY:]

    def _direction(self) -> Floats:
        """Return the two-loop recursion's product of the inverse Hessian and the gradient."""
        way, shares = self.point.away.copy(), []
        for _, turn, heavy, _ in reversed(self.pairs):
            shares.append(np.vdot(heavy, way) / np.vdot(heavy, turn))
            way -= shares[-1] * turn
        if self.pairs:
            _, turn, heavy, heavy_turn = self.pairs[-1]
            way *= np.vdot(heavy, turn) / np.vdot(heavy_turn, turn)
        for (change, turn, heavy, heavy_turn), share in zip(self.pairs, reversed(shares), strict=True):
            way += change * (share - np.vdot(heavy_turn, way) / np.vdot(heavy, turn))
        return way
