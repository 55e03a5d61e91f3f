"""Align two long sequences of words, as a script and the subtitles of one film: globally and fast.

With s(i, j) the worth of pairing word i of ``a`` with word j of ``b`` (see
``word_moves``), find the monotone pairs that maximise the sum of s: the best
path of

    F(i, j) = max( F(i-1, j), F(i, j-1), F(i-1, j-1) + s(i, j),
                   F(i-1, j-2) + SPLIT, F(i-2, j-1) + SPLIT )      (where two words are one)

A row needs work only where s > 0, and a running maximum (F grows along a row).

The band. Let A(i), B(j) bound what the first words of each side can be worth. A
path through (i, j) is worth at most F(i, j) + min(A(n) - A(i), B(m) - B(j)). Only
cells where that reaches a target are kept. A result that reaches the target proves
that no better path was cut off; otherwise the target is lowered and the band
widens, in the end to the whole table. This is Ukkonen's cut-off with bounds from
the words themselves.

Pieces. Long texts are first cut inside long equal runs (``word_pieces``), so that time and memory grow as the
words; each piece, and any text of fewer than a few thousand words, is aligned exactly.

Memory. F is kept once every ``_stride`` rows; the rows between are computed again
on the way back, so it grows as the band's width times the square root of the rows. With the ``fast`` extra
the rows are filled and walked by compiled loops (``compiled_words``), with the same answers.

Sources
    [1] Needleman, Wunsch, J. Mol. Biol. 48 (1970).
    [2] Ukkonen, Algorithms for approximate string matching, Information and Control 64 (1985).
    [3] Everingham, Sivic, Zisserman, BMVC 2006: scripts and subtitles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sayso.core.arrays import Ints
from sayso.solvers.compiled_words import NO_TABLE, fill_rows, walk_rows, worth_compiling
from sayso.solvers.word_moves import SPLIT, Int32s, WordMoves
from sayso.solvers.word_pieces import Piece, pieces
from sayso.text.language.spoken import fold_word

SHORTEST_STRIDE = 128
FIRST_SLACK, LEAST_SLACK = 1 / 8, 256  # how far below the bound the first target lies, in quarters


def align_words(a: Sequence[str], b: Sequence[str]) -> Ints:
    """Return the best global monotone alignment of two sequences of words.

    Words are compared without case, accents and punctuation. Equal words are worth 1,
    words of one stem 3/4, misspellings 1/2, and 1/4 more for each neighbour that is
    equal too; a word written as two is paired with both, for 1. Gaps cost nothing.

    Args:
        a: words, one each.
        b: words, one each.

    Returns:
        (M, 2) int64: index into ``a``, index into ``b``; both never fall, and a pair
        repeats an index only where a word is written as two on the other side. Words
        without a letter or digit are in no pair.

    Examples:
        >>> align_words("the cat sat on the mat".split(), "a cat on the red mat".split()).tolist()
        [[1, 1], [3, 2], [4, 3], [5, 5]]
    """
    folded = {word: fold_word(word) for word in {*a, *b}}
    moves = WordMoves([folded[word] for word in a], [folded[word] for word in b])
    found = [_align(moves, piece) for piece in pieces(moves)]
    return np.concatenate([np.zeros((0, 2), np.int64), *found])


def _align(moves: WordMoves, piece: Piece) -> Ints:
    """Return the best pairs of the rows and columns of a piece, by bands that widen."""
    most_a, most_b = moves.most_a, moves.most_b
    most = int(min(most_a[piece.last] - most_a[piece.first], most_b[piece.high] - most_b[piece.low]))
    if most == 0:
        return np.zeros((0, 2), np.int64)
    slack = max(LEAST_SLACK, int(most * FIRST_SLACK))
    while True:
        band = _Band(moves, piece, target=max(0, most - slack))
        if band.forward():
            return band.path()
        slack *= 2


class _Block(NamedTuple):
    """Rows ``first`` to ``last`` in the columns ``low`` to ``high``; ``score`` is F after ``first`` rows."""

    first: int
    last: int
    low: int
    high: int
    score: Int32s


class _Band:
    """The part of the table that can hold a path worth the target or more."""

    def __init__(self, moves: WordMoves, piece: Piece, target: int) -> None:
        self.moves, self.piece, self.target = moves, piece, target
        self.blocks: list[_Block] = []

    def forward(self) -> bool:
        """Fill the band; tell whether the target was reached, so that the best path lies in it."""
        first, rows, low, _ = self.piece
        stride = max(SHORTEST_STRIDE, math.isqrt(rows - first))
        block = _Block(first, first, low, low, np.zeros(1, np.int32))
        while True:
            last = block.last
            if last == rows:
                return int(block.score[-1]) >= self.target  # then the last column was not cut off
            after = min(last + stride, rows)
            while after < rows and after in self.moves.merges:  # a merge must not cross into the next block
                after += 1
            narrowed = self._narrow(block._replace(first=last, last=after))
            if narrowed is None:
                return False
            self.blocks.append(narrowed)
            score = narrowed.score.copy()
            self._fill(narrowed, score)
            block = narrowed._replace(score=score)

    def _narrow(self, block: _Block) -> _Block | None:
        """Cut the columns of a block to those that can still reach the target; None if none can."""
        most_a, most_b = self.moves.most_a[: self.piece.last + 1], self.moves.most_b[: self.piece.high + 1]
        gain = int(most_a[block.last] - most_a[block.first])
        need = self.target - (most_a[-1] - most_a[block.first])
        skip = int(np.searchsorted(block.score, need))
        if skip == len(block.score):
            return None
        low, score = block.low + skip, block.score[skip:]
        reach = int(score[-1]) + gain + int(most_b[-1]) - self.target
        high = int(np.searchsorted(most_b, reach, side="right")) - 1
        if high > block.high:
            score = np.concatenate([score, np.full(high - block.high, score[-1], np.int32)])
        else:
            inside = score + gain + most_b[-1] - most_b[low : block.high + 1] >= self.target
            if not inside.any():
                return None
            high = low + int(np.flatnonzero(inside)[-1])
            score = score[: high - low + 1]
        return _Block(block.first, block.last, low, high, score)

    def _fill(self, block: _Block, score: Int32s, table: Int32s | None = None) -> None:
        """Advance ``score`` in place over the rows of a block; keep every row in ``table`` if given."""
        run = fill_rows.compiled() if worth_compiling(len(score) * (block.last - block.first)) else None
        if run is not None:
            kept = NO_TABLE if table is None else table
            run(block.first, block.last, block.low, score, kept, tuple(self.moves.tables))
            return
        moves, low, high = self.moves, block.low, block.low + len(score) - 1
        before = score
        for row in range(block.first, block.last):
            columns, worth = moves.pairs(row, low, high)
            splits, merges = moves.splits.get(row), moves.merges.get(row)
            joins = _joins(score, before, splits, merges, low, high)
            if row + 1 in moves.merges:
                before = score.copy()
            if len(columns):
                ends = columns - (low - 1)
                score[ends] = np.maximum(score[ends], score[ends - 1] + worth)
            for ends, worth in joins:
                score[ends] = np.maximum(score[ends], worth)
            if len(columns) or joins:
                np.maximum.accumulate(score, out=score)
            if table is not None:
                table[row - block.first + 1] = score

    def path(self) -> Ints:
        """Walk back from the last cell, computing the rows of each block again."""
        pairs: list[tuple[int, int]] = []
        column = self.piece.high
        for block in reversed(self.blocks):
            column = min(column, block.high)
            score = block.score[: column - block.low + 1].copy()
            table = np.empty((block.last - block.first + 1, len(score)), np.int32)
            table[0] = score
            self._fill(block, score, table)
            column = self._walk(block, table, column, pairs)
        return np.array(pairs[::-1], np.int64).reshape(-1, 2)

    def _walk(self, block: _Block, table: Int32s, column: int, pairs: list[tuple[int, int]]) -> int:
        """Append the pairs of a block from its end to its start; return the column it is entered at."""
        run = walk_rows.compiled() if worth_compiling(0) else None
        if run is not None:
            found = np.empty((2 * len(table), 2), np.int64)
            many, column = run(block.first, block.low, column, table, found, tuple(self.moves.tables))
            pairs.extend(map(tuple, found[:many].tolist()))
            return int(column)
        at, low = len(table) - 1, block.low
        while at > 0:
            here, above = table[at], table[at - 1]
            value = here[column - low]
            if above[column - low] == value:
                at -= 1
                continue
            column = low + int(here.searchsorted(value))
            row = block.first + at - 1
            step = self._step(row, column, here, above, low)
            pairs.extend(sorted(step, reverse=True))
            at -= 1 + (step[0][0] != step[-1][0])
            column = step[0][1]
        return column

    def _step(self, row: int, column: int, here: Int32s, above: Int32s, low: int) -> list[tuple[int, int]]:
        """Return the pairs, in order, of the move that gave the cell its value."""
        value = int(here[column - low])
        columns, worth = self.moves.pairs(row, column - 1, column)
        if len(columns) and int(above[column - 1 - low]) + int(worth[0]) == value:
            return [(row, column - 1)]
        splits = self.moves.splits.get(row)
        if splits is not None and column - 2 in splits and int(above[column - 2 - low]) + SPLIT == value:
            return [(row, column - 2), (row, column - 1)]
        return [(row - 1, column - 1), (row, column - 1)]


def _joins(
    score: Int32s, before: Int32s, splits: Int32s | None, merges: Int32s | None, low: int, high: int
) -> list[tuple[Int32s, Int32s]]:
    """Return where moves over two words end and what they score there, from the rows before."""
    found = []
    if splits is not None:
        starts = splits[(splits >= low) & (splits + 2 <= high)] - low
        found.append((starts + 2, score[starts] + SPLIT))
    if merges is not None:
        starts = merges[(merges >= low) & (merges + 1 <= high)] - low
        found.append((starts + 1, before[starts] + SPLIT))
    return found
