"""The iterate of a solver: labels, slacks, and the regression kept up to date.

    f(Z, slack) = h(Z) + sum_j kappa_j slack_j^2

A step in one block moves its labels towards a target. The change of W follows from that
block alone, in O(N_i D C): X_i^T of the change, times G^-1. The line search is exact,
because f is quadratic along the direction. f is convex, so f - gap bounds the optimum from below
wherever the gap is that of one and the same iterate in all blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats, read_arrays
from sayso.core.errors import SaysoError
from sayso.core.io import atomic_file
from sayso.solvers.diffrac import Diffrac
from sayso.solvers.linear_oracle import LinearOracle, Vertex
from sayso.solvers.projection import Projection


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver found, with the proof of how good it is.

    Attributes:
        Z: (N, C) labels; rows sum to 1.
        slack: the slacks of each block's constraints, (J,) each.
        value: the objective, slack included.
        gap: duality gap: the value is at most this far above the optimum.
        W: (D, C) regression weights.
        scores: (N, C) the regression's answer X W + b.
        weights: (N,) of the rows in the objective; they sum to 1.
        iterations: steps or passes taken, those before a resume included.
        converged: whether the gap reached what was asked.
    """

    Z: Floats
    slack: list[Floats]
    value: float
    gap: float
    W: Floats
    scores: Floats
    weights: Floats
    iterations: int
    converged: bool


class Iterate:
    """Labels and slacks of all blocks, and W.

    Args:
        problem: the objective.
        oracles: one for each block of the problem.
        init: (N, C) labels to start from; slacks become the least that keep the constraints. Default: the
            vertex that the linear oracle finds at ``LinearOracle.initial_labels``.

    Attributes:
        Z: (N, C) labels.
        slack: (J,) of each block.
        S: (D, C) X^T Z.
        W: (D, C) regression weights.
        mean: (C,) mean label.

    Raises:
        SaysoError: if shapes disagree or the start breaks a constraint.
    """

    def __init__(self, problem: Diffrac, oracles: Sequence[LinearOracle], init: Floats | None = None) -> None:
        sizes = [len(block) for block in problem.blocks]
        if [oracle.rows for oracle in oracles] != sizes or len({o.classes for o in oracles}) != 1:
            raise SaysoError(f"expected one oracle a block, of {sizes} rows and equal classes")
        self.problem, self.oracles = problem, list(oracles)
        shape = (problem.rows, oracles[0].classes)
        given = np.concatenate([o.initial_labels() for o in oracles]) if init is None else init
        self.Z = np.array(given, dtype=np.float64)
        if self.Z.shape != shape:
            raise SaysoError(f"the start must be {shape} labels; got {self.Z.shape}")
        self._projections: dict[int, Projection] = {}
        self.slack = [o.slack(self.Z[s]) for o, s in zip(oracles, problem.slices, strict=True)]
        self.refresh()
        if init is None:
            self._first_vertex()
        broken = max(o.violation(z, s) for o, z, s in self._parts())
        if broken > 1e-6:
            raise SaysoError(
                f"the start breaks a constraint by {broken:.2g}; start from labels that keep all"
            )

    def refresh(self) -> None:
        """Compute W and the mean label afresh, without the rounding of many steps."""
        self.S = self.problem.correlation(self.Z)
        self.W, self.mean = self.problem.regress(self.S), self.problem.label_mean(self.Z)

    def value(self) -> float:
        """Return the objective, slack included."""
        fit = (self.problem.scatter(self.Z) - float(np.vdot(self.S, self.W))) / self.problem.total
        return fit + sum(float(o.kappa @ s**2) for o, _, s in self._parts())

    def lmo(self, block: int) -> tuple[Vertex, float]:
        """Return the block's vertex of the linear minimisation oracle, and the block's share of the gap."""
        oracle, Z, slack = self.oracles[block], self.Z[self.problem.slices[block]], self.slack[block]
        cost = self.problem.block_gradient(block, Z, self.W, self.mean)
        slack_cost = 2 * oracle.kappa * slack
        V, low = oracle(cost, slack_cost)
        return (V, low), float(np.vdot(cost, Z - V) + slack_cost @ (slack - low))

    def projected_step(self, block: int, weights: Floats | None = None) -> tuple[Vertex, float]:
        """Return the projection of the block's scores, and the rate at which the value falls towards it.

        Args:
            block: the block.
            weights: (D + 1, C) weights and bias that give the scores, where they are not the labels' own.
        """
        oracle, Z, slack = self.oracles[block], self.Z[self.problem.slices[block]], self.slack[block]
        W, bias = (self.W, self.mean) if weights is None else (weights[:-1], weights[-1])
        V = self._projection(block)(self.problem.block_scores(block, W, bias))
        low = oracle.slack(V)
        cost = self.problem.block_gradient(block, Z, self.W, self.mean)
        return (V, low), float(np.vdot(cost, Z - V) + 2 * oracle.kappa * slack @ (slack - low))

    def move(
        self, blocks: Sequence[int], targets: Sequence[Vertex], decrease: float, longest: float = 1.0
    ) -> float:
        """Step towards targets in some blocks by exact line search; return the step's length.

        Args:
            blocks: indices of the blocks.
            targets: labels and slacks that each of the blocks moves towards.
            decrease: minus the slope of the objective along the direction.
            longest: the longest step that is feasible.
        """
        slices = self.problem.slices
        ways = [(V - self.Z[slices[i]], s - self.slack[i]) for i, (V, s) in zip(blocks, targets, strict=True)]
        dS = sum(self.problem.block_correlation(i, dZ) for i, (dZ, _) in zip(blocks, ways, strict=True))
        dW = self.problem.regress(np.asarray(dS))
        dmean = np.zeros_like(self.mean)
        curvature = -float(np.vdot(dS, dW))
        for i, (dZ, dslack) in zip(blocks, ways, strict=True):
            weights = self.problem.weights[slices[i]]
            curvature += float(weights @ np.square(dZ).sum(1))
            curvature += self.problem.total * float(self.oracles[i].kappa @ dslack**2)
            if self.problem.bias is None:
                dmean += weights @ dZ / self.problem.total
        curvature = curvature / self.problem.total - float(dmean @ dmean)
        exact = max(0.0, decrease) / (2 * curvature) if curvature > 0 else (longest if decrease > 0 else 0.0)
        length = min(longest, exact)
        for i, (dZ, dslack) in zip(blocks, ways, strict=True):
            self.Z[slices[i]] += length * dZ
            self.slack[i] = self.slack[i] + length * dslack
        self.S, self.W, self.mean = self.S + length * dS, self.W + length * dW, self.mean + length * dmean
        return length

    def solution(self, gap: float, iterations: int, converged: bool) -> Solution:
        """Return what was found.

        Args:
            gap: duality gap.
            iterations: steps or passes taken.
            converged: whether the gap is what was asked.
        """
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
            iterations=iterations,
            converged=converged,
        )

    def _projection(self, block: int) -> Projection:
        """Return the block's projection, which keeps its dual variables from call to call."""
        if block not in self._projections:
            weights = self.problem.weights[self.problem.slices[block]]
            self._projections[block] = Projection(self.oracles[block], weights, self.problem.total)
        return self._projections[block]

    def _first_vertex(self) -> None:
        for block, rows in enumerate(self.problem.slices):
            (self.Z[rows], self.slack[block]), _ = self.lmo(block)
        self.refresh()

    def _parts(self) -> list[tuple[LinearOracle, Floats, Floats]]:
        labels = [self.Z[rows] for rows in self.problem.slices]
        return list(zip(self.oracles, labels, self.slack, strict=True))


