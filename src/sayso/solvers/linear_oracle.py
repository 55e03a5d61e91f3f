"""Linear oracles: the cheapest labelling that keeps every promise of the text.

Each row takes one class. A demand says that some rows hold a class at least so often,

    sum_{n in rows} weight_n z_np + slack >= at_least,    0 <= slack <= at_least

and all the weak supervision is of that form: a bag that the text says holds a person
or an action; a share of background outside bags; "person p does action a", whose weights
are the persons' labels, once these are fixed; a correction by hand (one row, no slack).

Rows without demands take their cheapest class. Demands that share no rows are solved
one by one: by sorting where one stands alone, by shortest augmenting paths where several
classes compete for rows, and by a linear program (scipy) only where one label of a row
serves two demands, or weighted demands compete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError
from sayso.solvers.linear_program import Covering
from sayso.solvers.transport import augment

Floats = NDArray[np.float64]
Corner = tuple[Floats, Floats]  # labels (N, K), slacks (J,)


@dataclass(frozen=True, eq=False)
class Demand:
    """Rows that hold a class at least so often.

    Args:
        rows: indices of rows in the block, each once.
        label: the class.
        at_least: how many of them, above 0; a whole number unless there are weights.
        kappa: cost of slack, ``kappa * slack^2``; None allows no slack.
        weights: what each row counts, (len(rows),), at least 0; default 1.
    """

    rows: NDArray[np.int64]
    label: int
    at_least: float
    kappa: float | None = None
    weights: Floats | None = field(default=None)


def bag(rows: ArrayLike, label: int, alpha: int = 1, kappa: float | None = None) -> Demand:
    """Return the demand of a bag: at least ``alpha`` of its rows, or all where it has fewer."""
    members = np.unique(np.asarray(rows, dtype=np.int64))
    return Demand(members, label, min(alpha, len(members)), kappa)


def background(rows: ArrayLike, label: int, share: float, kappa: float | None = None) -> Demand:
    """Return the demand that at least a ``share`` (0 to 1) of the rows is background, rounded up."""
    members = np.unique(np.asarray(rows, dtype=np.int64))
    return Demand(members, label, int(np.ceil(share * len(members) - 1e-9)), kappa)


def joint(rows: ArrayLike, persons: ArrayLike, action: int, kappa: float | None = None) -> Demand:
    """Return "this person does the action at least once", given how far each row is that person.

    Args:
        rows: the rows of the bag.
        persons: (len(rows),) labels z_np of the person, 0 to 1, fixed.
        action: the class.
        kappa: cost of slack; the demand never exceeds the persons' sum.
    """
    members, counts = np.asarray(rows, dtype=np.int64), np.asarray(persons, dtype=np.float64)
    return Demand(members, action, min(1.0, float(counts.sum())), kappa, counts)


def cheapest_rows(cost: Floats) -> Floats:
    """Return the corner of the simplex that is cheapest in each row, (N, K)."""
    corner = np.zeros_like(cost)
    corner[np.arange(len(cost)), cost.argmin(1)] = 1
    return corner


class Oracle:
    """The labellings of a block that keep its demands, and the cheapest of them.

    Args:
        rows: N.
        classes: K.
        demands: the demands, whose rows are within [0, N).

    Raises:
        SaysoError: if a demand names rows or a class that are not there, or asks for more than its
            rows hold.
    """

    def __init__(self, rows: int, classes: int, demands: Sequence[Demand] = ()) -> None:
        self.rows, self.classes = rows, classes
        self.demands = [demand for demand in demands if demand.at_least > 0]
        for index, demand in enumerate(self.demands):
            _check(index, demand, rows, classes)
        self.kappa = np.array([d.kappa or 0.0 for d in self.demands])
        self.hard = np.array([d.kappa is None for d in self.demands], dtype=bool)
        self.wanted = np.array([float(d.at_least) for d in self.demands])
        self.groups = _connected(self.demands)
        self._sorted = [group for group in self.groups if not self._needs_program(group)]
        self._programmed = [j for group in self.groups if self._needs_program(group) for j in group]
        self._covering: Covering | None = None

    def __call__(self, cost: Floats, prices: Floats) -> Corner:
        """Return a corner (labels, slacks) of least ``<cost, Z> + <prices, slack>``.

        Args:
            cost: (N, K) finite.
            prices: (J,) of a unit of each demand's slack, at least 0; not read where no slack is allowed.

        Raises:
            SaysoError: if demands without slack contradict each other.
        """
        Z, slack = cheapest_rows(cost), np.zeros(len(self.demands))
        prices = np.where(self.hard, np.inf, prices)
        for group in self._sorted:
            self._serve(group, cost, prices, Z, slack)
        if self._programmed:
            if self._covering is None:
                self._covering = Covering([self.demands[j] for j in self._programmed], self.classes)
            slack[self._programmed] = self._covering(cost, prices[self._programmed], Z)
        return Z, slack

    def suggested(self) -> Floats:
        """Return labels (N, K) that lean, all rows alike, to what the demands ask of them."""
        Z = np.full((self.rows, self.classes), 1 / self.classes)
        for demand in self.demands:
            Z[demand.rows, demand.label] += 1
        return np.asarray(Z / Z.sum(1, keepdims=True))

    def slack(self, Z: Floats) -> Floats:
        """Return the least slack with which Z keeps each demand, (J,)."""
        return np.array([max(0.0, d.at_least - _held(d, Z)) for d in self.demands])

    def violation(self, Z: Floats, slack: Floats) -> float:
        """Return by how much a constraint is broken at most; 0 where all are kept."""
        short = [d.at_least - _held(d, Z) - s for d, s in zip(self.demands, slack, strict=True)]
        forbidden = np.max(slack[self.hard], initial=0.0)
        sums = np.abs(Z.sum(1) - 1).max(initial=0.0)
        return float(max([0.0, sums, -Z.min(initial=0.0), -slack.min(initial=0.0), forbidden, *short]))

    def _needs_program(self, group: list[int]) -> bool:
        """Return whether one label of a row serves two of the demands, or several are weighted."""
        demands = [self.demands[j] for j in group]
        pairs = np.concatenate([d.rows * self.classes + d.label for d in demands])
        weighted = any(d.weights is not None for d in demands)
        return len(group) > 1 and (weighted or len(np.unique(pairs)) < len(pairs))

    def _serve(self, group: list[int], cost: Floats, prices: Floats, Z: Floats, slack: Floats) -> None:
        """Write the labels and slacks of demands that share rows, in place."""
        demands = [self.demands[j] for j in group]
        if len(group) == 1:
            slack[group[0]] = _one(demands[0], cost, prices[group[0]], Z)
            return
        rows = np.unique(np.concatenate([d.rows for d in demands]))
        extra = np.full((len(rows), len(group)), np.inf)
        for j, demand in enumerate(demands):
            extra[np.searchsorted(rows, demand.rows), j] = _extra(demand, cost)
        owner, slack[group] = augment(extra, np.array([int(d.at_least) for d in demands]), prices[group])
        taken = np.flatnonzero(owner >= 0)
        Z[rows[taken]] = 0
        Z[rows[taken], np.array([d.label for d in demands])[owner[taken]]] = 1


def _check(index: int, demand: Demand, rows: int, classes: int) -> None:
    where = f"demand {index} (class {demand.label})"
    members = demand.rows
    if not len(members) or members.min() < 0 or members.max() >= rows or not 0 <= demand.label < classes:
        raise SaysoError(f"{where} names rows or a class outside 0 to {rows - 1} and 0 to {classes - 1}")
    if len(np.unique(members)) < len(members):
        raise SaysoError(f"{where} names a row twice; name each row once")
    if demand.weights is None and demand.at_least != int(demand.at_least):
        raise SaysoError(f"{where} asks for {demand.at_least} rows; ask for a whole number")
    held = len(members) if demand.weights is None else float(demand.weights.sum())
    if demand.at_least > held + 1e-9:
        raise SaysoError(f"{where} asks for {demand.at_least} of rows that hold {held:g}; ask for less")


def _held(demand: Demand, Z: Floats) -> float:
    column = Z[demand.rows, demand.label]
    return float(column.sum() if demand.weights is None else demand.weights @ column)


def _extra(demand: Demand, cost: Floats) -> Floats:
    """Return what it costs above its cheapest class to give each row the demanded one."""
    rows = cost[demand.rows]
    return np.asarray(rows[:, demand.label] - rows.min(1))


def _one(demand: Demand, cost: Floats, price: float, Z: Floats) -> float:
    """Serve a demand alone: the rows with the least extra cost for what they count, while below the price."""
    extra = _extra(demand, cost)
    weights = np.ones(len(extra)) if demand.weights is None else demand.weights
    useful = np.flatnonzero(weights > 0)
    rate = extra[useful] / weights[useful]
    order = useful[np.argsort(rate, kind="stable")]
    left = float(demand.at_least)
    for n in order:
        if left <= 0 or extra[n] > price * weights[n]:
            break
        part = min(1.0, left / weights[n])
        row = demand.rows[n]
        Z[row] *= 1 - part
        Z[row, demand.label] += part
        left -= part * weights[n]
    return left if left > 1e-12 else 0.0


def _connected(demands: Sequence[Demand]) -> list[list[int]]:
    """Return groups of demands that share rows, directly or through others."""
    groups: list[tuple[set[int], list[int]]] = []
    for index, demand in enumerate(demands):
        rows, members = set(demand.rows.tolist()), [index]
        apart = []
        for other in groups:
            if rows.isdisjoint(other[0]):
                apart.append(other)
            else:
                rows, members = rows | other[0], other[1] + members
        groups = [*apart, (rows, members)]
    return [sorted(members) for _, members in groups]
