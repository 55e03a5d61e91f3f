"""What the log of a contrastive run has beside its loss: guessing, recall in the batch, repeated captions."""

from __future__ import annotations

import logging
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sayso.core.distributed import rank
from sayso.engine.gradient_cache import EmbeddingTensors
from sayso.losses.batch_recall import batch_recall

AT_CHANCE = 0.98  # of the loss of guessing
log = logging.getLogger(__name__)


class ContrastiveMetrics:
    """Looks at batches as they are learned from; recall is measured when the log asks for it.

    Args:
        batch_size: B, over all processes.
        sigmoid: whether each pair is judged by itself, or among the batch.
        patience: updates after which the loss should have left that of guessing.
        context: most tokens of a text, for the message about texts that were cut.
    """

    def __init__(self, batch_size: int, *, sigmoid: bool, patience: int, context: int) -> None:
        self.chance = math.log(batch_size)
        if sigmoid and batch_size > 1:  # each pair is right with 1 / B
            self.chance += (batch_size - 1) * math.log(batch_size / (batch_size - 1))
        self.patience, self.context, self.updates = patience, context, 0
        self._last: tuple[Tensor, Tensor, Tensor] | None = None
        self._losses: list[Tensor] = []
        self._cut = self._texts = 0
        self._told_cut = self._told_chance = False

    def note(
        self, embeddings: EmbeddingTensors, labels: Tensor, cut: NDArray[np.bool_], loss: Tensor
    ) -> None:
        """Look at a batch.

        Args:
            embeddings: pictures (B, D) and texts (B, D).
            labels: (B,) int64, equal for texts that are right for each other's pictures.
            cut: (B,) texts that were longer than the text tower reads.
            loss: of the batch.
        """
        image, text = (one.detach() for one in embeddings)
        self._last = image, text, labels
        self._losses.append(loss.detach())
        self._cut, self._texts = self._cut + int(cut.sum()), self._texts + len(cut)

    def read(self) -> dict[str, float]:
        """Return the metrics of the batches since the last call, recall of the last batch alone."""
        if self._last is None:
            return {"chance": self.chance}
        forth, back, repeated = batch_recall(*self._last)
        self._tell(float(torch.stack(self._losses).mean()))
        self._last, self._losses = None, []
        return {
            "chance": self.chance,
            "picture_to_text_r1": forth,
            "text_to_picture_r1": back,
            "repeated_captions": repeated,
            "cut_captions": self._cut / self._texts,
        }

    def _tell(self, loss: float) -> None:
        """Say once, in a sentence each, that texts are cut, and that nothing is learned."""
        if rank():
            return
        if self._cut and not self._told_cut:
            self._told_cut = True
            log.warning(
                "%s of the first %s captions are longer than %s tokens and are cut; raise context",
                f"{self._cut:,}",
                f"{self._texts:,}",
                self.context,
            )
        if not self._told_chance and self.updates >= self.patience and loss > AT_CHANCE * self.chance:
            self._told_chance = True
            log.warning(
                "after %s updates the loss is %.3f, where guessing has %.3f: nothing is learned so far; check"
                " that captions belong to their pictures (sayso curate), or change lr, warmup or batch_size",
                f"{self.updates:,}",
                loss,
                self.chance,
            )
