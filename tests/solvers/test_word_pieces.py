"""Where long texts are cut, against loops over phrases and runs whose middles are known."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from sayso.solvers import word_pieces
from sayso.solvers.word_moves import WordMoves
from sayso.solvers.word_pieces import _anchors, _rising, pieces


def phrases(words):
    return [tuple(words[k : k + 4]) for k in range(len(words) - 3)]


@pytest.mark.parametrize("seed", range(12))
def test_anchors_are_the_phrases_found_once_in_either_text(seed):
    """Of few words, so that the same four in another order are there too."""
    rng = random.Random(seed)
    a, b = ([rng.randrange(4) for _ in range(rng.choice([3, 4, 60, 150]))] for _ in "ab")
    first, second = phrases(a), phrases(b)
    expected = [
        (i, second.index(one))
        for i, one in enumerate(first)
        if first.count(one) == 1 and second.count(one) == 1
    ]
    rows, columns = _anchors(np.array(a, np.int32), np.array(b, np.int32))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == expected


def test_short_texts_have_an_anchor_from_four_words_on():
    four = np.arange(4, dtype=np.int32)
    assert [part.tolist() for part in _anchors(four, four)] == [[0], [0]]
    assert [len(part) for part in _anchors(four[:2], four)] == [0, 0]
    assert [len(part) for part in _anchors(four, four[:2])] == [0, 0]


@pytest.mark.parametrize("seed", range(12))
def test_no_rising_choice_is_longer(seed):
    rng = np.random.default_rng(seed)
    columns = rng.permutation(10)[: rng.integers(0, 9)]
    rows = np.sort(rng.permutation(30)[: len(columns)])
    chosen_rows, chosen = _rising(rows, columns)
    assert (np.diff(chosen) > 0).all() and (np.diff(chosen_rows) > 0).all()
    pairs = set(zip(rows.tolist(), columns.tolist(), strict=True))
    assert set(zip(chosen_rows.tolist(), chosen.tolist(), strict=True)) <= pairs
    longest = max(
        size
        for size in range(len(columns) + 1)
        for some in itertools.combinations(columns, size)
        if list(some) == sorted(some)
    )
    assert len(chosen) == longest


def texts(*runs):
    """Return two texts of runs of equal words of these lengths, with words of their own before each."""
    a, b = [], []
    for number, length in enumerate(runs):
        a += [f"left{number}x{k}" for k in range(300)]
        b += [f"right{number}x{k}" for k in range(200 + number)]
        same = [f"same{number}x{k}" for k in range(length)]
        a, b = a + same, b + same
    return a, b


def test_texts_are_cut_in_the_middle_of_runs_of_ten_words_or_more(monkeypatch):
    monkeypatch.setattr(word_pieces, "WHOLE", 0)
    a, b = texts(10, 9, 11, 4, 30)
    corners = [(0, 0), (305, 205), (300 * 3 + 10 + 9 + 5, 200 * 3 + 3 + 10 + 9 + 5)]
    corners += [(300 * 5 + 34 + 15, 200 * 5 + 10 + 34 + 15), (len(a), len(b))]
    expected = [(i, k, j, m) for (i, j), (k, m) in itertools.pairwise(corners)]
    assert pieces(WordMoves(a, b)) == expected


@pytest.mark.parametrize(("before", "cut"), [(250, 1), (251, 2)])
def test_no_piece_is_shorter_than_256_rows(monkeypatch, before, cut):
    """The second of two runs of ten words is cut 256 rows after the first, and not sooner."""
    monkeypatch.setattr(word_pieces, "WHOLE", 0)
    a, b = texts(10, 10)
    a = a[:310] + a[310 : 310 + before - 5] + a[610:]
    second = (305 + before + 5, 410 + 1 + 5)
    found = pieces(WordMoves(a, b))
    assert len(found) == cut + 1 and found[0] == (0, 305, 0, 205)
    assert cut == 1 or (found[1].last, found[1].high) == second


def test_a_run_within_the_first_256_rows_is_not_cut(monkeypatch):
    monkeypatch.setattr(word_pieces, "WHOLE", 0)
    a, b = texts(10)
    for rows, many in ((251, 2), (250, 1)):
        assert len(pieces(WordMoves(a[300 - rows :], b))) == many


def test_a_word_written_as_two_is_not_cut_in_the_middle(monkeypatch):
    monkeypatch.setattr(word_pieces, "WHOLE", 0)
    a, b = texts(10)
    joined = a[304] + a[305]
    assert len(pieces(WordMoves(a, b))) == 2
    assert len(pieces(WordMoves(a, [*b, joined]))) == 1


def test_texts_of_few_cells_are_whole(monkeypatch):
    a, b = texts(10)
    for whole, many in ((len(a) * len(b), 1), (len(a) * len(b) - 1, 2)):
        monkeypatch.setattr(word_pieces, "WHOLE", whole)
        assert len(pieces(WordMoves(a, b))) == many
