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


class Occurrences(NamedTuple):
    """Where in ``b`` the words like one word of ``a`` occur, all (M,) int32, by column.

    ``worth`` is the similarity; ``before`` and ``after`` are the ids of the neighbouring words.
    """

    columns: Int32s
    worth: Int32s
    before: Int32s
    after: Int32s


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
        ids = {word: number for number, word in enumerate(dict.fromkeys([*a, *b]))}
        self._a = a
        self._before, self._after = _neighbours(a, ids, outside=-1)
        self._occurrences = _occurrences(a, b, _neighbours(b, ids, outside=-2))
        self.splits = {
            row: columns for row, columns in enumerate(map(_joined(b, set(a)).get, a)) if columns is not None
        }
        self.merges = _merges(a, b)
        self.most_a, self.most_b = self._most(len(a), len(b))

    def pairs(self, row: int, low: int, high: int) -> tuple[Int32s, Int32s]:
        """Return the columns that a row can pair with, and what they are worth, (M,) each.

        Args:
            row: index into ``a``.
            low: first column.
            high: the column after the last.
        """
        found = self._occurrences.get(self._a[row])
        if found is None:
            return NO_COLUMNS, NO_COLUMNS
        first, last = found.columns.searchsorted((low, high))
        worth = found.worth[first:last] + (found.before[first:last] == self._before[row])
        worth += found.after[first:last] == self._after[row]
        return found.columns[first:last], worth

    def _most(self, rows: int, columns: int) -> tuple[Ints, Ints]:
        """Bound what every word can be worth: its best similarity, and both neighbours."""
        of_a, of_b = np.zeros(rows, np.int64), np.zeros(columns, np.int64)
        best = {word: int(found.worth.max()) + 2 * NEIGHBOUR for word, found in self._occurrences.items()}
        of_a[:] = [best.get(word, 0) for word in self._a]
        for found in self._occurrences.values():
            of_b[found.columns] = np.maximum(of_b[found.columns], found.worth + 2 * NEIGHBOUR)
        for row, starts in self.splits.items():
            of_a[row] = max(of_a[row], SPLIT)
            of_b[starts] = np.maximum(of_b[starts], SPLIT)
            of_b[starts + 1] = np.maximum(of_b[starts + 1], SPLIT)
        for row, starts in self.merges.items():
            of_a[row - 1 : row + 1] = np.maximum(of_a[row - 1 : row + 1], SPLIT)
            of_b[starts] = np.maximum(of_b[starts], SPLIT)
        return _sums(of_a), _sums(of_b)


NO_COLUMNS: Int32s = np.zeros(0, np.int32)


def _sums(values: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(values)])


def _neighbours(words: Sequence[str], ids: dict[str, int], outside: int) -> tuple[Int32s, Int32s]:
    """Return the ids of the words before and after each word; empty words equal nothing."""
    numbers = np.array([outside, *(ids[word] if word else outside for word in words), outside], np.int32)
    return numbers[:-2], numbers[2:]


def _positions(words: Sequence[str]) -> dict[str, list[int]]:
    where: dict[str, list[int]] = defaultdict(list)
    for position, word in enumerate(words):
        where[word].append(position)
    return where


def _occurrences(
    a: Sequence[str], b: Sequence[str], neighbours: tuple[Int32s, Int32s]
) -> dict[str, Occurrences]:
    """Return for each word of ``a`` that has a similar word in ``b`` where those occur."""
    where = {word: np.array(positions, np.int32) for word, positions in _positions(b).items()}
    found = {}
    for word, others in similar_words(a, where).items():
        if not others:
            continue
        columns = np.concatenate([where[other] for other, _ in others])
        worth = np.concatenate([np.full(len(where[other]), grade, np.int32) for other, grade in others])
        order = columns.argsort()
        columns = columns[order]
        found[word] = Occurrences(columns, worth[order], neighbours[0][columns], neighbours[1][columns])
    return found


def _joined(words: Sequence[str], wanted: set[str]) -> dict[str, Int32s]:
    """Return where two words in a row make a wanted word: word -> positions of the first of the two."""
    where = _positions(
        [first + second if first and second else "" for first, second in itertools.pairwise(words)]
    )
    return {word: np.array(where[word], np.int32) for word in wanted & where.keys() if word}


def _merges(a: Sequence[str], b: Sequence[str]) -> dict[int, Int32s]:
    where = _positions(b)
    return {
        int(row) + 1: np.array(where[word], np.int32)
        for word, rows in _joined(a, set(b)).items()
        for row in rows
    }
