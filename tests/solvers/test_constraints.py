"""What the public code's constraints ask, by the oracle and by a linear program of its own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from sayso.core.errors import SaysoError
from sayso.solvers.constraints import CountConstraint, background, bag, joint
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.linear_program import LinearRelaxation


def least_cost(cost: np.ndarray, constraints: list[CountConstraint], slack_cost: np.ndarray) -> float:
    """Solve the same linear program from its definition, with labels in the simplex and slacks."""
    N, C = cost.shape
    J = len(constraints)
    asked = np.zeros((J, N * C + J))
    for j, one in enumerate(constraints):
        for n, weight in zip(one.rows, one.row_weights, strict=True):
            asked[j, n * C + one.label] = -weight
        asked[j, N * C + j] = -1
    rows = np.zeros((N, N * C + J))
    for n in range(N):
        rows[n, n * C : (n + 1) * C] = 1
    bounds = [(0, None)] * (N * C) + [(0, one.at_least) for one in constraints]
    found = linprog(
        np.concatenate([cost.ravel(), slack_cost]),
        asked,
        [-one.at_least for one in constraints],
        rows,
        np.ones(N),
        bounds=bounds,
    )
    return float(found.fun)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shared", [False, True])
def test_constraints_of_the_public_code_have_the_cheapest_labels(seed, shared):
    rng = np.random.default_rng(seed)
    cost = rng.normal(size=(9, 3))
    persons = rng.random(3)
    constraints = [
        bag([0], 1, 3, kappa=0.5, capped=False),
        joint([2, 3, 4], persons, 2, kappa=0.5, alpha=2.0),
        background([4, 5, 6, 7] if shared else [5, 6, 7, 8], 0, 0.4, kappa=0.5, whole=False),
    ]
    slack_cost = rng.uniform(0.05, 2.0, 3)
    Z, slack = LinearOracle(9, 3, constraints)(cost, slack_cost)
    assert LinearOracle(9, 3, constraints).violation(Z, slack) < 1e-9
    found = float((cost * Z).sum() + slack_cost @ slack)
    assert found == pytest.approx(least_cost(cost, constraints, slack_cost), abs=1e-9)


def test_what_is_asked():
    assert (bag([4, 5], 1, 3).at_least, bag([4, 5], 1, 3, 1.0, capped=False).at_least) == (2, 3)
    assert background(range(7), 0, 0.4).at_least == 3
    assert background(range(5), 0, 0.4).at_least == 2
    assert background(range(10), 0, 0.3).at_least == 3  # 0.3 * 10 is a little above 3
    assert background(range(7), 0, 0.4, whole=False).row_weights.tolist() == [1] * 7
    assert background(range(7), 0, 0.4, whole=False).at_least == pytest.approx(2.8)
    assert joint([0, 1, 2], [0.9, 0.9, 0.9], 1).at_least == 1
    assert joint([0, 1, 2], [0.9, 0.9, 0.9], 1, alpha=2.0).at_least == 2
    assert joint([0, 1], [0.9, 0.2], 1, alpha=2.0).at_least == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("rows", "label"), [([0, 4], 1), ([-1, 0], 1), ([], 1), ([0, 3], 2), ([0, 3], -1), ([4], 2)]
)
def test_rows_and_classes_that_are_not_there_are_refused(rows, label):
    LinearOracle(4, 2, [CountConstraint(np.array([0, 3]), 1, 1)])
    with pytest.raises(SaysoError, match="names rows or a class outside 0 to 3 and 0 to 1"):
        LinearOracle(4, 2, [CountConstraint(np.array(rows, np.int64), label, 1)])


def test_what_is_asked_of_weights_is_forgiven_the_rounding_of_their_sum():
    halves = np.array([0.5, 0.5])
    LinearOracle(4, 2, [CountConstraint(np.array([0, 1]), 1, 1 + 1e-9, weights=halves)])
    with pytest.raises(SaysoError, match=r"asks for 1\.001 of rows that hold 1; ask for less"):
        LinearOracle(4, 2, [CountConstraint(np.array([0, 1]), 1, 1.001, weights=halves)])
    LinearOracle(4, 2, [CountConstraint(np.array([0, 1]), 1, 1.5, kappa=1.0, weights=halves)])


def test_a_constraint_that_asks_for_nothing_is_none():
    assert LinearOracle(4, 2, [CountConstraint(np.array([0, 1]), 1, 0), bag([2], 1)]).groups == [[0]]


def test_labels_that_break_something_are_told_by_how_much():
    oracle = LinearOracle(3, 2, [bag([0, 1], 1, 2, 0.5), joint([1, 2], [1.0, 0.5], 0)])
    kept = np.array([[0.0, 1], [0, 1], [1, 0]])
    for Z, slack, broken in [
        ([[0, 1], [0.75, 0.25], [1, 0]], [0.75, 0], 0),
        ([[0, 1], [0.75, 0.25], [1, 0]], [0.5, 0], 0.25),
        ([[0, 1], [0.75, 0.25], [0, 1]], [0.75, 0], 0.25),
        ([[0, 1], [0.5, 0.5], [1, 0]], [1, 0.125], 0.125),  # slack where none is allowed
        ([[0, 1.2], [1, 0], [1, 0]], [0.9, 0], 0.2),
        ([[-0.3, 1.3], [1, 0], [1, 0]], [0.9, 0], 0.3),
        ([[0, 0.9], [1, 0], [1, 0]], [1.5, 0], 0.1),
        ([[0, 1], [1, 0], [1, 0]], [-0.25, 0], 1.25),
    ]:
        assert oracle.violation(np.array(Z, float), np.array(slack, float)) == pytest.approx(broken)
    assert oracle.slack(kept).tolist() == [0, 0.5]
    assert LinearOracle(2, 2).violation(np.eye(2), np.zeros(0)) == 0
    assert LinearOracle(2, 2).violation(np.eye(2) * -1, np.zeros(0)) == 2


def test_the_first_labels_are_drawn_to_what_is_asked():
    Z = LinearOracle(3, 2, [bag([0, 1], 1, 2, 0.5), bag([1, 2], 1)]).initial_labels()
    np.testing.assert_allclose(Z, [[0.25, 0.75], [1 / 6, 5 / 6], [0.25, 0.75]])


@pytest.mark.parametrize(
    ("constraints", "programmed"),
    [
        ([bag([0, 1], 1)], []),
        ([joint([0, 1], [0.5, 0.7], 1)], []),
        ([bag([0, 1], 1), bag([1, 2], 0)], []),
        ([bag([0, 1], 1), bag([1, 2], 1)], [0, 1]),
        ([bag([0, 1], 1), joint([1, 2], [0.5, 0.7], 2)], [0, 1]),
        ([bag([0, 1], 1), bag([2, 3], 1), bag([3, 4], 1)], [1, 2]),
        ([joint([0, 1], [0.5, 0.7], 2), bag([2, 3], 1), bag([3, 4], 2)], []),
    ],
)
@pytest.mark.parametrize("warm", [False, True])
def test_a_program_is_solved_only_where_it_must_or_is_the_fastest(monkeypatch, constraints, programmed, warm):
    monkeypatch.setattr("sayso.solvers.linear_oracle.warm_start_possible", lambda: warm)
    oracle = LinearOracle(5, 3, constraints)
    shared = [j for group in oracle.groups if len(group) > 1 for j in group]
    assert sorted(oracle._programmed) == (shared if warm else programmed)
    assert sorted(j for group in oracle._combinatorial for j in group) == sorted(
        set(range(len(constraints))) - set(oracle._programmed)
    )


def test_of_a_label_and_slack_that_cost_the_same_the_label_is_taken():
    cost = np.array([[0.0, 0.5], [0.0, 0.25]])
    for slack_cost, taken in ((0.5, [1, 1]), (0.25, [0, 1]), (0.1, [0, 0])):
        Z, slack = LinearOracle(2, 2, [bag([0, 1], 1, 2, 1.0)])(cost, np.array([slack_cost]))
        assert Z[:, 1].tolist() == taken and slack.tolist() == [2 - sum(taken)]


def test_rows_that_count_nothing_are_left_alone_and_parts_are_taken_of_those_that_count_much():
    oracle = LinearOracle(3, 2, [joint([0, 1, 2], [0.0, 0.5, 0.9], 1, kappa=1.0, alpha=0.95)])
    Z, slack = oracle(np.array([[0.0, 0.0], [0.0, 0.5], [0.0, 0.1]]), np.array([9.0]))
    np.testing.assert_allclose(Z[:, 1], [0, 0.1, 1])
    assert Z.sum(1).tolist() == [1, 1, 1] and slack.tolist() == [0]
    Z, slack = oracle(np.array([[0.0, 0.0], [0.0, 0.5], [0.0, 0.1]]), np.array([0.5]))
    assert Z[:, 1].tolist() == [0, 0, 1] and slack[0] == pytest.approx(0.05)


def test_more_than_one_label_a_row_by_rounding_is_scaled_down():
    program = LinearRelaxation([bag([0, 1], 1, 1, 1.0), bag([1, 2], 0, 2, 1.0)], 3)
    pairs = list(zip(program.rows.tolist(), program.labels.tolist(), strict=True))
    assert pairs == [(0, 1), (1, 0), (1, 1), (2, 0)]
    program._solve = lambda costs, most: np.array([0.5, 0.75, 0.75, 0.25])
    Z = np.eye(3)[[2, 2, 2]]
    slack = program(np.zeros((3, 3)), np.array([1.0, 1.0]), Z)
    np.testing.assert_allclose(Z, [[0, 0.5, 0.5], [0.5, 0.5, 0], [0.25, 0, 0.75]])
    np.testing.assert_allclose(slack, [0, 1.25])


def test_more_rows_than_there_are_need_slack():
    with pytest.raises(SaysoError, match="asks for 3 of rows that hold 2"):
        LinearOracle(4, 2, [bag([0, 1], 1, 3, capped=False)])
    Z, slack = LinearOracle(4, 2, [bag([0, 1], 1, 3, 1.0, capped=False)])(np.zeros((4, 2)), np.array([0.3]))
    assert slack.tolist() == [1.0] and Z[:2, 1].tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_small_bags_that_share_rows_are_solved_without_highs_too(seed, monkeypatch):
    monkeypatch.setattr("sayso.solvers.linear_oracle.warm_start_possible", lambda: False)
    rng = np.random.default_rng(seed)
    cost, slack_cost = rng.normal(size=(4, 3)), rng.uniform(0.05, 2.0, 2)
    constraints = [bag([0, 1], 1, 3, 0.5, capped=False), bag([1, 2], 2, 3, 0.5, capped=False)]
    Z, slack = LinearOracle(4, 3, constraints)(cost, slack_cost)
    found = float((cost * Z).sum() + slack_cost @ slack)
    assert found == pytest.approx(least_cost(cost, constraints, slack_cost), abs=1e-9)
