"""The labelling nearest to given scores that keeps every demand: a projection, by its prices.

    min_{Z, slack}  sum_n weight_n / total |z_n - u_n|^2 + sum_j kappa_j slack_j^2

over the labellings that keep the demands. A demand's price mu raises the scores of its class
on its rows; what is left are rows on the simplex, each by itself. Raising a price raises
what the demand holds, so each price is the root of a rising, piecewise linear function of
one number (safeguarded Newton, all demands at once). Demands that share rows lie in
different layers, and the layers take turns until all agree: ascent on the dual.

Prices are kept from one call to the next: scores that moved little need few turns.

Sources
    Held, Wolfe & Crowder 1974 (rows); Bertsekas, Nonlinear Programming, section 6.3 (dual ascent).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.solvers.linear_oracle import Demand, Oracle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CLOSE = 1e-10  # how nearly a demand of one row is kept
_TURNS = 1000  # of the layers
_LEAPS = 20  # Newton steps in a row
_HALVINGS = 100  # of a price's interval


def nearest_rows(U: Floats) -> Floats:
    """Return the point of the simplex that is nearest to each row of U (N, K)."""
    ranked = -np.sort(-U, axis=1)
    thresholds = (np.cumsum(ranked, 1) - 1) / np.arange(1, U.shape[1] + 1)
    used = (ranked > thresholds).sum(1)
    return np.asarray(np.maximum(U - thresholds[np.arange(len(U)), used - 1][:, None], 0))


class Nearest:
    """The projection onto the labellings that keep a block's demands.

    Args:
        oracle: the block's rows, classes and demands.
        weights: (N,) of the rows.
        total: of the weights over all blocks.
    """

    def __init__(self, oracle: Oracle, weights: Floats, total: float) -> None:
        self.oracle = oracle
        give = np.array([0.0 if d.kappa is None else 1 / (d.kappa * total) for d in oracle.demands])
        alone = [group[0] for group in oracle.groups if len(group) == 1]
        shared = [j for group in oracle.groups if len(group) > 1 for j in group]

        def layer(which: list[int]) -> _Layer:
            return _Layer([oracle.demands[j] for j in which], weights, give[which])

        self._alone = [layer(alone)] if alone else []
        self._shared = [layer(which) for which in _layers(oracle.demands, shared)]
        self._joint = _Joint(self._shared, weights)

    def __call__(self, U: Floats) -> Floats:
        """Return the labels for scores U, both (N, K).

        Raises:
            SaysoError: if demands without slack contradict each other, or all but.
        """
        raised = U.copy()
        for layer in self._alone + self._shared:
            layer.raise_by_price(raised, 1)
        for layer in self._alone:
            layer.settle(raised)
        for _ in range(_TURNS if self._shared else 0):
            if max(layer.settle(raised) for layer in self._shared) == 0:
                break
            self._joint(raised, self._shared)
        Z = nearest_rows(raised)
        short = self.oracle.slack(Z) / np.maximum(1, self.oracle.wanted)
        if np.any(short[self.oracle.hard] > 100 * _CLOSE):
            raise SaysoError(
                "demands without slack contradict each other, or all but; give some of them a kappa"
            )
        return Z


class _Layer:
    """Demands that share no rows, and their prices."""

    def __init__(self, demands: list[Demand], weights: Floats, give: Floats) -> None:
        sizes = [len(d.rows) for d in demands]
        self.rows = np.concatenate([d.rows for d in demands])
        self.labels = np.repeat([d.label for d in demands], sizes)
        self.owner = np.repeat(np.arange(len(demands)), sizes)
        self.counts = np.concatenate([_counts(d) for d in demands])
        self.reach = self.counts / weights[self.rows]
        self.wanted = np.array([float(d.at_least) for d in demands])
        self.give = give
        self.prices = np.zeros(len(demands))

    def raise_by_price(self, U: Floats, sign: int) -> None:
        """Add the prices to the scores, or take them off, in place."""
        U[self.rows, self.labels] += sign * self.prices[self.owner] * self.reach

    def settle(self, U: Floats) -> float:
        """Find the prices that suit the other layers', write them into the scores; return what was amiss."""
        self.raise_by_price(U, -1)
        rivals = U[self.rows]
        own = rivals[np.arange(len(rivals)), self.labels]
        rivals[np.arange(len(rivals)), self.labels] = -np.inf
        ranked = -np.sort(-rivals, axis=1)[:, :-1]
        tops = np.column_stack([np.zeros(len(own)), np.cumsum(ranked, 1)])
        bends = (
            1 - tops[:, 1:] + np.arange(2, U.shape[1] + 1) * ranked
        )  # the own score below which k rivals hold
        amiss = self._find(own, tops, bends)
        self.raise_by_price(U, 1)
        return amiss

    def _find(self, own: Floats, tops: Floats, bends: Floats) -> float:
        low, high = np.full(len(self.prices), -1.0), np.full(len(self.prices), np.inf)
        amiss, close = 0.0, _CLOSE * np.maximum(1, self.wanted)
        for turn in range(_HALVINGS):
            short, slope = self._short(own, tops, bends)
            done = (abs(short) <= close) | ((self.prices <= 0) & (short < 0))
            amiss = float(abs(short[~done]).max(initial=0)) if turn == 0 else amiss
            if done.all():
                break
            low = np.where(short > 0, self.prices, low)
            high = np.where(short < 0, self.prices, high)
            newton = np.maximum(0, self.prices + short / np.maximum(slope, 1e-300))
            halved = np.where(np.isfinite(high), (np.maximum(low, 0) + high) / 2, 2 * self.prices + 1)
            step = np.where((newton > low) & (newton < high) & (slope > 0), newton, halved)
            self.prices = np.where(done, self.prices, step)
        return amiss

    def _short(self, own: Floats, tops: Floats, bends: Floats) -> tuple[Floats, Floats]:
        """Return how much each demand lacks at the prices, and how fast a price mends it, (J,) each."""
        score = own + self.prices[self.owner] * self.reach
        rivals = (bends > score[:, None]).sum(1)
        threshold = (tops[np.arange(len(own)), rivals] + score - 1) / (rivals + 1)
        labels = np.clip(score - threshold, 0, 1)
        rise = np.where(labels > 0, self.reach * rivals / (rivals + 1), 0)
        held = np.bincount(self.owner, self.counts * labels, len(self.prices))
        slope = np.bincount(self.owner, self.counts * rise, len(self.prices))
        return self.wanted - held - self.give * self.prices, slope + self.give


