"""Pairs of script word and spoken word that hold, among those that the best alignment makes.

The alignment pairs words for nothing wherever the two texts differ: "the" here with
"the" there. The trust of a pair comes from the pairs around it. Stretches in another order (moved scenes, a
flashback) are found by aligning again the words that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.solvers import align_words

REACH = 5  # words to each side that speak for a pair
ENOUGH = 5  # pairs within reach, the pair itself counted, that make it certain
LEAST_TRUST = 0.4
ROUNDS = 6  # how often what is left is aligned again
MOVED_PAIRS, MOVED_SHARE = 8, 0.5  # a stretch that moved has so many pairs, and this share of its words


@dataclass(frozen=True, slots=True)
class Matches:
    """Pairs by script word: (M, 2) indices, (M,) trust in [0, 1], (M,) whether the stretch was moved."""

    pairs: NDArray[np.int64]
    trust: NDArray[np.float64]
    moved: NDArray[np.bool_]


def match_words(script: Sequence[str], spoken: Sequence[str]) -> Matches:
    """Return the pairs of words that hold."""
    pairs = align_words(script, spoken)
    trust = trust_of(pairs)
    keep = trust >= LEAST_TRUST
    pairs, trust = pairs[keep], trust[keep]
    moved = np.zeros(len(pairs), np.bool_)
    for _ in range(ROUNDS):
        again = _moved_pairs(script, spoken, pairs)
        if not len(again):
            break
        pairs = np.concatenate([pairs, again])
        trust = np.concatenate([trust, trust_of(again)])
        moved = np.concatenate([moved, np.ones(len(again), np.bool_)])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return Matches(pairs[order], trust[order], moved[order])


def trust_of(pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many pairs lie near each pair on both sides, as a share of what makes it certain."""
    near = np.ones(len(pairs))
    for step in range(1, 2 * REACH + 1):
        if step >= len(pairs):
            break
        close = (np.abs(pairs[step:] - pairs[:-step]) <= REACH).all(axis=1)
        near[step:] += close
        near[:-step] += close
    trust: NDArray[np.float64] = np.minimum(near / ENOUGH, 1.0)
    return trust


def _moved_pairs(script: Sequence[str], spoken: Sequence[str], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Align the words that nothing near is paired with; return the stretches that agree."""
    rows, columns = _free(pairs[:, 0], len(script)), _free(pairs[:, 1], len(spoken))
    if min(len(rows), len(columns)) < MOVED_PAIRS:
        return pairs[:0]
    found = align_words([script[row] for row in rows], [spoken[column] for column in columns])
    again = np.stack([rows[found[:, 0]], columns[found[:, 1]]], axis=1)
    again = again[trust_of(again) >= LEAST_TRUST]
    breaks = np.flatnonzero((np.abs(np.diff(again, axis=0)) > 2 * REACH).any(axis=1)) + 1
    kept = [stretch for stretch in np.split(again, breaks) if _agrees(stretch)]
    return np.concatenate([again[:0], *kept])


def _free(paired: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the words without a paired word right before and after them."""
    taken = np.zeros(size + 2, np.bool_)
    taken[paired + 1] = True
    busy = taken[1:-1] | (taken[:-2] & taken[2:])
    return np.flatnonzero(~busy)


def _agrees(stretch: NDArray[np.int64]) -> bool:
    if len(stretch) < MOVED_PAIRS:
        return False
    width = int((stretch[-1] - stretch[0]).max()) + 1
    return len(stretch) >= MOVED_SHARE * width
