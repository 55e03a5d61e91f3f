"""Classification into one of C classes: top-1, top-5 and mean per-class recall, with ties told apart.

    rank = 1 + #{wrong classes with a higher score} + #{wrong classes with the same score that come first}

is how published numbers break ties: the lowest index wins, as ``argmax`` and ``topk`` have it. Counted
strictly, every wrong class with the same score is above the right one, so that a constant score is never
right. The two differ where classes have the same vector: ImageNet's names hold "missile" and
"sunglasses" twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sayso.core.arrays import Floats, Ints

Ties = Literal["first", "strict"]
_BISECTIONS = 18  # from a factor of ten million to one of 1.0001


def class_ranks(scores: ArrayLike, right: ArrayLike, *, ties: Ties = "first") -> Ints:
    """Return the rank (N,) of the right class of each of N examples, from 1.

    Args:
        scores: (N, C), higher is likelier.
        right: (N,) the index of the right class; or (N, C) booleans, where several are right and the
            best-ranked one counts.
        ties: ``first``: of classes with the same score the first wins; ``strict``: the right one loses.

    Raises:
        ValueError: if shapes disagree, a score is NaN, or an example has no right class.
    """
    S, given = np.asarray(scores), np.asarray(right)
    if S.ndim != 2 or np.isnan(S).any():
        raise ValueError(f"expected scores (N, C) without NaN; got {S.shape}")
    N, C = S.shape
    if given.dtype == bool and given.shape == (N, C):
        truth = given
    elif given.shape == (N,) and given.dtype.kind in "iu" and ((given >= 0) & (given < C)).all():
        truth = np.arange(C) == given[:, None]
    else:
        raise ValueError(f"expected right ({N},) of indices 0 to {C - 1}, or ({N}, {C}) of booleans")
    if not truth.any(1).all():
        raise ValueError(f"example {int(truth.any(1).argmin())} has no right class")
    best = np.where(truth, S, -np.inf).max(1, keepdims=True)
    tied = (best == S) & ~truth
    if ties == "first":
        tied &= np.arange(C) < ((best == S) & truth).argmax(1)[:, None]
    ranks: Ints = 1 + (best < S).sum(1) + tied.sum(1)
    return ranks


def accuracy_from_ranks(
    ranks: ArrayLike, classes: Sequence[int] | Ints, *, count: int
) -> dict[str, float | None]:
    """Return top-1, top-5 and mean per-class recall.

    Args:
        ranks: (N,) as ``class_ranks`` returns them.
        classes: (N,) of which class each example is; the mean is over those that occur.
        count: C, among how many classes; of fewer than five there is no top-5.

    Raises:
        ValueError: if there is no example.
    """
    R, y = np.asarray(ranks), np.asarray(classes)
    if R.size == 0 or R.shape != y.shape:
        raise ValueError(f"expected ranks (N,) and classes (N,), N at least 1; got {R.shape} and {y.shape}")
    first = R <= 1
    _, number = np.unique(y, return_inverse=True)
    recalls = np.bincount(number, weights=first) / np.bincount(number)
    return {
        "top-1": float(first.mean()),
        "top-5": float((R <= 5).mean()) if count >= 5 else None,
        "mean_class_recall": float(recalls.mean()),
    }


def likeliest_scale(scores: ArrayLike, classes: ArrayLike) -> float:
    """Return the scale s by which softmax(s scores) makes the right classes likeliest: 1 / temperature.

    The likelihood is concave in s; its derivative, the mean difference of the right class's score and the
    expected one, is brought to zero by bisection.

    Args:
        scores: (N, C), such as cosines.
        classes: (N,) the index of the right class.

    Returns:
        Between 0.001 and 10,000.

    Raises:
        ValueError: if shapes disagree, or there is no example.
    """
    S, y = np.asarray(scores, np.float64), np.asarray(classes)
    if S.ndim != 2 or not len(S) or y.shape != (len(S),):
        raise ValueError(
            f"expected scores (N, C) and classes (N,), N at least 1; got {S.shape} and {y.shape}"
        )
    right = S[np.arange(len(S)), y].mean()
    low, high = 1e-3, 1e4
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if _expected(S, middle) <= right else (low, middle)
    return float(np.sqrt(low * high))


def _expected(S: Floats, scale: float) -> float:
    """Return the mean score (N, C) under softmax(scale S)."""
    odds = np.exp(scale * (S - S.max(1, keepdims=True)))
    return float(((odds * S).sum(1) / odds.sum(1)).mean())
