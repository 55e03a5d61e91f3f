"""Naming: how right the names are, and how right they are where the system is surest.

Items are ranked by confidence. After the first n items the proportion named is n / N and
the precision is the fraction of right names among them (Bojanowski et al., ICCV 2013).
The average precision is the mean of the precisions at the items named right, times their
fraction of all: the area under that curve, counted where it steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Floats
from sayso.metrics.average_precision import average_precision
from sayso.metrics.calibration import calibration


def naming_scores(scores: ArrayLike, truth: ArrayLike, ignore: int | None = None) -> dict[str, float]:
    """Return accuracy, ranking AP and the mean of per-class AP.

    Args:
        scores: (N, C) confidence of each class, higher is surer.
        truth: (N,) the right class, 0 to C - 1.
        ignore: a class whose AP is left out of the mean (the background).

    Raises:
        ValueError: if shapes disagree, a score is not finite, a class is out of range, or N is 0.
    """
    S, right = _checked(scores, truth)
    correct = S.argmax(1) == right
    per_class = class_precision(S, right)
    kept = [value for k, value in enumerate(per_class) if k != ignore and np.isfinite(value)]
    return {
        "accuracy": float(correct.mean()),
        "AP": average_precision(S.max(1), correct, positives=len(S)),
        "mAP": float(np.mean(kept)) if kept else float("nan"),
    }


def precision_curve(scores: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    """Return the proportion of items named and the precision among them, (N,) each, surest first.

    Args:
        scores: as for ``naming_scores``.
        truth: as for ``naming_scores``.
    """
    S, right = _checked(scores, truth)
    order = np.argsort(-S.max(1), kind="stable")
    ranks = np.arange(1, len(S) + 1)
    return ranks / len(S), np.cumsum((S.argmax(1) == right)[order]) / ranks


def class_precision(scores: ArrayLike, truth: ArrayLike) -> Floats:
    """Return the average precision of each class, (C,); NaN for a class that no item has.

    Args:
        scores: as for ``naming_scores``.
        truth: as for ``naming_scores``.
    """
    S, right = _checked(scores, truth)
    return np.array([average_precision(S[:, k], right == k) for k in range(S.shape[1])])


def most_likely(probabilities: ArrayLike, truth: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the confidence of the likeliest class of each item, and whether it is right, (N,) each.

    Args:
        probabilities: (N, C), rows that sum to 1.
        truth: as for ``naming_scores``.
    """
    P, right = _checked(probabilities, truth)
    return P.max(1), P.argmax(1) == right


def reliability(probabilities: ArrayLike, truth: ArrayLike, bins: int = 10) -> dict[str, float]:
    """Return how true the likeliest classes' probabilities are: ``error`` is the calibration error.

    Args:
        probabilities: (N, C), rows that sum to 1.
        truth: as for ``naming_scores``.
        bins: as for ``sayso.metrics.calibration.calibration``.
    """
    found = calibration(*most_likely(probabilities, truth), bins=bins)
    return {"error": found.error, "confidence": found.confidence, "accuracy": found.accuracy}


def _checked(scores: ArrayLike, truth: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    S, right = np.asarray(scores, dtype=np.float64), np.asarray(truth)
    if S.ndim != 2 or not len(S) or right.shape != (len(S),) or right.dtype.kind not in "iu":
        raise ValueError(f"expected scores (N, C) and classes (N,); got {S.shape} and {right.shape}")
    if not np.isfinite(S).all() or right.min() < 0 or right.max() >= S.shape[1]:
        raise ValueError(f"scores must be finite and classes within 0 to {S.shape[1] - 1}")
    return S, right.astype(np.int64)
