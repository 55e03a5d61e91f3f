"""Rows for constraints that compete for them, against all ways to give them out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.solvers.constraints import bag
from sayso.solvers.linear_program import LinearRelaxation
from sayso.solvers.transport import successive_shortest_paths


def by_trying_all(extra, required, slack_cost):
    """The least cost of rows and slack; infinity where too few rows are free."""
    N, J = extra.shape
    least = np.inf
    for way in itertools.product(range(-1, J), repeat=N):
        missing = [max(0, required[j] - way.count(j)) for j in range(J)]
        slack = sum(slack_cost[j] * m for j, m in enumerate(missing) if m)
        least = min(least, slack + sum(extra[n, j] for n, j in enumerate(way) if j >= 0))
    return least


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_no_other_way_is_cheaper(seed, whole):
    """Whole numbers have many ways that cost the same, and exchanges that cost nothing."""
    r = np.random.default_rng(seed)
    N, J = int(r.integers(1, 6)), int(r.integers(1, 4))
    extra = r.integers(0, 3, (N, J)).astype(float) if whole else r.random((N, J)) * 10.0 ** r.integers(-3, 4)
    extra[r.random((N, J)) < 0.25] = np.inf
    required = r.integers(0, 3, J)
    slack_cost = np.where(r.random(J) < 0.3, np.inf, r.integers(0, 4, J) / (1 if whole else 2))
    least = by_trying_all(extra, required.tolist(), slack_cost)
    if not np.isfinite(least):
        with pytest.raises(SaysoError, match="contradict each other"):
            successive_shortest_paths(extra, required, slack_cost)
        return
    owner, slack = successive_shortest_paths(extra, required, slack_cost)
    served = np.bincount(owner[owner >= 0], minlength=J)
    assert (served + slack >= required).all() and (slack >= 0).all()
    taken = np.flatnonzero(owner >= 0)
    paid = extra[taken, owner[taken]].sum() + sum(c * s for c, s in zip(slack_cost, slack, strict=True) if s)
    assert paid == pytest.approx(least)


def test_of_a_row_and_slack_that_cost_the_same_the_row_is_taken():
    extra = np.array([[0.5, np.inf], [np.inf, 0.25]])
    owner, slack = successive_shortest_paths(extra, np.array([1, 1]), np.array([0.5, 0.25]))
    assert owner.tolist() == [0, 1] and slack.tolist() == [0, 0]


def test_a_program_is_run_once_and_once_more_from_nothing_where_it_fails():
    pytest.importorskip("highspy")
    program = LinearRelaxation([bag([0, 1], 1, 2), bag([1, 2], 1, 2), bag([2], 2)], 3)
    r, hard = np.random.default_rng(0), np.full(3, np.inf)

    class Counted:
        def __init__(self, inner):
            self.inner, self.calls = inner, []

        def __getattr__(self, name):
            self.calls.append(name)
            return getattr(self.inner, name)

    Z = np.eye(3)[[0, 0, 0]]
    with pytest.raises(SaysoError, match="contradict"):
        program(r.random((3, 3)), hard, Z)
    highs = program._kept._highs = Counted(program._kept._highs)
    with pytest.raises(SaysoError, match="contradict"):
        program(r.random((3, 3)), hard, Z)
    assert highs.calls.count("run") == 2 and highs.calls.count("clearSolver") == 1
    assert "changeColsBounds" not in highs.calls, "they are as they were"
    highs.calls.clear()
    program(r.random((3, 3)), np.array([np.inf, np.inf, 1.0]), Z)
    assert highs.calls.count("run") == 1 and highs.calls.count("changeColsBounds") == 1
    np.testing.assert_allclose(Z, np.eye(3)[[1, 1, 1]], atol=1e-9)
