"""Groups of face tracks that look alike: a mixture of Gaussians that share their covariance.

Ward's clustering starts it with more groups than people, so that nobody's faces need share one: several
groups may get the same name later, and those that get none are the strangers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.lazy import need
from sayso.systems.name_actors.context import softmax

TRACKS_A_GROUP, MOST, FEWEST = 8, 120, 8
ROUNDS = 30
STARTERS = 4000  # tracks that the clustering starts from, at most: its memory grows with their square
SHRINK = 2.0  # weight of the even covariance, in tracks a dimension


def group_faces(X: Floats) -> Floats:
    """Return how far each track is of each group, (N, M); rows sum to 1.

    Args:
        X: (N, D) descriptors, centred and of mean square 1.
    """
    N = len(X)
    groups = min(N, MOST, max(FEWEST, N // TRACKS_A_GROUP))
    R = _first_groups(X, groups)
    for _ in range(ROUNDS):
        R = R[:, R.sum(0) > 0.5]
        R /= R.sum(1, keepdims=True)
        R = softmax(_log_densities(X, R))
    R = R[:, R.sum(0) > 0.5]
    return np.asarray(R / R.sum(1, keepdims=True))


def group_means(X: Floats, R: Floats) -> Floats:
    """Return the means of the groups (M, D) where tracks of one group have covariance 1.

    Args:
        X: (N, D) descriptors.
        R: (N, M) of ``group_faces``.
    """
    means: Floats = (R.T @ X) / R.sum(0)[:, None]
    return means @ _whitening(X, R, means)


def _first_groups(X: Floats, groups: int) -> Floats:
    hierarchy: Any = need("scipy.cluster.hierarchy", "solvers")
    if len(X) < 2:
        return np.ones((len(X), 1))
    some = X[:: -(-len(X) // STARTERS)]
    labels = hierarchy.fcluster(hierarchy.linkage(some, "ward"), groups, "maxclust") - 1
    R = np.eye(labels.max() + 1)[labels]
    means = (R.T @ some) / R.sum(0)[:, None]
    if len(some) == len(X):
        return np.asarray(R)
    near = (np.square(means).sum(1) - 2 * X @ means.T).argmin(1)
    return np.asarray(np.eye(len(means))[near])


def _whitening(X: Floats, R: Floats, means: Floats) -> Floats:
    """Return L with L L^T the inverse of the covariance within groups, drawn to an even one."""
    N, D = X.shape
    within = (X.T @ X - (means.T * R.sum(0)) @ means) / max(1, N - R.shape[1])
    even = max(float(np.trace(within)) / D, 1e-3 * float(np.square(X).mean()), 1e-12)
    covariance = (N * within + SHRINK * D * even * np.eye(D)) / (N + SHRINK * D)
    return np.asarray(np.linalg.cholesky(np.linalg.inv(covariance)))


def _log_densities(X: Floats, R: Floats) -> Floats:
    """Return log of what the other tracks of each group say of a track, and of how many they are, (N, M)."""
    counts, D = R.sum(0), X.shape[1]
    means = (R.T @ X) / counts[:, None]
    L = _whitening(X, R, means)
    Y, U = X @ L, means @ L
    others = np.maximum(counts - R, 0) + 1e-3
    a, b = counts / others, R / others  # the others' mean is a * mean - b * x
    inner, square = Y @ U.T, np.square(Y).sum(1)[:, None]
    q = square - 2 * (a * inner - b * square) + a**2 * np.square(U).sum(1) - 2 * a * b * inner + b**2 * square
    widening = 1 + 1 / np.maximum(others, 0.05)
    return np.asarray(np.log(others) - 0.5 * np.maximum(q, 0) / widening - 0.5 * D * np.log(widening))
