"""From a solved labelling to probabilities: the regression read as a discriminant.

Least squares on labels finds the directions of linear discriminant analysis, but its scores shrink
with how rare a class is: where one row in a thousand is of a class, that class hardly ever has the
highest score, though it is ranked well. So the classes' means m_k are taken from the rounded labels,
with the covariance C they share. A row is judged by what the c other rows of each class say of it,

    log p(x | k) = -q / 2 - D/2 log(1 + 1/c),    q = (x - m_k)^T C^-1 (x - m_k) / (1 + 1/c)

because a row's own label draws the mean of its class towards it, and few rows tell a mean badly.

The first labels are few, and few rows foretell little; so at first the means are taken as they are.

The rows of bags have other class shares than the film. How many of a bag's rows are of its class
is the one unknown, found from the rows alone by expectation maximisation, but not below what the
demands ask. The same share tells how much they should have asked: ``ask`` gives oracles for a second solve.

Sources
    Hastie, Tibshirani & Buja, JASA 1994 (regression on labels and discriminants);
    Saerens, Latinne & Decaestecker, Neural Computation 2002 (unknown class shares);
    Geisser 1964 (the predictive density of a class whose mean is estimated).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sayso.solvers.diffrac import Diffrac, Floats
from sayso.solvers.iterate import Solution
from sayso.solvers.linear_oracle import Demand, Oracle
from sayso.solvers.rounding import by_oracle

_TURNS = 200  # of expectation and maximisation of the share
_AGAIN = 3  # times that the means are taken: after more, wrong labels draw others after them


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
    may = np.concatenate([named(oracle, background) for oracle in oracles])
    bagged, share = may.any(1), float("nan")
    if background is not None:
        may[:, background] = True
    least = _asked(oracles, background)
    for turn in range(_AGAIN):
        logs = densities(problem, labels, left_out=turn > 0)
        labels = _normal(logs + np.log(problem.weights @ labels + 1))
        if bagged.any():
            labels[bagged], share = within(logs[bagged], may[bagged], background, least)
    return Reading(labels, share)


def densities(problem: Diffrac, labels: Floats, *, left_out: bool = True) -> Floats:
    """Return log p(x | k) of each row and class up to a constant of the row, (N, K).

    Args:
        problem: the features.
        labels: (N, K) one-hot, or soft.
        left_out: whether the other rows foretell each row; else the means of all are held to be right.
    """
    counts = np.maximum(problem.weights @ labels, 1e-9)
    means = problem.correlation(labels) / counts
    within = (problem.metric - (means * counts) @ means.T) / problem.total
    whiten = np.linalg.cholesky(np.linalg.inv((within + within.T) / 2))
    means = whiten.T @ means
    D, logs = problem.blocks[0].shape[1], []
    for block, rows in enumerate(problem.slices):
        X = problem.block_scores(block, whiten, np.zeros(len(means)))  # of mean 0 and covariance 1
        own = problem.weights[rows, None] * labels[rows] * left_out
        others = np.maximum(counts - own, 0.5) if left_out else np.broadcast_to(counts, own.shape)
        grown, drawn = counts / others, own / others  # the others' mean is grown * mean - drawn * x
        along, far = X @ means, np.square(X).sum(1)[:, None]
        q = far - 2 * (grown * along - drawn * far)
        q += grown**2 * np.square(means).sum(0) - 2 * grown * drawn * along + drawn**2 * far
        wide = left_out / others
        logs.append(-0.5 * q / (1 + wide) - 0.5 * D * np.log1p(wide))
    return np.concatenate(logs)


def named(oracle: Oracle, background: int | None = 0) -> NDArray[np.bool_]:
    """Return which classes but the background the demands name for each row, (N, K)."""
    may = np.zeros((oracle.rows, oracle.classes), dtype=bool)
    for demand in oracle.demands:
        may[demand.rows, demand.label] |= demand.label != background
    return may


def within(
    logs: Floats, may: NDArray[np.bool_], background: int | None = 0, least: float = 0.0
) -> tuple[Floats, float]:
    """Return probabilities (N, K) and the share of rows that are not background, at its most likely value.

    Args:
        logs: (N, K) log densities.
        may: (N, K) the classes of each row, one at least.
        background: the class; None where there is none, and then all classes are as likely.
        least: the share is not below it.
    """
    logs, front = np.where(may, logs, -np.inf), np.ones(logs.shape[1], dtype=bool)
    if background is None:
        return _normal(logs), 1.0
    front[background] = False
    share = max(0.5, least)
    for _ in range(_TURNS):
        probabilities = _normal(logs + np.log(np.where(front, share, 1 - share)))
        found = float(np.clip(probabilities[:, front].sum(1).mean(), max(1e-6, least), 1 - 1e-6))
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


def _asked(oracles: Sequence[Oracle], background: int | None) -> float:
    """Return the share of their rows that the demands ask for, but for the background's."""
    bags = [demand for oracle in oracles for demand in oracle.demands if demand.label != background]
    rows = sum(len(demand.rows) for demand in bags)
    return min(1.0, sum(demand.at_least for demand in bags) / rows) if rows else 0.0


def _normal(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))
