"""A labelling that is being solved for: labels, slacks, and the regression kept up to date.

    f(Z, slack) = h(Z) + sum_j kappa_j slack_j^2

A step in one block moves its labels towards a corner. The change of W follows from that
block alone, in O(N_i D K): X_i^T of the change, times G^-1. The line search is exact,
because f is quadratic along the direction. f is convex, so f - gap bounds the optimum from below
wherever the gap is that of one and the same labelling in all blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.linear_oracle import Corner, Oracle
from sayso.solvers.projection import Nearest

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver found, with the proof of how good it is.

    Attributes:
        Z: (N, K) labels; rows sum to 1.
        slack: the slacks of each block's demands.
        value: the objective, slack included.
        gap: the value is at most this far above the optimum.
        W: (D, K) regression weights.
        scores: (N, K) the regression's answer X W + b.
        weights: (N,) of the rows in the objective; they sum to 1.
        steps: steps taken, those before a resume included.
        converged: whether the gap reached what was asked.
    """

    Z: Floats
    slack: list[Floats]
    value: float
    gap: float
    W: Floats
    scores: Floats
    weights: Floats
    steps: int
    converged: bool


class Labelling:
    """Labels and slacks of all blocks, and W.

    Args:
        problem: the objective.
        oracles: one for each block of the problem.
        Z: (N, K) labels to start from; slacks become the least that keep the demands. Default: the
            corner where the gradient of the labels leads that the demands suggest.
    """

    def __init__(self, problem: Diffrac, oracles: Sequence[Oracle], Z: Floats | None = None) -> None:
        sizes = [len(block) for block in problem.blocks]
        if [oracle.rows for oracle in oracles] != sizes or len({o.classes for o in oracles}) != 1:
            raise SaysoError(f"expected one oracle a block, of {sizes} rows and equal classes")
        self.problem, self.oracles = problem, list(oracles)
        shape = (problem.rows, oracles[0].classes)
        given = np.concatenate([o.suggested() for o in oracles]) if Z is None else Z
        self.Z = np.array(given, dtype=np.float64)
        if self.Z.shape != shape:
            raise SaysoError(f"the start must be {shape} labels; got {self.Z.shape}")
        self._nearest: dict[int, Nearest] = {}
        self.slack = [o.slack(self.Z[s]) for o, s in zip(oracles, problem.slices, strict=True)]
        self.refresh()
        if Z is None:
            self._first_corner()
        broken = max(o.violation(z, s) for o, z, s in self._parts())
        if broken > 1e-6:
            raise SaysoError(
                f"the start breaks a constraint by {broken:.2g}; start from labels that keep all"
            )

    def refresh(self) -> None:
        """Compute W and the mean label afresh, without the rounding of many steps."""
        self.S = self.problem.correlation(self.Z)
        self.W, self.mean = self.problem.solve(self.S), self.problem.label_mean(self.Z)

    def value(self) -> float:
        """Return the objective, slack included."""
        fit = (self.problem.spread(self.Z) - float(np.vdot(self.S, self.W))) / self.problem.total
        return fit + sum(float(o.kappa @ s**2) for o, _, s in self._parts())

    def look(self, block: int) -> tuple[Corner, float]:
        """Return the block's corner and its share of the gap."""
        oracle, Z, slack = self.oracles[block], self.Z[self.problem.slices[block]], self.slack[block]
        cost = self.problem.block_gradient(block, Z, self.W, self.mean)
        prices = 2 * oracle.kappa * slack
        V, low = oracle(cost, prices)
        return (V, low), float(np.vdot(cost, Z - V) + prices @ (slack - low))

    def lean(self, block: int, goal: Floats | None = None) -> tuple[Corner, float]:
        """Return the labels nearest to the block's scores, and how fast the value falls towards them.

        Args:
            block: the block.
            goal: (D + 1, K) weights and bias that give the scores, where they are not the labels' own.
        """
        if block not in self._nearest:
            rows = self.problem.slices[block]
            self._nearest[block] = Nearest(
                self.oracles[block], self.problem.weights[rows], self.problem.total
            )
        oracle, Z, slack = self.oracles[block], self.Z[self.problem.slices[block]], self.slack[block]
        W, bias = (self.W, self.mean) if goal is None else (goal[:-1], goal[-1])
        V = self._nearest[block](self.problem.block_scores(block, W, bias))
        low = oracle.slack(V)
        cost = self.problem.block_gradient(block, Z, self.W, self.mean)
        return (V, low), float(np.vdot(cost, Z - V) + 2 * oracle.kappa * slack @ (slack - low))

    def move(self, blocks: Sequence[int], corners: Sequence[Corner], gap: float, most: float = 1.0) -> float:
        """Step from here along ``corner - labels`` in the blocks, by exact line search; return its length.

        Args:
            blocks: the blocks.
            corners: for each block where the direction leads.
            gap: minus the slope of the objective along the direction.
            most: the longest step that is feasible.
        """
        slices = self.problem.slices
        ways = [(V - self.Z[slices[i]], s - self.slack[i]) for i, (V, s) in zip(blocks, corners, strict=True)]
        dS = sum(self.problem.block_correlation(i, way) for i, (way, _) in zip(blocks, ways, strict=True))
        dW = self.problem.solve(np.asarray(dS))
        dmean = np.zeros_like(self.mean)
        bend = -float(np.vdot(dS, dW))
        for i, (way, slide) in zip(blocks, ways, strict=True):
            weights = self.problem.weights[slices[i]]
            bend += float(weights @ np.square(way).sum(1))
            bend += self.problem.total * float(self.oracles[i].kappa @ slide**2)
            if self.problem.bias is None:
                dmean += weights @ way / self.problem.total
        bend = bend / self.problem.total - float(dmean @ dmean)
        length = min(most, max(0.0, gap) / (2 * bend)) if bend > 0 else (most if gap > 0 else 0.0)
        for i, (way, slide) in zip(blocks, ways, strict=True):
            self.Z[slices[i]] += length * way
            self.slack[i] = self.slack[i] + length * slide
        self.S, self.W, self.mean = self.S + length * dS, self.W + length * dW, self.mean + length * dmean
        return length

    def solution(self, gap: float, steps: int, converged: bool) -> Solution:
        """Return what was found."""
        blocks = range(len(self.oracles))
        scores = [self.problem.block_scores(i, self.W, self.mean) for i in blocks]
        return Solution(
            Z=self.Z,
            slack=self.slack,
            value=self.value(),
            gap=gap,
            W=self.W,
            scores=np.concatenate(scores),
            weights=self.problem.weights / self.problem.total,
            steps=steps,
            converged=converged,
        )

    def _first_corner(self) -> None:
        for block, rows in enumerate(self.problem.slices):
            (self.Z[rows], self.slack[block]), _ = self.look(block)
        self.refresh()

    def _parts(self) -> list[tuple[Oracle, Floats, Floats]]:
        labels = [self.Z[rows] for rows in self.problem.slices]
        return list(zip(self.oracles, labels, self.slack, strict=True))


