"""From a solved labelling to probabilities: the regression read as a discriminant.

Least squares on labels finds the directions of linear discriminant analysis, but its scores shrink
with how rare a class is: where one row in a thousand is of a class, that class hardly ever has the
highest score, though it is ranked well. So the classes' means are taken from the rounded labels,
with the covariance they share, and

    log p(x | k) = x^T P m_k - m_k^T P m_k / 2,    P = (total - between + lam I)^-1

The rows of bags have other class shares than the film. How many of a bag's rows are of its class
is the one unknown, found from the rows alone by expectation maximisation. The same share tells how much
the demands should have asked: ``ask`` gives oracles for a second solve.

Sources
    Hastie, Tibshirani & Buja, JASA 1994 (regression on labels and discriminants);
    Saerens, Latinne & Decaestecker, Neural Computation 2002 (unknown class shares).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sayso.solvers.diffrac import Diffrac, Floats
from sayso.solvers.labelling import Solution
from sayso.solvers.oracles import Demand, Oracle
from sayso.solvers.rounding import by_oracle

_TURNS = 200  # of expectation and maximisation


@dataclass(frozen=True, eq=False)
class Reading:
    """What each row is, by the solution and the text.

    Attributes:
        probabilities: (N, K); rows sum to 1. A row of a bag is of a class that a demand names for it,
            or background.
        share: the part of a bag's rows that hold what the bag names, on average.
    """

    probabilities: Floats
    share: float


def read(
    problem: Diffrac, oracles: Sequence[Oracle], solution: Solution, background: int | None = 0
) -> Reading:
    """Return probabilities for a solution.

    Args:
        problem: the objective.
        oracles: one for each block.
        solution: what a solver found for both.
        background: the class that every row may have, whatever the demands name; None where there is none.
    """
    labels = np.eye(oracles[0].classes)[by_oracle(solution, oracles)]
    logs = densities(problem, labels)
    may = np.concatenate([named(oracle, background) for oracle in oracles])
    bagged = may.any(1)
    if background is not None:
        may[:, background] = True
    free = logs + np.log(problem.weights @ labels + 1)
    probabilities = _normal(free)
    share = float("nan")
    if bagged.any():
        probabilities[bagged], share = within(logs[bagged], may[bagged], background)
    return Reading(probabilities, share)


def densities(problem: Diffrac, labels: Floats) -> Floats:
    """Return log p(x | k) for each row and class, up to a constant of the row, (N, K).

    Args:
        problem: the features.
        labels: (N, K) one-hot, or soft.
    """
    counts = np.maximum(problem.weights @ labels, 1e-9)
    means = problem.correlation(labels) / counts
    within = (problem.metric - (means * counts) @ means.T) / problem.total
    ways: Floats = np.asarray(np.linalg.solve((within + within.T) / 2, means), dtype=np.float64)
    offset = -np.einsum("dk,dk->k", means, ways) / 2
    blocks = range(len(problem.blocks))
    # block_scores takes the mean feature off, as means do
    return np.concatenate([problem.block_scores(block, ways, offset) for block in blocks])


def named(oracle: Oracle, background: int | None = 0) -> NDArray[np.bool_]:
    """Return which classes but the background the demands name for each row, (N, K)."""
    may = np.zeros((oracle.rows, oracle.classes), dtype=bool)
    for demand in oracle.demands:
        may[demand.rows, demand.label] |= demand.label != background
    return may


def within(logs: Floats, may: NDArray[np.bool_], background: int | None = 0) -> tuple[Floats, float]:
    """Return probabilities (N, K) and the share of rows that are not background, at its most likely value.

    Args:
        logs: (N, K) log densities.
        may: (N, K) the classes of each row, one at least.
        background: the class; None where there is none, and then all classes are as likely.
    """
    logs, front = np.where(may, logs, -np.inf), np.ones(logs.shape[1], dtype=bool)
    if background is None:
        return _normal(logs), 1.0
    front[background] = False
    share = 0.5
    for _ in range(_TURNS):
        probabilities = _normal(logs + np.log(np.where(front, share, 1 - share)))
        found = float(np.clip(probabilities[:, front].sum(1).mean(), 1e-6, 1 - 1e-6))
        if abs(found - share) < 1e-6:
            break
        share = found
    return probabilities, share


def ask(oracle: Oracle, share: float, background: int | None = 0) -> Oracle:
    """Return the oracle with bags that ask for a share of their rows, where that is more than they asked.

    Demands of the background, those with weights and those without slack stay as they are.
    """

    def asked(demand: Demand) -> Demand:
        if demand.label == background or demand.weights is not None or demand.kappa is None:
            return demand
        return replace(demand, at_least=max(demand.at_least, int(share * len(demand.rows))))

    return Oracle(oracle.rows, oracle.classes, [asked(demand) for demand in oracle.demands])


def _normal(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))
