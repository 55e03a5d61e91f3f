"""Frank-Wolfe on all rows at once, plain or pairwise.

Plain steps move towards the cheapest corner. Pairwise steps (Lacoste-Julien & Jaggi,
NeurIPS 2015) move weight from the worst corner in use to the best, which converges
linearly; they keep every corner in use, so they are for small problems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sayso.core.progress import Progress, Silent
from sayso.solvers.diffrac import Diffrac, Floats
from sayso.solvers.iterate import Labelling, Solution
from sayso.solvers.linear_oracle import Corner, Oracle

Watch = Callable[[Labelling, int, float], bool | None]


def frank_wolfe(
    problem: Diffrac,
    oracles: Sequence[Oracle],
    *,
    pairwise: bool = False,
    gap: float = 1e-4,
    steps: int = 10_000,
    start: Floats | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Minimise the objective over the labellings that keep the demands.

    Args:
        problem: the objective.
        oracles: one for each block.
        pairwise: whether to take pairwise steps.
        gap: stop when the value is proved within this much of the optimum.
        steps: stop after so many steps.
        start: (N, K) feasible labels to start from; with ``pairwise`` they count as one corner.
        watch: called with the labelling, the step and the gap; returning True stops.
        progress: what is told of each step.

    Raises:
        SaysoError: if shapes disagree or no labelling keeps the demands.
    """
    progress = progress or Silent()
    state = Labelling(problem, oracles, start)
    active = _Active(state) if pairwise else None
    blocks, bound = range(len(oracles)), -np.inf
    for step in range(steps + 1):
        looks = [state.look(i) for i in blocks]
        here, slope = state.value(), sum(share for _, share in looks)
        bound = max(bound, here - slope)
        left = max(0.0, here - bound)
        progress.update(step, steps, f"gap {left:.2g}")
        stopped = watch is not None and watch(state, step, left) is True
        if left <= gap or step == steps or stopped:
            break
        corners = [corner for corner, _ in looks]
        if active is None:
            state.move(blocks, corners, slope)
        else:
            active.move(state, corners)
        if step % 100 == 99:
            state.refresh()
    return state.solution(left, step, left <= gap)


class _Active:
    """The corners in use and their shares."""

    def __init__(self, state: Labelling) -> None:
        self.corners = [self._flat([(state.Z[rows], s) for rows, s in _zip(state)])]
        self.shares = [1.0]

    def move(self, state: Labelling, best: Sequence[Corner]) -> None:
        """Move weight from the worst corner in use to the best one."""
        slope = self._gradient(state)
        away = int(np.argmax(np.array(self.corners) @ slope))
        target = self._flat(best)
        way = target - self.corners[away]
        most = self.shares[away]
        ends = self._split(state, self._flat([(state.Z[r], s) for r, s in _zip(state)]) + way)
        length = state.move(range(len(ends)), ends, -float(slope @ way), most)
        self._shift(away, target, length)

    def _shift(self, away: int, target: Floats, length: float) -> None:
        same = [i for i, corner in enumerate(self.corners) if np.array_equal(corner, target)]
        if same:
            self.shares[same[0]] += length
        else:
            self.corners.append(target)
            self.shares.append(length)
        self.shares[away] -= length
        if self.shares[away] <= 1e-15:
            del self.corners[away], self.shares[away]

    @staticmethod
    def _gradient(state: Labelling) -> Floats:
        problem = state.problem
        parts = []
        for i, (rows, slack) in enumerate(_zip(state)):
            cost = problem.block_gradient(i, state.Z[rows], state.W, state.mean)
            parts.append((cost, 2 * state.oracles[i].kappa * slack))
        return _Active._flat(parts)

    @staticmethod
    def _flat(parts: Sequence[Corner]) -> Floats:
        return np.concatenate([np.concatenate([Z.ravel(), slack]) for Z, slack in parts])

    @staticmethod
    def _split(state: Labelling, flat: Floats) -> list[Corner]:
        ends, at = [], 0
        for rows, slack in _zip(state):
            shape = state.Z[rows].shape
            middle, last = at + shape[0] * shape[1], at + shape[0] * shape[1] + len(slack)
            ends.append((flat[at:middle].reshape(shape), flat[middle:last]))
            at = last
        return ends


def _zip(state: Labelling) -> list[tuple[slice, Floats]]:
    return list(zip(state.problem.slices, state.slack, strict=True))
