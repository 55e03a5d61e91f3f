"""Lloyd's algorithm, the baseline that knows nothing of order or of text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats


def lloyd(rows: Floats, centres: Floats, rounds: int) -> tuple[NDArray[np.int64], Floats, float]:
    """Improve centres by turns: each row to its nearest centre, each centre to the mean of its rows.

    Args:
        rows: (N, D).
        centres: (K, D) to begin with; one without rows stays where it is.
        rounds: how many turns.

    Returns:
        In the last turn: the centre of each row (N,), the centres (K, D), the sum of squared distances.
    """
    for _ in range(rounds):
        distances = (rows**2).sum(1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(1)
        owner = distances.argmin(1)
        centres = np.array(
            [rows[owner == k].mean(0) if (owner == k).any() else own for k, own in enumerate(centres)]
        )
    return owner, centres, float(distances.min(1).sum())
