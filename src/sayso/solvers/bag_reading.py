"""Bags read by what other bags show: from solved labels to probabilities, by sampling.

``calibrate`` takes the means of the classes as known and the rows of a bag one by one. Here what the text
says is used whole: so many rows of each bag hold its class, whichever they are, and means of few rows are
uncertain (``bag_sampling``). How many that is the text does not say. Each guess

    as many as the constraints require, a quarter, a half, three quarters, nine tenths, or any number

is judged by bags kept aside: means are learnt from the other bags, and with these the kept ones are as
likely as the guess makes them. Bags that share rows are kept aside together. Guesses that come close are
judged once more, with more draws. Then the first is taken, which says least, that is not surely worse than
another: in so many bootstraps of what was kept aside another one has to be likelier.

Rows outside bags count as background while bags are read, and are then judged by the classes found.
Choosing takes a few dozen sweeps over the rows in bags for each guess, however many rows lie outside.

Sources
    Geisser & Eddy, JASA 1979 (models chosen by the predictive density of what is kept aside); Breiman et
    al., 1984, section 3.4.3 (the simplest model that is not surely worse); and those of ``bag_sampling``.
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

SHARES: tuple[float | None, ...] = (0.0, 0.25, 0.5, 0.75, 0.9, None)
FOLDS = 8  # parts of the bags, each kept aside by a chain
TRIED = 15, 20  # sweeps before and while means are learnt
TRIED_AGAIN = 40, 80  # where guesses come close
DRAWN = 6  # times, where bags that are kept aside share rows
BOOTSTRAPS = 1000
SURE = 0.95  # of the bootstraps
CHAINS, KEPT = 4, (25, 40)  # of the reading itself
_READINGS = 2  # the covariance within classes is taken once more from the first


@dataclass(frozen=True, eq=False)
class BagReading:
    """What each row is, by the features and the bags.

    Attributes:
        probabilities: (N, C); rows sum to 1. A row of a bag is of a class that a constraint names for it,
            or background.
        share: of a bag's rows that hold its class, one of ``SHARES``: 0, so many as are required; None, any.
        log_likelihoods: of the bags kept aside, for each of ``SHARES``, against all background; empty
            where nothing was to choose.
    """

    probabilities: Floats
    share: float | None = 0.0
    log_likelihoods: tuple[float, ...] = ()


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
    judged = _judged(sampler, layers, seed)
    share = SHARES[_simplest(judged, seed)]
    for _ in range(_READINGS):
        labels[layers.rows] = _read(sampler(share, CHAINS), len(order))
        sampler = _samplers(problem, layers, labels, seed)
    logs = log_densities(problem, labels) + np.log(problem.weights @ labels + 1)
    labels[outside] = softmax(logs[outside], axis=1)
    found = labels[:, np.argsort(order)]
    return BagReading(found, share, tuple(judged.sum(1).tolist()))


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


def _judged(sampler: _Sampler, layers: BagLayers, seed: int) -> Floats:
    """Return log likelihoods (guesses, groups) of what is kept aside."""
    aside = _folds(layers.groups, seed)
    tried = [sampler(share, len(aside), aside[:, layers.groups]) for share in SHARES]
    logs = np.array([_judge(chains, aside, *TRIED) for chains in tried])
    close = _beaten(logs, seed) < SURE
    if close.sum() > 1:
        logs[close] = [_judge(tried[k], aside, *TRIED_AGAIN) for k in np.flatnonzero(close)]
    return logs


def _read(chains: BagSampler, classes: int) -> Floats:
    """Return probabilities of the rows in bags, (M, classes)."""
    chains.run(KEPT[0], keep=False)
    chains.run(KEPT[1], keep=True)
    return chains.probabilities(classes)


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


def _simplest(logs: Floats, seed: int) -> int:
    """Return the first guess that is not surely worse than another, by log likelihoods (guesses, groups)."""
    beaten = _beaten(logs, seed)
    return int(np.argmax(beaten < max(SURE, beaten.min() + 1e-9)))


def _beaten(logs: Floats, seed: int) -> Floats:
    """Return in which share of the bootstraps of groups another guess, one and the same, is likelier."""
    drawn = np.random.default_rng(seed).dirichlet(np.ones(logs.shape[1]), BOOTSTRAPS)
    totals = drawn @ logs.T
    beaten: Floats = (totals[:, None] > totals[:, :, None]).mean(0).max(1)
    return beaten
