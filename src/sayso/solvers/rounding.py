"""From soft labels to one class a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.solvers.iterate import Solution
from sayso.solvers.linear_oracle import Oracle


def by_row(Z: ArrayLike) -> NDArray[np.int64]:
    """Return the class with the most weight in each row of Z (N, K), as (N,) int64; ties go to the first."""
    return np.asarray(np.asarray(Z).argmax(1), dtype=np.int64)


def by_oracle(solution: Solution, oracles: Sequence[Oracle]) -> NDArray[np.int64]:
    """Return the classes that agree best with the regression's scores and keep the demands, (N,) int64.

    A label e_k costs its row's weight times |e_k - score|^2, as in the objective. Where a demand may
    have slack, slack costs what it cost the solution at the margin.

    Args:
        solution: what a solver found.
        oracles: those it was found with.
    """
    labels, at = [], 0
    for oracle, slack in zip(oracles, solution.slack, strict=True):
        rows = slice(at, at + oracle.rows)
        cost = -2 * solution.weights[rows, None] * solution.scores[rows]
        labels.append(by_row(oracle(cost, 2 * oracle.kappa * slack)[0]))
        at += oracle.rows
    return np.concatenate(labels)
