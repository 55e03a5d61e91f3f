"""Sequence alignment: the oracle against brute force, the objective against loops and exhaustive search."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.solvers import sequence_alignment
from sayso.solvers.ordered_path import padded_paths
from sayso.solvers.sequence_alignment import (
    _frank_wolfe,
    _Problem,
    align_progressively,
    align_sequences,
)


def by_hand(sequences, cost, slots):
    """The objective, pair by pair."""
    total = 0.0
    for n, m in itertools.permutations(range(len(sequences)), 2):
        for a, at in zip(sequences[n], slots[n], strict=True):
            for b, there in zip(sequences[m], slots[m], strict=True):
                total += cost[a, b] * (at == there)
    return total / max(1, sum(map(len, sequences)))


def exhaustive(sequences, cost, slots):
    ways = [list(itertools.combinations(range(slots), len(sequence))) for sequence in sequences]
    return min(by_hand(sequences, cost, choice) for choice in itertools.product(*ways))


def likeness(kinds, apart=100.0):
    return np.where(np.eye(kinds, dtype=bool), -1.0, apart)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_the_oracle_is_exact(seed):
    draws = np.random.default_rng(seed)
    L, lengths = int(draws.integers(4, 7)), draws.integers(0, 5, 3)
    cost = draws.normal(size=(3, L, 4)).round(1)
    slots = padded_paths(cost, lengths)
    assert (slots[np.arange(4) >= lengths[:, None]] == -1).all()
    for n, length in enumerate(lengths):
        found = slots[n, :length]
        assert (np.diff(found) > 0).all()
        least = min(
            sum(cost[n, at, s] for s, at in enumerate(way))
            for way in itertools.combinations(range(L), length)
        )
        assert cost[n, found, np.arange(length)].sum() == pytest.approx(least)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_value_and_gradient_are_those_of_the_formula(seed):
    draws = np.random.default_rng(seed)
    sequences = [draws.integers(0, 4, n) for n in draws.integers(0, 4, 3)]
    half = draws.normal(size=(4, 4))
    cost = half + half.T
    problem = _Problem(sequences, cost, 5)
    vertex = problem.random(draws)
    slots = problem.alignment(vertex).slots
    expected = by_hand(sequences, cost, slots)
    assert problem.value_at(vertex) == pytest.approx(expected)
    assert problem.value(problem.matrix(vertex)) == pytest.approx(expected)
    U, way = problem.matrix(problem.random(draws)), problem.matrix(problem.random(draws))
    step = 1e-6
    numeric = (problem.value(U + step * way) - problem.value(U - step * way)) / (2 * step)
    assert np.vdot(problem.gradient(U), way) == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_small_problems_are_solved(seed):
    draws = np.random.default_rng(seed)
    sequences = [np.sort(draws.choice(4, draws.integers(2, 4), replace=False)) for _ in range(3)]
    sequences[0] = sequences[0][::-1]  # one tells it the other way round
    cost = likeness(4)
    found = align_sequences(sequences, cost, slots=5, starts=30, seed=seed)
    assert found.value == pytest.approx(exhaustive(sequences, cost, 5))
    assert found.value == pytest.approx(by_hand(sequences, cost, found.slots))


def test_tokens_that_meet_nothing_stand_uniformly():
    for length, slots, places in ((2, 6, [1, 4]), (1, 5, [2]), (3, 9, [1, 4, 7]), (2, 2, [0, 1])):
        found = align_progressively([list(range(length))], likeness(length), slots=slots)
        assert found.slots[0].tolist() == places
        assert found.value == 0
    close = align_progressively([[0, 1], [1]], 1e-3 * likeness(2), slots=6)
    assert close.slots[1].tolist() == [4], "what is alike weighs more"
    assert align_progressively([[0], [1, 0]], likeness(2), slots=3).slots[0].tolist() == [2], (
        "the longest first"
    )


def test_polishing_never_raises_the_value_and_ends_where_no_sequence_moves_alone():
    draws = np.random.default_rng(0)
    for _ in range(4):
        sequences = [draws.integers(0, 5, n) for n in (3, 2, 0, 3)]
        half = draws.normal(size=(5, 5))
        problem = _Problem(sequences, half + half.T, 5)
        start = problem.random(draws)
        kept = start.copy()
        slots = problem.polish(start)
        assert np.array_equal(start, kept)
        assert problem.value_at(slots) <= problem.value_at(start) + 1e-12
        for n, sequence in enumerate(sequences):
            for way in itertools.combinations(range(5), len(sequence)):
                moved = slots.copy()
                moved[n, : len(sequence)] = way
                assert problem.value_at(slots) <= problem.value_at(moved) + 1e-4
        assert problem.value_at(problem.polish(start, rounds=1)) <= problem.value_at(start) + 1e-12


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("most", [0, 1, 2, 30])
def test_frank_wolfe_steps_as_far_as_the_value_falls_and_keeps_the_best_it_met(seed, most):
    draws = np.random.default_rng(seed)
    sequences = [draws.integers(0, 4, n) for n in (3, 2, 3)]
    half = draws.normal(size=(4, 4)) * 10.0 ** (seed % 3)
    problem = _Problem(sequences, half + half.T, 5)
    start = problem.random(draws)
    U, best, met = problem.matrix(start), start, [problem.value_at(start)]
    for _ in range(most):
        gradient = problem.gradient(U)
        vertex = problem.oracle(gradient)
        way = problem.matrix(vertex) - U
        if -np.vdot(gradient, way) < 1e-12 * max(1, abs(min(met))):
            break
        at_0, at_half, at_1 = (problem.value(U + length * way) for length in (0, 0.5, 1))
        bend, slope = 2 * (at_0 + at_1 - 2 * at_half), 4 * at_half - at_1 - 3 * at_0
        U = U + way * (min(1, -slope / (2 * bend)) if bend > 1e-12 else 1)
        for found in (vertex, problem.oracle(-U)):
            if problem.value_at(found) < min(met):
                best = found
            met.append(problem.value_at(found))
    assert np.array_equal(_frank_wolfe(problem, start, most), best)


def test_the_first_start_is_progressive_alignment_and_of_equals_the_first_is_kept(monkeypatch):
    sequences, cost, seen = [[0, 1, 2], [1, 2], [2, 0]], likeness(3), []

    def found(problem, vertex, most):
        seen.append(vertex.copy())
        return vertex

    monkeypatch.setattr(sequence_alignment, "_frank_wolfe", found)
    monkeypatch.setattr(_Problem, "polish", lambda self, slots: slots)
    problem = _Problem(sequences, cost, 9)
    rng = np.random.default_rng(4)
    expected = [problem.progressive(), problem.random(rng), problem.random(rng)]
    alignment = align_sequences(sequences, cost, slots=9, seed=4)
    assert [one.tolist() for one in seen] == [one.tolist() for one in expected]
    values = [problem.value_at(one) for one in expected]
    assert alignment.value == min(values)
    for starts, many in ((0, 1), (1, 1), (5, 5)):
        seen.clear()
        align_sequences(sequences, cost, slots=9, starts=starts)
        assert len(seen) == many
    monkeypatch.setattr(_Problem, "value_at", lambda self, slots: 1.0)
    kept = align_sequences(sequences, cost, slots=9, seed=4).slots
    assert [one.tolist() for one in kept] == [one.tolist() for one in problem.alignment(expected[0]).slots]


def test_polishing_ends_with_the_round_that_changes_nothing():
    draws = np.random.default_rng(1)
    problem = _Problem([draws.integers(0, 5, n) for n in (4, 3, 4)], likeness(5), 7)
    slots, places = problem.polish(problem.random(draws)), []
    place = problem._place
    problem._place = lambda n, held, slots: places.append(n) or place(n, held, slots)
    problem.polish(slots)
    assert places == [0, 1, 2]


def test_no_start_leaves_it_worse_than_progressive_alignment():
    draws = np.random.default_rng(0)
    for _ in range(5):
        sequences = [draws.integers(0, 12, draws.integers(5, 10)) for _ in range(8)]
        cost = likeness(12)
        plain = align_progressively(sequences, cost, slots=40)
        assert align_sequences(sequences, cost, slots=40, starts=1).value <= plain.value + 1e-12


def test_a_hidden_script_is_found():
    draws = np.random.default_rng(1)
    script = np.arange(8)
    sequences = []
    for n in range(20):
        told = script[draws.random(8) > 0.2]
        chatter = np.insert(told, draws.integers(0, len(told) + 1), 8 + n % 4)
        sequences.append(chatter)
    found = align_sequences(sequences, likeness(12), slots=60)
    pairs = list(zip(sequences, found.slots, strict=True))
    where = [{slots[list(told).index(k)] for told, slots in pairs if k in told} for k in script]
    assert all(len(slots) == 1 for slots in where)
    assert [min(slots) for slots in where] == sorted(min(slots) for slots in where)


def test_empty_sequences_and_long_ones_have_places():
    found = align_sequences([[], [0, 1, 0, 1], [1]], likeness(2), slots=2)
    assert [len(slots) for slots in found.slots] == [0, 4, 1]
    assert found.slots[1].max() == 3
    assert align_sequences([], np.zeros((0, 0))).slots == []


@pytest.mark.parametrize(
    ("sequences", "cost", "message"),
    [
        ([[0, 2]], np.zeros((2, 2)), "outside the 2"),
        ([[0]], np.zeros((2, 3)), "symmetric"),
        ([[0]], [[0, 1], [2, 0]], "symmetric"),
        ([[0]], [[np.inf]], "finite"),
        ([[-1]], np.zeros((2, 2)), "outside the 2"),
        ([[0]], [0.0], "symmetric"),
    ],
)
def test_wrong_input_is_told(sequences, cost, message):
    with pytest.raises(SaysoError, match=message):
        align_sequences(sequences, cost)
