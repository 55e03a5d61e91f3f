"""The linear minimisation oracle (LMO) of count constraints: the cheapest labels that keep all of them.

Each row takes one class. Rows without constraints take their cheapest class. Constraints that share
no rows are solved one by one: by sorting where one stands alone. Those that share rows are a linear program,
which HiGHS solves from the last answer on; without ``highspy``, by successive shortest paths where several
classes compete for rows, and by scipy only where one label of a row serves two constraints, or weighted
constraints compete.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.core.arrays import Floats
from sayso.solvers.constraints import CountConstraint, check_constraint
from sayso.solvers.linear_program import LinearRelaxation, warm_start_possible
from sayso.solvers.transport import successive_shortest_paths

Vertex = tuple[Floats, Floats]  # labels (N, C), slacks (J,)


class LinearOracle:
    """The labels of a block that keep its constraints, and the cheapest of them.

    Args:
        rows: N.
        classes: C.
        constraints: J of them, on rows within [0, N).

    Attributes:
        kappa: (J,) costs of slack, 0 where none is allowed.
        hard: (J,) where no slack is allowed.
        required: (J,) counts.
        groups: indices of constraints that share rows, directly or through others.

    Raises:
        SaysoError: if a constraint names rows or a class that are not there, or asks for more than its
            rows hold.
    """

    def __init__(self, rows: int, classes: int, constraints: Sequence[CountConstraint] = ()) -> None:
        self.rows, self.classes = rows, classes
        self.constraints = [constraint for constraint in constraints if constraint.at_least > 0]
        for index, constraint in enumerate(self.constraints):
            check_constraint(index, constraint, rows, classes)
        self.kappa = np.array([c.kappa or 0.0 for c in self.constraints])
        self.hard = np.array([c.kappa is None for c in self.constraints], dtype=bool)
        self.required = np.array([float(c.at_least) for c in self.constraints])
        self.groups = _connected(self.constraints)
        programmed = [self._needs_program(group) for group in self.groups]
        self._combinatorial = [g for g, needs in zip(self.groups, programmed, strict=True) if not needs]
        self._programmed = [j for g, needs in zip(self.groups, programmed, strict=True) if needs for j in g]
        self._relaxation: LinearRelaxation | None = None

    def __call__(self, cost: Floats, slack_cost: Floats) -> Vertex:
        """Return a vertex (labels, slacks) of least ``<cost, Z> + <slack_cost, slack>``.

        Args:
            cost: (N, C) finite.
            slack_cost: (J,) of a unit of each slack, at least 0; not read where no slack is allowed.

        Raises:
            SaysoError: if constraints without slack contradict each other.
        """
        Z, slack = simplex_vertex(cost), np.zeros(len(self.constraints))
        slack_cost = np.where(self.hard, np.inf, slack_cost)
        for group in self._combinatorial:
            self._satisfy(group, cost, slack_cost, Z, slack)
        if self._programmed:
            if self._relaxation is None:
                programmed = [self.constraints[j] for j in self._programmed]
                self._relaxation = LinearRelaxation(programmed, self.classes)
            slack[self._programmed] = self._relaxation(cost, slack_cost[self._programmed], Z)
        return Z, slack

    def initial_labels(self) -> Floats:
        """Return soft labels (N, C) that put weight on what the constraints ask of each row."""
        Z = np.full((self.rows, self.classes), 1 / self.classes)
        for constraint in self.constraints:
            Z[constraint.rows, constraint.label] += 1
        return np.asarray(Z / Z.sum(1, keepdims=True))

    def slack(self, Z: Floats) -> Floats:
        """Return the least slack with which labels Z (N, C) keep each constraint, (J,)."""
        return np.array([max(0.0, c.at_least - c.count(Z)) for c in self.constraints])

    def violation(self, Z: Floats, slack: Floats) -> float:
        """Return by how much a constraint is broken at most; 0 where all are kept."""
        short = [c.at_least - c.count(Z) - s for c, s in zip(self.constraints, slack, strict=True)]
        forbidden = np.max(slack[self.hard], initial=0.0)
        sums = np.abs(Z.sum(1) - 1).max(initial=0.0)
        return float(max([0.0, sums, -Z.min(initial=0.0), -slack.min(initial=0.0), forbidden, *short]))

    def _needs_program(self, group: list[int]) -> bool:
        """Return whether a linear program is the way: the fastest one, or the only one.

        It is the only one where one label of a row serves two of the constraints, or several are weighted.
        """
        if len(group) > 1 and warm_start_possible():
            return True
        members = [self.constraints[j] for j in group]
        pairs = np.concatenate([c.rows * self.classes + c.label for c in members])
        weighted = any(c.weights is not None for c in members)
        return len(group) > 1 and (weighted or len(np.unique(pairs)) < len(pairs))

    def _satisfy(self, group: list[int], cost: Floats, slack_cost: Floats, Z: Floats, slack: Floats) -> None:
        """Write the labels and slacks of constraints that share rows, in place."""
        members = [self.constraints[j] for j in group]
        if len(group) == 1:
            slack[group[0]] = _satisfy_one(members[0], cost, slack_cost[group[0]], Z)
            return
        rows = np.unique(np.concatenate([c.rows for c in members]))
        extra = np.full((len(rows), len(group)), np.inf)
        for j, constraint in enumerate(members):
            extra[np.searchsorted(rows, constraint.rows), j] = _extra_cost(constraint, cost)
        required = np.array([int(c.at_least) for c in members])
        owner, slack[group] = successive_shortest_paths(extra, required, slack_cost[group])
        taken = np.flatnonzero(owner >= 0)
        Z[rows[taken]] = 0
        Z[rows[taken], np.array([c.label for c in members])[owner[taken]]] = 1


def simplex_vertex(cost: Floats) -> Floats:
    """Return the one-hot labels (N, C) that are cheapest in each row of a cost (N, C)."""
    vertex = np.zeros_like(cost)
    vertex[np.arange(len(cost)), cost.argmin(1)] = 1
    return vertex


def _extra_cost(constraint: CountConstraint, cost: Floats) -> Floats:
    """Return what it costs, above its cheapest class, to give each row the constraint's class."""
    rows = cost[constraint.rows]
    return np.asarray(rows[:, constraint.label] - rows.min(1))


def _satisfy_one(constraint: CountConstraint, cost: Floats, slack_cost: float, Z: Floats) -> float:
    """Satisfy one constraint by itself, in place; return its slack.

    Rows with the least extra cost for what they count come first, while that is below the cost of slack.
    """
    extra, weights = _extra_cost(constraint, cost), constraint.row_weights
    useful = np.flatnonzero(weights > 0)
    order = useful[np.argsort(extra[useful] / weights[useful], kind="stable")]
    left = float(constraint.at_least)
    for n in order:
        if left <= 0 or extra[n] > slack_cost * weights[n]:
            break
        part = min(1.0, left / weights[n])
        row = constraint.rows[n]
        Z[row] *= 1 - part
        Z[row, constraint.label] += part
        left -= part * weights[n]
    return left if left > 1e-12 else 0.0


def _connected(constraints: Sequence[CountConstraint]) -> list[list[int]]:
    """Return groups of constraints that share rows, directly or through others."""
    groups: list[tuple[set[int], list[int]]] = []
    for index, constraint in enumerate(constraints):
        rows, members = set(constraint.rows.tolist()), [index]
        apart = []
        for other in groups:
            if rows.isdisjoint(other[0]):
                apart.append(other)
            else:
                rows, members = rows | other[0], other[1] + members
        groups = [*apart, (rows, members)]
    return [sorted(members) for _, members in groups]
