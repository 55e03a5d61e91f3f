from __future__ import annotations

import numpy as np
import pytest

from sayso.solvers import Diffrac, LinearOracle, quasi_newton
from sayso.solvers import calibration as module
from sayso.solvers.calibration import (
    _required_share,
    calibrate,
    candidate_classes,
    estimate_share,
    log_densities,
    raise_bag_counts,
    whitened,
)
from sayso.solvers.constraints import background, bag, joint
from sayso.solvers.rounding import round_solution

N, K, BAG = 400, 3, 10


def film(seed=0, share=0.3, distance=6.0):
    """Return features, the truth and an oracle: bags of which a share holds the class they name."""
    r = np.random.default_rng(seed)
    truth, constraints = np.zeros(N, dtype=int), []
    for start in range(0, 20 * BAG, BAG):
        label = int(r.integers(1, K))
        truth[start : start + int(share * BAG)] = label
        constraints.append(bag(range(start, start + BAG), label, 2, 1e-2))
    constraints.append(background(range(20 * BAG, N), 0, 0.9))
    means = np.zeros((K, 5))
    means[1, 0] = means[2, 1] = distance
    return means[truth] + r.normal(size=(N, 5)), truth, LinearOracle(N, K, constraints)


@pytest.mark.parametrize("bias", [None, 10.0])
def test_a_row_is_foretold_by_the_other_rows(bias):
    """By loops over rows and classes, where a row of weight w counts as w rows."""
    X, truth, _ = film()
    X, truth = X[:230], truth[:230]
    labels, weights = np.eye(K)[truth], np.random.default_rng(1).integers(1, 4, len(X))
    logs = log_densities(Diffrac([X[:150], X[150:]], 1e-9, bias=bias, weights=weights), labels)
    again, kinds = np.repeat(X, weights, 0), np.repeat(truth, weights)
    spread = np.cov((again - np.array([again[kinds == k].mean(0) for k in range(K)])[kinds]).T, bias=True)
    expected = np.zeros_like(logs)
    for n, k in np.ndindex(*expected.shape):
        others = np.setdiff1d(np.flatnonzero(truth == k), [n])
        c = weights[others].sum()
        away = X[n] - np.average(X[others], axis=0, weights=weights[others])
        wide = spread * (1 + 1 / c)
        expected[n, k] = -(away @ np.linalg.solve(wide, away) + np.linalg.slogdet(wide)[1]) / 2
    np.testing.assert_allclose(logs - logs[:, :1], expected - expected[:, :1], atol=1e-4)


def test_densities_are_those_of_gaussians_where_the_means_are_held_to_be_right():
    X, truth, _ = film()
    logs = log_densities(Diffrac([X[:150], X[150:]], 1e-9), np.eye(K)[truth], leave_one_out=False)
    means = np.array([X[truth == k].mean(0) for k in range(K)])
    away = X[:, None] - means
    inverse = np.linalg.inv(np.cov((X - means[truth]).T, bias=True))
    expected = -np.einsum("nkd,de,nke->nk", away, inverse, away) / 2
    np.testing.assert_allclose(logs - logs[:, :1], expected - expected[:, :1], atol=1e-4)


def test_the_share_is_not_below_what_is_asked():
    logs, may = np.array([[0.0, -9.0], [0.0, -9.0]]), np.ones((2, 2), dtype=bool)
    assert estimate_share(logs, may)[1] < 0.01 and estimate_share(logs, may, least=0.25)[1] == 0.25
    X, _, oracle = film(distance=0.5)
    problem = Diffrac(X, 1e-3)
    assert calibrate(problem, [oracle], quasi_newton(problem, [oracle], tol=1e-3)).share >= 2 / BAG


