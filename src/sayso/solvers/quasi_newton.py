"""Quasi-Newton on the regression weights: the labels follow, as the projection that keeps the constraints.

For fixed weights the best labels are a projection, row by row and constraint by constraint. What is
left is a smooth convex function of W and b alone, without constraints, D x C numbers however many rows:

    F(W, b) = min_{Z, slack}  1/N ||Z - X W - b||^2 + sum_j kappa_j slack_j^2  +  lambda ||W||^2

    gradient 2/N (G W - X^T Z),  so that in the metric of G it is  2/N (W - G^-1 X^T Z)

A step along that gradient is alternating minimisation, which converges slowly where lambda is small;
L-BFGS in the same metric needs some tens of passes. A pass reads each block once, and its time is
linear in N. Where the vertex steps of Frank-Wolfe zigzag, because good labels lie inside
faces, this does not. The linear oracles still prove the gap, for the labels found.

Used by ``systems/name_actors``.

Sources
    Golub & Pereyra 1973 (eliminating one set of unknowns); Danskin's theorem; Liu & Nocedal 1989 (L-BFGS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.progress import Progress
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.iterate import Callback, Iterate, Solution, load_arrays, save_arrays
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.projection import Projection
from sayso.solvers.stopping import StoppingRule

_MEMORY = 10  # pairs that L-BFGS remembers


def quasi_newton(
    problem: Diffrac,
    oracles: Sequence[LinearOracle],
    *,
    tol: float = 1e-4,
    relative: bool = False,
    max_iter: int = 1000,
    check_every: int = 5,
    init: Floats | None = None,
    checkpoint: Path | None = None,
    callback: Callback | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Minimise the objective over the labels that keep the constraints.

    Args:
        problem: the objective.
        oracles: one for each block.
        tol: stop when the duality gap is at most this.
        relative: whether ``tol`` is a fraction of the value.
        max_iter: stop after so many passes over the features; computing the gap counts as one.
        check_every: passes between computations of the gap.
        init: (N, C) labels whose regression is the start; default as ``Iterate``.
        checkpoint: file that is written whenever the gap is computed; solving goes on from it.
        callback: called with the iterate, the pass and the gap, whenever that is computed; True stops.
        progress: updated with the gap.

    Returns:
        The labels of least value among those whose gap was computed; ``iterations`` is the number of passes.

    Raises:
        SaysoError: if shapes disagree, the checkpoint is another problem's, or the constraints contradict.
    """
    iterate = Iterate(problem, oracles, init)
    descent = _Descent(iterate, checkpoint)
    stop = StoppingRule("quasi_newton", tol, max_iter, relative, callback, progress)
    while True:
        gap = descent.gap(iterate)
        descent.save()
        if stop.reached(iterate, descent.passes, gap, descent.least):
            break
        descent.advance(min(max_iter, descent.passes + check_every))
    descent.best.write(iterate)
    return iterate.solution(gap, descent.passes, stop.converged)


@dataclass(frozen=True, eq=False)
class _Point:
    """Weights and bias as one (D + 1, C) array, the labels that follow, and the gradient."""

    weights: Floats
    value: float
    gradient: Floats  # in the metric, times N / 2
    Z: Floats
    slack: list[Floats]
    S: Floats

    def write(self, iterate: Iterate) -> None:
        """Give the labels to an iterate, with their own regression."""
        iterate.Z, iterate.slack, iterate.S = self.Z, self.slack, self.S
        regression = self.weights - self.gradient
        iterate.W, iterate.mean = regression[:-1], regression[-1]


