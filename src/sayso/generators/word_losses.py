"""What Flamingo and LLaVA share in training: tokens with pictures as a batch, and what its words cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sayso.data.batch import Batch, ragged

if TYPE_CHECKING:
    from sayso.generators.language import LanguageModel


def batch_of_words(
    rows: Sequence[Sequence[int] | NDArray[Any]],
    labels: Sequence[Sequence[bool] | NDArray[Any]],
    pictures: Sequence[Sequence[NDArray[Any]]],
    end: int,
) -> Batch:
    """Return tokens, labels and pictures of B texts.

    Args:
        rows: B texts as tokens.
        labels: whether each token is to be predicted.
        pictures: visual tokens (F, V, D) float16 of each text's pictures.
        end: the token that fills rows up on the right.

    Returns:
        ``ids`` (B, T) int64; ``labels`` (B, T) bool; ``features`` (frames, V, D) float16, of all pictures
        end to end; ``frames`` (pictures,), how many each has.
    """
    ids = np.full((len(rows), max(map(len, rows))), end, np.int64)
    known = np.zeros(ids.shape, bool)
    for b, (row, label) in enumerate(zip(rows, labels, strict=True)):
        ids[b, : len(row)], known[b, : len(row)] = row, label
    return {
        "ids": ids,
        "labels": known,
        **ragged("features", [[frame for picture in row for frame in picture] for row in pictures]),
        **ragged("frames", [[len(picture) for picture in row] for row in pictures]),
    }


def pictures_of(batch: Mapping[str, Tensor]) -> list[Tensor]:
    """Return the visual tokens (F, V, D) float32 of all pictures of a batch."""
    if not batch["frames"].numel():
        return []
    return list(torch.split(batch["features"].float(), batch["frames"].long().tolist()))


def word_losses(
    language: LanguageModel, hidden: Tensor, ids: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Return - log p of each token that is to be predicted, and its row; no others have logits.

    Args:
        language: makes logits.
        hidden: (B, T - 1 or T, W), last hidden states.
        ids: (B, T).
        labels: (B, T) bool, none of the first tokens.

    Returns:
        (N,) float32, (N,) int64.
    """
    row, place = labels.nonzero(as_tuple=True)
    logits = language.logits(hidden[row, place - 1])  # the state before a token predicts it
    return F.cross_entropy(logits.float(), ids[row, place], reduction="none"), row
