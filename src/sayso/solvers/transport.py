"""A transport problem by successive shortest paths: rows for constraints that compete for them.

Every constraint requires a number of rows, every row serves one constraint at most, and a missing
unit costs slack. Units are added one at a time along the cheapest path of exchanges: each
intermediate answer is optimal for what was added so far, so the last one is exact.

Sources
    Jewell 1958; Edmonds & Karp 1972 (successive shortest paths).
"""

from __future__ import annotations

import numpy as np

from sayso.core.arrays import Floats, Ints
from sayso.core.errors import SaysoError


def successive_shortest_paths(extra: Floats, required: Ints, slack_cost: Floats) -> tuple[Ints, Floats]:
    """Return the constraint that each row serves, (N,), -1 for none, and the slacks, (J,).

    Args:
        extra: (N, J) cost of letting a row serve a constraint, at least 0; infinite where it cannot.
        required: (J,) rows that each constraint requires.
        slack_cost: (J,) cost of a missing unit; infinite where none may be missing.

    Raises:
        SaysoError: if constraints without slack cannot all be kept.
    """
    owner = np.full(len(extra), -1, dtype=np.int64)
    slack = np.zeros(len(required))
    for constraint, count in enumerate(required):
        for _ in range(int(count)):
            _add_unit(constraint, extra, slack_cost, owner, slack)
    return owner, slack


def _add_unit(constraint: int, extra: Floats, slack_cost: Floats, owner: Ints, slack: Floats) -> None:
    """Add one unit along the cheapest path from the constraint to a free row or to slack, in place."""
    exchange, row_of = _exchanges(extra, owner)
    J = extra.shape[1]
    tolerance = 1e-13 * np.max(extra, initial=0.0, where=np.isfinite(extra))
    distance, successor = _shortest(exchange[:, :J], np.minimum(exchange[:, J], slack_cost), tolerance)
    if not np.isfinite(distance[constraint]):
        raise SaysoError("constraints without slack contradict each other; give some of them a kappa")
    moves: list[tuple[int, int]] = []
    at = constraint
    while successor[at] >= 0 and len(moves) <= J:
        moves.append((row_of[at, successor[at]], at))
        at = int(successor[at])
    if slack_cost[at] < exchange[at, J]:
        slack[at] += 1
    else:
        moves.append((row_of[at, J], at))
    for row, to in moves:
        owner[row] = to


def _shortest(exchange: Floats, end: Floats, tolerance: float) -> tuple[Floats, Ints]:
    """Return the distance of each constraint to its end, and the next one on the way, -1 for none.

    Bellman and Ford's algorithm on (J, J) costs of exchanges and (J,) costs of ending.
    """
    J = len(end)
    distance, successor = end.copy(), np.full(J, -1)
    for _ in range(J):
        through = exchange + distance[None, :]
        best = through.argmin(1)
        shorter = through[np.arange(J), best] < distance - tolerance
        if not shorter.any():
            break
        distance = np.where(shorter, through[np.arange(J), best], distance)
        successor = np.where(shorter, best, successor)
    return distance, successor


def _exchanges(extra: Floats, owner: Ints) -> tuple[Floats, Ints]:
    """Return the cost for a to take a row of b, or a free one (column J), and that row; both (J, J + 1)."""
    J = extra.shape[1]
    cost, which = np.full((J, J + 1), np.inf), np.zeros((J, J + 1), dtype=np.int64)
    for b in range(J + 1):
        rows = np.flatnonzero(owner == (b if b < J else -1))
        if len(rows):
            change = extra[rows] - (extra[rows, b][:, None] if b < J else 0.0)
            best = change.argmin(0)
            cost[:, b], which[:, b] = change[best, np.arange(J)], rows[best]
    np.fill_diagonal(cost, np.inf)
    return cost, which
