"""InfoNCE, both ways: of all texts of the batch a picture's own, of all pictures a text's own.

With s_ij = scale * <visual_i, text_j>,

    L = 1/2B sum_i [ log sum_j e^s_ij - s_ii ] + 1/2B sum_i [ log sum_j e^s_ji - s_ii ].

For unit embeddings 1 / scale is the temperature, which may be learned. ``contrastive`` computes it.

Source
    Radford et al., ICML 2021, figure 3. https://arxiv.org/abs/2103.00020
"""

from __future__ import annotations

import torch
from torch import Tensor

from sayso.losses.contrastive import contrastive


def info_nce(visual: Tensor, text: Tensor, scale: Tensor | float = 1.0) -> Tensor:
    """Return the loss of the pairs of all processes, a scalar >= 0.

    Args:
        visual: (B, D) embeddings of pictures or clips, of unit norm in the source.
        text: (B, D) embeddings of their captions.
        scale: 1 / temperature, above 0, a number or a tensor of one, which gets a gradient.

    Raises:
        ValueError: if the shapes disagree.
    """
    return contrastive(visual, text, torch.as_tensor(scale, dtype=visual.dtype, device=visual.device).log())
