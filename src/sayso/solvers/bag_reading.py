"""Bags read by what other bags show: from solved labels to probabilities, by sampling.

``calibrate`` takes the means of the classes as known and the rows of a bag one by one. Here what the text
says is used whole: so many rows of each bag hold its class, whichever they are, and means of few rows are
uncertain (``bag_sampling``). How many that is the text does not say. Each guess

    as many as the constraints require, a quarter, a half, three quarters, or any number

is judged by bags kept aside: means are learnt from the other bags, and with these the kept ones are as
likely as the guess makes them. Bags that share rows are kept aside together. Guesses that come close are
judged once more, with more draws. What the constraints require is believed unless another guess is likelier
in nearly every bootstrap of what was kept aside; then guesses are mixed by their likelihoods, averaged over
the bootstraps, which mostly leaves one.

Rows outside bags count as background while bags are read, and are then judged by the classes found.
Choosing takes a few dozen sweeps over the rows in bags for each guess, however many rows lie outside.

Sources
    Geisser & Eddy, JASA 1979 (models chosen by the predictive density of what is kept aside);
    Yao et al., Bayesian Analysis 2018 (averages of models weighted by it); Breiman et al., 1984, 3.4.3
    (the simplest model that is not surely worse); and those of ``bag_sampling``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import softmax

from sayso.core.arrays import Bools, Floats, Ints
from sayso.solvers.bag_layers import BagLayers, RowBag
from sayso.solvers.bag_sampling import BagSampler
from sayso.solvers.calibration import calibrate, log_densities, whitened
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.iterate import Solution
from sayso.solvers.linear_oracle import LinearOracle

SHARES: tuple[float | None, ...] = (0.0, 0.25, 0.5, 0.75, None)
FOLDS = 8  # parts of the bags, each kept aside by a chain
TRIED = 15, 20  # sweeps before and while means are learnt
TRIED_AGAIN = 40, 80  # where guesses come close
DRAWN = 6  # times, where bags that are kept aside share rows
BOOTSTRAPS = 1000
SURE = 0.95  # of the bootstraps, for what the constraints do not say
CHAINS, KEPT = 4, (25, 40)  # of the reading itself
_READINGS = 2  # the covariance within classes is taken once more from the first
_TRIFLE = 0.01  # a guess of less weight is not read


@dataclass(frozen=True, eq=False)
class BagReading:
    """What each row is, by the features and the bags.

    Attributes:
        probabilities: (N, C); rows sum to 1. A row of a bag is of a class that a constraint names for it,
            or background.
        weights: of each of ``SHARES`` in the mixture; empty where nothing was to choose.
        log_likelihoods: of the bags kept aside, for each of ``SHARES``, against all background.
    """

    probabilities: Floats
    log_likelihoods: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()


def read_bags(
    problem: Diffrac,
    oracles: Sequence[LinearOracle],
    solution: Solution,
    background: int = 0,
    *,
    seed: int = 0,
) -> BagReading:
    """Return probabilities for a solution.

    Args:
        problem: the objective.
        oracles: one for each block.
        solution: what a solver found for both: where sampling starts.
        background: the class that every row may have, whatever its constraints.
        seed: of the draws.
    """
    probabilities = calibrate(problem, oracles, solution, background).probabilities
    order = [background, *(k for k in range(oracles[0].classes) if k != background)]
    bags = _bags(problem, oracles, order)
    if not bags:
        return BagReading(probabilities)
    layers, labels = BagLayers(bags), probabilities[:, order]
    outside = np.setdiff1d(np.arange(problem.rows), layers.rows)
    labels[outside] = np.arange(len(order)) == 0
    sampler = _samplers(problem, layers, labels, seed)
    judged, weights = _judged(sampler, layers, seed)
    for _ in range(_READINGS):
        labels[layers.rows] = _mixed(sampler, weights, len(order))
        sampler = _samplers(problem, layers, labels, seed)
    logs = log_densities(problem, labels) + np.log(problem.weights @ labels + 1)
    labels[outside] = softmax(logs[outside], axis=1)
    found = labels[:, np.argsort(order)]
    return BagReading(found, tuple(judged.sum(1).tolist()), tuple(weights.tolist()))


class _Sampler(Protocol):
    def __call__(self, share: float | None, chains: int, aside: Bools | None = None) -> BagSampler: ...


def _samplers(problem: Diffrac, layers: BagLayers, labels: Floats, seed: int) -> _Sampler:
    """Return what makes a sampler for a share, of features whitened by labels (N, C), background first."""
    outside = np.ones(problem.rows, dtype=bool)
    outside[layers.rows] = False
    X = whitened(problem, labels)
    logs = np.log(np.maximum(labels[layers.rows], 1e-4))
    odds = np.take_along_axis(logs, np.maximum(layers.labels, 0), 1) - logs[:, :1]
    counts = problem.weights
    apart, total = counts[outside] @ X[outside], float(counts[outside].sum())

    def sampler(share: float | None, chains: int, aside: Bools | None = None) -> BagSampler:
        prior, rng = layers.count_prior(share), np.random.default_rng(seed)
        bagged, each = X[layers.rows], counts[layers.rows]
        return BagSampler(bagged, apart, total, layers, prior, odds, chains, rng, aside, each)

    return sampler


def _judged(sampler: _Sampler, layers: BagLayers, seed: int) -> tuple[Floats, Floats]:
    """Return log likelihoods (guesses, groups) of what is kept aside, and the weights of the guesses."""
    aside = _folds(layers.groups, seed)
    tried = [sampler(share, len(aside), aside[:, layers.groups]) for share in SHARES]
    logs = np.array([_judge(chains, aside, *TRIED) for chains in tried])
    close = _weights(logs, seed) >= _TRIFLE
    if close.sum() > 1:
        logs[close] = [_judge(tried[k], aside, *TRIED_AGAIN) for k in np.flatnonzero(close)]
    return logs, _weights(logs, seed, SURE)


def _mixed(sampler: _Sampler, weights: Floats, classes: int) -> Floats:
    """Return probabilities of the rows in bags, (M, classes), each guess by its weight."""
    used = weights >= _TRIFLE
    mixed = []
    for share in np.array(SHARES, dtype=object)[used]:
        chains = sampler(share, CHAINS)
        chains.run(KEPT[0], keep=False)
        chains.run(KEPT[1], keep=True)
        mixed.append(chains.probabilities(classes))
    return np.asarray(np.tensordot(weights[used] / weights[used].sum(), mixed, 1))


def _bags(problem: Diffrac, oracles: Sequence[LinearOracle], order: list[int]) -> list[RowBag]:
    """Return the constraints but the background's, with rows over all blocks and classes by ``order``."""
    return [
        RowBag(one.rows + rows.start, order.index(one.label), one.at_least, one.weights)
        for rows, oracle in zip(problem.slices, oracles, strict=True)
        for one in oracle.constraints
        if one.label != order[0] and len(one.rows)
    ]


