"""The same problem by a general quadratic programming solver: the reference for small N."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.solvers.diffrac import Diffrac, Floats
from sayso.solvers.linear_oracle import Oracle


def matrix(problem: Diffrac) -> Floats:
    """Return the (N, N) matrix A of h(Z) = Tr(Z Z^T A); for small N."""
    A = problem.gradient(np.eye(problem.rows)) / 2
    return np.asarray((A + A.T) / 2)


def exact(problem: Diffrac, oracles: Sequence[Oracle], solver: str = "CLARABEL") -> tuple[Floats, float]:
    """Return optimal labels (N, K) and the optimal objective, slack included.

    The regression's weights are unknowns beside the labels where there are fewer features than
    rows; else the objective is the quadratic of the labels alone, with N x N numbers.

    Args:
        problem: the objective.
        oracles: one for each block.
        solver: a quadratic solver that cvxpy knows.

    Raises:
        MissingExtra: if cvxpy is not installed.
        SaysoError: if no labelling keeps the demands.
    """
    cvxpy = need("cvxpy", "solvers")
    Z = cvxpy.Variable((problem.rows, oracles[0].classes))
    cost, kept = _objective(problem, Z), [Z >= 0, cvxpy.sum(Z, axis=1) == 1]
    for oracle, rows in zip(oracles, problem.slices, strict=True):
        for demand in oracle.demands:
            counts = np.ones(len(demand.rows)) if demand.weights is None else demand.weights
            held = counts @ Z[demand.rows + rows.start, demand.label]
            if demand.kappa is None:
                kept.append(held >= demand.at_least)
            else:
                cost += demand.kappa * cvxpy.square(cvxpy.pos(demand.at_least - held))
    task = cvxpy.Problem(cvxpy.Minimize(cost), kept)
    task.solve(solver=solver)
    if Z.value is None:
        raise SaysoError(f"{solver} found no labelling that keeps the demands: {task.status}")
    return np.asarray(Z.value), float(task.value)


def _objective(problem: Diffrac, Z: Any) -> Any:
    """Return h as an expression of the variable Z."""
    cvxpy = need("cvxpy", "solvers")
    D = len(problem.mean)
    if problem.rows <= D:
        values, vectors = np.linalg.eigh(matrix(problem))
        return cvxpy.sum_squares((np.sqrt(np.maximum(values, 0))[:, None] * vectors.T) @ Z)
    zero = np.zeros(D)
    X = np.concatenate([problem.block_scores(i, np.eye(D), zero) for i in range(len(problem.blocks))])
    W, rest = cvxpy.Variable((D, Z.shape[1])), Z
    if problem.bias is None:
        rest = Z - np.ones((problem.rows, 1)) @ cvxpy.Variable((1, Z.shape[1]))
    heavy = np.sqrt(problem.weights / problem.total)[:, None]
    residual = cvxpy.multiply(heavy @ np.ones((1, Z.shape[1])), rest) - (heavy * X) @ W
    return cvxpy.sum_squares(residual) + problem.lam * cvxpy.sum_squares(W)
