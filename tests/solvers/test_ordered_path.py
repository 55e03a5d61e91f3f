"""The ordered path against all choices of times."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sayso.solvers.ordered_path import ordered_path


@st.composite
def small_costs(draw: st.DrawFn) -> np.ndarray:
    steps = draw(st.integers(0, 4))
    moments = draw(st.integers(steps, 8))
    return draw(arrays(np.int64, (moments, steps), elements=st.integers(-3, 3)))


def by_trying_all(cost: np.ndarray) -> tuple[int, ...]:
    """The best times; of equals, the one that is earliest from the last step on."""
    moments, steps = cost.shape
    return min(
        combinations(range(moments), steps),
        key=lambda times: (sum(cost[t, k] for k, t in enumerate(times)), times[::-1]),
    )


@given(small_costs())
def test_equals_brute_force_with_its_ties(cost: np.ndarray) -> None:
    times = ordered_path(cost)
    assert times.dtype == np.int64
    assert tuple(times) == by_trying_all(cost)


def test_real_costs_equal_brute_force() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        cost = rng.normal(size=(9, 4))
        assert tuple(ordered_path(cost)) == by_trying_all(cost)


def test_finds_a_planted_path_in_a_long_video() -> None:
    rng = np.random.default_rng(1)
    planted = np.sort(rng.choice(2000, size=12, replace=False))
    cost = rng.random((2000, 12))
    cost[planted, np.arange(12)] = -100.0
    assert ordered_path(cost).tolist() == planted.tolist()


def test_as_many_times_as_steps_leaves_one_answer() -> None:
    assert ordered_path(np.random.default_rng(2).random((6, 6))).tolist() == list(range(6))


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (np.zeros((2, 3)), "3 steps need at least 3 times"),
        (np.zeros(3), "expected cost"),
        (np.array([[np.nan]]), "not finite"),
        (np.array([[np.inf]]), "not finite"),
        (np.array([["a"]]), "expected cost"),
    ],
)
def test_says_what_is_wrong(cost: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ordered_path(cost)
