"""Multi-label log-logistic loss: each class is asked about on its own, and may be left out.

    L = mean_i sum_k |y_ik| log(1 + exp(-y_ik f_ik)),    y_ik = +1 there, -1 not there, 0 not known

Source
    Oquab, Bottou, Laptev, Sivic, CVPR 2015, Is object localization for free?, equation (2).
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def image_labels(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of a batch, a number.

    Args:
        scores: f, (B, K) any real numbers, 0 in the middle.
        labels: y, (B, K) +1 there, -1 not there, 0 left out.

    Raises:
        ValueError: if the shapes differ.
    """
    if scores.ndim != 2 or scores.shape != labels.shape:
        raise ValueError(
            f"expected scores and labels (B, K); got {tuple(scores.shape)} and {tuple(labels.shape)}"
        )
    y = labels.to(scores.dtype)
    return (y.abs() * F.softplus(-y * scores)).sum(1).mean()
