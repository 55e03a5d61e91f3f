"""Max-margin ranking: a clip is nearer to its own caption than to those of others.

With s_ij = <video_i, text_j>, delta the margin, and w_ij >= 0 weights that sum to 1 over j,

    L = 1/B sum_i sum_{j != i} w_ij [ max(0, delta + s_ij - s_ii) + max(0, delta + s_ji - s_ii) ].

Clips of one video look alike, and so are the hard negatives: they get the share ``intra`` of the
weight, those of other videos the rest, each share evenly. [1] takes half and half, and shows
that without the first the embedding learns the video rather than the step.

Sources
    [1] Miech et al., ICCV 2019, eq. 3 and table 3. https://arxiv.org/abs/1906.03327
    [2] The authors' code counts the pair itself among the negatives of its video (``count_own``): n clips of
        a video share its weight, not n - 1, and a constant is added. loss.py (50af0ff),
        https://github.com/antoine77340/howto100m
"""

from __future__ import annotations

import torch
from torch import Tensor

from sayso.core.distributed import gather, rank


def max_margin(
    video: Tensor,
    text: Tensor,
    group: Tensor | None = None,
    *,
    margin: float = 0.1,
    intra: float = 0.5,
    count_own: bool = False,
) -> Tensor:
    """Return the loss of this process's pairs against those of all processes, a scalar >= 0.

    Args:
        video: (B, D) embeddings of clips, of unit norm in [1].
        text: (B, D) embeddings of their captions.
        group: (B,) integers, which video each clip is of; None: all are of different ones.
        margin: delta.
        intra: share of the weight of negatives from the same video; 0 leaves these out. A clip that
            is alone of its video, or has no other video to compare with, gives the whole weight
            to the negatives that it has.
        count_own: count the pair itself among them, as [2] does: loss and gradient are then those of [2].

    Raises:
        ValueError: if the shapes disagree, or ``intra`` is not within 0 and 1.
    """
    if video.ndim != 2 or video.shape != text.shape or (group is not None and group.shape != video.shape[:1]):
        shapes = [tuple(t.shape) for t in (video, text, group) if t is not None]
        raise ValueError(f"max_margin needs video (B, D), text (B, D) and group (B,); got {shapes}")
    if not 0 <= intra <= 1:
        raise ValueError(f"intra must be between 0 and 1; got {intra}")
    B, first = len(video), rank() * len(video)
    own = torch.arange(B, device=video.device)
    all_texts, all_videos = gather(text), gather(video)
    forth = video @ all_texts.T  # s_ij, (B, R * B)
    back = text @ all_videos.T  # s_ji
    weights = _weights(group, len(all_texts), first, B, intra, forth, count_own)
    right = forth[own, own + first, None]
    hinges = (margin + forth - right).relu() + (margin + back - right).relu()
    return (weights * hinges).sum() / B


def _weights(
    group: Tensor | None, count: int, first: int, B: int, intra: float, like: Tensor, count_own: bool
) -> Tensor:
    """Return w, (B, R * B): rows that sum to 1, but for those without any negative."""
    numbers = torch.arange(count, device=like.device)
    groups = numbers if group is None else gather(group)
    other = numbers[first : first + B, None] != numbers
    same = (groups[first : first + B, None] == groups) & other
    apart = other & ~same
    has_same, has_apart = same.any(1, keepdim=True), apart.any(1, keepdim=True)
    both, only = like.new_tensor(intra), like.new_tensor(float(intra > 0))
    share = torch.where(has_same & has_apart, both, torch.where(has_same, only, torch.zeros_like(only)))
    if count_own:  # the pair stands with its video's, or where it has no others, with all
        own = ~other
        same, apart = same | (own & has_same), apart | (own & ~has_same)
    within = same * share / same.sum(1, keepdim=True).clamp_min(1)
    return within + apart * (1 - share) / apart.sum(1, keepdim=True).clamp_min(1)