def _folds(groups: Ints, seed: int) -> Bools:
    """Return which groups of bags each chain keeps aside, (chains, groups)."""
    count = int(groups.max()) + 1
    folds = min(FOLDS, count)
    fold = np.random.default_rng(seed).permutation(count) % folds
    return np.asarray(fold == np.arange(folds)[:, None])


def _judge(chains: BagSampler, aside: Bools, before: int, sweeps: int) -> Floats:
    """Return the log likelihood of each group of bags by means that a chain learnt without it, (groups,)."""
    chains.run(before, keep=False)
    chains.seen.clear()
    chains.run(sweeps, keep=True)
    centres, widths = (np.array(one) for one in zip(*chains.seen, strict=True))
    chains.look(centres.mean(0), np.square(widths).mean(0) + centres.var(0).mean(2, keepdims=True))
    logs = [np.where(aside, chains.log_likelihoods(), -np.inf) for _ in range(DRAWN)]
    found: Floats = np.logaddexp.reduce(logs, axis=(0, 1)) - np.log(DRAWN)
    return found


def _weights(logs: Floats, seed: int, sure: float = 0.0) -> Floats:
    """Return weights of guesses from log likelihoods (guesses, groups): means over bootstraps of groups.

    The first has all weight unless another is likelier in a share ``sure`` of the bootstraps.
    """
    groups = logs.shape[1]
    totals = np.random.default_rng(seed).dirichlet(np.ones(groups), BOOTSTRAPS) @ logs.T * groups
    if (totals > totals[:, :1]).mean(0).max() < sure:
        return np.asarray(np.eye(len(logs))[0])
    weights = np.exp(totals - totals.max(1, keepdims=True))
    mean: Floats = (weights / weights.sum(1, keepdims=True)).mean(0)
    return mean