def test_soft_labels_and_a_class_without_rows_are_no_trouble():
    X, truth, _ = film()
    labels = 0.9 * np.eye(K + 1)[truth] + 0.1 * np.eye(K + 1)[np.roll(truth, 1)]
    logs = log_densities(Diffrac(X, 1e-3), labels)
    assert np.isfinite(logs).all() and (logs[:, :K].argmax(1) == truth).mean() > 0.95


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_the_share_of_bags_is_found_and_asked_for(share):
    X, truth, oracle = film(share=share)
    problem = Diffrac(X, 1e-3)
    first = calibrate(problem, [oracle], quasi_newton(problem, [oracle], tol=1e-4))
    more = raise_bag_counts(oracle, first.share)
    second = calibrate(problem, [more], quasi_newton(problem, [more], tol=1e-4))
    assert second.share == pytest.approx(share, abs=0.05)
    assert (second.probabilities.argmax(1) == truth).mean() > 0.98
    np.testing.assert_allclose(second.probabilities.sum(1), 1)
    assert {d.at_least for d in more.constraints[:-1]} == {max(2, int(first.share * BAG))}
    assert more.constraints[-1].at_least == oracle.constraints[-1].at_least


def test_a_row_of_a_bag_is_what_its_bags_name_or_background():
    X, _, oracle = film(distance=0.5)
    problem = Diffrac(X, 1e-3)
    found = calibrate(problem, [oracle], quasi_newton(problem, [oracle], tol=1e-3)).probabilities
    for constraint in oracle.constraints[:-1]:
        other = 3 - constraint.label
        assert (found[constraint.rows, other] == 0).all()
    assert (found[20 * BAG :] > 0).all()
    assert (
        not candidate_classes(oracle)[:, 0].any() and candidate_classes(oracle)[: 20 * BAG].sum() == 20 * BAG
    )


def test_without_background_each_row_of_a_bag_is_named_and_fixed_demands_stay():
    X, _, oracle = film()
    problem = Diffrac(X, 1e-3)
    found = calibrate(problem, [oracle], quasi_newton(problem, [oracle], tol=1e-3), background=None)
    assert found.share == 1 and (found.probabilities[: 20 * BAG].max(1) > 0.999).all()
    fixed = LinearOracle(N, K, [joint(range(5), np.ones(5), 1, 1.0), bag([7], 2)])
    assert [d.at_least for d in raise_bag_counts(fixed, 0.9).constraints] == [1, 1]


def test_without_bags_all_rows_are_open():
    X, _, _ = film()
    problem, oracle = Diffrac(X, 1e-3), LinearOracle(N, K)
    found = calibrate(problem, [oracle], quasi_newton(problem, [oracle], tol=1e-3))
    assert np.isnan(found.share) and (found.probabilities > 0).all()


@pytest.mark.parametrize("bags", [False, True])
@pytest.mark.parametrize("rest", [0, None])
def test_means_are_taken_three_times_the_first_as_they_are(bags, rest):
    """Written out from the steps, whose parts are tested above."""
    X, _, oracle = film(distance=2.0)
    oracle = oracle if bags else LinearOracle(N, K)
    weights = np.random.default_rng(0).uniform(0.5, 2, N)
    problem = Diffrac(X, 1e-3, weights=weights)
    solution = quasi_newton(problem, [oracle], tol=1e-3)
    labels, share = np.eye(K)[round_solution(solution, [oracle])], None
    named = candidate_classes(oracle, rest)
    held = named.any(1)
    for turn in range(3):
        odds = np.exp(log_densities(problem, labels, leave_one_out=turn > 0))
        odds *= [weights @ labels[:, k] + 1 for k in range(K)]
        logs = log_densities(problem, labels, leave_one_out=turn > 0)
        labels = odds / odds.sum(1, keepdims=True)
        if held.any():
            may = named[held] | (np.arange(K) == (-1 if rest is None else rest))
            least = sum(c.at_least for c in oracle.constraints[:-1]) / (20 * BAG)
            if rest is None:
                least = 0.0
            labels[held], share = estimate_share(logs[held], may, rest, least)
    found = calibrate(problem, [oracle], solution, background=rest)
    np.testing.assert_allclose(found.probabilities, labels, atol=1e-10)
    assert np.isnan(found.share) if share is None else found.share == pytest.approx(share)


