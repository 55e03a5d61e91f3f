from __future__ import annotations

import importlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.solvers import Diffrac, block_frank_wolfe, frank_wolfe, linear_oracle, linear_program, quasi_newton
from sayso.solvers.constraints import CountConstraint, background, bag, joint
from sayso.solvers.iterate import Solution
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.qp_reference import solve_qp
from sayso.solvers.rounding import round_rows, round_solution


def closed_form(X, lambda_, Z):
    N = len(X)
    C = np.eye(N) - 1 / N
    A = C @ (np.eye(N) - X @ np.linalg.solve(X.T @ C @ X + N * lambda_ * np.eye(X.shape[1]), X.T)) @ C / N
    # with A = 1/N C (I - X (X'CX + N lambda_ I)^-1 X') C, as the papers write it
    return float(np.trace(Z @ Z.T @ A))


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_value_and_gradient_equal_the_closed_form(seed):
    r = np.random.default_rng(seed)
    X, Z, lambda_ = r.normal(size=(9, 3)) + 1, r.random((9, 4)), 0.1
    problem = Diffrac([X[:4], X[4:]], lambda_)
    assert problem.value(Z) == pytest.approx(closed_form(X, lambda_, Z), abs=1e-12)
    way = r.normal(size=Z.shape)
    slope = (problem.value(Z + 1e-4 * way) - problem.value(Z - 1e-4 * way)) / 2e-4
    assert np.vdot(problem.gradient(Z), way) == pytest.approx(slope, abs=1e-8)


def test_weights_count_as_repeated_rows_and_files_as_arrays(tmp_path):
    r = np.random.default_rng(0)
    X, Z, times = r.normal(size=(6, 2)), r.random((6, 3)), np.array([1, 2, 1, 3, 1, 1])
    again = Diffrac(np.repeat(X, times, 0), 0.1).value(np.repeat(Z, times, 0))
    assert Diffrac(X, 0.1, weights=times).value(Z) == pytest.approx(again, abs=1e-12)
    np.save(tmp_path / "x.npy", X)
    assert Diffrac([tmp_path / "x.npy"], 0.1, bias=5.0).value(Z) == Diffrac(X, 0.1, bias=5.0).value(Z)


def program(oracle, cost, slack_cost):
    """Return the optimum of the oracle's linear program by HiGHS."""
    from scipy.optimize import linprog

    N, K, J = oracle.rows, oracle.classes, len(oracle.constraints)
    A, simplex = np.zeros((J, N * K + J)), np.zeros((N, N * K + J))
    for j, d in enumerate(oracle.constraints):
        A[j, d.rows * K + d.label] = -1 if d.weights is None else -d.weights
        A[j, N * K + j] = -1
    for n in range(N):
        simplex[n, n * K : (n + 1) * K] = 1
    limits = [(0, 1)] * (N * K) + [(0, 0 if d.kappa is None else d.at_least) for d in oracle.constraints]
    wanted = [-d.at_least for d in oracle.constraints]
    return linprog(np.r_[cost.ravel(), slack_cost], A, wanted, simplex, np.ones(N), limits, method="highs")


def some_demands(r, N, K, kind):
    if kind == "one":
        return [bag(range(5), 1, 2, 1.0), background(range(5, N), 0, 0.4)]
    constraints = []
    for _ in range(4):
        rows = r.choice(N, 6, replace=False)
        kappa = [None, 1.0][r.integers(2)]
        if kind == "joint":
            constraints.append(joint(rows, r.random(6), int(r.integers(K)), kappa))
        else:
            constraints.append(bag(rows, int(r.integers(K)) if kind == "any" else len(constraints), 2, kappa))
    return constraints


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("kind", ["one", "several", "any", "joint"])
def test_each_oracle_is_as_cheap_as_the_linear_program(kind, warm, monkeypatch):
    if warm:
        pytest.importorskip("highspy")
    monkeypatch.setattr(linear_oracle, "warm_start_possible", lambda: warm)
    monkeypatch.setattr(linear_program, "warm_start_possible", lambda: warm)
    for seed in range(20):
        r = np.random.default_rng(seed)
        oracle = LinearOracle(12, 4, some_demands(r, 12, 4, kind))
        for size in (1.0, 1.0, 1e-3):  # of one oracle, so that later ones start from the answers before
            cost, slack_cost = size * r.normal(size=(12, 4)), size * r.random(len(oracle.constraints))
            best = program(oracle, cost / size, slack_cost / size)
            if not best.success:
                with pytest.raises(SaysoError, match="contradict"):
                    oracle(cost, slack_cost)
                continue
            Z, slack = oracle(cost, slack_cost)
            assert oracle.violation(Z, slack) < 1e-9
            assert np.vdot(cost, Z) + slack_cost @ slack == pytest.approx(size * best.fun, abs=1e-8 * size)


