"""The rows of a band: compiled as in numpy, nothing beside its columns, and narrow where texts are alike."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sayso.evaluation.word_alignment import drawn_texts
from sayso.solvers import align_words, word_alignment
from sayso.solvers.compiled_words import NO_TABLE, fill_rows
from sayso.solvers.word_alignment import _Band, _Block
from sayso.solvers.word_moves import WordMoves
from sayso.solvers.word_pieces import Piece

WORDS = ["a", "b", "ab", "ba", "aa", "bb", "aab", "bba", "c"]
BESIDE = 4


@pytest.mark.parametrize("seed", range(80))
def test_compiled_rows_equal_those_in_numpy_and_stay_in_their_columns(monkeypatch, seed):
    pytest.importorskip("numba")
    rng = random.Random(seed)
    a, b = ([rng.choice(WORDS) for _ in range(rng.randrange(2, most))] for most in (rng.choice([4, 40]), 60))
    moves, low = WordMoves(a, b), rng.randrange(len(b) // 2)
    high = rng.randrange(low, len(b)) if seed % 2 else low + rng.randrange(min(6, len(b) - low))
    held = np.sort(
        np.array([rng.randrange(6 + 34 * (seed % 3 == 0)) for _ in range(high - low + 1 + BESIDE)], np.int32)
    )
    score, width = held.copy(), high - low + 1
    fill_rows.compiled()(0, len(a), low, score[:width], NO_TABLE, tuple(moves.tables))
    monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells: False)
    expected, block = held[:width].copy(), _Block(0, len(a), low, high, held[:width])
    _Band(moves, Piece(0, len(a), 0, len(b)), target=0)._fill(block, expected)
    assert score.tolist() == [*expected.tolist(), *held[width:].tolist()]


def test_the_band_of_texts_that_are_alike_is_narrow():
    script, subtitles, _ = drawn_texts(3000, 0)
    moves = WordMoves(script, subtitles)
    piece = Piece(0, len(script), 0, len(subtitles))
    most = min(moves.most_a[-1], moves.most_b[-1])
    band = _Band(moves, piece, target=int(0.9 * most))
    while not band.forward():
        band = _Band(moves, piece, target=band.target - int(0.05 * most))
    cells = sum((block.high - block.low) * (block.last - block.first) for block in band.blocks)
    assert cells < 0.3 * len(script) * len(subtitles)


@pytest.mark.parametrize("seed", range(20))
def test_the_way_back_over_words_written_as_two_is_the_same(monkeypatch, seed):
    pytest.importorskip("numba")
    rng, found = random.Random(seed), []
    a, b = ([rng.choice(WORDS) for _ in range(30)] for _ in range(2))
    for answer in (False, True):
        monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells, answer=answer: answer)
        found.append(align_words(a, b).tolist())
    assert found[0] == found[1]
