"""The linear program (LP relaxation) of count constraints that neither sorting nor paths can solve.

    min  sum_p extra_p z_p + sum_j slack_cost_j slack_j
    s.t. sum_{p of constraint j} weight_jp z_p + slack_j >= at_least_j,    sum_{p of row n} z_p <= 1

A pair p is a row and a class that some constraint asks of it; ``extra`` is what it costs above the row's
cheapest class, which the row keeps as far as no pair takes it. So the program has as many unknowns as
there are pairs, however many classes there are. HiGHS solves it: through ``highspy``, where it is installed,
each time from the last answer's basis (only costs change: it stays feasible), else through scipy, anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.solvers.constraints import CountConstraint

_CONTRADICTION = "constraints without slack contradict each other; give some of them a kappa"
_BIG = 1e7  # a cost of slack, in the largest cost, above which no exchange of labels pays for slack


def warm_start_possible() -> bool:
    """Return whether programs are solved from the last answer on, which is faster than paths of exchanges."""
    return find_spec("highspy") is not None


class LinearRelaxation:
    """The program of J constraints, whose matrix is built once.

    Args:
        constraints: the constraints.
        classes: C.
    """

    def __init__(self, constraints: Sequence[CountConstraint], classes: int) -> None:
        sparse = need("scipy.sparse", "solvers")
        asked = np.concatenate([c.rows * classes + c.label for c in constraints])
        pairs, which = np.unique(asked, return_inverse=True)
        self.rows, self.labels = np.divmod(pairs, classes)
        P, J = len(pairs), len(constraints)
        weights = np.concatenate([c.row_weights for c in constraints])
        constraint_of = np.repeat(np.arange(J), [len(c.rows) for c in constraints])
        self.counts = sparse.csr_matrix((weights, (constraint_of, which.ravel())), shape=(J, P))
        distinct, row_of = np.unique(self.rows, return_inverse=True)
        once = sparse.csr_matrix((np.ones(P), (row_of.ravel(), np.arange(P))), shape=(len(distinct), P))
        slackless = sparse.csr_matrix((len(distinct), J))
        self.A = sparse.bmat([[-self.counts, -sparse.eye(J)], [once, slackless]], format="csr")
        self.required = np.array([float(c.at_least) for c in constraints])
        self._kept: _WarmProgram | None = None
        self.b = np.concatenate([-self.required, np.ones(len(distinct))])

    def __call__(self, cost: Floats, slack_cost: Floats, Z: Floats) -> Floats:
        """Write the labels into Z, whose rows have their cheapest class, and return the slacks (J,).

        Args:
            cost: (N, C).
            slack_cost: (J,); infinite where no slack is allowed.
            Z: (N, C), changed in place.

        Raises:
            SaysoError: if constraints without slack contradict each other.
        """
        extra = cost[self.rows, self.labels] - cost[self.rows].min(1)
        soft = np.isfinite(slack_cost)
        scale = max(1e-300, float(np.abs(cost[self.rows]).max()))
        bounded = np.where(soft, np.minimum(np.where(soft, slack_cost, 0) / scale, _BIG), 0)
        z = self._solve(np.concatenate([extra / scale, bounded]), np.where(soft, self.required, 0))
        taken = np.bincount(self.rows, z, minlength=len(Z))
        z = z / np.maximum(1, taken)[self.rows]
        Z *= np.maximum(0, 1 - taken)[:, None]
        np.add.at(Z, (self.rows, self.labels), z)
        return np.where(soft, np.maximum(0, self.required - self.counts @ z), 0.0)

    def _solve(self, costs: Floats, most_slack: Floats) -> Floats:
        """Return the pairs' labels (P,), within 0 and 1, for the costs of all unknowns (P + J,)."""
        P = len(self.rows)
        if warm_start_possible():
            self._kept = self._kept or _WarmProgram(self.A, self.b)
            return np.clip(self._kept(costs, np.concatenate([np.ones(P), most_slack]))[:P], 0, 1)
        optimize: Any = need("scipy.optimize", "solvers")
        bounds = np.column_stack([np.zeros(len(costs)), np.concatenate([np.ones(P), most_slack])])
        answer = optimize.linprog(costs, A_ub=self.A, b_ub=self.b, bounds=bounds, method="highs")
        if not answer.success:
            raise SaysoError(_CONTRADICTION)
        return np.asarray(np.clip(answer.x[:P], 0, 1))


class _WarmProgram:
    """min c x subject to A x <= b, 0 <= x <= u, for one cost after the other.

    Args:
        A: (M, U) sparse.
        b: (M,).
    """

    def __init__(self, A: Any, b: Floats) -> None:
        highspy: Any = need("highspy", "solvers")
        M, U = A.shape
        columns = A.tocsc()
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = U, M
        program.col_cost_, program.col_lower_, program.col_upper_ = np.zeros(U), np.zeros(U), np.ones(U)
        program.row_lower_, program.row_upper_ = np.full(M, -np.inf), b
        matrix = program.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kColwise
        matrix.start_, matrix.index_, matrix.value_ = columns.indptr, columns.indices, columns.data
        self._highs, self._optimal = highspy.Highs(), highspy.HighsModelStatus.kOptimal
        self._highs.setOptionValue("output_flag", False)
        self._highs.passModel(program)
        self._all, self._upper = np.arange(U, dtype=np.int32), np.zeros(0)

    def __call__(self, costs: Floats, upper: Floats) -> Floats:
        """Return x (U,) for costs (U,) and upper bounds (U,).

        Raises:
            SaysoError: if there is none.
        """
        U = len(costs)
        if not np.array_equal(upper, self._upper):
            self._highs.changeColsBounds(U, self._all, np.zeros(U), upper)
            self._upper = upper
        self._highs.changeColsCost(U, self._all, costs)
        self._highs.run()
        if self._highs.getModelStatus() != self._optimal:
            self._highs.clearSolver()
            self._highs.run()
        if self._highs.getModelStatus() != self._optimal:
            raise SaysoError(_CONTRADICTION)
        return np.array(self._highs.getSolution().col_value)