def test_labels_that_cost_next_to_nothing_do_not_upset_the_linear_program():
    oracle = LinearOracle(4, 3, [bag(range(3), 1, 2, 1.0), bag(range(1, 4), 1, 2, 1.0)])
    Z, slack = oracle(np.full((4, 3), 1e-18), np.array([1.0, 1.0]))
    assert slack.tolist() == [0, 0] and oracle.violation(Z, slack) < 1e-9


def small(seed):
    """Return a problem and its oracles: faces, actions or joint, with slack and background."""
    r = np.random.default_rng(seed)
    blocks, kappa = [r.normal(size=(8, 3)) for _ in range(2)], [None, 0.01, 1.0][seed // 3 % 3]
    kinds = [
        lambda: [bag(range(4), 1, 2, kappa), bag(range(2, 6), 2, 1, kappa)],
        lambda: [bag(range(3), 1, 2, kappa), background(range(3, 8), 0, 0.4)],
        lambda: [joint(range(4), r.random(4), 1, kappa), joint(range(4, 7), r.random(3), 2, kappa)],
    ]
    return Diffrac(blocks, 0.1), [LinearOracle(8, 3, kinds[seed % 3]()) for _ in blocks]


def check_against_the_exact_solver(seeds):
    for seed in seeds:
        problem, oracles = small(seed)
        _, best = solve_qp(problem, oracles)

        def callback(state, step, gap, best=best):
            assert state.value() - best <= gap + 1e-7
            parts = zip(state.oracles, state.problem.slices, state.slack, strict=True)
            assert max(o.violation(state.Z[rows], s) for o, rows, s in parts) < 1e-8

        for found in (
            frank_wolfe(problem, oracles, tol=1e-2, callback=callback),
            frank_wolfe(problem, oracles, pairwise=True, tol=9e-5, max_iter=3000, callback=callback),
            block_frank_wolfe(problem, oracles, tol=9e-5, max_iter=5000, check_every=1, callback=callback),
            block_frank_wolfe(
                problem, oracles, tol=1e-2, steps="vertex", max_iter=5000, check_every=25, callback=callback
            ),
            quasi_newton(problem, oracles, tol=9e-5, max_iter=500, check_every=1, callback=callback),
        ):
            assert found.converged and found.gap < 1.01e-2, seed
            assert -1e-6 < found.value - best <= found.gap + 1e-6, seed


def test_all_solvers_reach_the_exact_optimum():
    check_against_the_exact_solver(range(3))


@pytest.mark.slow
def test_all_solvers_reach_the_exact_optimum_of_200_problems():
    check_against_the_exact_solver(range(200))


def test_solving_goes_on_after_an_interrupt_as_if_it_had_not_stopped(tmp_path):
    problem, oracles = small(4)
    whole = block_frank_wolfe(problem, oracles, tol=0, max_iter=20)

    def interrupt(state, done, gap):
        if done == 10:
            raise KeyboardInterrupt

    file = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        block_frank_wolfe(problem, oracles, tol=0, max_iter=20, checkpoint=file, callback=interrupt)
    again = block_frank_wolfe(problem, oracles, tol=0, max_iter=20, checkpoint=file)
    np.testing.assert_allclose(again.Z, whole.Z, atol=1e-12)
    with pytest.raises(SaysoError, match="another problem"):
        block_frank_wolfe(*small(0)[:1], [LinearOracle(8, 3)] * 2, checkpoint=file)


def test_rounding_keeps_the_demands():
    problem, oracles = small(0)
    found = frank_wolfe(problem, oracles, tol=1e-3)
    labels = round_solution(found, oracles)
    assert (labels[:4] == 1).sum() >= 2 and (labels[8:12] == 1).sum() >= 2
    assert round_rows([[0.2, 0.8]]).tolist() == [1]


@pytest.mark.parametrize("kappa", [1e-3, 1.0])
def test_rounded_labels_are_the_best_by_trying_all(kappa):
    r = np.random.default_rng(1)
    oracles = [LinearOracle(5, 3, [bag(range(3), 1, 2, kappa), bag(range(2, 5), 2, 1, kappa)])]
    problem = Diffrac(r.normal(size=(5, 2)), 0.1, weights=r.uniform(0.5, 2, 5))
    found = quasi_newton(problem, oracles, tol=1e-6)

    def cost(labels):
        Z = np.eye(3)[list(labels)]
        fit = problem.weights / problem.total @ np.square(Z - found.scores).sum(1)
        return fit + 2 * kappa * found.slack[0] @ oracles[0].slack(Z)

    best = min(itertools.product(range(3), repeat=5), key=cost)
    assert round_solution(found, oracles).tolist() == list(best)


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        (CountConstraint(np.array([9]), 0, 1), "outside"),
        (CountConstraint(np.array([0, 0]), 0, 1), "twice"),
        (CountConstraint(np.array([0, 1]), 0, 3), "ask for less"),
        (CountConstraint(np.array([0, 1]), 0, 1.5), "whole number"),
    ],
)
def test_a_wrong_demand_is_said(constraint, said):
    with pytest.raises(SaysoError, match=said):
        LinearOracle(4, 2, [constraint])


