"""Bags read whole: planted films come back, the share is found, and nothing hangs on numbers or order."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.solvers import Diffrac, LinearOracle, quasi_newton
from sayso.solvers.bag_reading import SHARES, _simplest, read_bags
from sayso.solvers.calibration import calibrate
from sayso.solvers.constraints import background, bag

N, K, BAG = 500, 4, 10


def film(each, distance=4.0, seed=0):
    """Return features, truth and constraints: so many of each bag hold the class that it names."""
    r = np.random.default_rng(seed)
    truth, constraints = np.zeros(N, dtype=int), []
    for k, start in enumerate(range(0, 30 * BAG, BAG)):
        truth[r.choice(np.arange(start, start + BAG), each, replace=False)] = 1 + k % (K - 1)
        constraints.append(bag(range(start, start + BAG), 1 + k % (K - 1), 2, 1e-2))
    constraints.append(background(range(30 * BAG, N), 0, 0.9))
    means = r.normal(size=(K, 12))
    means *= distance / np.sqrt(2) / np.linalg.norm(means, axis=1, keepdims=True)
    return means[truth] + r.normal(size=(N, 12)), truth, constraints


def read(X, constraints, none=0, seed=0):
    problem, oracle = Diffrac(X, 1e-3), LinearOracle(N, K, constraints)
    solution = quasi_newton(problem, [oracle], tol=1e-3)
    return read_bags(problem, [oracle], solution, none, seed=seed), calibrate(
        problem, [oracle], solution, none
    )


@pytest.mark.parametrize(("each", "share"), [(2, 0.0), (5, 0.5), (7, 0.75), (9, 0.9)])
def test_planted_classes_come_back_and_so_does_their_share(each, share):
    X, truth, constraints = film(each)
    found, once = read(X, constraints)
    assert found.share == share
    assert len(found.log_likelihoods) == len(SHARES)
    inside = slice(0, 30 * BAG)
    right = (found.probabilities.argmax(1) == truth)[inside].mean()
    assert right > 0.9 and right >= (once.probabilities.argmax(1) == truth)[inside].mean() - 0.01
    np.testing.assert_allclose(found.probabilities.sum(1), 1)
    assert (found.probabilities[30 * BAG :].argmax(1) == 0).mean() > 0.9
    for constraint in constraints[:-1]:
        allowed = [0, constraint.label]
        np.testing.assert_allclose(found.probabilities[constraint.rows][:, allowed].sum(1), 1)


def test_the_same_seed_draws_the_same_and_another_nearly_so():
    X, _, constraints = film(5, distance=3.0)
    one, again, other = (read(X, constraints, seed=s)[0].probabilities for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert 0 < np.abs(one - other).mean() < 0.03


def test_the_background_may_be_any_class():
    X, _, constraints = film(5)
    turned = [
        background(range(30 * BAG, N), K - 1, 0.9) if c.label == 0 else bag(c.rows, c.label - 1, 2, 1e-2)
        for c in constraints
    ]
    plain, moved = read(X, constraints)[0], read(X, turned, K - 1)[0]
    np.testing.assert_allclose(np.roll(moved.probabilities, 1, axis=1), plain.probabilities, atol=0.05)


def test_without_bags_there_is_nothing_to_read():
    X, _, _ = film(2)
    found, once = read(X, [])
    np.testing.assert_array_equal(found.probabilities, once.probabilities)
    assert found.log_likelihoods == ()


def test_the_first_share_is_taken_that_is_not_surely_worse_than_another():
    noise = np.random.default_rng(0).normal(0, 1, 40)
    alike = np.array([np.zeros(40), noise - noise.mean() + 0.05, np.full(40, -3.0)])
    assert _simplest(alike, 0) == 0
    assert _simplest(alike + np.array([[0], [1], [4]]), 0) == 1
    assert _simplest(alike + np.array([[0], [0], [9]]), 0) == 2
    assert _simplest(alike[::-1], 0) == 1