def test_what_constraints_require_of_their_rows():
    one = LinearOracle(9, 3, [bag(range(4), 1, 2), background(range(4, 9), 0, 0.8)])
    two = LinearOracle(9, 3, [joint(range(6), np.ones(6), 2, alpha=3.0)])
    assert _required_share([one, two], 0) == 5 / 10
    assert _required_share([one, two], None) == 9 / 15
    assert _required_share([LinearOracle(9, 3)], 0) == 0
    assert _required_share([LinearOracle(9, 3, [bag(range(2), 1, 3, 1.0, capped=False)])], 0) == 1


def test_counts_of_bags_alone_are_raised_and_never_lowered():
    constraints = [
        bag(range(5), 1, 1, 1.0),
        bag(range(5), 2, 4, 1.0),
        background(range(5), 0, 0.2, 1.0),
        bag(range(4), 1, 1),
        joint(range(5), np.ones(5), 1, 1.0),
    ]
    oracle = LinearOracle(6, 3, constraints)
    assert [c.at_least for c in raise_bag_counts(oracle, 0.7).constraints] == [3, 4, 1, 1, 1]
    assert [c.at_least for c in raise_bag_counts(oracle, 0.7, None).constraints] == [3, 4, 3, 1, 1]


def test_the_share_is_the_likeliest_and_starts_at_a_half_or_at_what_is_asked(monkeypatch):
    r = np.random.default_rng(0)
    logs, may = r.normal(size=(60, 3)) * 2, np.ones((60, 3), dtype=bool)
    may[:30, 1] = may[30:, 2] = False
    shares = np.linspace(0.001, 0.999, 999)
    odds = np.where(may, np.exp(logs), 0)
    likelihood = [np.log((1 - s) * odds[:, 0] + s * odds[:, 1:].sum(1)).sum() for s in shares]
    calls, softmax = [], module._softmax
    monkeypatch.setattr(module, "_softmax", lambda logs: calls.append(logs) or softmax(logs))
    probabilities, share = estimate_share(logs, may)
    assert share == pytest.approx(shares[np.argmax(likelihood)], abs=1e-3)
    assert 3 < len(calls) < 100 and (probabilities[~may] == 0).all()
    assert probabilities[:, 1:].sum() / 60 == pytest.approx(share, abs=1e-5)
    for more in (1000, -1000):  # densities are known up to a constant of the row
        np.testing.assert_allclose(estimate_share(logs + more, may)[0], probabilities, atol=1e-9)
    for least, start in ((0.0, 0.5), (0.4, 0.5), (0.8, 0.8)):
        calls.clear()
        estimate_share(np.zeros((4, 2)), np.ones((4, 2), dtype=bool), 0, least)
        np.testing.assert_allclose(np.exp(calls[0]), [[1 - start, start]] * 4)
    sure = np.array([[0.0, 90.0]] * 3)
    assert estimate_share(sure, np.ones((3, 2), dtype=bool))[1] == pytest.approx(1 - 1e-6, abs=1e-9)
    assert estimate_share(-sure, np.ones((3, 2), dtype=bool))[1] == pytest.approx(1e-6, abs=1e-6)


def test_whitened_features_have_unit_covariance_within_the_classes():
    X, truth, _ = film()
    labels = np.eye(K)[truth]
    white = whitened(Diffrac([X[:150], X[150:]], 1e-9), labels)
    within = white - (labels.T @ white / labels.sum(0)[:, None])[truth]
    np.testing.assert_allclose(within.T @ within / len(X), np.eye(5), atol=1e-6)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-9)


def test_bags_that_are_required_whole_warn_of_nothing():
    with np.errstate(all="raise"):
        found, share = estimate_share(np.zeros((2, 2)), np.ones((2, 2), dtype=bool), least=1.0)
    assert share == pytest.approx(1, abs=1e-5) and (found[:, 1] > 0.999).all()
