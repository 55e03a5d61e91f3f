"""How often the best score in a batch is a right one, both ways: what a contrastive loss can be judged by."""

from __future__ import annotations

import torch
from torch import Tensor

from sayso.core.distributed import gather

_ROWS = 1024  # scores of so many rows at a time


@torch.no_grad()
def batch_recall(image: Tensor, text: Tensor, labels: Tensor) -> tuple[float, float, float]:
    """Return R@1 of this process's pictures among the texts of all processes, of texts, and shared labels.

    Args:
        image: (B, D) unit embeddings of pictures.
        text: (B, D) those of their texts.
        labels: (B,) int64; texts with the picture's label are right.

    Returns:
        shares of pictures whose best text is right, of texts whose best picture is right, and of pairs
        that share their label with another pair; 0 to 1.
    """
    everywhere = gather(labels)
    right = [
        torch.cat(
            [labels[i : i + _ROWS] == everywhere[(part @ others.T).argmax(1)] for i, part in _parts(own)]
        )
        for own, others in ((image, gather(text)), (text, gather(image)))
    ]
    distinct, counts = torch.unique(everywhere, return_counts=True)
    shared = counts[torch.searchsorted(distinct, labels)] > 1
    forth, back, twice = (float(hits.float().mean()) for hits in (*right, shared))
    return forth, back, twice


def _parts(rows: Tensor) -> list[tuple[int, Tensor]]:
    return [(start, rows[start : start + _ROWS]) for start in range(0, len(rows), _ROWS)]
