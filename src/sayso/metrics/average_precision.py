"""Average precision of a ranking, by the three rules in use.

After the first n of a ranking, precision is the fraction of right ones among them and recall
the number of right ones over all that there are to find (P).

* ``steps``: sum over the right ones of the precision there, over P.
* ``area``: the same with the precision made monotone first: at each recall the best that is
  reached at that recall or a higher one (PASCAL VOC from 2010).
* ``11-point``: the mean, at recalls 0, 0.1, ..., 1, of that best precision (VOC 2007).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rule = Literal["steps", "area", "11-point"]


def average_precision(
    scores: ArrayLike, right: ArrayLike, *, positives: int | None = None, rule: Rule = "steps"
) -> float:
    """Return the average precision; equal scores count in the least favourable order.

    Args:
        scores: (N,) higher is surer.
        right: (N,) whether each is right.
        positives: how many there are to find, P; those in the ranking unless given.
        rule: see the module.

    Returns:
        0 to 1; NaN if there is nothing to find.

    Raises:
        ValueError: if shapes disagree, a score is NaN, more are right than there are, or the rule is unknown.

    Examples:
        >>> average_precision([0.9, 0.8, 0.7], [True, False, True])
        0.8333333333333333
    """
    S, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=bool)
    if S.ndim != 1 or hits.shape != S.shape or np.isnan(S).any():
        raise ValueError(f"expected scores (N,) without NaN and right (N,); got {S.shape} and {hits.shape}")
    if rule not in get_args(Rule):
        raise ValueError(f"rule must be {', '.join(get_args(Rule))}; got {rule!r}")
    P = int(hits.sum()) if positives is None else positives
    if hits.sum() > P:
        raise ValueError(f"{hits.sum()} are right, and only {P} are to be found")
    if not P:
        return float("nan")
    precision = _precision_at_hits(S, hits)
    if rule == "steps":
        return float(precision.sum() / P)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best.sum() / P) if rule == "area" else _eleven_points(best, P)


def _precision_at_hits(scores: NDArray[np.float64], hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the precision at each right one, surest first."""
    ranks = np.flatnonzero(hits[np.lexsort((hits, -scores))]) + 1
    return np.arange(1, len(ranks) + 1) / ranks


def _eleven_points(best: NDArray[np.float64], P: int) -> float:
    """Return the mean of the best precision from each tenth of recall on; 0 where it is not reached."""
    needed = [max(1, -(-tenth * P // 10)) for tenth in range(11)]  # hits that reach the recall, rounded up
    return sum(float(best[n - 1]) for n in needed if n <= len(best)) / 11
