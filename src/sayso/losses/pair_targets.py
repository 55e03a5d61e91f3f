"""Which texts are right for which pictures: a matrix over all pairs, of which only sums are needed.

P (B, G) has a row for each picture of this process and a column for each text of all processes. Scores are
products of embeddings, and so sum_ij P_ij <image_i, text_j> and its gradients cost sums over rows: those of
each label, where pictures and texts share labels, and those of all, where a part is spread evenly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.core.distributed import gather, processes, rank


@dataclass(frozen=True)
class PairTargets:
    """P: (1 - smoothing) * weights[l] where row and column both have the label l, and smoothing / G anywhere.

    Args:
        smoothing: the share that is spread.
        rows: (B,) labels, indices of ``weights``; None: P is the identity, smoothed.
        columns: (G,) labels.
        weights: (L,).
    """

    smoothing: float = 0.0
    rows: Tensor | None = None
    columns: Tensor | None = None
    weights: Tensor | None = None

    @classmethod
    def of(
        cls, labels: Tensor | None, rows: int, text: Tensor, *, mean: bool, smoothing: float = 0.0
    ) -> PairTargets:
        """Return what labels say.

        Args:
            labels: (B,) integers of this process's pairs; None: all pairs of all processes differ.
            rows: B.
            text: (G, D) embeddings of the texts of all processes.
            mean: whether right texts share a weight of 1; else each has it.
            smoothing: the share of the right texts that is spread over all.
        """
        if labels is None:
            if processes() == 1:
                return cls(smoothing)
            everywhere = torch.arange(len(text), device=text.device)
        else:
            everywhere = gather(labels)
        _, columns, counts = torch.unique(everywhere, return_inverse=True, return_counts=True)
        weights = 1 / counts.to(text.dtype) if mean else torch.ones_like(counts, dtype=text.dtype)
        return cls(smoothing, columns[rank() * rows : (rank() + 1) * rows], columns, weights)

    def score(self, image: Tensor, text: Tensor) -> Tensor:
        """Return sum_ij P_ij <image_i, text_j> of image (B, D) and text (G, D)."""
        images, texts = self._sums(image, self.rows), self._weighed(text, self.columns)
        right = (1 - self.smoothing) * inner(images, texts)
        return right + self.smoothing * (image.sum(0) @ text.mean(0)) if self.smoothing else right

    def pairs(self, rows: int) -> Tensor | int:
        """Return how many entries of the B rows have a label in common with their column."""
        if self.rows is None or self.columns is None:
            return rows
        count: Tensor = self.columns.bincount()[self.rows].sum()
        return count

    def subtract_own(self, slopes: Tensor, first: int, factor: float) -> None:
        """Subtract ``factor`` times P, without what is spread, where P is the identity: cheapest there.

        Args:
            slopes: (N, G) derivatives by the scores of some rows.
            first: the number of the first of them.
            factor: of P.
        """
        if self.rows is None:
            slopes.diagonal(first).sub_(factor * (1 - self.smoothing))

    def add_gradients(
        self, d_image: Tensor, d_text: Tensor, image: Tensor, text: Tensor, factor: float
    ) -> None:
        """Add ``factor`` times the gradients of the score that ``subtract_own`` left out.

        Args:
            d_image: (B, D), which change.
            d_text: (G, D), which change.
            image: (B, D).
            text: (G, D).
            factor: of the gradients.
        """
        own, spread = factor * (1 - self.smoothing), factor * self.smoothing / len(text)
        for into, here, other, there in (
            (d_image, self.rows, text, self.columns),
            (d_text, self.columns, image, self.rows),
        ):
            if here is not None:
                into.add_(self._weighed(other, there)[here], alpha=own)
            if self.smoothing:
                into.add_(other.sum(0), alpha=spread)

    def _sums(self, embeddings: Tensor, labels: Tensor | None) -> Tensor:
        """Return the sums of the embeddings of each label, (L, D)."""
        if labels is None or self.weights is None:
            return embeddings
        return embeddings.new_zeros(len(self.weights), embeddings.shape[1]).index_add_(0, labels, embeddings)

    def _weighed(self, embeddings: Tensor, labels: Tensor | None) -> Tensor:
        sums = self._sums(embeddings, labels)
        return sums if self.weights is None else sums * self.weights[:, None]


def inner(one: Tensor, two: Tensor) -> Tensor:
    """Return the sum of the inner products of the rows of two (B, D), without a third of their size."""
    parts = (slice(start, start + 256) for start in range(0, len(one), 256))  # sums of float32 stay short
    return torch.stack([torch.dot(one[part].reshape(-1), two[part].reshape(-1)) for part in parts]).sum()
