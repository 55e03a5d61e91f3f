"""Step recall and F1, counted by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.metrics.steps import best_matching, mean_recall, step_f1, step_recall


def test_recall_counts_steps_over_videos_then_averages_tasks() -> None:
    inside = np.array([[True, False, False], [False, True, False]])
    recalls = step_recall({"a": [(inside, [0, 0, 0]), (inside[:, :1], [0])], "b": [(inside, [1, 0, 0])]})
    assert recalls == {"a": pytest.approx(2 / 3), "b": 0.0}
    assert mean_recall(recalls) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([0, 0], "times .K,."),
        ([0, 0, 2], "from 0 to 1"),
        ([0, 0, -1], "from 0 to 1"),
        ([0.0, 0.0, 0.0], "from 0 to 1"),
    ],
)
def test_bad_times_are_refused(times: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=f"task a, video 0: .*{said}"):
        step_recall({"a": [(np.ones((2, 3), dtype=bool), times)]})


def test_bad_truth_and_tasks_without_a_step_are_refused() -> None:
    for truth in (np.ones((2, 3)), np.ones(3, dtype=bool)):
        with pytest.raises(ValueError, match="task a, video 0: expected truth"):
            step_recall({"a": [(truth, [0, 0, 0])]})
    with pytest.raises(ValueError, match="task a has no annotated step"):
        step_recall({"a": [(np.zeros((2, 3), dtype=bool), [0, 0, 0])]})
    with pytest.raises(ValueError, match="no task"):
        mean_recall({})
    nothing = np.zeros((2, 0), dtype=bool)
    some = np.ones((2, 3), dtype=bool)
    assert step_recall({"a": [(nothing, np.zeros(0, int)), (some, [0, 1, 0])]}) == {"a": 1.0}


def spans(seconds: int, *steps: tuple[int, int] | None) -> np.ndarray:
    inside = np.zeros((seconds, len(steps)), dtype=bool)
    for k, step in enumerate(steps):
        if step is not None:
            inside[slice(*step), k] = True
    return inside


def test_discovered_steps_are_matched_over_the_whole_task() -> None:
    # Discovered 0 is annotated 1 and the other way round; the second video shows one step only.
    first = (spans(10, (0, 3), (5, 8)), [6, 1])
    second = (spans(10, None, (2, 4)), [3, 9])
    score = step_f1([first, second])
    assert score.matching == (1, 0)
    assert score.precision == pytest.approx(3 / 4)
    assert score.recall == pytest.approx(3 / 3)
    assert score.f1 == pytest.approx(6 / 7)


def test_more_steps_than_annotated_cost_precision_and_absent_ones_are_no_hits() -> None:
    score = step_f1([(spans(4, (0, 1), (2, 3)), [0, 2, 3, -1])])
    assert score.matching.count(None) == 2
    assert (score.precision, score.recall) == (pytest.approx(0.5), 1.0)
    truth = spans(4, (3, 4))  # an absent step is not read as the last time
    assert step_f1([(truth, [-1])]).f1 == 0


def test_one_annotated_step_cannot_serve_two_discovered_ones() -> None:
    score = step_f1([(spans(4, (0, 4)), [0, 1])])
    assert (score.precision, score.recall) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        ([], "no video"),
        ([(spans(3, None), [0])], "no step is annotated"),
        ([(spans(3, (0, 1)), [3])], "from -1 to 2"),
        ([(spans(3, (0, 1)), [-2])], "from -1 to 2"),
        ([(spans(3, (0, 1)), [0.0])], "from -1 to 2"),
        ([(spans(3, (0, 1)), [[0]])], "expected truth"),
        ([(spans(3, (0, 1)).astype(int), [0])], "expected truth"),
        ([(spans(3, (0, 1))[0], [0])], "expected truth"),
        ([(spans(3, (0, 1)), [0]), (spans(3, (0, 1), None), [0])], "video 1 has other steps"),
        ([(spans(3, (0, 1)), [0]), (spans(3, (0, 1)), [0, 1])], "other steps"),
    ],
)
def test_what_cannot_be_scored_is_told(videos, message) -> None:
    with pytest.raises(ValueError, match=message):
        step_f1(videos)


@given(st.integers(0, 2**32 - 1))
def test_the_matching_is_the_best_there_is(seed: int) -> None:
    draws = np.random.default_rng(seed)
    gain = draws.integers(0, 5, draws.integers(1, 6, 2)).astype(float)
    matching = best_matching(gain)
    taken = [c for c in matching if c is not None]
    assert len(set(taken)) == len(taken) == min(gain.shape)
    wide = gain if gain.shape[0] <= gain.shape[1] else gain.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(way))
        for way in itertools.permutations(range(wide.shape[1]), len(wide))
    )
    assert sum(gain[k, c] for k, c in enumerate(matching) if c is not None) == best


@pytest.mark.parametrize("shape", [(8, 8), (6, 15), (15, 6), (1, 9)])
def test_the_matching_of_many_is_that_of_scipy(shape: tuple[int, int]) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    for seed in range(5):
        gain = np.random.default_rng(seed).normal(size=shape)
        rows, columns = optimize.linear_sum_assignment(gain, maximize=True)
        expected: list[int | None] = [None] * len(gain)
        for row, column in zip(rows, columns, strict=True):
            expected[row] = int(column)
        assert best_matching(gain) == expected


def test_of_matchings_that_gain_the_same_earlier_rows_have_earlier_columns() -> None:
    assert best_matching(np.zeros((3, 5))) == [0, 1, 2]
    assert best_matching(np.ones((4, 2))) == [0, 1, None, None]