class _Descent:
    """L-BFGS on F."""

    def __init__(self, iterate: Iterate, checkpoint: Path | None) -> None:
        self.checkpoint = checkpoint
        self.problem, self.oracles = iterate.problem, iterate.oracles
        weights = [self.problem.weights[rows] for rows in self.problem.slices]
        blocks = zip(self.oracles, weights, strict=True)
        self.projections = [Projection(o, w, self.problem.total) for o, w in blocks]
        # change, change of gradient, and each of them times G
        self.pairs: list[tuple[Floats, Floats, Floats, Floats]] = []
        self.passes, self.bound = 0, -np.inf
        self.point = self.at(np.vstack([iterate.W, iterate.mean]))
        if checkpoint is not None and checkpoint.exists():
            self._restore(load_arrays(checkpoint, {"point": self.point.weights.shape}))
        self.best, self.least = self.point, np.inf

    def at(self, weights: Floats) -> _Point:
        """Return the point of these weights; one pass over the features."""
        problem, W, bias = self.problem, weights[:-1], weights[-1]
        Z, slack, S = np.empty((problem.rows, weights.shape[1])), [], np.zeros_like(W)
        value = problem.lambda_ * float(np.vdot(W, W))
        for i, rows in enumerate(problem.slices):
            scores = problem.block_scores(i, W, bias)
            Z[rows] = self.projections[i](scores)
            slack.append(self.oracles[i].slack(Z[rows]))
            value += float(problem.weights[rows] @ np.square(Z[rows] - scores).sum(1)) / problem.total
            value += float(self.oracles[i].kappa @ slack[-1] ** 2)
            S += problem.block_correlation(i, Z[rows])
        self.passes += 1
        regression = np.vstack([problem.regress(S), problem.label_mean(Z)])
        return _Point(weights, value, weights - regression, Z, slack, S)

    def step(self) -> None:
        """Move along the quasi-Newton direction, or along the gradient where that does not descend."""
        point, direction = self.point, self._direction()
        slope = -2 / self.problem.total * float(np.vdot(self._metric(point.gradient), direction))
        for length in (1.0, 0.5, 0.1):
            tried = self.at(point.weights - length * direction)
            if tried.value <= point.value + 1e-4 * length * slope:
                break
        else:
            self.pairs.clear()
            tried = self.at(point.weights - point.gradient)
        self._remember(tried.weights - point.weights, tried.gradient - point.gradient)
        self.point = tried

    def advance(self, until: int) -> None:
        """Take steps until so many passes are done."""
        while self.passes < until:
            self.step()

    def gap(self, iterate: Iterate) -> float:
        """Write the point into the iterate, raise the lower bound, keep the best labels; one pass.

        Returns:
            By how much the best labels may be above the minimum.
        """
        self.point.write(iterate)
        slope = sum(iterate.lmo(i)[1] for i in range(len(self.oracles)))
        value = iterate.value()
        self.passes, self.bound = self.passes + 1, max(self.bound, value - slope)
        if value < self.least:
            self.best, self.least = self.point, value
        return max(0.0, self.least - self.bound)

    def save(self) -> None:
        """Write all that is needed to go on: nothing in it grows with N."""
        if self.checkpoint is not None:
            pairs = np.array(self.pairs).reshape(-1, 4, *self.point.weights.shape)
            counts = np.array([self.passes, self.bound])
            save_arrays(self.checkpoint, point=self.point.weights, pairs=pairs, counts=counts)

    def _restore(self, arrays: dict[str, Any]) -> None:
        """Go on from what ``save`` wrote."""
        self.point = self.at(arrays["point"])
        self.pairs = [(p[0], p[1], p[2], p[3]) for p in arrays["pairs"]]
        self.passes, self.bound = int(arrays["counts"][0]) - 1, float(arrays["counts"][1])

    def _metric(self, weights: Floats) -> Floats:
        """Return weights and bias times G."""
        return np.vstack([self.problem.gram @ weights[:-1], self.problem.total * weights[-1:]])

    def _remember(self, change: Floats, turn: Floats) -> None:
        """Keep a pair of changes, of the weights and of the gradient, if the curvature is positive."""
        weighted = self._metric(change)
        if np.vdot(weighted, turn) > 1e-14 * np.vdot(weighted, change):
            self.pairs = [*self.pairs, (change, turn, weighted, self._metric(turn))][-_MEMORY:]

    def _direction(self) -> Floats:
        """Return the two-loop recursion's product of the inverse Hessian and the gradient."""
        product, shares = self.point.gradient.copy(), []
        for _, turn, weighted, _ in reversed(self.pairs):
            shares.append(np.vdot(weighted, product) / np.vdot(weighted, turn))
            product -= shares[-1] * turn
        if self.pairs:
            _, turn, weighted, weighted_turn = self.pairs[-1]
            product *= np.vdot(weighted, turn) / np.vdot(weighted_turn, turn)
        for (change, turn, weighted, weighted_turn), share in zip(self.pairs, reversed(shares), strict=True):
            product += change * (share - np.vdot(weighted_turn, product) / np.vdot(weighted, turn))
        return product