def save(path: Path, labelling: Labelling, **more: NDArray[np.generic] | float) -> None:
    """Write the labels and slacks to a ``.npz`` file, and what else is given."""
    save_arrays(path, Z=labelling.Z, slack=np.concatenate(labelling.slack), **more)


def load(path: Path, labelling: Labelling) -> dict[str, NDArray[np.generic]]:
    """Read labels and slacks into the labelling; return what else was saved.

    Raises:
        SaysoError: if the file is of another problem, or cannot be read.
    """
    ends = np.cumsum([len(s) for s in labelling.slack])
    state = load_arrays(path, {"Z": labelling.Z.shape, "slack": (int(ends[-1]),)})
    labelling.Z = np.asarray(state.pop("Z"), dtype=np.float64)
    labelling.slack = np.split(np.asarray(state.pop("slack"), dtype=np.float64), ends[:-1])
    labelling.refresh()
    return state


def save_arrays(path: Path, **arrays: NDArray[np.generic] | float) -> None:
    """Write a solver's state to a ``.npz`` file; an interrupted write leaves the old one."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    part.replace(path)


def load_arrays(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, NDArray[np.generic]]:
    """Read a solver's state, some of whose arrays must have these shapes.

    Raises:
        SaysoError: if the file is of another problem, or cannot be read.
    """
    try:
        with np.load(path) as file:
            state = dict(file)
    except (OSError, ValueError) as error:
        raise SaysoError(f"{path} holds no state of a solver; remove it to start anew: {error}") from error
    if any(name not in state or state[name].shape != shape for name, shape in shapes.items()):
        raise SaysoError(f"{path} is the state of another problem; remove it to start anew")
    return state
