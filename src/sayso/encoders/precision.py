"""When a faster arithmetic may stand in for float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sayso.core.arrays import Pixels

if TYPE_CHECKING:
    from torch import Tensor

FAITHFUL = 0.999
"""The least cosine to float32 that a faster arithmetic must keep."""


def is_faithful(exact: Tensor, fast: Tensor) -> bool:
    """Tell whether each embedding is nearly what it is in float32.

    Args:
        exact: (B, D) in float32.
        fast: (B, D), of the same inputs.
    """
    import torch

    return bool(torch.cosine_similarity(exact, fast.float()).min() >= FAITHFUL)


def coloured_squares(count: int) -> list[Pixels]:
    """Return pictures of coloured squares, (256, 256, 3) uint8, always the same."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return list(np.kron(coarse, np.ones((1, 32, 32, 1), np.uint8)))
