"""Give rows to demands that compete for them, at the least cost.

A transport problem: every demand wants a number of rows, every row serves one demand
at most, and a unit left unserved costs the demand's price. Units are added one at a
time along the cheapest path of exchanges (Jewell 1958; Edmonds & Karp 1972): each
intermediate answer is optimal for what was added so far, so the last one is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def augment(extra: Floats, wanted: Ints, prices: Floats) -> tuple[Ints, Floats]:
    """Return the demand that each row serves, (N,), -1 for none, and what is left unserved, (J,).

    Args:
        extra: (N, J) cost of letting a row serve a demand, at least 0; infinite where it cannot.
        wanted: (J,) rows each demand wants.
        prices: (J,) cost of a unit left unserved; infinite where that is not allowed.

    Raises:
        SaysoError: if what is not allowed to go unserved cannot all be served.
    """
    owner = np.full(len(extra), -1, dtype=np.int64)
    unserved = np.zeros(len(wanted))
    for demand, count in enumerate(wanted):
        for _ in range(int(count)):
            _add_unit(demand, extra, prices, owner, unserved)
    return owner, unserved


def _add_unit(demand: int, extra: Floats, prices: Floats, owner: Ints, unserved: Floats) -> None:
    """Serve one more unit along the cheapest path from the demand to a free row or to slack."""
    swap, which = _exchanges(extra, owner)
    J = extra.shape[1]
    tolerance = 1e-13 * np.max(extra, initial=0.0, where=np.isfinite(extra))
    end = np.minimum(swap[:, J], prices)
    far, follow = end.copy(), np.full(J, -1)
    for _ in range(J):
        through = swap[:, :J] + far[None, :]
        best = through.argmin(1)
        shorter = through[np.arange(J), best] < far - tolerance
        if not shorter.any():
            break
        far = np.where(shorter, through[np.arange(J), best], far)
        follow = np.where(shorter, best, follow)
    if not np.isfinite(far[demand]):
        raise SaysoError("demands without slack contradict each other; give some of them a kappa")
    moves: list[tuple[int, int]] = []
    here = demand
    while follow[here] >= 0 and len(moves) <= J:
        moves.append((which[here, follow[here]], here))
        here = int(follow[here])
    if prices[here] < swap[here, J]:
        unserved[here] += 1
    else:
        moves.append((which[here, J], here))
    for row, to in moves:
        owner[row] = to


def _exchanges(extra: Floats, owner: Ints) -> tuple[Floats, Ints]:
    """Return the least cost for demand a (J,) to take a row of b, or a free one (column J), and the row."""
    J = extra.shape[1]
    swap, which = np.full((J, J + 1), np.inf), np.zeros((J, J + 1), dtype=np.int64)
    for b in range(J + 1):
        rows = np.flatnonzero(owner == (b if b < J else -1))
        if len(rows):
            change = extra[rows] - (extra[rows, b][:, None] if b < J else 0.0)
            best = change.argmin(0)
            swap[:, b], which[:, b] = change[best, np.arange(J)], rows[best]
    np.fill_diagonal(swap, np.inf)
    return swap, which
