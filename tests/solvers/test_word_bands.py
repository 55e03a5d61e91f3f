"""The rows of a band: compiled as in numpy, nothing beside its columns, and narrow where texts are alike."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sayso.evaluation.word_alignment import drawn_texts
from sayso.solvers import align_words, word_alignment
from sayso.solvers.compiled_words import NO_TABLE, fill_rows, walk_rows
from sayso.solvers.word_alignment import _align, _Band, _Block
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


@pytest.mark.parametrize("seed", range(60))
def test_the_loops_as_plain_python_find_the_same_and_touch_nothing_beside_their_arrays(monkeypatch, seed):
    """Python notices what a compiled loop reads or writes behind the end of an array."""
    monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells: False)
    rng = random.Random(seed)
    a, b = ([rng.choice(WORDS) for _ in range(rng.randrange(2, 14))] for _ in range(2))
    moves, low = WordMoves(a, b), rng.randrange(len(b)) if seed % 2 else 0
    first = rng.randrange(len(a)) if seed % 3 else 0
    while first in moves.merges:
        first -= 1
    band = _Band(moves, Piece(0, len(a), 0, len(b)), target=0)
    score = np.sort(np.array([rng.randrange(1 + 9 * (seed % 2)) for _ in range(len(b) + 1 - low)], np.int32))
    block = _Block(first, len(a), low, len(b), score)
    tables = [np.zeros((len(a) - first + 1, len(score)), np.int32) for _ in range(2)]
    tables[0][0] = tables[1][0] = score
    scores = score.copy(), score.copy()
    fill_rows.function(first, len(a), low, scores[0], tables[0], tuple(moves.tables))
    band._fill(block, scores[1], tables[1])
    assert scores[0].tolist() == scores[1].tolist()
    assert tables[0].tolist() == tables[1].tolist()
    fill_rows.function(first, len(a), low, score, NO_TABLE, tuple(moves.tables))
    assert score.tolist() == scores[1].tolist()
    pairs, expected = np.full((2 * len(tables[0]), 2), -1), []
    many, column = walk_rows.function(first, low, len(b), tables[0], pairs, tuple(moves.tables))
    assert column == band._walk(block, tables[1], len(b), expected)
    assert pairs.tolist() == [list(pair) for pair in expected] + [[-1, -1]] * (len(pairs) - many)


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


@pytest.mark.parametrize("seed", range(150))
def test_a_block_keeps_the_columns_that_can_still_reach_the_target_and_no_others(seed):
    """Against a loop over the columns of the piece."""
    rng = random.Random(seed)
    a, b = ([rng.choice(WORDS) for _ in range(rng.randrange(6, 40))] for _ in range(2))
    moves = WordMoves(a, b)
    first, last, end = sorted(rng.sample(range(len(a) + 1), 3))
    low, high, columns = sorted(rng.sample(range(len(b) + 1), 3))
    score = np.sort(np.array([rng.randrange(30) for _ in range(high - low + 1)], np.int32))
    most_a, most_b = moves.most_a.tolist(), moves.most_b.tolist()
    gain, left = most_a[last] - most_a[first], most_a[end] - most_a[first]
    reached = [score[min(j - low, len(score) - 1)] for j in range(low, columns + 1)]
    target = max(0, int(reached[-1]) + rng.randrange(-6, 4) + rng.choice([left, gain, 0]))
    starts = [j for j in range(low, high + 1) if reached[j - low] + left >= target]
    kept = [
        j
        for j in range(low, columns + 1)
        if starts and j >= starts[0] and reached[j - low] + gain + most_b[columns] - most_b[j] >= target
    ]
    band = _Band(moves, Piece(0, end, 0, columns), target)
    found = band._narrow(_Block(first, last, low, high, score))
    if not kept:
        assert found is None
    else:
        assert found[:4] == (first, last, starts[0], kept[-1])
        assert found.score.tolist() == reached[starts[0] - low : kept[-1] + 1 - low]


def test_the_target_is_an_eighth_below_what_the_words_can_be_worth_then_twice_that(monkeypatch):
    script, subtitles, _ = drawn_texts(1500, 1)
    moves, targets = WordMoves(script, subtitles), []
    piece = Piece(100, len(script), 50, len(subtitles))

    class Band:
        def __init__(self, moves, piece, target):
            targets.append(target)

        def forward(self):
            return len(targets) == 5

        def path(self):
            return np.zeros((0, 2), np.int64)

    monkeypatch.setattr(word_alignment, "_Band", Band)
    _align(moves, piece)
    most = int(min(moves.most_a[-1] - moves.most_a[100], moves.most_b[-1] - moves.most_b[50]))
    assert most // 8 > 256
    assert targets == [max(0, most - (most // 8) * times) for times in (1, 2, 4, 8, 16)]
    targets.clear()
    _align(moves, Piece(100, 300, 50, 250))
    most = int(min(moves.most_a[300] - moves.most_a[100], moves.most_b[250] - moves.most_b[50]))
    assert targets[:2] == [most - 256, most - 512]


def test_a_band_is_filled_if_it_reaches_the_target_and_not_if_that_is_one_more(monkeypatch):
    monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells: False)
    moves = WordMoves(["a", "b", "c", "x"], ["a", "b", "y", "c"])
    for target, reached in ((14, True), (15, False)):  # 4 + 1, 4 + 1, 4
        assert _Band(moves, Piece(0, 4, 0, 4), target).forward() == reached


@pytest.mark.parametrize("shortest", [5, 128])
def test_blocks_have_the_square_root_of_the_rows_and_do_not_part_a_word(monkeypatch, shortest):
    monkeypatch.setattr(word_alignment, "SHORTEST_STRIDE", shortest)
    cells = []
    monkeypatch.setattr(word_alignment, "worth_compiling", lambda count: bool(cells.append(count)))
    a = [f"w{k}" for k in range(900)]
    b = [*a, a[38] + a[39], a[39] + a[40], a[137] + a[138]]
    band = _Band(WordMoves(a, b), Piece(10, 900, 0, len(b)), target=0)
    assert band.forward()
    ends = [block.last - 10 for block in band.blocks]
    if shortest == 5:  # the root of 890 is 29; the words 38 to 40 stay together
        assert ends[:4] == [31, 60, 89, 118] and ends[-2:] == [872, 890]
    else:
        assert ends[0] == 129 and ends[1] == 129 + 128 and ends[-1] == 890
    assert cells == [len(block.score) * (block.last - block.first) for block in band.blocks]


@pytest.mark.parametrize(
    ("a", "b", "pairs"),
    [
        (["ab"] * 60, ["a", "b"] * 60, [[k // 2, k] for k in range(120)]),
        (["a", "b"] * 60, ["ab"] * 60, [[k, k // 2] for k in range(120)]),
        (["ab", "b"], ["a", "b"], [[0, 0], [0, 1]]),
        (["x", "y", "zxy"], ["z", "xy"], [[0, 1], [1, 1]]),
        (["x", "y"], ["q", "xy"], [[0, 1], [1, 1]]),
        (["q", "xy"], ["x", "y"], [[1, 0], [1, 1]]),
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("stride", [1, 128])
def test_the_way_back_takes_each_word_written_as_two_whole(monkeypatch, a, b, pairs, compiled, stride):
    if compiled:
        pytest.importorskip("numba")
    monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells: compiled)
    monkeypatch.setattr(word_alignment, "SHORTEST_STRIDE", stride)
    assert align_words(a, b).tolist() == pairs


@pytest.mark.parametrize("stride", [1, 3, 128])
@pytest.mark.parametrize("compiled", [False, True])
def test_narrow_bands_and_short_blocks_find_what_one_wide_block_finds(monkeypatch, stride, compiled):
    if compiled:
        pytest.importorskip("numba")
    monkeypatch.setattr(word_alignment, "worth_compiling", lambda cells: compiled)
    for seed in range(12):
        rng = random.Random(seed)
        a = [rng.choice(WORDS) + rng.choice(WORDS) * (rng.random() < 0.6) for _ in range(60)]
        b = [rng.choice(WORDS) if rng.random() < 0.2 else word for word in a if rng.random() < 0.9]
        found = []
        for slack, shortest in ((10_000, 128), (4, stride)):
            monkeypatch.setattr(word_alignment, "LEAST_SLACK", slack)
            monkeypatch.setattr(word_alignment, "SHORTEST_STRIDE", shortest)
            found.append(align_words(a, b).tolist())
        assert found[0] == found[1]
