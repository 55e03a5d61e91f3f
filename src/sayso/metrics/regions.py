"""Connected regions of a mask, with numpy alone.

Each row is cut into runs of set pixels. Runs of neighbouring rows that touch, corners included,
are linked, and every linked group takes the smallest number among its runs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Ints


def regions(mask: ArrayLike) -> tuple[Ints, Ints]:
    """Return the connected regions of a mask (8 neighbours), in reading order of their first pixels.

    Args:
        mask: (H, W) true inside.

    Returns:
        (H, W) the region of each pixel, 0 outside and M regions from 1; and (M, 4) their boxes
        ``x0, y0, x1, y1``, with ``x1`` and ``y1`` just outside.

    Raises:
        ValueError: if the mask is not (H, W).
    """
    inside = np.asarray(mask, dtype=bool)
    if inside.ndim != 2:
        raise ValueError(f"expected a mask (H, W); got {inside.shape}")
    rows, starts, ends = _runs(inside)
    first, owner = np.unique(_linked(len(rows), *_touching(rows, starts, ends)), return_inverse=True)
    boxes = np.empty((len(first), 4), dtype=np.int64)
    boxes[:, :2], boxes[:, 2:] = max(inside.shape), 0
    np.minimum.at(boxes[:, 0], owner, starts)
    np.minimum.at(boxes[:, 1], owner, rows)
    np.maximum.at(boxes[:, 2], owner, ends)
    np.maximum.at(boxes[:, 3], owner, rows + 1)
    numbers = np.zeros(inside.shape, dtype=np.int64)
    numbers[inside] = np.repeat(owner + 1, ends - starts)
    return numbers, boxes


def _runs(inside: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return row, first and past-the-last column of each run of set pixels, in reading order."""
    edges = np.diff(np.pad(inside, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    return rows, starts, np.nonzero(edges == -1)[1]


def _touching(rows: Ints, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Return the pairs of runs, one in the row below the other, that touch."""
    stride = int(ends.max(initial=0)) + 2
    below = rows * stride + stride
    low = np.searchsorted(rows * stride + ends, below + starts, side="left")
    high = np.searchsorted(rows * stride + starts, below + ends, side="right")
    counts = np.maximum(high - low, 0)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(rows)), counts), np.repeat(low, counts) + offsets


def _linked(count: int, one: Ints, other: Ints) -> Ints:
    """Return for each of ``count`` things the smallest number it is linked to, however far."""
    number = np.arange(count)
    while True:
        before = number.copy()
        np.minimum.at(number, one, number[other])
        np.minimum.at(number, other, number[one])
        number = number[number]
        if np.array_equal(number, before):
            return number