@pytest.mark.parametrize(
    "X",
    [
        np.zeros(3),
        np.full((3, 2), np.nan),
        np.zeros((0, 2)),
        np.full((3, 2), "a"),
        [np.zeros((3, 2)), np.zeros((3, 4))],
        [np.zeros((3, 2)), np.zeros((0, 2))],
    ],
)
def test_wrong_features_are_said(X):
    with pytest.raises(SaysoError, match="feature"):
        Diffrac(X, 0.1)


@pytest.mark.parametrize("lambda_", [0, -1.0, np.inf, np.nan])
def test_a_wrong_penalty_is_said(lambda_):
    with pytest.raises(SaysoError, match="lambda_ must be a finite number above 0"):
        Diffrac(np.eye(3), lambda_)


@pytest.mark.parametrize(
    "weights", [[1, 1], [1, 1, 0], [1, 1, -1], [1, 1, np.inf], [1, 1, np.nan], [[1, 1, 1]]]
)
def test_wrong_weights_are_said(weights):
    with pytest.raises(SaysoError, match="weights must be 3 finite numbers above 0"):
        Diffrac(np.eye(3), 0.1, weights=weights)


def test_rows_in_plain_lists_are_one_block_and_lists_of_these_several():
    rows = [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]]
    assert [block.shape for block in Diffrac(rows, 0.1).blocks] == [(3, 2)]
    assert [block.shape for block in Diffrac([rows, rows[:1]], 0.1).blocks] == [(3, 2), (1, 2)]


