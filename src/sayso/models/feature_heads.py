"""Two small heads on features of frozen networks: what remains to learn when pictures and texts were learned.

Source
    Zhai et al. 2022, LiT: zero-shot transfer with locked-image text tuning. https://arxiv.org/abs/2111.07991
"""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class FeatureHeads(nn.Module):
    """Features of pictures and texts to unit vectors of one space.

    Args:
        image_dim: F, length of a picture's features.
        text_dim: G, length of a text's.
        dim: D, length of an embedding; G where texts keep their features.
        hidden: width of a layer in between; 0: the heads are linear.
        dropout: share of features, and of hidden units, that are 0 while learning.
        learn_text: whether texts get a head; otherwise the space is that of their features.
    """

    def __init__(
        self,
        image_dim: int,
        text_dim: int,
        dim: int,
        *,
        hidden: int = 0,
        dropout: float = 0.0,
        learn_text: bool = True,
    ) -> None:
        super().__init__()
        self.options = {
            "image_dim": image_dim,
            "text_dim": text_dim,
            "dim": dim,
            "hidden": hidden,
            "learn_text": learn_text,
        }
        self.dim = dim if learn_text else text_dim
        self.image = _head(image_dim, self.dim, hidden, dropout)
        self.text = _head(text_dim, self.dim, hidden, dropout) if learn_text else nn.Identity()

    def forward(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit vectors (B, D) of features (B, F) and (B, G), whose lengths do not matter."""
        return self.embed_image(image), self.embed_text(text)

    def embed_image(self, features: Tensor) -> Tensor:
        """Return unit vectors (B, D) of pictures' features (B, F)."""
        return F.normalize(self.image(_one_length(features)), dim=1)

    def embed_text(self, features: Tensor) -> Tensor:
        """Return unit vectors (B, D) of texts' features (B, G)."""
        embedded: Tensor = self.text(_one_length(features))
        return F.normalize(embedded, dim=1)


def _one_length(features: Tensor) -> Tensor:
    """Bring features to a mean square of 1."""
    unit = F.normalize(features.float(), dim=1)
    return unit * math.sqrt(features.shape[1])


def _head(inputs: int, outputs: int, hidden: int, dropout: float) -> nn.Module:
    if not hidden:
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, outputs))
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(inputs, hidden),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, outputs),
    )
