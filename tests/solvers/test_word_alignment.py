"""The fast alignment is worth as much as the full table, and its pairs are what they are said to be."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.evaluation.word_alignment import drawn_texts
from sayso.solvers import align_words, word_alignment, word_pieces
from sayso.solvers.word_moves import WordMoves
from sayso.solvers.word_similarity import similarity
from sayso.text.language.spoken import fold_word


def agree(a, b, i, j):
    return 0 <= i < len(a) and 0 <= j < len(b) and bool(a[i]) and a[i] == b[j]


def worth(a, b, i, j):
    """What the pair (i, j) is worth, in quarters, written down from the definition."""
    alike = similarity(a[i], b[j])
    return alike and alike + agree(a, b, i - 1, j - 1) + agree(a, b, i + 1, j + 1)


def is_split(word, first, second):
    return bool(first) and bool(second) and word == first + second


def full_table(a, b):
    """The value of the best path by the textbook recurrence over every cell."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            options = [best[i - 1][j], best[i][j - 1], best[i - 1][j - 1] + worth(a, b, i - 1, j - 1)]
            if j > 1 and is_split(a[i - 1], b[j - 2], b[j - 1]):
                options.append(best[i - 1][j - 2] + 4)
            if i > 1 and is_split(b[j - 1], a[i - 2], a[i - 1]):
                options.append(best[i - 2][j - 1] + 4)
            best[i][j] = max(options)
    return best[-1][-1]


def value_of(a, b, pairs):
    """What an alignment is worth, after checking that it is one."""
    total, k, last = 0, 0, (-1, -1)
    pairs = [tuple(pair) for pair in pairs.tolist()]
    while k < len(pairs):
        i, j = pairs[k]
        assert i > last[0] and j > last[1]
        after = pairs[k + 1] if k + 1 < len(pairs) else None
        if after == (i, j + 1):
            assert is_split(a[i], b[j], b[j + 1])
        elif after == (i + 1, j):
            assert is_split(b[j], a[i], a[i + 1])
        else:
            assert similarity(a[i], b[j]) > 0
            total, last, k = total + worth(a, b, i, j), (i, j), k + 1
            continue
        total, last, k = total + 4, after, k + 2
    return total


VOCABULARY = [
    "a",
    "the",
    "you",
    "good",
    "bye",
    "goodbye",
    "walk",
    "walked",
    "walking",
    "every",
    "one",
    "everyone",
    "house",
    "houses",
    "friend",
    "freind",
    "frend",
    "12",
    "...",
    "can",
    "not",
    "cannot",
    "stay",
    "stays",
    "that's",
    "thats",
]


def draw(rng, size):
    return [rng.choice(VOCABULARY) for _ in range(size)]


def corrupt(rng, words):
    """A second version: words dropped, replaced, doubled, and a stretch moved."""
    out = []
    for word in words:
        dice = rng.random()
        if dice < 0.1:
            continue
        out.append(rng.choice(VOCABULARY) if dice < 0.2 else word)
        if dice > 0.95:
            out.append(rng.choice(VOCABULARY))
    if len(out) > 8 and rng.random() < 0.3:
        cut = rng.randrange(len(out))
        out = out[cut:] + out[:cut]
    return out


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in range(1, 8))])
def test_as_good_as_the_full_table_on_random_pairs(seed, monkeypatch):
    rng = random.Random(seed)
    monkeypatch.setattr(word_alignment, "LEAST_SLACK", 4)
    monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells: seed % 2 == 0)
    monkeypatch.setattr(word_alignment, "SHORTEST_STRIDE", rng.choice([1, 2, 5, 128]))
    for _ in range(400):
        a = draw(rng, rng.randrange(0, 25))
        b = corrupt(rng, a) if rng.random() < 0.7 else draw(rng, rng.randrange(0, 25))
        folded_a, folded_b = [fold_word(word) for word in a], [fold_word(word) for word in b]
        assert value_of(folded_a, folded_b, align_words(a, b)) == full_table(folded_a, folded_b)