@pytest.mark.parametrize("bias", [None, 3.0])
def test_blocks_are_read_a_chunk_at_a_time_and_the_last_is_kept(monkeypatch, bias):
    module = importlib.import_module("sayso.solvers.diffrac")
    X = np.random.default_rng(0).normal(size=(250, 10))
    whole, Z = Diffrac(X, 0.1, bias=bias), np.random.default_rng(1).random((250, 3))
    value, gradient = whole.value(Z), whole.gradient(Z)
    for chunk, sizes in ((1000, [100, 100, 50]), (10, [64, 64, 64, 58]), (2500, [250])):
        monkeypatch.setattr(module, "_CHUNK", chunk)
        problem = Diffrac(X, 0.1, bias=bias)
        assert [len(rows) for _, rows in problem._chunks(0)] == sizes
        assert [(where.start, where.stop) for where, _ in problem._chunks(0)] == [
            (sum(sizes[:k]), sum(sizes[: k + 1])) for k in range(len(sizes))
        ]
        np.testing.assert_allclose(problem.gradient(Z), gradient, atol=1e-12)
        assert problem.value(Z) == pytest.approx(value)
        last = [rows for _, rows in problem._chunks(0)][-1]
        assert (len(sizes) == 1) == all(rows is last for _, rows in problem._chunks(0))


def test_rounding_takes_slack_where_it_costs_less_by_each_rows_weight():
    problem, oracles = small(4)
    found = quasi_newton(problem, oracles, tol=1e-6)
    rows = [slice(0, 8), slice(8, 16)]
    for oracle, own, slack in zip(oracles, rows, found.slack, strict=True):
        cost = -2 * found.weights[own, None] * found.scores[own]
        best = program(oracle, cost, 2 * oracle.kappa * slack)
        labels = np.eye(3)[round_solution(found, oracles)[own]]
        paid = np.vdot(cost, labels) + 2 * oracle.kappa * slack @ oracle.slack(labels)
        assert paid == pytest.approx(best.fun, abs=1e-9)
    assert found.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("bias", [None, 3.0])
@pytest.mark.parametrize("features", [2, 12])
def test_the_exact_solver_solves_the_objective_in_either_form(features, bias):
    """With fewer rows than features, and with more; of several blocks, whose rows weigh differently."""
    pytest.importorskip("cvxpy")
    r = np.random.default_rng(features)
    X = [r.normal(size=(3, features)) + 1 for _ in range(3)]
    problem = Diffrac(X, 0.1, bias=bias, weights=r.uniform(0.5, 2, 9))
    oracles = [LinearOracle(3, 3, [bag([0, 1], 1, 2, 0.05), bag([2], held)]) for held in (2, 0, 1)]
    Z, value = solve_qp(problem, oracles)
    slack = [np.maximum(0, 2 - Z[rows][:2, 1].sum()) for rows in problem.slices]
    assert value == pytest.approx(problem.value(Z) + 0.05 * np.square(slack).sum(), abs=1e-6)
    assert value == pytest.approx(quasi_newton(problem, oracles, tol=1e-7).value, abs=1e-6)
    with pytest.raises(SaysoError, match="found no labels that keep the constraints"):
        solve_qp(problem, [LinearOracle(3, 3, [bag([0], 1), bag([0], 2)])] * 3)


@pytest.mark.parametrize("seed", range(20))
def test_rounding_weighs_scores_by_rows_and_slack_by_what_it_cost(seed):
    r = np.random.default_rng(seed)
    oracles = [LinearOracle(3, 3, [bag([0, 1, 2], 1, 2, 0.3), bag([0, 1], 2, 1, 2.0)]) for _ in range(2)]
    weights, scores = r.dirichlet(np.ones(6)), r.normal(size=(6, 3))
    slack = [r.uniform(0, 1, 2), r.uniform(0, 0.1, 2)]
    found = Solution(scores, slack, 0, 0, np.zeros((1, 3)), scores, weights, 0, True)
    labels = round_solution(found, oracles)
    for oracle, rows, s in zip(oracles, (slice(0, 3), slice(3, 6)), slack, strict=True):

        def cost(some, oracle=oracle, rows=rows, s=s):
            Z = np.eye(3)[list(some)]
            fit = weights[rows] @ np.square(Z - scores[rows]).sum(1)
            return fit + 2 * (oracle.kappa * s) @ oracle.slack(Z)

        best = min(itertools.product(range(3), repeat=3), key=cost)
        assert cost(labels[rows]) == pytest.approx(cost(best))
