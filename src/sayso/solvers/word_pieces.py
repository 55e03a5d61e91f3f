"""Where the alignment of two long texts can be cut in two: the middle of a run of words found once in each.

Four words in a row that occur once in either text are an anchor. Of all anchors those are kept that
rise in both texts, as many as there can be (longest increasing subsequence, as in patience diff). Where
neighbouring anchors make a run of ``SURE`` equal words or more, the alignment passes through: to go around
the run's middle it would have to lose all of it for words that more anchors speak against. So the text is cut
there, and the work grows as the words, not as their square. Short texts are left whole. Of texts whose blocks
are shuffled throughout, the cuts are a heuristic: up to a sixth fewer pairs were seen than without them.

Sources
    Cohen, patience diff, 2003; Hunt, Szymanski, Comm. ACM 20 (1977).
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sayso.core.arrays import Ints
from sayso.solvers.word_moves import Int32s, WordMoves

WHOLE = 4_000_000  # cells that are not cut: texts of 2,000 words
WORDS = 4  # of an anchor
SURE = 10  # equal words in a row
SHORTEST = 256  # rows of a piece


class Piece(NamedTuple):
    """Rows ``first`` to ``last`` and columns ``low`` to ``high`` that are aligned by themselves."""

    first: int
    last: int
    low: int
    high: int


def pieces(moves: WordMoves) -> list[Piece]:
    """Return the pieces of two texts, in order; one where they are short or nothing is sure.

    Args:
        moves: what their words can be paired with.
    """
    rows, columns = len(moves.words_a), len(moves.words_b)
    cuts = [] if rows * columns <= WHOLE else _cuts(moves)
    corners = [(0, 0), *cuts, (rows, columns)]
    return [Piece(i, k, j, m) for (i, j), (k, m) in pairwise(corners)]


def _cuts(moves: WordMoves) -> list[tuple[int, int]]:
    """Return the rows and columns to cut before."""
    i, j = _rising(*_anchors(moves.words_a, moves.words_b))
    run = np.cumsum(np.r_[True, (np.diff(i) != 1) | (np.diff(j) != 1)][: len(i)]) - 1
    lengths = np.bincount(run)
    starts = np.cumsum(lengths) - lengths
    found: list[tuple[int, int]] = []
    last = 0
    for start, length in zip(starts.tolist(), (lengths + WORDS - 1).tolist(), strict=True):
        row, column = int(i[start]) + length // 2, int(j[start]) + length // 2
        if length >= SURE and row - last >= SHORTEST and row not in moves.merges:
            found.append((row, column))
            last = row
    return found


def _anchors(a: Int32s, b: Int32s) -> tuple[Ints, Ints]:
    """Return where the phrases that occur once in both texts begin, by row."""
    if min(len(a), len(b)) < WORDS:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    (once_a, at_a), (once_b, at_b) = _once(a), _once(b)
    _, of_a, of_b = np.intersect1d(once_a, once_b, assume_unique=True, return_indices=True)
    rows, columns = at_a[of_a], at_b[of_b]
    order = np.argsort(rows)
    return rows[order], columns[order]


def _once(words: Int32s) -> tuple[Ints, Ints]:
    """Return the phrases that occur once, as numbers, and where they begin.

    The numbers are hashes of 64 bits: that two phrases share one is as unlikely as a fault of memory.
    """
    mixed = np.zeros(len(words) - WORDS + 1, np.uint64)
    numbers = words.astype(np.uint64)
    for k in range(WORDS):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + numbers[k : len(mixed) + k]
        mixed ^= mixed >> np.uint64(29)
    phrases, first, many = np.unique(mixed, return_index=True, return_counts=True)
    return phrases[many == 1].view(np.int64), first[many == 1]


def _rising(rows: Ints, columns: Ints) -> tuple[Ints, Ints]:
    """Return the longest rising choice of anchors, which come by row."""
    ends: list[int] = []
    at: list[int] = []
    before = np.full(len(rows), -1)
    for n, column in enumerate(columns.tolist()):
        k = bisect_left(ends, column)
        if k:
            before[n] = at[k - 1]
        ends[k : k + 1] = [column]
        at[k : k + 1] = [n]
    chosen = np.zeros(len(ends), np.int64)
    n = at[-1] if at else -1
    for k in range(len(ends) - 1, -1, -1):
        chosen[k], n = n, before[n]
    return rows[chosen], columns[chosen]