Callback = Callable[[Iterate, int, float], bool | None]


def save_iterate(path: Path, iterate: Iterate, **more: NDArray[np.generic] | float) -> None:
    """Write labels and slacks to a ``.npz`` file as a whole, and what else is given.

    Args:
        path: the file.
        iterate: whose labels and slacks are written.
        more: arrays and numbers by name.
    """
    save_arrays(path, Z=iterate.Z, slack=np.concatenate(iterate.slack), **more)


def load_iterate(path: Path, iterate: Iterate) -> dict[str, NDArray[np.generic]]:
    """Read labels and slacks into the iterate; return what else was saved.

    Raises:
        SaysoError: if the file is of another problem, or cannot be read.
    """
    ends = np.cumsum([len(s) for s in iterate.slack])
    state = load_arrays(path, {"Z": iterate.Z.shape, "slack": (int(ends[-1]),)})
    iterate.Z = np.asarray(state.pop("Z"), dtype=np.float64)
    iterate.slack = np.split(np.asarray(state.pop("slack"), dtype=np.float64), ends[:-1])
    iterate.refresh()
    return state


def save_arrays(path: Path, **arrays: NDArray[np.generic] | float) -> None:
    """Write a solver's checkpoint to a ``.npz`` file; an interrupted write leaves the old one.

    What is there already was read by ``load_arrays``, which refuses other files.
    """
    with atomic_file(path, guarded=False) as file:
        np.savez(file, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]


def load_arrays(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, NDArray[np.generic]]:
    """Read a solver's checkpoint, some of whose arrays must have these shapes.

    Raises:
        SaysoError: if the file is of another problem, or cannot be read.
    """
    try:
        state: dict[str, NDArray[np.generic]] = dict(read_arrays(path, "the solver's checkpoint"))
    except SaysoError as error:
        raise SaysoError(f"{error}; remove it to start anew") from error
    if any(name not in state or state[name].shape != shape for name, shape in shapes.items()):
        raise SaysoError(f"{path} is the checkpoint of another problem; remove it to start anew")
    return state