class _Joint:
    """Newton's method on the prices of demands that share rows: turns alone settle slowly."""

    def __init__(self, layers: list[_Layer], weights: Floats) -> None:
        if not layers:
            return
        self.rows, self.place = np.unique(np.concatenate([a.rows for a in layers]), return_inverse=True)
        self.labels = np.concatenate([a.labels for a in layers])
        starts = np.cumsum([0] + [len(a.prices) for a in layers])
        self.cuts = starts[1:-1]
        self.owner = np.concatenate([a.owner + at for a, at in zip(layers, starts, strict=False)])
        self.counts, self.reach = (
            np.concatenate([getattr(a, k) for a in layers]) for k in ("counts", "reach")
        )
        self.wanted, self.give = (np.concatenate([getattr(a, k) for a in layers]) for k in ("wanted", "give"))
        self.weights = weights[self.rows]
        label = np.zeros(len(self.wanted), dtype=np.int64)
        label[self.owner] = self.labels
        self.same = label[:, None] == label

    def __call__(self, U: Floats, layers: list[_Layer]) -> None:
        """Raise the dual by Newton steps while they do, in the layers' prices and the scores."""
        prices = np.concatenate([layer.prices for layer in layers])
        base = U[self.rows]
        self._push(base, -prices)
        dual, short, bend = self._look(base, prices)
        for _ in range(_LEAPS):
            free = (prices > 0) | (short > 0)
            step = np.zeros_like(prices)
            held = bend[np.ix_(free, free)]
            step[free] = np.linalg.solve(held + 1e-9 * np.eye(len(held)), short[free])
            for length in (1.0, 0.3, 0.1):
                there = np.maximum(0, prices + length * step)
                found = self._look(base, there)
                if found[0] > dual:
                    break
            else:
                break
            prices, (dual, short, bend) = there, found
        for layer, part in zip(layers, np.split(prices, self.cuts), strict=True):
            layer.prices = part
        self._push(base, prices)
        U[self.rows] = base

    def _push(self, base: Floats, prices: Floats) -> None:
        np.add.at(base, (self.place, self.labels), prices[self.owner] * self.reach)

    def _look(self, base: Floats, prices: Floats) -> tuple[float, Floats, Floats]:
        """Return the dual, its gradient (J,) and minus its second derivative (J, J)."""
        raised = base.copy()
        self._push(raised, prices)
        Z = nearest_rows(raised)
        labels = Z[self.place, self.labels]
        J = len(prices)
        short = self.wanted - np.bincount(self.owner, self.counts * labels, J) - self.give * prices
        dual = float(self.weights @ np.square(Z - base).sum(1)) / 2
        dual += float(prices @ (short + self.give * prices / 2))
        touch = np.zeros((len(Z), J))
        touch[self.place, self.owner] = self.counts * (labels > 0)
        inner = touch.T @ (touch / self.weights[:, None])
        outer = touch.T @ (touch / (self.weights * (Z > 0).sum(1))[:, None])
        return dual, short, inner * self.same - outer + np.diag(self.give)


def _counts(demand: Demand) -> Floats:
    return np.ones(len(demand.rows)) if demand.weights is None else demand.weights


def _layers(demands: list[Demand], which: list[int]) -> list[list[int]]:
    """Return some demands in as few layers as come greedily, no two of a layer sharing a row."""
    layers: list[tuple[set[int], list[int]]] = []
    for index in which:
        rows = set(demands[index].rows.tolist())
        for taken, members in layers:
            if taken.isdisjoint(rows):
                taken.update(rows)
                members.append(index)
                break
        else:
            layers.append((rows, [index]))
    return [members for _, members in layers]
