"""What the word at each row of the alignment can be paired with, and what that is worth.

A pair (i, j) is worth its similarity in quarters, and a quarter more for each side
on which the neighbouring words are equal too, so that phrases win over scattered
words. A word written as two ("good bye") pairs with both for the worth of one.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Ints
from sayso.solvers.word_similarity import SAME, similar_words

Int32s = NDArray[np.int32]
NEIGHBOUR = 1  # quarters for each equal neighbour
SPLIT = SAME  # quarters for a word that pairs with two


class MoveTables(NamedTuple):
    """The same pairs as flat tables for the compiled loops, all int32; CSR: ``starts`` of one row more."""

    word: Int32s  # (rows,) which distinct word of ``a`` a row has
    starts: Int32s  # of each distinct word: where what it pairs with begins in the next four
    columns: Int32s
    worth: Int32s
    before_b: Int32s  # ids of the words before and after each column
    after_b: Int32s
    before_a: Int32s  # (rows,) ids of the words before and after each row
    after_a: Int32s
    split_starts: Int32s  # (rows + 1,)
    splits: Int32s
    merge_starts: Int32s  # (rows + 1,)
    merges: Int32s


class WordMoves:
    """The pairs that two sequences of folded words allow; empty words pair with nothing.

    Args:
        a: one word a row of the alignment.
        b: one word a column.

    Attributes:
        splits: row i -> columns j where ``a[i]`` is ``b[j] + b[j + 1]``.
        merges: row i -> columns j where ``a[i - 1] + a[i]`` is ``b[j]``.
        most_a: (rows + 1,) int64, the most that the first words of ``a`` can be worth.
        most_b: (columns + 1,) int64, the same of ``b``.
    """

    def __init__(self, a: Sequence[str], b: Sequence[str]) -> None:
        distinct, other = list(dict.fromkeys(a)), list(dict.fromkeys(b))
        ids = {word: number for number, word in enumerate(dict.fromkeys([*distinct, *other]))}
        self.words_a, self.words_b = (np.array([ids[word] for word in side], np.int32) for side in (a, b))
        empty = ids.get("", -3)
        before_a, after_a = _neighbours(self.words_a, empty, outside=-1)
        before_b, after_b = _neighbours(self.words_b, empty, outside=-2)
        starts, columns, worth = _occurrences(distinct, other, self.words_b, ids)
        self.splits = _rows_of(a, _joined(b, set(distinct)))
        self.merges = _merges(a, b)
        self.tables = MoveTables(
            self.words_a, starts, columns, worth, before_b[columns], after_b[columns], before_a, after_a,
            *_flat(self.splits, len(a)), *_flat(self.merges, len(a)),
        )  # fmt: skip
        self.most_a, self.most_b = self._most(len(b))

    def pairs(self, row: int, low: int, high: int) -> tuple[Int32s, Int32s]:
        """Return the columns that a row can pair with, and what they are worth, (M,) each.

        Args:
            row: index into ``a``.
            low: first column.
            high: the column after the last.
        """
        of = self.tables
        start, end = of.starts[of.word[row]], of.starts[of.word[row] + 1]
        first, last = of.columns[start:end].searchsorted((low, high)) + start
        worth = of.worth[first:last] + (of.before_b[first:last] == of.before_a[row])
        worth += of.after_b[first:last] == of.after_a[row]
        return of.columns[first:last], worth

    def _most(self, columns: int) -> tuple[Ints, Ints]:
        """Bound what every word can be worth: its best similarity, and both neighbours."""
        of, of_b = self.tables, np.zeros(columns, np.int64)
        best, there = np.zeros(len(of.starts) - 1, np.int64), np.diff(of.starts) > 0
        if len(of.worth):
            best[there] = np.maximum.reduceat(of.worth, of.starts[:-1][there]) + 2 * NEIGHBOUR
        of_a = best[of.word]
        np.maximum.at(of_b, of.columns, of.worth + 2 * NEIGHBOUR)
        for row, starts in self.splits.items():
            of_a[row] = max(of_a[row], SPLIT)
            of_b[starts] = np.maximum(of_b[starts], SPLIT)
            of_b[starts + 1] = np.maximum(of_b[starts + 1], SPLIT)
        for row, starts in self.merges.items():
            of_a[row - 1 : row + 1] = np.maximum(of_a[row - 1 : row + 1], SPLIT)
            of_b[starts] = np.maximum(of_b[starts], SPLIT)
        return _sums(of_a), _sums(of_b)


def _sums(values: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(values)])


def _neighbours(words: Int32s, empty: int, outside: int) -> tuple[Int32s, Int32s]:
    """Return the ids of the words before and after each word; empty words equal nothing."""
    known = np.where(words == empty, outside, words)
    numbers = np.concatenate([[outside], known, [outside]]).astype(np.int32)
    return numbers[:-2].copy(), numbers[2:].copy()


def _occurrences(
    a: Sequence[str], b: Sequence[str], words_b: Int32s, ids: dict[str, int]
) -> tuple[Int32s, Int32s, Int32s]:
    """Return for each word of ``a`` where words like it occur in ``b``, by column, and their similarity.

    Args:
        a: distinct words, whose ids are 0, 1, ...
        b: distinct words.
        words_b: (columns,) ids.
        ids: of all words.

    Returns:
        starts (len(a) + 1,), columns and worth (M,), all int32.
    """
    alike = [
        (ids[word], ids[other], grade)
        for word, others in similar_words(a, b).items()
        for other, grade in others
    ]
    word, other, grade = np.array(alike, np.int64).reshape(-1, 3).T
    by_word = np.argsort(words_b, kind="stable")
    first, last = (np.searchsorted(words_b[by_word], other, side) for side in ("left", "right"))
    many = last - first
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    columns = by_word[np.repeat(first, many) + within]
    owner = np.repeat(word, many)
    order = np.lexsort((columns, owner))
    starts = np.searchsorted(owner[order], np.arange(len(a) + 1))
    found = (starts, columns[order], np.repeat(grade, many)[order])
    return found[0].astype(np.int32), found[1].astype(np.int32), found[2].astype(np.int32)


def _rows_of(words: Sequence[str], where: dict[str, Int32s]) -> dict[int, Int32s]:
    return {row: where[word] for row, word in enumerate(words) if word in where}


def _flat(moves: dict[int, Int32s], rows: int) -> tuple[Int32s, Int32s]:
    """Return the moves of each row as CSR."""
    starts = np.zeros(rows + 1, np.int32)
    for row, columns in moves.items():
        starts[row + 1] = len(columns)
    each = [moves[row] for row in sorted(moves)]
    return np.cumsum(starts, dtype=np.int32), np.concatenate([np.zeros(0, np.int32), *each]).astype(np.int32)


def _joined(words: Sequence[str], wanted: set[str]) -> dict[str, Int32s]:
    """Return where two words in a row make a wanted word: word -> positions of the first of the two."""
    where: dict[str, list[int]] = defaultdict(list)
    for position, (first, second) in enumerate(itertools.pairwise(words)):
        if first + second in wanted and first and second:
            where[first + second].append(position)
    return {word: np.array(positions, np.int32) for word, positions in where.items()}


def _merges(a: Sequence[str], b: Sequence[str]) -> dict[int, Int32s]:
    joined = _joined(a, set(b))
    where: dict[str, list[int]] = defaultdict(list)
    for position, word in enumerate(b):
        if word in joined:
            where[word].append(position)
    return {int(row) + 1: np.array(where[word], np.int32) for word, rows in joined.items() for row in rows}
