"""InfoNCE, both ways: of all texts of the batch a picture's own, of all pictures a text's own.

With s_ij = scale * <visual_i, text_j>,

    L = 1/2B sum_i [ log sum_j e^s_ij - s_ii ] + 1/2B sum_i [ log sum_j e^s_ji - s_ii ].

For unit embeddings 1 / scale is the temperature, which may be learned.

Source
    Radford et al., ICML 2021, figure 3. https://arxiv.org/abs/2103.00020
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from sayso.core.distributed import gather, rank


def info_nce(visual: Tensor, text: Tensor, scale: Tensor | float = 1.0) -> Tensor:
    """Return the loss of this process's pairs against those of all processes, a scalar >= 0.

    Args:
        visual: (B, D) embeddings of pictures or clips, of unit norm in the source.
        text: (B, D) embeddings of their captions.
        scale: 1 / temperature, a number or a tensor of one, which gets a gradient.

    Raises:
        ValueError: if the shapes disagree.
    """
    if visual.ndim != 2 or visual.shape != text.shape:
        shapes = tuple(visual.shape), tuple(text.shape)
        raise ValueError(f"info_nce needs visual and text (B, D); got {shapes[0]} and {shapes[1]}")
    own = torch.arange(len(visual), device=visual.device) + rank() * len(visual)
    forth, back = scale * (visual @ gather(text).T), scale * (text @ gather(visual).T)
    return (F.cross_entropy(forth, own) + F.cross_entropy(back, own)) / 2
