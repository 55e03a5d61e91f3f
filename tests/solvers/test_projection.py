from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.solvers.constraints import CountConstraint, background, bag, joint
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.projection import Projection, project_simplex

ROWS, CLASSES, TOTAL = 12, 4, 20.0


def constraints(r, kind):
    if kind == "apart":
        return [bag(range(5), 1, 2, 1.0), background(range(5, ROWS), 0, 0.4)]
    several = []
    for label in range(4):
        rows, kappa = r.choice(ROWS, 6, replace=False), [None, 1.0][r.integers(2)]
        if kind == "joint":
            several.append(joint(rows, r.random(6), int(r.integers(CLASSES)), kappa))
        else:
            several.append(bag(rows, label, 2, kappa))
    return several


def by_a_general_solver(oracle, weights, U):
    cvxpy = pytest.importorskip("cvxpy")
    Z = cvxpy.Variable(U.shape)
    cost = cvxpy.sum_squares(cvxpy.multiply(np.sqrt(weights / TOTAL)[:, None] * np.ones(U.shape), Z - U))
    kept = [Z >= 0, cvxpy.sum(Z, axis=1) == 1]
    for d in oracle.constraints:
        held = (1 if d.weights is None else d.weights) * np.ones(len(d.rows)) @ Z[d.rows, d.label]
        if d.kappa is None:
            kept.append(held >= d.at_least)
        else:
            cost += d.kappa * cvxpy.square(cvxpy.pos(d.at_least - held))
    cvxpy.Problem(cvxpy.Minimize(cost), kept).solve(solver="CLARABEL")
    return Z.value


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_projected_rows_beat_every_other_point_of_the_simplex(seed):
    r = np.random.default_rng(seed)
    U = r.normal(size=(5, 4)) * 10.0 ** r.integers(-2, 3)
    Z = project_simplex(U)
    assert Z.min() >= 0 and np.allclose(Z.sum(1), 1)
    # the projection z onto a convex set is where (u - z) . (v - z) <= 0 for all vertices v
    for vertex in np.eye(4):
        assert (((U - Z) * (vertex - Z)).sum(1) <= 1e-9 * max(1, abs(U).max())).all()


@pytest.mark.parametrize("kind", ["apart", "several", "joint"])
def test_the_projection_is_that_of_a_general_solver(kind):
    compared = 0
    for seed in range(12):
        r = np.random.default_rng(seed)
        oracle = LinearOracle(ROWS, CLASSES, constraints(r, kind))
        U, weights = r.normal(size=(ROWS, CLASSES)), r.uniform(0.5, 2, ROWS)
        best = by_a_general_solver(oracle, weights, U)
        projection = Projection(oracle, weights, TOTAL)
        if best is None:
            with pytest.raises(SaysoError, match="contradict"):
                projection(U)
            continue
        compared += 1
        Z = projection(U)
        np.testing.assert_allclose(Z, best, atol=2e-4)
        assert oracle.violation(Z, oracle.slack(Z) * ~oracle.hard) < 1e-8
        np.testing.assert_allclose(projection(U), Z, atol=1e-8, err_msg="again, from the dual variables kept")
    assert compared > 6


def test_dual_variables_kept_from_other_scores_do_not_matter():
    r = np.random.default_rng(3)
    oracle = LinearOracle(ROWS, CLASSES, constraints(r, "several"))
    used, weights = Projection(oracle, np.ones(ROWS), TOTAL), np.ones(ROWS)
    for scale in (100.0, 1.0, 0.01):
        U = r.normal(size=(ROWS, CLASSES)) * scale
        np.testing.assert_allclose(used(U), Projection(oracle, weights, TOTAL)(U), atol=1e-7)


def test_slack_that_costs_nothing_asks_for_nothing():
    oracle = LinearOracle(ROWS, CLASSES, [bag(range(5), 1, 2, 1e-12)])
    U = np.random.default_rng(0).normal(size=(ROWS, CLASSES))
    np.testing.assert_allclose(Projection(oracle, np.ones(ROWS), TOTAL)(U), project_simplex(U), atol=1e-6)


def test_rows_that_all_must_hold_a_class_hold_it():
    oracle = LinearOracle(ROWS, CLASSES, [bag(range(3), 1, 3), CountConstraint(np.arange(2, 5), 1, 2)])
    Z = Projection(oracle, np.ones(ROWS), TOTAL)(np.random.default_rng(0).normal(size=(ROWS, CLASSES)) * 50)
    np.testing.assert_allclose(Z[:3, 1], 1, atol=1e-8)
