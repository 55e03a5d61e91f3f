"""Calibration: from solved labels to probabilities, the regression read as a discriminant.

Least squares on labels finds the directions of linear discriminant analysis, but its scores shrink
with how rare a class is: where one row in a thousand is of a class, that class hardly ever has the
highest score, though it is ranked well. So the classes' means m_c are taken from the rounded labels,
with the covariance S they share. A row is judged by what the n_c other rows of each class say of it,

    log p(x | c) = -q / 2 - D/2 log(1 + 1/n_c),    q = (x - m_c)^T S^-1 (x - m_c) / (1 + 1/n_c)

because a row's own label draws the mean of its class towards it, and few rows estimate a mean badly.

The first labels are few, and few rows predict little; so at first the means are taken as they are.

The rows of bags have other class shares than the film. How many of a bag's rows are of its class
is the one unknown, estimated from the rows alone by expectation maximisation, but not below what the
constraints require. The same share says how much they should have required: ``raise_bag_counts`` gives
oracles for a second solve.

``docs/solvers.md`` shows both solves.

Sources
    Hastie, Tibshirani & Buja, JASA 1994 (regression on labels and discriminants);
    Saerens, Latinne & Decaestecker, Neural Computation 2002 (unknown class shares);
    Geisser 1964 (the predictive density of a class whose mean is estimated).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sayso.core.arrays import Bools, Floats
from sayso.solvers.constraints import CountConstraint
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.iterate import Solution
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.rounding import round_solution

_MAX_EM = 200  # iterations of expectation maximisation of the share
_ROUNDS = 3  # times that the means are taken: after more, wrong labels draw others after them


@dataclass(frozen=True, eq=False)
class CalibratedLabels:
    """What each row is, by the solution and the text.

    Attributes:
        probabilities: (N, C); rows sum to 1. A row of a bag is of a class that a constraint names for it,
            or background.
        share: the part of a bag's rows that hold what the bag names, on average.
    """

    probabilities: Floats
    share: float


def calibrate(
    problem: Diffrac, oracles: Sequence[LinearOracle], solution: Solution, background: int | None = 0
) -> CalibratedLabels:
    """Return probabilities for a solution.

    Args:
        problem: the objective.
        oracles: one for each block.
        solution: what a solver found for both.
        background: the class that every row may have, whatever its constraints; None where there is none.
    """
    labels = np.eye(oracles[0].classes)[round_solution(solution, oracles)]
    candidates = np.concatenate([candidate_classes(oracle, background) for oracle in oracles])
    bagged, share = candidates.any(1), float("nan")
    if background is not None:
        candidates[:, background] = True
    least = _required_share(oracles, background)
    for turn in range(_ROUNDS):
        logs = log_densities(problem, labels, leave_one_out=turn > 0)
        labels = _softmax(logs + np.log(problem.weights @ labels + 1))
        if bagged.any():
            labels[bagged], share = estimate_share(logs[bagged], candidates[bagged], background, least)
    return CalibratedLabels(labels, share)


def log_densities(problem: Diffrac, labels: Floats, *, leave_one_out: bool = True) -> Floats:
    """Return log p(x | c) of each row and class up to a constant of the row, (N, C).

    Args:
        problem: the features.
        labels: (N, C) one-hot, or soft.
        leave_one_out: whether the other rows predict each row; else the means of all are held to be right.
    """
    counts = np.maximum(problem.weights @ labels, 1e-9)
    whiten = _whitening(problem, labels, counts)
    means = whiten.T @ problem.correlation(labels) / counts
    D, logs = problem.blocks[0].shape[1], []
    for block, rows in enumerate(problem.slices):
        X = problem.block_scores(block, whiten, np.zeros(len(means)))  # of mean 0 and covariance 1
        own = problem.weights[rows, None] * labels[rows] * leave_one_out
        others = np.maximum(counts - own, 0.5) if leave_one_out else np.broadcast_to(counts, own.shape)
        a, b = counts / others, own / others  # the others' mean is a * mean - b * x
        inner, square = X @ means, np.square(X).sum(1)[:, None]
        q = square - 2 * (a * inner - b * square)
        q += a**2 * np.square(means).sum(0) - 2 * a * b * inner + b**2 * square
        widening = leave_one_out / others
        logs.append(-0.5 * q / (1 + widening) - 0.5 * D * np.log1p(widening))
    return np.concatenate(logs)


def whitened(problem: Diffrac, labels: Floats) -> Floats:
    """Return features of mean 0 over all rows and of covariance I within the classes, (N, D).

    Args:
        problem: the features.
        labels: (N, C) one-hot, or soft.
    """
    whiten = _whitening(problem, labels, np.maximum(problem.weights @ labels, 1e-9))
    parts = [problem.block_scores(i, whiten, np.zeros(len(whiten))) for i in range(len(problem.blocks))]
    return np.concatenate(parts)


def candidate_classes(oracle: LinearOracle, background: int | None = 0) -> Bools:
    """Return which classes but the background the constraints name for each row, (N, C)."""
    candidates = np.zeros((oracle.rows, oracle.classes), dtype=bool)
    for constraint in oracle.constraints:
        candidates[constraint.rows, constraint.label] |= constraint.label != background
    return candidates


def estimate_share(
    logs: Floats, candidates: Bools, background: int | None = 0, least: float = 0.0
) -> tuple[Floats, float]:
    """Return probabilities (N, C) and the share of rows that are not background, at its most likely value.

    Args:
        logs: (N, C) log densities.
        candidates: (N, C) the classes of each row, one at least.
        background: the class; None where there is none, and then all classes are as likely.
        least: the share is not below it.
    """
    logs, foreground = np.where(candidates, logs, -np.inf), np.ones(logs.shape[1], dtype=bool)
    if background is None:
        return _softmax(logs), 1.0
    foreground[background] = False
    least = min(least, 1 - 1e-6)
    share = max(0.5, least)
    for _ in range(_MAX_EM):
        probabilities = _softmax(logs + np.log(np.where(foreground, share, 1 - share)))
        found = float(np.clip(probabilities[:, foreground].sum(1).mean(), max(1e-6, least), 1 - 1e-6))
        if abs(found - share) < 1e-6:
            break
        share = found
    return probabilities, share


def raise_bag_counts(oracle: LinearOracle, share: float, background: int | None = 0) -> LinearOracle:
    """Return the oracle with bags that require a share of their rows, where that is more than they did.

    Constraints of the background, those with weights and those without slack stay as they are.

    Args:
        oracle: of one block.
        share: of a bag's rows, 0 to 1.
        background: its class; None where there is none.
    """

    def raised(constraint: CountConstraint) -> CountConstraint:
        fixed = constraint.weights is not None or constraint.kappa is None
        if constraint.label == background or fixed:
            return constraint
        return replace(constraint, at_least=max(constraint.at_least, int(share * len(constraint.rows))))

    return LinearOracle(oracle.rows, oracle.classes, [raised(c) for c in oracle.constraints])


def _required_share(oracles: Sequence[LinearOracle], background: int | None) -> float:
    """Return the share of their rows that the constraints require, but for the background's."""
    bags = [c for oracle in oracles for c in oracle.constraints if c.label != background]
    rows = sum(len(c.rows) for c in bags)
    return min(1.0, sum(c.at_least for c in bags) / rows) if rows else 0.0


def _whitening(problem: Diffrac, labels: Floats, counts: Floats) -> Floats:
    """Return the (D, D) matrix that makes the covariance within the classes I."""
    means = problem.correlation(labels) / counts
    covariance = (problem.gram - (means * counts) @ means.T) / problem.total
    return np.asarray(np.linalg.cholesky(np.linalg.inv((covariance + covariance.T) / 2)))


def _softmax(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))
