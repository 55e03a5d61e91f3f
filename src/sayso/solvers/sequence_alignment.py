"""Align many sequences: each token to one of L slots, in order, so that slots hold what is alike.

U_n (S_n, L) says which slot each token of sequence n takes: one each, later tokens later slots. With
C the costs of pairs of tokens that share a slot (negative where they are alike), S the number of tokens,

    f(U) = 1/S  sum over n, m with n != m  <U_n C_nm U_m^T>     (every pair of sequences counts twice)

Frank-Wolfe over the convex hull: the gradient is 2/S times the cost of each slot to each token,
the oracle one ordered dynamic program a sequence (``solvers/ordered_path.py``), the line search exact.
f is not convex, but no sequence is coupled with itself, so f is linear in each U_n: some optimum is a
vertex, and coordinate descent, one sequence at a time against the others, never raises f. That polishes
what the rounding leaves.

Progressive alignment places the sequences one after another, the longest first, each against
those placed before it: the baseline, and one of the starts.

Source
    Alayrac et al., CVPR 2016, section 4.1 and appendix. https://arxiv.org/abs/1506.09215
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sayso.core.arrays import Floats, Ints
from sayso.core.errors import SaysoError
from sayso.solvers.ordered_path import ordered_path, padded_paths

_TIE = 1e-6  # of the largest cost: of equal slots, those where tokens stand uniformly


@dataclass(frozen=True, eq=False)
class Alignment:
    """Which slot each token takes.

    Attributes:
        slots: for each sequence (S_n,) int64, strictly increasing, in [0, L).
        value: the objective f.
    """

    slots: list[Ints]
    value: float


def align_sequences(
    sequences: Sequence[ArrayLike],
    cost: ArrayLike,
    *,
    slots: int = 120,
    max_iter: int = 200,
    starts: int = 3,
    seed: int = 0,
) -> Alignment:
    """Return the best alignment found by Frank-Wolfe from several starts.

    Args:
        sequences: N, each the numbers of its tokens, in order; some may be empty.
        cost: (P, P) symmetric, of two tokens of different sequences that share a slot.
        slots: L; more where a sequence is longer.
        max_iter: steps of Frank-Wolfe from each start.
        starts: the first is progressive alignment, the others are random.
        seed: of the random starts.

    Raises:
        SaysoError: if a token has no cost, or the costs are not finite and symmetric.
    """
    problem = _Problem(sequences, cost, slots)
    rng = np.random.default_rng(seed)
    best, value = problem.progressive(), np.inf
    for start in range(max(1, starts)):
        vertex = best if start == 0 else problem.random(rng)
        found = problem.polish(_frank_wolfe(problem, vertex, max_iter))
        if problem.value_at(found) < value:
            best, value = found, problem.value_at(found)
    return problem.alignment(best)


def align_progressively(sequences: Sequence[ArrayLike], cost: ArrayLike, *, slots: int = 120) -> Alignment:
    """Return the alignment that places one sequence after another, the longest first.

    Args:
        sequences: as for ``align_sequences``.
        cost: as for ``align_sequences``.
        slots: as for ``align_sequences``.

    Raises:
        SaysoError: as ``align_sequences``.
    """
    problem = _Problem(sequences, cost, slots)
    return problem.alignment(problem.progressive())


def _frank_wolfe(problem: _Problem, vertex: Ints, max_iter: int) -> Ints:
    """Return, of the vertices met and the rounded iterates, the slots (N, S) of least f."""
    U = problem.matrix(vertex)
    best, least = vertex, problem.value_at(vertex)
    for _ in range(max_iter):
        gradient = problem.gradient(U)
        vertex = problem.oracle(gradient)
        direction = problem.matrix(vertex) - U
        decrease = -float(np.vdot(gradient, direction))
        curvature = problem.value(direction)
        length = 1.0 if curvature <= 0 else min(1.0, decrease / (2 * curvature))
        if decrease < 1e-12 * max(1.0, abs(least)):
            break
        U += length * direction
        for found in (vertex, problem.oracle(-U)):
            value = problem.value_at(found)
            if value < least:
                best, least = found, value
    return best


class _Problem:
    """Sequences padded to one length S: U is (N, L, S), slots are (N, S)."""

    def __init__(self, sequences: Sequence[ArrayLike], cost: ArrayLike, slots: int) -> None:
        self.cost = _checked(cost)
        tokens = [np.asarray(sequence, dtype=np.int64).ravel() for sequence in sequences]
        self.lengths = np.array([len(sequence) for sequence in tokens], dtype=np.int64)
        self.N, self.S = len(tokens), int(self.lengths.max(initial=0))
        self.L = max(slots, self.S)
        known = np.concatenate([*tokens, np.zeros(0, dtype=np.int64)])
        if len(known) and not 0 <= known.min() <= known.max() < len(self.cost):
            raise SaysoError(f"a token is outside the {len(self.cost)} that have costs")
        self.total = max(1, len(known))
        self.real = np.arange(self.S) < self.lengths[:, None]  # (N, S)
        self.tokens = np.where(self.real, _padded(tokens, self.S), 0)
        both = self.real[:, :, None] & self.real[:, None, :]
        self.own = np.where(both, self.cost[self.tokens[:, :, None], self.tokens[:, None, :]], 0)

    def matrix(self, slots: Ints) -> Floats:
        """Return the vertex U (N, L, S) of slots (N, S)."""
        U = np.zeros((self.N, self.L, self.S))
        n, s = np.nonzero(self.real)
        U[n, slots[n, s], s] = 1
        return U

    def contents(self, U: Floats) -> Floats:
        """Return how much of each kind of token each slot holds, (L, P)."""
        held = np.zeros((len(self.cost), self.L))
        np.add.at(held, self.tokens[self.real], U.transpose(0, 2, 1)[self.real])
        return held.T

    def gradient(self, U: Floats) -> Floats:
        """Return the gradient of f, (N, L, S); 0 at padding."""
        pull = (self.contents(U) @ self.cost)[:, self.tokens].transpose(1, 0, 2)
        return np.asarray((2 / self.total) * np.where(self.real[:, None], pull - U @ self.own, 0))

    def value(self, U: Floats) -> float:
        """Return f(U), for any U."""
        held = self.contents(U)
        own = float(np.einsum("nls,nst,nlt->", U, self.own, U, optimize=True))
        return (float(np.vdot(held, held @ self.cost)) - own) / self.total

    def value_at(self, slots: Ints) -> float:
        """Return f at a vertex; no token shares a slot with one of its own sequence."""
        held = np.zeros((self.L, len(self.cost)))
        np.add.at(held, (slots[self.real], self.tokens[self.real]), 1)
        own = np.diag(self.cost)[self.tokens[self.real]].sum()
        return (float(np.vdot(held, held @ self.cost)) - float(own)) / self.total

    def oracle(self, cost: Floats) -> Ints:
        """Return for each sequence the slots (N, S) of least cost, given the cost (N, L, S)."""
        return padded_paths(cost, self.lengths)

    def progressive(self) -> Ints:
        """Return the slots (N, S) of progressive alignment."""
        held = np.zeros((self.L, len(self.cost)))
        slots = np.zeros((self.N, self.S), dtype=np.int64)
        for n in np.argsort(-self.lengths, kind="stable"):
            self._place(n, held, slots)
        return slots

    def polish(self, slots: Ints, rounds: int = 50) -> Ints:
        """Coordinate descent: solve one sequence against the others, in turn, until none moves."""
        slots = slots.copy()
        held = np.zeros((self.L, len(self.cost)))
        np.add.at(held, (slots[self.real], self.tokens[self.real]), 1)
        for _ in range(rounds):
            before = self.value_at(slots)
            for n in range(self.N):
                mine = self.tokens[n, : self.lengths[n]]
                np.add.at(held, (slots[n, : self.lengths[n]], mine), -1)
                self._place(n, held, slots)
            if self.value_at(slots) >= before - 1e-12:
                break
        return slots

    def random(self, rng: np.random.Generator) -> Ints:
        """Return random slots (N, S), in order."""
        slots = np.zeros((self.N, self.S), dtype=np.int64)
        for n, length in enumerate(self.lengths):
            slots[n, :length] = np.sort(rng.choice(self.L, length, replace=False))
        return slots

    def alignment(self, slots: Ints) -> Alignment:
        """Return the result."""
        rows = [row[:length].copy() for row, length in zip(slots, self.lengths, strict=True)]
        return Alignment(rows, self.value_at(slots))

    def _place(self, n: int, held: Floats, slots: Ints) -> None:
        """Place a sequence against what the slots hold, and add it there, in place."""
        length = int(self.lengths[n])
        mine = self.tokens[n, :length]
        uniform = (np.arange(length) + 0.5) / max(1, length)
        distance = np.square((np.arange(self.L)[:, None] + 0.5) / self.L - uniform)
        cost = held @ self.cost[:, mine] + _TIE * np.abs(self.cost).max(initial=0) * distance
        slots[n, :length] = ordered_path(cost)
        np.add.at(held, (slots[n, :length], mine), 1)


def _padded(rows: Sequence[Ints], width: int) -> Ints:
    table = np.zeros((len(rows), width), dtype=np.int64)
    for n, row in enumerate(rows):
        table[n, : len(row)] = row
    return table


def _checked(cost: ArrayLike) -> Floats:
    given = np.asarray(cost, dtype=np.float64)
    square = given.ndim == 2 and given.shape[0] == given.shape[1]
    if not square or not np.isfinite(given).all() or not np.allclose(given, given.T):
        raise SaysoError(f"costs must be a finite symmetric (P, P) matrix; got shape {given.shape}")
    return given
