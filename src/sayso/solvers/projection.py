"""The projection of scores onto the labels that keep every constraint, by its dual variables.

    min_{Z, slack}  sum_n weight_n / total |z_n - u_n|^2 + sum_j kappa_j slack_j^2

over the labels that keep the constraints. The dual variable of a constraint raises the scores of its
class on its rows; what is left are projections onto the simplex, each row by itself. What a constraint
counts rises with its dual variable, so each dual variable is the root of a rising, piecewise linear function
of one number (safeguarded Newton, all constraints at once). Constraints that share rows lie in
different layers, and the layers take turns until all agree: ascent on the dual.

Dual variables are kept from one call to the next: scores that moved little need few turns.

Sources
    Held, Wolfe & Crowder 1974 (simplex); Bertsekas, Nonlinear Programming, section 6.3 (dual ascent).
"""

from __future__ import annotations

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.errors import SaysoError
from sayso.solvers.constraints import CountConstraint
from sayso.solvers.linear_oracle import LinearOracle

_TOLERANCE = 1e-10  # how nearly a constraint of one row is kept
_MAX_TURNS = 1000  # of the layers
_MAX_NEWTON = 20  # Newton steps in a row
_MAX_HALVINGS = 100  # of a dual variable's interval


def project_simplex(U: Floats) -> Floats:
    """Return the point of the simplex that is nearest to each row of U (N, C)."""
    ranked = -np.sort(-U, axis=1)
    thresholds = (np.cumsum(ranked, 1) - 1) / np.arange(1, U.shape[1] + 1)
    support = (ranked > thresholds).sum(1)
    return np.asarray(np.maximum(U - thresholds[np.arange(len(U)), support - 1][:, None], 0))


class Projection:
    """The projection onto the labels that keep a block's constraints.

    Args:
        oracle: the block's rows, classes and constraints.
        weights: (N,) of the rows.
        total: of the weights over all blocks.
    """

    def __init__(self, oracle: LinearOracle, weights: Floats, total: float) -> None:
        self.oracle = oracle
        softness = np.array([0.0 if c.kappa is None else 1 / (c.kappa * total) for c in oracle.constraints])
        single = [group[0] for group in oracle.groups if len(group) == 1]
        shared = [j for group in oracle.groups if len(group) > 1 for j in group]

        def layer(which: list[int]) -> _Layer:
            return _Layer([oracle.constraints[j] for j in which], weights, softness[which])

        self._single = [layer(single)] if single else []
        self._shared = [layer(which) for which in _layers(oracle.constraints, shared)]
        self._newton = _DualNewton(self._shared, weights)

    def __call__(self, U: Floats) -> Floats:
        """Return the labels for scores U, both (N, C).

        Raises:
            SaysoError: if constraints without slack contradict each other, or all but.
        """
        raised = U.copy()
        for layer in self._single + self._shared:
            layer.add_duals(raised, 1)
        for layer in self._single:
            layer.solve(raised)
        for _ in range(_MAX_TURNS if self._shared else 0):
            if max(layer.solve(raised) for layer in self._shared) == 0:
                break
            self._newton(raised, self._shared)
        Z = project_simplex(raised)
        short = self.oracle.slack(Z) / np.maximum(1, self.oracle.required)
        if np.any(short[self.oracle.hard] > 100 * _TOLERANCE):
            raise SaysoError(
                "constraints without slack contradict each other, or all but; give some of them a kappa"
            )
        return Z


class _Layer:
    """Constraints that share no rows, and their dual variables.

    The rows of all of them stand one after the other, M in all; ``owner`` says whose each is.
    """

    def __init__(self, constraints: list[CountConstraint], weights: Floats, softness: Floats) -> None:
        sizes = [len(c.rows) for c in constraints]
        self.rows = np.concatenate([c.rows for c in constraints])
        self.labels = np.repeat([c.label for c in constraints], sizes)
        self.owner = np.repeat(np.arange(len(constraints)), sizes)
        self.counts = np.concatenate([c.row_weights for c in constraints])
        self.rise = self.counts / weights[self.rows]  # of a score with the dual variable
        self.required = np.array([float(c.at_least) for c in constraints])
        self.softness = softness
        self.duals = np.zeros(len(constraints))

    def add_duals(self, U: Floats, sign: int) -> None:
        """Add the dual variables to the scores, or take them off, in place."""
        U[self.rows, self.labels] += sign * self.duals[self.owner] * self.rise

    def solve(self, U: Floats) -> float:
        """Find the dual variables, given those of other layers; return the residual that was there.

        Args:
            U: (N, C) scores raised by all dual variables; changed in place.
        """
        self.add_duals(U, -1)
        rivals = U[self.rows]
        own = rivals[np.arange(len(rivals)), self.labels]
        rivals[np.arange(len(rivals)), self.labels] = -np.inf
        ranked = -np.sort(-rivals, axis=1)[:, :-1]
        sums = np.column_stack([np.zeros(len(own)), np.cumsum(ranked, 1)])
        # the own score below which so many rivals have a part of the row
        breaks = 1 - sums[:, 1:] + np.arange(2, U.shape[1] + 1) * ranked
        residual = self._find_roots(own, sums, breaks)
        self.add_duals(U, 1)
        return residual

    def _find_roots(self, own: Floats, sums: Floats, breaks: Floats) -> float:
        """Find all dual variables by Newton's method, halving intervals where it leaves them."""
        low, high = np.full(len(self.duals), -1.0), np.full(len(self.duals), np.inf)
        residual, tolerance = 0.0, _TOLERANCE * np.maximum(1, self.required)
        for turn in range(_MAX_HALVINGS):
            short, slope = self._missing(own, sums, breaks)
            done = (abs(short) <= tolerance) | ((self.duals <= 0) & (short < 0))
            residual = float(abs(short[~done]).max(initial=0)) if turn == 0 else residual
            if done.all():
                break
            low = np.where(short > 0, self.duals, low)
            high = np.where(short < 0, self.duals, high)
            newton = np.maximum(0, self.duals + short / np.maximum(slope, 1e-300))
            halved = np.where(np.isfinite(high), (np.maximum(low, 0) + high) / 2, 2 * self.duals + 1)
            step = np.where((newton > low) & (newton < high) & (slope > 0), newton, halved)
            self.duals = np.where(done, self.duals, step)
        return residual

    def _missing(self, own: Floats, sums: Floats, breaks: Floats) -> tuple[Floats, Floats]:
        """Return how much each constraint lacks, and how fast its dual variable mends it, (J,) each."""
        score = own + self.duals[self.owner] * self.rise
        rivals = (breaks > score[:, None]).sum(1)
        threshold = (sums[np.arange(len(own)), rivals] + score - 1) / (rivals + 1)
        labels = np.clip(score - threshold, 0, 1)
        rise = np.where(labels > 0, self.rise * rivals / (rivals + 1), 0)
        count = np.bincount(self.owner, self.counts * labels, len(self.duals))
        slope = np.bincount(self.owner, self.counts * rise, len(self.duals))
        return self.required - count - self.softness * self.duals, slope + self.softness


