"""Offsets that step: the cheapest piecewise constant line through noisy points with many outliers.

Each point pays its distance to the line, at most 1 s, and each step pays as much as some points
that are far off, so that a few wrong pairs of words make no step (dynamic programming over the offsets that
many points have).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BIN_S = 0.25
OFFSETS = 160  # that are tried: those of most points
FAR_S = 1.0
STEP_COST = 6.0
SLOPES = 2000  # pairs of points whose slopes are compared
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PiecesFit:
    """Pieces in order: number of the first and last point on the line, offset in seconds.

    ``cost`` compares fits of the same points; ``error_s`` is the median distance of all points to the line.
    """

    pieces: tuple[tuple[int, int, float], ...]
    cost: float
    error_s: float


def fit_pieces(x: Points, offsets: Points) -> PiecesFit:
    """Return the cheapest pieces.

    Args:
        x: (N,) rising times.
        offsets: (N,) the offset at each, seconds.
    """
    tried = _common(offsets)
    path = _cheapest(offsets, tried)
    line = np.empty(len(x))
    pieces: list[tuple[int, int, float]] = []
    for piece in np.split(np.arange(len(x)), np.flatnonzero(np.diff(path)) + 1):
        near = piece[np.abs(offsets[piece] - tried[path[piece[0]]]) < FAR_S]
        offset = float(np.median(offsets[near])) if len(near) else float(tried[path[piece[0]]])
        line[piece] = offset
        if len(near):
            pieces.append((int(near[0]), int(near[-1]), offset))
    distance = np.abs(offsets - line)
    cost = float(np.minimum(distance, FAR_S).sum() + STEP_COST * (len(pieces) - 1))
    return PiecesFit(tuple(pieces), cost, float(np.median(distance)))


def median_slope(x: Points, y: Points) -> float:
    """Return the median slope between points half of the range apart (Theil-Sen); 1 if all are near."""
    half = len(x) // 2
    start = np.unique(np.linspace(0, half - 1, min(half, SLOPES)).astype(int))
    run = x[start + half] - x[start]
    far = run > 30.0
    return float(np.median((y[start + half] - y[start])[far] / run[far])) if far.any() else 1.0


def _common(offsets: Points) -> Points:
    """Return the offsets that most points have, rising, to a quarter of a second."""
    bins, counts = np.unique(np.round(offsets / BIN_S), return_counts=True)
    most = np.sort(np.argsort(-counts, kind="stable")[:OFFSETS])
    common: Points = bins[most] * BIN_S
    return common


def _cheapest(offsets: Points, tried: Points) -> NDArray[np.intp]:
    """Return the number of the tried offset that each point is on."""
    stays = np.zeros((len(offsets), len(tried)), np.bool_)
    best = np.zeros(len(offsets), np.intp)
    cost = np.zeros(len(tried))
    for n, offset in enumerate(offsets):
        best[n] = cost.argmin()
        stays[n] = cost <= cost[best[n]] + STEP_COST
        cost = np.minimum(cost, cost[best[n]] + STEP_COST) + np.minimum(np.abs(tried - offset), FAR_S)
    path = np.empty(len(offsets), np.intp)
    path[-1] = cost.argmin()
    for n in range(len(offsets) - 1, 0, -1):
        path[n - 1] = path[n] if stays[n, path[n]] else best[n]
    return path
