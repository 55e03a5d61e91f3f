"""Demands that no sorting serves: one linear program for all of them.

    min  sum_p extra_p z_p + sum_j price_j slack_j
    s.t. sum_{p of demand j} weight_jp z_p + slack_j >= at_least_j,    sum_{p of row n} z_p <= 1

A pair p is a row and a class that some demand asks of it; ``extra`` is what it costs above the row's
cheapest class, which the row keeps as far as no pair takes it. So the program has as many unknowns as
there are pairs, however many classes there are. HiGHS (through scipy) solves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.lazy import need

if TYPE_CHECKING:
    from sayso.solvers.linear_oracle import Demand

Floats = NDArray[np.float64]
_DEAR = 1e7  # a price, in the largest cost, above which no exchange of labels pays for slack


class Covering:
    """The program of some demands, whose constraints are built once.

    Args:
        demands: the demands.
        classes: K.
    """

    def __init__(self, demands: Sequence[Demand], classes: int) -> None:
        sparse = need("scipy.sparse", "solvers")
        asked = np.concatenate([d.rows * classes + d.label for d in demands])
        pairs, which = np.unique(asked, return_inverse=True)
        self.rows, self.labels = np.divmod(pairs, classes)
        P, J = len(pairs), len(demands)
        weights = np.concatenate([np.ones(len(d.rows)) if d.weights is None else d.weights for d in demands])
        of_demand = np.repeat(np.arange(J), [len(d.rows) for d in demands])
        self.held = sparse.csr_matrix((weights, (of_demand, which.ravel())), shape=(J, P))
        places, of_row = np.unique(self.rows, return_inverse=True)
        once = sparse.csr_matrix((np.ones(P), (of_row.ravel(), np.arange(P))), shape=(len(places), P))
        slackless = sparse.csr_matrix((len(places), J))
        self.A = sparse.bmat([[-self.held, -sparse.eye(J)], [once, slackless]], format="csr")
        self.wanted = np.array([float(d.at_least) for d in demands])
        self.b = np.concatenate([-self.wanted, np.ones(len(places))])

    def __call__(self, cost: Floats, prices: Floats, Z: Floats) -> Floats:
        """Write the labels into Z, whose rows have their cheapest class, and return the slacks (J,).

        Args:
            cost: (N, K).
            prices: (J,); infinite where no slack is allowed.
            Z: (N, K), changed in place.

        Raises:
            SaysoError: if demands without slack contradict each other.
        """
        extra = cost[self.rows, self.labels] - cost[self.rows].min(1)
        soft = np.isfinite(prices)
        scale = max(1e-300, float(np.abs(cost[self.rows]).max()))
        dear = np.where(soft, np.minimum(np.where(soft, prices, 0) / scale, _DEAR), 0)
        z = self._solved(np.concatenate([extra / scale, dear]), np.where(soft, self.wanted, 0))
        taken = np.bincount(self.rows, z, minlength=len(Z))
        over = np.maximum(1, taken)[self.rows]
        z = z / over
        Z *= np.maximum(0, 1 - taken)[:, None]
        np.add.at(Z, (self.rows, self.labels), z)
        return np.where(soft, np.maximum(0, self.wanted - self.held @ z), 0.0)

    def _solved(self, costs: Floats, most: Floats) -> Floats:
        """Return the pairs' labels, within 0 and 1, given the costs of all unknowns and the most slack."""
        optimize: Any = need("scipy.optimize", "solvers")
        P = len(self.rows)
        limits = np.column_stack([np.zeros(len(costs)), np.concatenate([np.ones(P), most])])
        answer = optimize.linprog(costs, A_ub=self.A, b_ub=self.b, bounds=limits, method="highs")
        if not answer.success:
            raise SaysoError("demands without slack contradict each other; give some of them a kappa")
        return np.asarray(np.clip(answer.x[:P], 0, 1))
