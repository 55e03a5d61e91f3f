"""How many seconds of videos get the right class: frame accuracy, as for COIN.

Seconds of all videos are pooled: a long video counts more than a short one, and the class of what is
outside of all steps counts like any other. More than half of COIN's seconds are outside, so that a
constant answer scores 0.588; what is said beside it tells whether a model sees anything.

Source
    Tang et al., CVPR 2019; Miech et al., CVPR 2020, section 4. https://arxiv.org/abs/1912.06430
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def frame_accuracy(
    truth: Sequence[ArrayLike], predicted: Sequence[ArrayLike], *, outside: int = 0
) -> dict[str, float]:
    """Return ``accuracy`` of all seconds, ``inside`` of those with a step, and ``mean_class_recall``.

    Args:
        truth: the classes (T_v,) of each video v.
        predicted: what was answered, (T_v,) of each.
        outside: the class of no step.

    Returns:
        Fractions; NaN where there is no such second.

    Raises:
        ValueError: if there is no second, or shapes disagree.
    """
    pairs = [(np.asarray(t), np.asarray(p)) for t, p in zip(truth, predicted, strict=True)]
    if any(t.ndim != 1 or t.shape != p.shape for t, p in pairs) or not sum(len(t) for t, _ in pairs):
        raise ValueError(
            "expected the classes (T,) of each video, true and predicted, of one second at least"
        )
    T = np.concatenate([t for t, _ in pairs])
    right = np.concatenate([p for _, p in pairs]) == T
    _, classes = np.unique(T, return_inverse=True)
    recalls = np.bincount(classes, right) / np.bincount(classes)
    inside = right[outside != T]
    return {
        "accuracy": float(right.mean()),
        "inside": float(inside.mean()) if len(inside) else float("nan"),
        "mean_class_recall": float(recalls.mean()),
    }
