"""Drawings: what a classifier of photographs cannot name, a small head can.

ConSE knows drawings badly: a network that learned photographs gives the classes of a drawing nearly at
random. Its features still tell drawings apart. A linear head, learned by contrast on named drawings with
both networks frozen [1], moves them into the space of the texts:

    h = unit(W f + b)                       f: features (1280,) scaled to a mean square of 1
    v = unit((1 - w) c + w h)               c: the embedding by ConSE

w says how much the picture is a drawing. A logistic regression on f and on the mean and deviation of the 40
channels of an early block (flat colours and hard edges show there) gives a logit d; w rises from 0 at
d = NONE to HEAD_SHARE at d = ALL. Photographs have w = 0, and their embedding is that of ConSE, bit for bit.

In a mixed collection drawings and photographs rank against each other, and the texts of photographs find
drawings more often than the other way round: drawings are weighed by ``WEIGHT`` at full w. What is left of
their unit norm goes to a coordinate in which every text of MiniLM is 0.

``scripts/drawing_head.py`` makes the weights.

Source
    [1] Zhai et al. 2022, LiT: zero-shot transfer with locked-image text tuning. https://arxiv.org/abs/2111.07991
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.io import sha256_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS_NPZ = Path(__file__).with_name("drawing_head.npz")
NONE, ALL = 1.0, 3.0
HEAD_SHARE, WEIGHT = 0.8, 0.9
SPARE = 127  # coordinate: the gain of MiniLM's last normalisation is 5e-33 there
RECIPE = f"drawings: {NONE} {ALL} {HEAD_SHARE} {WEIGHT} {SPARE}; 1"


@cache
def head_sha256() -> str:
    """Return the SHA-256 of the shipped weights, hexadecimal."""
    return sha256_of(WEIGHTS_NPZ)


def look(features: Tensor, early: Tensor) -> Tensor:
    """Return what the detector sees.

    Args:
        features: (B, 1280) of Lite0.
        early: (B, 40, h, w), the map of its early blocks.

    Returns:
        (B, 1360).
    """
    import torch

    mean = early.mean((2, 3))
    deviation = (early - mean[:, :, None, None]).square_().mean((2, 3)).sqrt()  # a 20th of the time of std
    seen: Tensor = torch.cat([one_length(features), mean, deviation], 1)
    return seen


def one_length(features: Tensor) -> Tensor:
    """Bring features (B, D) to a mean square of 1."""
    import torch

    unit: Tensor = torch.nn.functional.normalize(features, dim=1)
    return unit * math.sqrt(features.shape[1])


class DrawingHead:
    """Moves drawings, and leaves photographs where ConSE put them.

    Args:
        device: where it runs.
        weights: arrays by name; by default those of the package.
    """

    def __init__(self, device: torch.device, weights: dict[str, np.ndarray] | None = None) -> None:
        import torch

        if weights is None:
            with np.load(WEIGHTS_NPZ, allow_pickle=False) as shipped:
                weights = dict(shipped)
        arrays = {name: np.asarray(array, np.float32) for name, array in weights.items()}
        tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        self._head = tensors["head_weight"], tensors["head_bias"]  # (384, 1280), (384,)
        self._detector = tensors["detector_weight"], tensors["detector_bias"]  # (1, 1360), (1,)

    def drawn(self, features: Tensor, early: Tensor) -> Tensor:
        """Return how sure it is that pictures are drawings: the logits d (B,); see ``look``."""
        import torch

        logits: Tensor = torch.nn.functional.linear(look(features, early), *self._detector)
        return logits[:, 0]

    def named(self, features: Tensor) -> Tensor:
        """Return h (B, 384), unit norm, of features (B, 1280)."""
        import torch

        moved = torch.nn.functional.linear(one_length(features), *self._head)
        return torch.nn.functional.normalize(moved, dim=1)

    def __call__(self, embeddings: Tensor, features: Tensor, early: Tensor) -> Tensor:
        """Return embeddings, unit norm, in which drawings were moved.

        Args:
            embeddings: (B, 384) by ConSE, unit norm.
            features: (B, 1280) of Lite0.
            early: (B, 40, h, w), the map of its early blocks.
        """
        import torch

        with torch.inference_mode():
            sure = ((self.drawn(features, early) - NONE) / (ALL - NONE)).clamp(0, 1)[:, None]
            share = HEAD_SHARE * sure
            mixed = torch.lerp(embeddings, self.named(features), share)
            weight = 1 - (1 - WEIGHT) * sure
            moved = weight * torch.nn.functional.normalize(mixed, dim=1)
            moved[:, SPARE] = (1 - weight[:, 0].square()).sqrt()
            return torch.where(sure > 0, moved, embeddings)
