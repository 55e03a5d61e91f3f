"""Discriminative clustering by a general solver of quadratic programs: the exact reference for small N.

Used by the tests and by ``benchmarks/clustering.py``, which compare every other solver with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.linear_oracle import LinearOracle


def solve_qp(
    problem: Diffrac, oracles: Sequence[LinearOracle], solver: str = "CLARABEL"
) -> tuple[Floats, float]:
    """Return optimal labels (N, C) and the optimal objective, slack included.

    The regression's weights are unknowns beside the labels where there are fewer features than
    rows; else the objective is the quadratic of the labels alone, with N x N numbers.

    Args:
        problem: the objective.
        oracles: one for each block.
        solver: a quadratic solver that cvxpy knows.

    Raises:
        MissingExtra: if cvxpy is not installed.
        SaysoError: if no labels keep the constraints.
    """
    cvxpy = need("cvxpy", "solvers")
    Z = cvxpy.Variable((problem.rows, oracles[0].classes))
    cost, kept = _objective(problem, Z), [Z >= 0, cvxpy.sum(Z, axis=1) == 1]
    for oracle, rows in zip(oracles, problem.slices, strict=True):
        for constraint in oracle.constraints:
            count = constraint.row_weights @ Z[constraint.rows + rows.start, constraint.label]
            if constraint.kappa is None:
                kept.append(count >= constraint.at_least)
            else:
                cost += constraint.kappa * cvxpy.square(cvxpy.pos(constraint.at_least - count))
    program = cvxpy.Problem(cvxpy.Minimize(cost), kept)
    program.solve(solver=solver)
    if Z.value is None:
        raise SaysoError(f"{solver} found no labels that keep the constraints: {program.status}")
    return np.asarray(Z.value), float(program.value)


def _objective(problem: Diffrac, Z: Any) -> Any:
    """Return h as an expression of the variable Z."""
    cvxpy = need("cvxpy", "solvers")
    D = len(problem.mean)
    if problem.rows <= D:
        values, vectors = np.linalg.eigh(_quadratic(problem))
        return cvxpy.sum_squares((np.sqrt(np.maximum(values, 0))[:, None] * vectors.T) @ Z)
    zero = np.zeros(D)
    X = np.concatenate([problem.block_scores(i, np.eye(D), zero) for i in range(len(problem.blocks))])
    W, rest = cvxpy.Variable((D, Z.shape[1])), Z
    if problem.bias is None:
        rest = Z - np.ones((problem.rows, 1)) @ cvxpy.Variable((1, Z.shape[1]))
    roots = np.sqrt(problem.weights / problem.total)[:, None]
    residual = cvxpy.multiply(roots @ np.ones((1, Z.shape[1])), rest) - (roots * X) @ W
    return cvxpy.sum_squares(residual) + problem.lambda_ * cvxpy.sum_squares(W)


def _quadratic(problem: Diffrac) -> Floats:
    """Return the (N, N) matrix A of h(Z) = Tr(Z Z^T A)."""
    A = problem.gradient(np.eye(problem.rows)) / 2
    return np.asarray((A + A.T) / 2)
