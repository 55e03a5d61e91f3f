"""Bags read by what other bags show: from solved labels to probabilities, by sampling.

``calibrate`` takes the means of the classes as known and the rows of a bag one by one. Here what the text
says is used whole: so many rows of each bag hold its class, whichever they are, and means of few rows are
uncertain (``bag_sampling``). How many that is the text does not say. Each guess

    as many as the constraints require, a quarter, a half, three quarters, or any number

is judged by bags kept aside: means are learnt from the other bags, and with these the kept ones are as
likely as the guess makes them. Bags that share rows are kept aside together. Guesses that come close are
judged once more, with more draws. Guesses are mixed by their likelihoods, averaged over bootstraps of
what was kept aside; mostly that leaves one.

Rows outside bags count as background here, and keep the probabilities of ``calibrate``. Choosing takes a
few dozen sweeps over the rows in bags for each guess, whatever the number of rows outside.

Sources
    Geisser & Eddy, JASA 1979 (models chosen by the predictive density of what is kept aside);
    Yao et al., Bayesian Analysis 2018 (averages of models weighted by it); and those of ``bag_sampling``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.core.arrays import Bools, Floats, Ints
from sayso.solvers.bag_layers import BagLayers, RowBag
from sayso.solvers.bag_sampling import BagSampler
from sayso.solvers.calibration import calibrate, whitened
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.iterate import Solution
from sayso.solvers.linear_oracle import LinearOracle

SHARES: tuple[float | None, ...] = (0.0, 0.25, 0.5, 0.75, None)
FOLDS = 8  # parts of the bags, each kept aside by a chain
TRIED = 15, 20  # sweeps before and while means are learnt
TRIED_AGAIN = 40, 80  # where guesses come close
DRAWN = 6  # times, where bags that are kept aside share rows
BOOTSTRAPS = 1000
CHAINS, KEPT = 4, (25, 40)  # of the reading itself
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
    layers, start = BagLayers(bags), probabilities[:, order]
    bagged = np.zeros(problem.rows, dtype=bool)
    bagged[layers.rows] = True
    labels = np.where(bagged[:, None], start, np.arange(len(order)) == 0)
    X, outside, counts = whitened(problem, labels[:, np.argsort(order)]), ~bagged, problem.weights
    logs = np.log(np.maximum(start[layers.rows], 1e-4))
    odds = np.take_along_axis(logs, np.maximum(layers.labels, 0), 1) - logs[:, :1]

    def sampler(share: float | None, chains: int, aside: Bools | None = None) -> BagSampler:
        apart, total = counts[outside] @ X[outside], float(counts[outside].sum())
        prior, rng = layers.count_prior(share), np.random.default_rng(seed)
        return BagSampler(X[bagged], apart, total, layers, prior, odds, chains, rng, aside, counts[bagged])

    aside = _folds(layers.groups, seed)
    tried = [sampler(share, len(aside), aside[:, layers.groups]) for share in SHARES]
    judged = np.array([_judge(chains, aside, *TRIED) for chains in tried])
    close = _weights(judged, np.random.default_rng(seed)) >= _TRIFLE
    if close.sum() > 1:
        judged[close] = [_judge(tried[k], aside, *TRIED_AGAIN) for k in np.flatnonzero(close)]
    weights = _weights(judged, np.random.default_rng(seed))
    mixed, total = np.zeros((len(X[bagged]), len(order))), 0.0
    for share, weight in zip(SHARES, weights, strict=True):
        if weight >= _TRIFLE:
            chains = sampler(share, CHAINS)
            chains.run(KEPT[0], keep=False)
            chains.run(KEPT[1], keep=True)
            mixed, total = mixed + weight * chains.probabilities(len(order)), total + weight
    probabilities[bagged] = mixed[:, np.argsort(order)] / total
    return BagReading(probabilities, tuple(judged.sum(1).tolist()), tuple(weights.tolist()))


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


def _weights(logs: Floats, rng: np.random.Generator) -> Floats:
    """Return weights of guesses from log likelihoods (guesses, groups): means over bootstraps of groups."""
    groups = logs.shape[1]
    totals = rng.dirichlet(np.ones(groups), BOOTSTRAPS) @ logs.T * groups
    weights = np.exp(totals - totals.max(1, keepdims=True))
    mean: Floats = (weights / weights.sum(1, keepdims=True)).mean(0)
    return mean
