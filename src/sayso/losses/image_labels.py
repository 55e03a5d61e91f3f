"""Multi-label log-logistic loss: each class on its own, which may be left out.

    L = mean_i sum_c |y_ic| log(1 + exp(-y_ic f_ic)),    y_ic = +1 there, -1 not there, 0 not known

Source
    Oquab, Bottou, Laptev, Sivic, CVPR 2015, Is object localization for free?, equation (2).
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def image_labels(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of a batch, a number.

    Args:
        scores: f, (B, C) any real numbers, 0 in the middle.
        labels: y, (B, C) +1 there, -1 not there, 0 left out.

    Raises:
        ValueError: if the shapes differ.
    """
    if scores.ndim != 2 or scores.shape != labels.shape:
        raise ValueError(
            f"expected scores and labels (B, C); got {tuple(scores.shape)} and {tuple(labels.shape)}"
        )
    y = labels.to(scores.dtype)
    return (y.abs() * F.softplus(-y * scores)).sum(1).mean()