class _DualNewton:
    """Newton's method on the dual variables of constraints that share rows: turns alone converge slowly."""

    def __init__(self, layers: list[_Layer], weights: Floats) -> None:
        if not layers:
            return
        self.rows, self.row_of = np.unique(np.concatenate([a.rows for a in layers]), return_inverse=True)
        self.labels = np.concatenate([a.labels for a in layers])
        starts = np.cumsum([0] + [len(a.duals) for a in layers])
        self.cuts = starts[1:-1]
        self.owner = np.concatenate([a.owner + at for a, at in zip(layers, starts, strict=False)])
        self.counts = np.concatenate([a.counts for a in layers])
        self.rise = np.concatenate([a.rise for a in layers])
        self.required = np.concatenate([a.required for a in layers])
        self.softness = np.concatenate([a.softness for a in layers])
        self.weights = weights[self.rows]
        label = np.zeros(len(self.required), dtype=np.int64)
        label[self.owner] = self.labels
        self.same_class = label[:, None] == label

    def __call__(self, U: Floats, layers: list[_Layer]) -> None:
        """Raise the dual by Newton steps while they do, in the layers' dual variables and the scores."""
        duals = np.concatenate([layer.duals for layer in layers])
        base = U[self.rows]
        self._add(base, -duals)
        value, gradient, curvature = self._dual(base, duals)
        for _ in range(_MAX_NEWTON):
            free = (duals > 0) | (gradient > 0)
            step = np.zeros_like(duals)
            reduced = curvature[np.ix_(free, free)]
            step[free] = np.linalg.solve(reduced + 1e-9 * np.eye(len(reduced)), gradient[free])
            for length in (1.0, 0.3, 0.1):
                tried = np.maximum(0, duals + length * step)
                found = self._dual(base, tried)
                if found[0] > value:
                    break
            else:
                break
            duals, (value, gradient, curvature) = tried, found
        for layer, part in zip(layers, np.split(duals, self.cuts), strict=True):
            layer.duals = part
        self._add(base, duals)
        U[self.rows] = base

    def _add(self, base: Floats, duals: Floats) -> None:
        np.add.at(base, (self.row_of, self.labels), duals[self.owner] * self.rise)

    def _dual(self, base: Floats, duals: Floats) -> tuple[float, Floats, Floats]:
        """Return the dual, its gradient (J,) and minus its second derivative (J, J)."""
        raised = base.copy()
        self._add(raised, duals)
        Z = project_simplex(raised)
        labels = Z[self.row_of, self.labels]
        J = len(duals)
        gradient = self.required - np.bincount(self.owner, self.counts * labels, J) - self.softness * duals
        value = float(self.weights @ np.square(Z - base).sum(1)) / 2
        value += float(duals @ (gradient + self.softness * duals / 2))
        touch = np.zeros((len(Z), J))
        touch[self.row_of, self.owner] = self.counts * (labels > 0)
        inner = touch.T @ (touch / self.weights[:, None])
        outer = touch.T @ (touch / (self.weights * (Z > 0).sum(1))[:, None])
        return value, gradient, inner * self.same_class - outer + np.diag(self.softness)


def _layers(constraints: list[CountConstraint], which: list[int]) -> list[list[int]]:
    """Return some constraints in layers, formed greedily, no two of a layer sharing a row."""
    layers: list[tuple[set[int], list[int]]] = []
    for index in which:
        rows = set(constraints[index].rows.tolist())
        for taken, members in layers:
            if taken.isdisjoint(rows):
                taken.update(rows)
                members.append(index)
                break
        else:
            layers.append((rows, [index]))
    return [members for _, members in layers]
