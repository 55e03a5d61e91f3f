"""Features for a ridge penalty that means the same everywhere: centred, of mean squared length 1.

With it the weight of the penalty does not depend on the units of the features:

    Z = (X - mean) scale,    mean of Z is 0,    mean of ||z_n||^2 is 1
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Floats

_LEAST = 1e-12  # mean squared length below which rows are held to be equal


def standardize(X: ArrayLike) -> tuple[Floats, Floats, float]:
    """Return Z (N, D), the mean (D,) and the scale, with Z = (X - mean) scale.

    Rows that are all alike become 0.

    Args:
        X: (N, D) finite real numbers, one row at least.
    """
    rows = np.asarray(X, dtype=np.float64)
    mean, scale = standardization([rows])
    return (rows - mean) * scale, mean, scale


def standardize_blocks(
    blocks: Sequence[NDArray[np.floating]],
) -> tuple[list[NDArray[np.float32]], Floats, float]:
    """Return what ``standardize`` returns of rows that come in blocks, each of them as float32.

    Args:
        blocks: (N_i, D) finite real numbers each, one row at least in all.
    """
    mean, scale = standardization(blocks)
    rows = [((np.asarray(block, dtype=np.float32) - mean) * scale).astype(np.float32) for block in blocks]
    return rows, mean, scale


def standardization(blocks: Iterable[NDArray[np.floating]]) -> tuple[Floats, float]:
    """Return the mean (D,) and the scale of rows that are read once, a block at a time.

    Args:
        blocks: (N_i, D) finite real numbers each, one row at least in all.
    """
    count, squares = 0, 0.0
    shift, total = np.zeros(1), np.zeros(1)
    for block in blocks:
        rows = np.asarray(block, dtype=np.float64)
        if count == 0 and len(rows):
            shift = rows[0].copy()  # near the mean: what is subtracted below stays small
        rows = rows - shift
        total, count = total + rows.sum(0), count + len(rows)
        squares += float(np.vdot(rows, rows))
    offset = total / count
    variance = squares / count - float(offset @ offset)
    return shift + offset, float(max(variance, _LEAST) ** -0.5)
