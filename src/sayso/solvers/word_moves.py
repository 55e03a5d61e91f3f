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

from sayso.solvers.word_similarity import SAME, similar_words

Ints = NDArray[np.int32]
NEIGHBOUR = 1  # quarters for each equal neighbour
SPLIT = SAME  # quarters for a word that pairs with two


class Places(NamedTuple):
    """Where in ``b`` the words like one word of ``a`` stand, all (M,) int32, by column.

    ``worth`` is the similarity; ``before`` and ``after`` are the ids of the neighbouring words.
    """

    columns: Ints
    worth: Ints
    before: Ints
    after: Ints


class Moves:
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
        self._places = _places(a, b, _neighbours(b, ids, outside=-2))
        self.splits = {
            row: columns for row, columns in enumerate(map(_joined(b, set(a)).get, a)) if columns is not None
        }
        self.merges = _merges(a, b)
        self.most_a, self.most_b = self._most(len(a), len(b))

    def pairs(self, row: int, low: int, high: int) -> tuple[Ints, Ints]:
        """Return the columns from ``low`` to before ``high`` that a row can pair with, and their worth."""
        places = self._places.get(self._a[row])
        if places is None:
            return NOWHERE, NOWHERE
        first, last = places.columns.searchsorted((low, high))
        worth = places.worth[first:last] + (places.before[first:last] == self._before[row])
        worth += places.after[first:last] == self._after[row]
        return places.columns[first:last], worth

    def _most(self, rows: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bound what every word can be worth: its best similarity, and both neighbours."""
        of_a, of_b = np.zeros(rows, np.int64), np.zeros(columns, np.int64)
        best = {word: int(places.worth.max()) + 2 * NEIGHBOUR for word, places in self._places.items()}
        of_a[:] = [best.get(word, 0) for word in self._a]
        for places in self._places.values():
            of_b[places.columns] = np.maximum(of_b[places.columns], places.worth + 2 * NEIGHBOUR)
        for row, starts in self.splits.items():
            of_a[row] = max(of_a[row], SPLIT)
            of_b[starts] = np.maximum(of_b[starts], SPLIT)
            of_b[starts + 1] = np.maximum(of_b[starts + 1], SPLIT)
        for row, starts in self.merges.items():
            of_a[row - 1 : row + 1] = np.maximum(of_a[row - 1 : row + 1], SPLIT)
            of_b[starts] = np.maximum(of_b[starts], SPLIT)
        return _sums(of_a), _sums(of_b)


NOWHERE: Ints = np.zeros(0, np.int32)


def _sums(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(values)])


def _neighbours(words: Sequence[str], ids: dict[str, int], outside: int) -> tuple[Ints, Ints]:
    """Return the ids of the words before and after each word; empty words equal nothing."""
    numbers = np.array([outside, *(ids[word] if word else outside for word in words), outside], np.int32)
    return numbers[:-2], numbers[2:]


def _positions(words: Sequence[str]) -> dict[str, list[int]]:
    where: dict[str, list[int]] = defaultdict(list)
    for position, word in enumerate(words):
        where[word].append(position)
    return where


def _places(a: Sequence[str], b: Sequence[str], neighbours: tuple[Ints, Ints]) -> dict[str, Places]:
    """Return for each word of ``a`` that has a similar word in ``b`` where those stand."""
    where = {word: np.array(positions, np.int32) for word, positions in _positions(b).items()}
    found = {}
    for word, others in similar_words(a, where).items():
        if not others:
            continue
        columns = np.concatenate([where[other] for other, _ in others])
        worth = np.concatenate([np.full(len(where[other]), grade, np.int32) for other, grade in others])
        order = columns.argsort()
        columns = columns[order]
        found[word] = Places(columns, worth[order], neighbours[0][columns], neighbours[1][columns])
    return found


def _joined(words: Sequence[str], wanted: set[str]) -> dict[str, Ints]:
    """Return where two words in a row make a wanted word: word -> positions of the first of the two."""
    where = _positions(
        [first + second if first and second else "" for first, second in itertools.pairwise(words)]
    )
    return {word: np.array(where[word], np.int32) for word in wanted & where.keys() if word}


def _merges(a: Sequence[str], b: Sequence[str]) -> dict[int, Ints]:
    where = _positions(b)
    return {
        int(row) + 1: np.array(where[word], np.int32)
        for word, rows in _joined(a, set(b)).items()
        for row in rows
    }
