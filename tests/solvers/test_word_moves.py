"""What words can be paired with, and for how much at most, against loops over all pairs."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sayso.solvers.word_moves import WordMoves
from sayso.solvers.word_similarity import similarity

WORDS = ["walk", "walked", "", "friend", "freind", *3 * ["a", "b", "ab", "ba", "aa"]]


def drawn(seed):
    rng = random.Random(seed)
    return [[rng.choice(WORDS) for _ in range(rng.randrange(1, 24))] for _ in "ab"]


def is_pair(word, first, second):
    return bool(first) and bool(second) and word == first + second


def equal(a, i, b, j):
    return 0 <= i < len(a) and 0 <= j < len(b) and bool(a[i]) and a[i] == b[j]


@pytest.mark.parametrize("seed", range(40))
def test_pairs_and_their_worth_are_those_of_all_pairs(seed):
    a, b = drawn(seed)
    moves = WordMoves(a, b)
    for i in range(len(a)):
        alike = [j for j in range(len(b)) if similarity(a[i], b[j])]
        worth = [
            similarity(a[i], b[j]) + equal(a, i - 1, b, j - 1) + equal(a, i + 1, b, j + 1) for j in alike
        ]
        columns, found = moves.pairs(i, 0, len(b))
        assert (columns.tolist(), found.tolist()) == (alike, worth)
        low, high = sorted((seed % (len(b) + 1), i % (len(b) + 1)))
        assert moves.pairs(i, low, high)[0].tolist() == [j for j in alike if low <= j < high]
        splits = [j for j in range(len(b) - 1) if is_pair(a[i], b[j], b[j + 1])]
        assert moves.splits.get(i, np.zeros(0)).tolist() == splits
        merges = [j for j in range(len(b)) if i and is_pair(b[j], a[i - 1], a[i])]
        assert moves.merges.get(i, np.zeros(0)).tolist() == merges
        for flat, starts, expected in (
            (moves.tables.splits, moves.tables.split_starts, splits),
            (moves.tables.merges, moves.tables.merge_starts, merges),
        ):
            assert flat[starts[i] : starts[i + 1]].tolist() == expected
            assert len(starts) == len(a) + 1 and starts[-1] == len(flat)


@pytest.mark.parametrize("seed", range(40))
def test_the_most_that_words_can_be_worth_is_neither_too_little_nor_more_than_it_must_be(seed):
    """A pair its likeness and both neighbours, a word written as two 4, on either side."""
    a, b = drawn(seed)
    most_a, most_b = [0] * len(a), [0] * len(b)

    def raise_to(most, which, worth):
        for k in which:
            most[k] = max(most[k], worth)

    for i in range(len(a)):
        for j in range(len(b)):
            alike = similarity(a[i], b[j])
            raise_to(most_a, [i], alike and alike + 2)
            raise_to(most_b, [j], alike and alike + 2)
            if j + 1 < len(b) and is_pair(a[i], b[j], b[j + 1]):
                raise_to(most_a, [i], 4)
                raise_to(most_b, [j, j + 1], 4)
            if i and is_pair(b[j], a[i - 1], a[i]):
                raise_to(most_a, [i - 1, i], 4)
                raise_to(most_b, [j], 4)
    moves = WordMoves(a, b)
    assert moves.most_a.tolist() == [0, *np.cumsum(most_a).tolist()]
    assert moves.most_b.tolist() == [0, *np.cumsum(most_b).tolist()]
