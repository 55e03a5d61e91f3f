"""What the public code's constraints ask, by the oracle and by a linear program of its own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from sayso.core.errors import SaysoError
from sayso.solvers.constraints import CountConstraint, background, bag, joint
from sayso.solvers.linear_oracle import LinearOracle


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
