"""From a map of features to a map of scores for each class, and from that to one score.

A picture's label says that a thing is there, not where. How the scores of all grid cells are pooled
into one decides which cells learn:

    max        max_p x_p                              the search for the one best cell [1]
    average    mean_p x_p                             class activation maps [2]
    lse        1/r log mean_p exp(r x_p)              between the two, the nearer to max the larger r [3]

Sources
    [1] Oquab, Bottou, Laptev, Sivic, CVPR 2015, Is object localization for free?
    [2] Zhou et al., CVPR 2016, Learning deep features for discriminative localization.
    [3] Pinheiro and Collobert, CVPR 2015, From image-level to pixel-level labeling.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["max", "average", "lse"]
SHARPNESS = 5.0  # r


def pool(maps: Tensor, how: Pooling, inside: Tensor | None = None, sharpness: float = SHARPNESS) -> Tensor:
    """Return one score for each class, (B, C).

    Args:
        maps: (B, C, h, w) scores of each grid cell.
        how: which rule.
        inside: (B, h, w) true where the picture is; padding has no say. Each picture needs a cell.
        sharpness: r of log-sum-exp.

    Raises:
        ValueError: if there is no such rule.
    """
    flat = maps.flatten(2)
    there = None if inside is None else inside.flatten(1)[:, None].bool()
    if how == "average":
        if there is None:
            return flat.mean(2)
        return (flat * there).sum(2) / there.sum(2).to(flat.dtype)
    kept = flat if there is None else flat.masked_fill(~there, -torch.inf)
    if how == "max":
        return kept.amax(2)
    if how == "lse":
        cells = math.log(flat.shape[2]) if there is None else there.sum(2).to(flat.dtype).log()
        return (torch.logsumexp(sharpness * kept, 2) - cells) / sharpness
    raise ValueError(f"pooling must be 'max', 'average' or 'lse'; got {how!r}")


class MapHead(nn.Module):
    """The adaptation layers of [1]: features (B, D, h, w) to class scores (B, C, h, w), cell by cell.

    Args:
        dim: D.
        classes: C.
        hidden: width of the layer between, followed by ReLU and dropout; 0: none.
        dropout: share of the numbers before the last layer that are left out in training.
    """

    def __init__(self, dim: int, classes: int, hidden: int = 2048, dropout: float = 0.5) -> None:
        super().__init__()
        last = nn.Conv2d(hidden or dim, classes, 1)
        nn.init.normal_(last.weight, std=0.01)
        between = [nn.Conv2d(dim, hidden, 1), nn.ReLU()] if hidden else []
        self.layers = nn.Sequential(*between, nn.Dropout2d(dropout), last)

    def init_prior_bias(self, shares: Tensor) -> None:
        """Set the last bias to the logits of how often each class is there, (C,) between 0 and 1.

        Otherwise the first hundreds of updates do nothing but learn that most classes are rare.
        """
        with torch.no_grad():
            self.get_parameter(f"layers.{len(self.layers) - 1}.bias").copy_(torch.logit(shares))

    def init_last(self, weights: Tensor) -> None:
        """Set the last layer's weights, (C, D) or, with a layer between, (C, hidden)."""
        with torch.no_grad():
            self.get_parameter(f"layers.{len(self.layers) - 1}.weight").copy_(weights[..., None, None])

    def forward(self, features: Tensor) -> Tensor:
        """Return the score maps."""
        maps: Tensor = self.layers(features)
        return maps
