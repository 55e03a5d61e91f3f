"""Average precision of segments of which only some were rated, as for YouTube-8M Segments.

Source
    The challenge's evaluation of 2019: https://github.com/google/youtube-8m (segment_eval_inference.py). It
    averages over the classes that are submitted, and orders equal scores by a seeded shuffle; here every
    class with a rated positive counts, and equal scores stand in the least favourable order.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike


def segment_average_precision(
    scores: ArrayLike,
    ratings: ArrayLike,
    *,
    positives: int | None = None,
    top_n: int | None = None,
    depth: int | None = None,
) -> float:
    """Return the average precision of a ranking of segments for one class.

    The ranking is cut to its first ``top_n``, then those that were not rated are dropped.

    Args:
        scores: (N,) higher is surer.
        ratings: (N,) 1 where the class is there, 0 where it is not, below 0 where nobody said.
        positives: P, rated segments with the class, ranked or not; the ranked ones unless given.
        top_n: how many of the best are looked at.
        depth: n; only the first n rated ones count, and the sum is divided by the smaller of P and n.

    Returns:
        0 to 1; NaN if the class is nowhere.

    Raises:
        ValueError: if shapes disagree, a score is NaN, a limit is below 1, or more are right than there are.
    """
    S, R = np.asarray(scores, dtype=np.float64), np.asarray(ratings)
    if S.ndim != 1 or R.shape != S.shape or np.isnan(S).any():
        raise ValueError(f"expected scores (N,) without NaN and ratings (N,); got {S.shape} and {R.shape}")
    P = int((R > 0).sum()) if positives is None else positives
    if (R > 0).sum() > P or min(1 if limit is None else limit for limit in (top_n, depth)) < 1:
        raise ValueError(f"{(R > 0).sum()} are right of {P}; the limits {top_n} and {depth} must be from 1")
    if not P:
        return float("nan")
    order = np.lexsort((R > 0, -S))[:top_n]
    right = R[order[R[order] >= 0]][:depth] > 0
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precision[right].sum() / min(P, depth or P))


def mean_of_classes(values: Iterable[float]) -> float:
    """Return the mean over the classes that are somewhere; NaN if none is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