@pytest.mark.parametrize("moved", [False, True])
def test_as_good_as_the_full_table_on_longer_texts(moved):
    rng = random.Random(5)
    names = [f"{rng.choice('bcdfgmnprst')}{rng.choice('aeiou')}{rng.choice('lmnrst')}{k}" for k in range(60)]
    a = [rng.choice(names if rng.random() < 0.5 else VOCABULARY) for _ in range(700)]
    b = [word for word in a if rng.random() > 0.2]
    b = b[400:] + b[:400] if moved else b
    folded_a, folded_b = [fold_word(word) for word in a], [fold_word(word) for word in b]
    assert value_of(folded_a, folded_b, align_words(a, b)) == full_table(folded_a, folded_b)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=6), max_size=12), st.lists(st.text(max_size=6), max_size=12))
def test_any_words_align_monotonically(a, b):
    pairs = align_words(a, b)
    assert pairs.dtype == np.int64 and pairs.shape[1:] == (2,)
    folded_a, folded_b = [fold_word(word) for word in a], [fold_word(word) for word in b]
    assert all(folded_a[i] and folded_b[j] for i, j in pairs.tolist())
    assert value_of(folded_a, folded_b, pairs) == full_table(folded_a, folded_b)


def test_compiled_rows_find_the_same_pairs(monkeypatch):
    pytest.importorskip("numba")
    for seed in range(3):
        script, subtitles, _ = drawn_texts(900, seed)
        script[40:42], subtitles[300:302] = ["good", "bye"], ["goodbye", "good"]
        found = []
        for answer in (False, True):
            monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells, answer=answer: answer)
            found.append(align_words(script, subtitles))
        assert np.array_equal(*found)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_cut_into_pieces_it_is_worth_as_much_as_whole(monkeypatch, seed, moved):
    script, subtitles, _ = drawn_texts(3000, seed)
    if moved:  # a scene of 300 words stands elsewhere
        subtitles = subtitles[300:2000] + subtitles[:300] + subtitles[2000:]
    monkeypatch.setattr(word_pieces, "WHOLE", 0)
    moves = WordMoves(script, subtitles)
    cut, parts = align_words(script, subtitles), word_pieces.pieces(moves)
    assert len(parts) > 3
    assert [part[1::2] for part in parts[:-1]] == [part[::2] for part in parts[1:]]
    monkeypatch.setattr(word_pieces, "WHOLE", 10**9)
    whole = align_words(script, subtitles)
    assert value_of(script, subtitles, cut) == value_of(script, subtitles, whole)


def test_texts_that_share_no_phrase_are_not_cut(monkeypatch):
    monkeypatch.setattr(word_pieces, "WHOLE", 0)
    moves = WordMoves(["a", "b", "c"] * 500, ["b", "a", "c"] * 500)
    assert word_pieces.pieces(moves) == [(0, 1500, 0, 1500)]
    assert word_pieces.pieces(WordMoves([], ["a"])) == [(0, 0, 0, 1)]


def test_what_pairs():
    assert align_words(["Good-bye", "everyone"], ["goodbye,", "every", "one"]).tolist() == [
        [0, 0],
        [1, 1],
        [1, 2],
    ]
    assert align_words(["can", "not"], ["cannot"]).tolist() == [[0, 0], [1, 0]]
    assert align_words(["walked"], ["Walking"]).tolist() == [[0, 0]]
    assert align_words(["friend"], ["freind"]).tolist() == [[0, 0]]
    assert align_words(["..."], ["..."]).tolist() == []
    assert align_words([], ["a"]).shape == (0, 2)


def test_a_phrase_wins_over_scattered_words():
    a = ["so", "you", "want", "to", "go", "home"]
    b = ["you", "to", "so", "you", "want", "to", "go", "home"]
    assert align_words(a, b).tolist() == [[i, i + 2] for i in range(6)]


def test_the_order_of_the_two_does_not_change_the_value():
    rng = random.Random(3)
    a = draw(rng, 60)
    b = corrupt(rng, a)
    assert value_of(a, b, align_words(a, b)) == value_of(b, a, align_words(b, a))
