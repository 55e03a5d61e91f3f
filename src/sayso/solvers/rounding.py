"""From soft labels to one class a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from sayso.core.arrays import Ints
from sayso.solvers.iterate import Solution
from sayso.solvers.linear_oracle import LinearOracle


def round_rows(Z: ArrayLike) -> Ints:
    """Return the class with the most weight in each row of Z (N, C), as (N,) int64; ties go to the first."""
    return np.asarray(np.asarray(Z).argmax(1), dtype=np.int64)


def round_solution(solution: Solution, oracles: Sequence[LinearOracle]) -> Ints:
    """Return the classes that agree best with the regression's scores and keep the constraints, (N,) int64.

    A label e_c costs its row's weight times |e_c - score|^2, as in the objective. Where a constraint may
    have slack, slack costs what it cost the solution at the margin.

    Args:
        solution: what a solver found.
        oracles: those it was found with.
    """
    labels, at = [], 0
    for oracle, slack in zip(oracles, solution.slack, strict=True):
        rows = slice(at, at + oracle.rows)
        cost = -2 * solution.weights[rows, None] * solution.scores[rows]
        labels.append(round_rows(oracle(cost, 2 * oracle.kappa * slack)[0]))
        at += oracle.rows
    return np.concatenate(labels)
