"""Scores of pictures and texts, some rows at a time, and the products that their slopes go into."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

_ROWS, _MOST_ROWS = 256, 1024  # of one matrix product: narrower ones are slow, larger ones no faster ...
_TABLE = 1 << 23  # ... as many as have so many scores
_BLOCK = 1 << 17  # scores that stay in a core's cache between one operation and the next


def tables(image: Tensor, G: int, kept: Tensor | None = None) -> Iterator[tuple[slice, Tensor]]:
    """Give some rows at a time, and a table for their G scores each, which is a part of ``kept`` if given."""
    B = len(image)
    rows = min(B, max(_ROWS, min(_MOST_ROWS, _TABLE // G)))
    table = image.new_empty(rows, G) if kept is None else kept
    for start in range(0, B, rows):
        part = slice(start, min(start + rows, B))
        yield part, table[: part.stop - start] if kept is None else kept[part]


def blocks(part: slice, table: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Give a few rows of a table at a time: which of all they are, their scores, and memory of that size."""
    count = max(1, _BLOCK // table.shape[1])
    memory = table.new_empty(table[:count].shape)
    for start in range(0, len(table), count):
        block = table[start : start + count]
        first = part.start + start
        yield slice(first, first + len(block)), block, memory[: len(block)]


def write_scores(image: Tensor, text: Tensor, scale: float, table: Tensor) -> None:
    """Write scale * image text^T, of image (N, D) and text (G, D), into the table (N, G)."""
    table.addmm_(image, text.T, beta=0, alpha=scale)


def add_products(
    slopes: Tensor,
    part: slice,
    image: Tensor,
    text: Tensor,
    gradients: tuple[Tensor, Tensor],
    factor: float,
) -> None:
    """Write ``factor`` times the gradients that the slopes of some rows give.

    Args:
        slopes: (N, G) derivatives by the scores of the rows ``part``.
        part: which rows; the first of all begins the sum over rows.
        image: (B, D).
        text: (G, D).
        gradients: (B, D), of which the rows are written, and (G, D), which is a sum over all rows.
        factor: of both.
    """
    d_image, d_text = gradients
    d_image[part].addmm_(slopes, text, beta=0, alpha=factor)
    d_text.addmm_(slopes.T, image[part], beta=float(part.start > 0), alpha=factor)
