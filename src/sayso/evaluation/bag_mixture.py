"""A Gaussian mixture whose bags hold their class, by EM: what an expert would try first.

    classes     a mean each, one full covariance
    prior       a row of a bag is of its class with probability pi, else background
    bags        each holds at least ``least`` rows of its class; rows outside bags are background

The expectations are exact within a bag, by sums over counts (``sayso.solvers.bag_counts``). Where bags
share rows, each tells the others through the rows what it makes of them: one round of belief propagation
an iteration.

Sources
    Dempster, Laird & Rubin, JRSS B 1977; Tarlow et al., AISTATS 2012 (messages of factors over counts).
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from sayso.core.arrays import Bools, Floats
from sayso.solvers.bag_counts import BagPosterior
from sayso.solvers.bag_layers import BagLayers

_ITERATIONS, _TOL = 100, 1e-4  # at most, and the largest change of a probability that ends it


def bag_mixture(X: Floats, layers: BagLayers, may: Bools, least: int = 1) -> Floats:
    """Return probabilities of the classes of each row, (N, C).

    Args:
        X: (N, D) features.
        layers: the bags.
        may: (N, C) the classes of each row, background (0) for all.
        least: how many rows of a bag hold its class; all where it has fewer.
    """
    rows, bagged = layers.rows, may[layers.rows]
    labels = np.zeros(bagged.shape)
    guess = np.array([X[own].mean(0) if own.any() else X.mean(0) for own in may.T])
    covariance, share = np.cov(X.T, bias=True), 0.5
    messages = [np.zeros(layer.rows.shape) for layer in layers.layers]
    for _ in range(_ITERATIONS):
        whiten = np.linalg.cholesky(np.linalg.inv(covariance))
        means = guess @ whiten
        logs = X[rows] @ whiten @ means.T - np.square(means).sum(1) / 2
        logs += np.log(np.where(np.arange(len(guess)) > 0, share, 1 - share))
        before, labels = labels, _expect(np.where(bagged, logs, -np.inf), layers, messages, least)
        if np.abs(labels - before).max() < _TOL:
            break
        share = float(np.clip(labels[:, 1:].sum(1).mean(), 1e-6, 1 - 1e-6))
        soft = np.zeros(may.shape)
        soft[:, 0] = 1
        soft[rows] = labels
        counts = np.maximum(soft.sum(0), 1e-9)
        guess = (soft.T @ X) / counts[:, None]
        covariance = (X.T @ X - (guess * counts[:, None]).T @ guess) / len(X)
    found = np.zeros(may.shape)
    found[:, 0] = 1
    found[rows] = labels
    return found


def _expect(logs: Floats, layers: BagLayers, messages: list[Floats], least: int) -> Floats:
    """Return probabilities (M, C) from log weights, and renew what the bags say of their rows."""
    belief = logs.copy()
    for layer, said in zip(layers.layers, messages, strict=True):
        g, i = np.nonzero(layer.real)
        belief[layer.rows[g, i], layer.labels[g]] += said[g, i]
    for layer, said in zip(layers.layers, messages, strict=True):
        seen = belief[layer.rows]
        own = np.arange(logs.shape[1]) == layer.labels[:, None, None]
        odds = np.where(own, seen, -np.inf).max(2) - logsumexp(np.where(own, -np.inf, seen), axis=2) - said
        counts = np.arange(layer.rows.shape[1] + 1)
        possible = (counts >= np.minimum(layer.sizes, least)[:, None]) & (counts <= layer.sizes[:, None])
        phi = np.where(possible, 0.0, -np.inf)
        marginal = BagPosterior(odds[:, None], phi[:, None], layer.sizes).marginals()[:, 0]
        marginal = np.clip(marginal, 1e-12, 1 - 1e-12)
        said[:] = np.where(layer.real, np.maximum(np.log(marginal / (1 - marginal)) - odds, 0), 0)
    belief = logs.copy()
    for layer, said in zip(layers.layers, messages, strict=True):
        g, i = np.nonzero(layer.real)
        belief[layer.rows[g, i], layer.labels[g]] += said[g, i]
    found: Floats = np.exp(belief - logsumexp(belief, axis=1, keepdims=True))
    return found
