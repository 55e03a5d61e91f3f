"""The gated embedding unit: a linear map that is scaled by a gate of itself, of unit norm.

    y = W1 x + b1,    f(x) = normalised(y o sigmoid(W2 y + b2))

Source: Miech et al., ICCV 2019, eq. 1. https://arxiv.org/abs/1906.03327
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class ContextGating(nn.Module):
    """x scaled, component by component, by a sigmoid of a linear map of x.

    The published file carries a batch norm here that the network does not use: it is kept, and frozen.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.batch_norm = nn.BatchNorm1d(dim).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., D) of the same."""
        gate: Tensor = self.fc(x).sigmoid()
        return x * gate


class GatedEmbedding(nn.Module):
    """A gated embedding unit.

    Args:
        inputs: components in.
        dim: D, components out.
    """

    def __init__(self, inputs: int, dim: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, dim)
        self.cg = ContextGating(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., D), of unit norm, of (..., inputs)."""
        return F.normalize(self.cg(self.fc(x)), dim=-1)
