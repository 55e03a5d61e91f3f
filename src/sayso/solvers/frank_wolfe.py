"""Frank-Wolfe on all rows at once, plain or pairwise.

Plain steps move towards the vertex that the linear oracle finds. Pairwise steps (Lacoste-Julien & Jaggi,
NeurIPS 2015) move weight from the worst vertex in use to the best, which converges
linearly; they keep every vertex in use, so they are for small problems.

Used by ``systems/instruction_steps``, whose oracle is the ordered dynamic program.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.progress import Progress
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.iterate import Callback, Iterate, Solution
from sayso.solvers.linear_oracle import LinearOracle, Vertex
from sayso.solvers.stopping import StoppingRule


def frank_wolfe(
    problem: Diffrac,
    oracles: Sequence[LinearOracle],
    *,
    pairwise: bool = False,
    tol: float = 1e-4,
    max_iter: int = 10_000,
    init: Floats | None = None,
    callback: Callback | None = None,
    warn: bool = True,
    progress: Progress | None = None,
) -> Solution:
    """Minimise the objective over the labels that keep the constraints.

    Args:
        problem: the objective.
        oracles: one for each block.
        pairwise: whether to take pairwise steps.
        tol: stop when the duality gap is at most this.
        max_iter: stop after so many steps.
        init: (N, C) feasible labels to start from; with ``pairwise`` they count as one vertex.
        callback: called with the iterate, the step and the gap; returning True stops.
        warn: whether to log that ``max_iter`` came first; not where it is a budget, as in a published method.
        progress: updated at each step.

    Raises:
        SaysoError: if shapes disagree or no labels keep the constraints.
    """
    iterate = Iterate(problem, oracles, init)
    stop = StoppingRule("frank_wolfe", tol, max_iter, callback=callback, progress=progress, warn=warn)
    active = _ActiveSet(iterate) if pairwise else None
    blocks, bound = range(len(oracles)), -np.inf
    for step in range(max_iter + 1):
        found = [iterate.lmo(i) for i in blocks]
        value, slope = iterate.value(), sum(share for _, share in found)
        bound = max(bound, value - slope)
        gap = max(0.0, value - bound)
        if stop.reached(iterate, step, gap, value):
            break
        vertices = [vertex for vertex, _ in found]
        if active is None:
            iterate.move(blocks, vertices, slope)
        else:
            active.move(iterate, vertices)
        if step % 100 == 99:
            iterate.refresh()
    return iterate.solution(gap, step, stop.converged)


class _ActiveSet:
    """The vertices in use and their shares."""

    def __init__(self, iterate: Iterate) -> None:
        self.vertices = [_flat(_parts(iterate))]
        self.shares = [1.0]

    def move(self, iterate: Iterate, best: Sequence[Vertex]) -> None:
        """Move weight from the worst vertex in use to the best one."""
        gradient = _flat(_gradients(iterate))
        away = int(np.argmax(np.array(self.vertices) @ gradient))
        target = _flat(best)
        direction = target - self.vertices[away]
        ends = _split(iterate, _flat(_parts(iterate)) + direction)
        decrease = -float(gradient @ direction)
        length = iterate.move(range(len(ends)), ends, decrease, self.shares[away])
        self._shift(away, target, length)

    def _shift(self, away: int, target: Floats, length: float) -> None:
        same = [i for i, vertex in enumerate(self.vertices) if np.array_equal(vertex, target)]
        if same:
            self.shares[same[0]] += length
        else:
            self.vertices.append(target)
            self.shares.append(length)
        self.shares[away] -= length
        if self.shares[away] <= 1e-15:
            del self.vertices[away], self.shares[away]


def _parts(iterate: Iterate) -> list[Vertex]:
    """Return the labels and slacks of each block."""
    slices = iterate.problem.slices
    return [(iterate.Z[rows], slack) for rows, slack in zip(slices, iterate.slack, strict=True)]


def _gradients(iterate: Iterate) -> list[Vertex]:
    """Return the gradient by labels and by slacks of each block."""
    gradients = []
    for i, (Z, slack) in enumerate(_parts(iterate)):
        cost = iterate.problem.block_gradient(i, Z, iterate.W, iterate.mean)
        gradients.append((cost, 2 * iterate.oracles[i].kappa * slack))
    return gradients


def _flat(parts: Sequence[Vertex]) -> Floats:
    return np.concatenate([np.concatenate([Z.ravel(), slack]) for Z, slack in parts])


def _split(iterate: Iterate, flat: Floats) -> list[Vertex]:
    """Return what ``_flat`` made one, as blocks again."""
    ends, at = [], 0
    for Z, slack in _parts(iterate):
        middle, last = at + Z.size, at + Z.size + len(slack)
        ends.append((flat[at:middle].reshape(Z.shape), flat[middle:last]))
        at = last
    return ends
