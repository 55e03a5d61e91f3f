"""The oracle of ordered scripts against brute force, and as part of discriminative clustering."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.solvers import Diffrac, frank_wolfe
from sayso.solvers.ordered_oracle import OrderedOracle
from sayso.solvers.ordered_path import ordered_path


def every_script(T, K, windows):
    """All times in order, with how many windows each breaks."""
    for times in itertools.combinations(range(T), K):
        yield np.array(times), sum(not a <= t < b for t, (a, b) in zip(times, windows, strict=True))


def random_windows(draws, T, K):
    first = draws.integers(0, T, K)
    return np.column_stack([first, np.minimum(T, first + draws.integers(1, 4, K))])


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1))
def test_the_oracle_is_exact_and_gives_up_the_fewest_windows(seed):
    draws = np.random.default_rng(seed)
    K = int(draws.integers(1, 5))
    T = int(draws.integers(K, 8))
    windows = random_windows(draws, T, K)
    oracle = OrderedOracle(T, K, windows)
    assert oracle.dropped.sum() == min(broken for _, broken in every_script(T, K, windows))
    cost = draws.normal(size=(T, K)).round(1)
    least = min(
        cost[times, np.arange(K)].sum() for times, broken in every_script(T, K, oracle.windows) if not broken
    )
    Z, slack = oracle(cost, np.zeros(0))
    assert np.vdot(cost, Z) == pytest.approx(least)
    assert oracle.violation(Z, slack) == 0
    assert oracle.violation(oracle.initial_labels() / 2, slack) == pytest.approx(0.5)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_ordered_path_within_windows_and_without(seed):
    draws = np.random.default_rng(seed)
    K = int(draws.integers(1, 6))
    cost = draws.integers(-3, 4, size=(int(draws.integers(K, 30)), K))  # many answers cost the same
    assert OrderedOracle(*cost.shape).times(cost).tolist() == ordered_path(cost).tolist()
    oracle = OrderedOracle(*cost.shape, random_windows(draws, *cost.shape))
    assert oracle.times(cost).tolist() == ordered_path(cost, oracle.windows).tolist()


def test_absent_steps_have_no_time():
    cost = np.array([[0.0, -9, 0], [0, -9, 0], [-1, -9, -1]])
    oracle = OrderedOracle(3, 3, present=[True, False, True])
    assert oracle.times(cost).tolist() == [0, -1, 2] or oracle.times(cost).tolist() == [1, -1, 2]
    assert oracle(cost, np.zeros(0))[0].sum(0).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, 3), "as many times"),
        ((5, 2, [[0, 1]]), "window each"),
        ((5, 2, [[0, 1], [3, 3]]), "empty"),
        ((5, 2, [[0, 1], [3, 6]]), "within the 5"),
        ((5, 2, [[-1, 1], [3, 5]]), "within the 5"),
        ((5, 2, [[0, 1], [4, 3]]), "within the 5"),
        ((5, 2, None, [True]), "window each"),
    ],
)
def test_wrong_windows_are_told(arguments, message):
    with pytest.raises(SaysoError, match=message):
        OrderedOracle(*arguments)


def test_as_many_steps_as_times_and_no_more_may_be_there():
    assert OrderedOracle(2, 2).times(np.zeros((2, 2))).tolist() == [0, 1]
    assert OrderedOracle(1, 2, present=[False, True]).times(np.zeros((1, 2))).tolist() == [-1, 0]


def test_what_ordered_labels_break_is_told():
    oracle = OrderedOracle(4, 3, [[0, 2], [1, 4], [0, 4]], [True, True, False])
    none = np.zeros(0)

    def broken(*ones):
        Z = np.zeros((4, 3))
        for t, c, share in ones:
            Z[t, c] += share
        return oracle.violation(Z, none)

    assert broken((0, 0, 1), (2, 1, 1)) == 0
    assert broken((0, 0, 0.5), (1, 0, 0.5), (2, 1, 0.5), (3, 1, 0.5)) == 0
    assert broken((0, 0, 0.75), (2, 1, 1)) == pytest.approx(0.25)  # a part of a step is nowhere
    assert broken((0, 0, 1), (2, 1, 1), (3, 2, 0.3)) == pytest.approx(0.3)  # a step that is not there
    assert broken((0, 0, 0.6), (3, 0, 0.4), (3, 1, 1)) == pytest.approx(0.4)  # outside its window
    assert broken((0, 0, 1.2), (1, 0, -0.2), (2, 1, 1)) == pytest.approx(0.2)
    assert broken((1, 0, 1), (1, 1, 1)) == 0  # at the same time: not told apart by what is soft
    assert broken((0, 0, 0.3), (1, 0, 0.7), (1, 1, 1)) == 0
    early = OrderedOracle(3, 2)
    assert early.violation(np.array([[0, 0.4], [1, 0.6], [0, 0]]), none) == pytest.approx(0.4)
    assert OrderedOracle(3, 0).violation(np.zeros((3, 0)), none) == 0
    np.testing.assert_allclose(
        oracle.initial_labels(), [[0.5, 0, 0], [0.5, 1 / 3, 0], [0, 1 / 3, 0], [0, 1 / 3, 0]]
    )


def test_clustering_reaches_the_optimum_of_the_relaxation():
    """Against projected gradient on convex combinations of all vertices, listed."""
    draws = np.random.default_rng(0)
    X = [draws.normal(size=(5, 3)) for _ in range(2)]
    oracles = [OrderedOracle(5, 2, [[0, 4], [1, 5]]) for _ in X]
    found = frank_wolfe(Diffrac(X, 0.1), oracles, tol=1e-4, max_iter=5000)
    assert found.converged
    problem = Diffrac(X, 0.1)
    vertices = [
        [oracle.labels(times) for times, broken in every_script(5, 2, oracle.windows) if not broken]
        for oracle in oracles
    ]
    best = min(problem.value(np.concatenate(pair)) for pair in itertools.product(*vertices))
    assert found.value <= best + 1e-9
    for _ in range(50):
        mixed = [np.tensordot(draws.dirichlet(np.ones(len(c))), np.array(c), 1) for c in vertices]
        assert found.value <= problem.value(np.concatenate(mixed)) + 1e-4
