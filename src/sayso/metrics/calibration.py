"""Calibration: are answers that are said to be right with probability p right as often as that?

    error = sum over bins of  n_bin / N |confidence_bin - accuracy_bin|    expected calibration error [1]
    Brier = mean of (confidence - right)^2                                 0 is best; 1/2 always gets 0.25 [2]

Sources
    [1] Naeini, Cooper, Hauskrecht, AAAI 2015. [2] Brier, Monthly Weather Review 1950.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The answers whose confidence lies in a bin.

    Args:
        low: least confidence of the bin.
        high: greatest, left out but for the last bin.
        count: how many answers.
        confidence: their mean confidence; NaN where there is none.
        accuracy: how many of them are right, as a share; NaN where there is none.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How true stated confidences are.

    Args:
        error: the expected calibration error.
        brier: the Brier score.
        confidence: mean confidence.
        accuracy: share of right answers.
        bins: the reliability diagram, from 0 to 1.
    """

    error: float
    brier: float
    confidence: float
    accuracy: float
    bins: tuple[ReliabilityBin, ...]


def calibration(confidences: ArrayLike, right: ArrayLike, *, bins: int = 10) -> Reliability:
    """Return how true stated confidences are.

    Args:
        confidences: (N,) from 0 to 1.
        right: (N,) whether each answer is right.
        bins: of equal width over confidences from 0 to 1.

    Raises:
        ValueError: if shapes disagree, there is no answer, or a confidence leaves [0, 1].

    Examples:
        >>> found = calibration([0.9, 0.9, 0.6, 0.6], [True, True, True, False])
        >>> found.accuracy, round(found.error, 3)
        (0.75, 0.1)
    """
    confidence, hits = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=bool)
    if confidence.ndim != 1 or not len(confidence) or hits.shape != confidence.shape:
        raise ValueError(f"expected confidences (N,) and right (N,); got {confidence.shape} and {hits.shape}")
    if not (confidence.min() >= 0 and confidence.max() <= 1 + 1e-9):
        raise ValueError(f"confidences must lie within 0 and 1; got {confidence.min()} to {confidence.max()}")
    own = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(own, minlength=bins)
    sums = np.bincount(own, confidence, minlength=bins), np.bincount(own, hits, minlength=bins)
    means = [np.divide(total, count, out=np.full(bins, np.nan), where=count > 0) for total in sums]
    found = tuple(
        ReliabilityBin(b / bins, (b + 1) / bins, int(count[b]), float(means[0][b]), float(means[1][b]))
        for b in range(bins)
    )
    error = float(np.abs(sums[0] - sums[1]).sum() / len(confidence))
    brier = float(np.square(confidence - hits).mean())
    return Reliability(error, brier, float(confidence.mean()), float(hits.mean()), found)
