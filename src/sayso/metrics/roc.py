"""Area under the ROC curve: how often a positive scores above a negative."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def roc_auc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the share of pairs in which the positive scores above the negative; ties count half.

    Args:
        scores: (N,) higher is surer.
        positive: (N,) bool.

    Raises:
        ValueError: if shapes differ, a score is not finite, or all are of one kind.
    """
    s, y = np.asarray(scores, float), np.asarray(positive, bool)
    if s.ndim != 1 or s.shape != y.shape or not np.isfinite(s).all():
        raise ValueError(f"expected N finite scores and N labels; got {s.shape} and {y.shape}")
    if y.all() or not y.any():
        raise ValueError("the area under the ROC curve needs positives and negatives")
    negatives = np.sort(s[~y])
    below = np.searchsorted(negatives, s[y], "left") + np.searchsorted(negatives, s[y], "right")
    return float(below.mean() / (2 * len(negatives)))
