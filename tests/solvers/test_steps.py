"""Each step by itself: slopes against differences of the value, line searches against all lengths."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.solvers import Diffrac
from sayso.solvers.anderson import anderson_step, extrapolate, stacked_weights
from sayso.solvers.block_frank_wolfe import _cyclic_pass, _Run, _sampled_pass
from sayso.solvers.constraints import background, bag, joint
from sayso.solvers.frank_wolfe import _ActiveSet, _flat, _gradients, _parts, _split, frank_wolfe
from sayso.solvers.iterate import Iterate
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.quasi_newton import _MEMORY, _Descent

KINDS = [(None, False), (None, True), (10.0, True)]


def problem(seed=0, bias=None, weighted=True, lambda_=0.1):
    """Return three blocks of six rows, with slack that costs differently."""
    r = np.random.default_rng(seed)
    X = [r.normal(size=(6, 3)) + 1 for _ in range(3)]
    weights = r.uniform(0.5, 2, 18) if weighted else None
    constraints = [bag(range(4), 1, 3, 0.3), joint(range(2, 6), r.random(4), 2, 0.7), background([5], 0, 1)]
    return Diffrac(X, lambda_, bias=bias, weights=weights), [LinearOracle(6, 4, constraints) for _ in X]


def soft(oracles, seed=1):
    """Return labels between the classes, and so with slack."""
    Z = np.random.default_rng(seed).dirichlet(np.ones(4), 18)
    Z[5::6] = np.eye(4)[0]
    return Z


def moved(iterate, ways, length):
    """Return the value where labels and slacks went so far along a direction."""
    again = Iterate(iterate.problem, iterate.oracles, iterate.Z)
    again.Z = again.Z + length * np.concatenate([dZ for dZ, _ in ways])
    again.slack = [s + length * ds for s, (_, ds) in zip(iterate.slack, ways, strict=True)]
    again.refresh()
    return again.value()


@pytest.mark.parametrize(("bias", "weighted"), KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_a_step_goes_as_far_as_the_value_falls(bias, weighted, seed):
    diffrac, oracles = problem(seed, bias, weighted)
    iterate = Iterate(diffrac, oracles, soft(oracles, seed))
    assert iterate.value() == pytest.approx(
        diffrac.value(iterate.Z)
        + sum(float(o.kappa @ s**2) for o, s in zip(oracles, iterate.slack, strict=True))
    )
    found = [iterate.lmo(i) for i in range(3)]
    projected = [iterate.projected_step(i) for i in range(3)]
    for blocks, targets in (
        ([0, 1, 2], found),
        ([1], found[1:2]),
        ([0, 2], [found[0], found[2]]),
        ([0, 1, 2], projected),
        ([2], projected[2:]),
    ):
        iterate = Iterate(diffrac, oracles, soft(oracles, seed))
        whole = dict(zip(blocks, targets, strict=True))
        ways = []
        for i, rows in enumerate(diffrac.slices):
            V, low = whole[i][0] if i in whole else (iterate.Z[rows], iterate.slack[i])
            ways.append((V - iterate.Z[rows], low - iterate.slack[i]))
        slope = (moved(iterate, ways, 1e-5) - moved(iterate, ways, -1e-5)) / 2e-5
        decrease = sum(rate for _, rate in targets)
        assert decrease == pytest.approx(-slope, abs=1e-7)
        lengths = np.linspace(0, 1, 21)
        values = [moved(iterate, ways, length) for length in lengths]
        for longest in (1.0, 0.1):
            iterate = Iterate(diffrac, oracles, soft(oracles, seed))
            length = iterate.move(blocks, [target for target, _ in targets], decrease, longest)
            allowed = lengths[lengths <= longest + 1e-12]
            assert length == pytest.approx(allowed[np.argmin(values[: len(allowed)])], abs=0.0251)
            assert iterate.value() == pytest.approx(
                moved(Iterate(diffrac, oracles, soft(oracles, seed)), ways, length)
            )
            S, W, mean = iterate.S, iterate.W, iterate.mean
            iterate.refresh()
            for kept, fresh in ((S, iterate.S), (W, iterate.W), (mean, iterate.mean)):
                np.testing.assert_allclose(kept, fresh, atol=1e-12)


def test_no_step_is_taken_upwards_or_on_the_spot():
    diffrac, oracles = problem()
    iterate = Iterate(diffrac, oracles, soft(oracles))
    here = [
        (iterate.Z[rows].copy(), slack) for rows, slack in zip(diffrac.slices, iterate.slack, strict=True)
    ]
    assert iterate.move(range(3), here, 0.0) == 0
    assert iterate.move(range(3), here, 1.0, 0.25) == 0.25, "a plane falls for ever"
    vertices = [iterate.lmo(i)[0] for i in range(3)]
    assert iterate.move(range(3), vertices, -1.0) == 0
    np.testing.assert_allclose(iterate.Z, soft(oracles))


def test_the_start_is_a_vertex_whose_slack_is_the_least():
    diffrac, oracles = problem()
    iterate = Iterate(diffrac, oracles)
    for oracle, rows, slack in zip(oracles, diffrac.slices, iterate.slack, strict=True):
        assert set(np.unique(iterate.Z[rows])) == {0, 1}
        np.testing.assert_allclose(slack, oracle.slack(iterate.Z[rows]), atol=1e-12)
    with pytest.raises(SaysoError, match="one oracle a block"):
        Iterate(diffrac, oracles[:2])
    with pytest.raises(SaysoError, match="one oracle a block"):
        Iterate(diffrac, [*oracles[:2], LinearOracle(6, 5)])
    with pytest.raises(SaysoError, match="one oracle a block"):
        Iterate(diffrac, [*oracles[:2], LinearOracle(5, 4)])


@pytest.mark.parametrize(("bias", "weighted"), KINDS)
def test_gradients_by_labels_and_slacks_are_differences_of_the_value(bias, weighted):
    diffrac, oracles = problem(2, bias, weighted)
    iterate = Iterate(diffrac, oracles, soft(oracles))
    gradient = _flat(_gradients(iterate))
    for seed in range(5):
        way = np.random.default_rng(seed).normal(size=len(gradient))
        ways = _split(iterate, way)
        slope = (moved(iterate, ways, 1e-4) - moved(iterate, ways, -1e-4)) / 2e-4
        assert gradient @ way == pytest.approx(slope, abs=1e-8)
    here = _parts(iterate)
    for (Z, slack), (again, s) in zip(here, _split(iterate, _flat(here)), strict=True):
        assert np.array_equal(Z, again) and np.array_equal(slack, s)


def test_vertices_in_use_always_make_up_the_labels():
    diffrac, oracles = problem(3)
    iterate = Iterate(diffrac, oracles)
    active = _ActiveSet(iterate)
    for _ in range(60):
        before = iterate.value()
        active.move(iterate, [iterate.lmo(i)[0] for i in range(3)])
        assert iterate.value() <= before + 1e-12
        assert len(active.shares) == len(active.vertices) and min(active.shares) > 1e-15
        assert sum(active.shares) == pytest.approx(1)
        mixed = sum(share * vertex for share, vertex in zip(active.shares, active.vertices, strict=True))
        np.testing.assert_allclose(mixed, _flat(_parts(iterate)), atol=1e-9)
        assert len({vertex.tobytes() for vertex in active.vertices}) == len(active.vertices)
    assert 1 < len(active.vertices) < 60, "some were given up"


def test_sums_are_computed_afresh_every_hundred_steps(monkeypatch):
    diffrac, oracles = problem(0)
    calls, refresh = [], Iterate.refresh
    monkeypatch.setattr(Iterate, "refresh", lambda self: calls.append(1) or refresh(self))
    frank_wolfe(diffrac, oracles, tol=0, max_iter=250, warn=False)
    assert len(calls) == 2 + 2


@pytest.mark.parametrize(("bias", "weighted"), KINDS)
def test_anderson_finds_where_a_linear_map_leads(bias, weighted):
    """Of as many unknowns as changes are known, in the metric of the regression."""
    diffrac, oracles = problem(0, bias, weighted)
    iterate = Iterate(diffrac, oracles, soft(oracles))
    shape = stacked_weights(iterate).shape
    np.testing.assert_array_equal(stacked_weights(iterate)[-1], iterate.mean)
    r = np.random.default_rng(0)
    basis = np.linalg.qr(r.normal(size=(np.prod(shape), 3)))[0]
    limit, history = r.normal(size=np.prod(shape)), []
    away = basis @ [3.0, -2.0, 1.0]
    for _ in range(6):
        history.append((limit + away).reshape(shape))
        away = basis @ (np.array([0.9, 0.5, -0.4]) * (basis.T @ away))
    np.testing.assert_allclose(extrapolate(iterate, history).ravel(), limit, atol=1e-6)
    metric = np.zeros((shape[0], shape[0]))
    metric[:-1, :-1], metric[-1, -1] = diffrac.gram, diffrac.total
    noisy = [point + 0.3 * r.normal(size=shape) for point in history[:4]]
    changes = np.diff(noisy, axis=0)
    turns = np.diff(changes, axis=0)
    gram = np.array([[np.vdot(one, metric @ other) for other in turns] for one in turns])
    shares = np.linalg.solve(gram, [np.vdot(one, metric @ changes[-1]) for one in turns])
    expected = noisy[-1] - sum(s * (b - a) for s, a, b in zip(shares, noisy[1:], noisy[2:], strict=False))
    np.testing.assert_allclose(extrapolate(iterate, noisy), expected, atol=1e-6)


def test_an_anderson_step_that_does_not_descend_is_not_taken():
    diffrac, oracles = problem()
    iterate = Iterate(diffrac, oracles, soft(oracles))
    weights = stacked_weights(iterate)
    before = iterate.Z.copy()
    anderson_step(iterate, [weights, weights, -50 * weights])
    assert iterate.value() <= Iterate(diffrac, oracles, before).value() + 1e-12


def test_weights_are_extrapolated_after_every_five_passes(monkeypatch):
    diffrac, oracles = problem()
    run = _Run(Iterate(diffrac, oracles), None)
    steps = []
    module = import_module("sayso.solvers.block_frank_wolfe")  # the package's name is the function
    monkeypatch.setattr(module, "anderson_step", lambda iterate, history: steps.append(len(history)))
    history, lengths = run.history, []
    for _ in range(11):
        history = _cyclic_pass(run.iterate, history)
        lengths.append(len(history))
    assert lengths == [2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2]
    assert steps == [6, 6]


def test_blocks_are_drawn_by_their_share_of_the_gap_and_none_is_never_drawn():
    diffrac, oracles = problem()
    iterate = Iterate(diffrac, oracles)
    shares, odds = np.array([0.3, -0.1, 0.0]), []

    class Draws:
        def choice(self, count, p):
            odds.append(p)
            assert count == 3
            return len(odds) - 1

    _sampled_pass(iterate, shares, Draws())
    mean = 0.3 / 3
    np.testing.assert_allclose(
        odds[0], np.array([0.3 + 0.1 * mean, 0.1 * mean, 0.1 * mean]) / (0.3 + 0.3 * mean)
    )
    assert len(odds) == 3 and shares[0] != 0.3
    zero = np.zeros(3)
    odds.clear()
    _sampled_pass(iterate, zero, Draws())
    np.testing.assert_allclose(odds[0], 1 / 3)


@pytest.mark.parametrize(("bias", "weighted"), KINDS)
def test_the_function_of_the_weights_and_its_gradient(bias, weighted):
    diffrac, oracles = problem(4, bias, weighted)
    descent = _Descent(Iterate(diffrac, oracles), None)
    r = np.random.default_rng(0)
    weights = r.normal(size=descent.point.weights.shape)
    if bias is not None:
        weights[-1] = 0
    point = descent.at(weights)
    W, b = weights[:-1], weights[-1]
    scores = np.concatenate([diffrac.block_scores(i, W, b) for i in range(3)])
    fit = diffrac.weights @ np.square(point.Z - scores).sum(1) / diffrac.total
    slack = sum(float(o.kappa @ s**2) for o, s in zip(oracles, point.slack, strict=True))
    assert point.value == pytest.approx(fit + slack + diffrac.lambda_ * np.square(W).sum())
    np.testing.assert_allclose(point.S, diffrac.correlation(point.Z), atol=1e-10)
    for _ in range(3):
        way = r.normal(size=weights.shape)
        if bias is not None:
            way[-1] = 0
        slope = (descent.at(weights + 1e-6 * way).value - descent.at(weights - 1e-6 * way).value) / 2e-6
        metric = np.vstack([diffrac.gram @ way[:-1], diffrac.total * way[-1:]])
        assert 2 / diffrac.total * np.vdot(metric, point.gradient) == pytest.approx(slope, abs=1e-5)
    iterate = Iterate(diffrac, oracles)
    point.write(iterate)
    W, mean = iterate.W, iterate.mean
    iterate.refresh()
    np.testing.assert_allclose(W, iterate.W, atol=1e-10)
    np.testing.assert_allclose(mean, iterate.mean, atol=1e-10)


def test_the_direction_is_that_of_the_bfgs_matrix():
    """Written out as a matrix, in the metric of the regression, from the pairs that are kept."""
    diffrac, oracles = problem(5)
    descent = _Descent(Iterate(diffrac, oracles), None)
    shape = descent.point.weights.shape
    r = np.random.default_rng(0)
    metric = np.zeros((shape[0], shape[0]))
    metric[:-1, :-1], metric[-1, -1] = diffrac.gram, diffrac.total
    G = np.kron(metric, np.eye(shape[1]))
    root = r.normal(size=G.shape)
    curved = np.linalg.inv(G) @ (root @ root.T + np.eye(len(G)))
    changes = [r.normal(size=shape) for _ in range(_MEMORY + 3)]
    turns = [(curved @ change.ravel()).reshape(shape) for change in changes]
    np.testing.assert_array_equal(descent._direction(), descent.point.gradient)
    for change, turn in zip(changes, turns, strict=True):
        descent._remember(change, turn)
        descent._remember(change, -turn)  # of no positive curvature: not kept
    assert len(descent.pairs) == _MEMORY
    S, Y = ([one.ravel() for one in kind[-_MEMORY:]] for kind in (changes, turns))
    H = np.eye(len(G)) * (S[-1] @ G @ Y[-1]) / (Y[-1] @ G @ Y[-1])
    for s, y in zip(S, Y, strict=True):
        rho = 1 / (s @ G @ y)
        left = np.eye(len(G)) - rho * np.outer(s, G @ y)
        right = np.eye(len(G)) - rho * np.outer(y, G @ s)
        H = left @ H @ right + rho * np.outer(s, G @ s)
    np.testing.assert_allclose(descent._direction().ravel(), H @ descent.point.gradient.ravel(), rtol=1e-6)


def test_a_quasi_newton_step_descends_by_more_than_a_ten_thousandth_of_the_slope():
    diffrac, oracles = problem(6, lambda_=1e-3)
    descent = _Descent(Iterate(diffrac, oracles), None)
    values, passes = [descent.point.value], [descent.passes]
    for turn in range(12):
        before = descent.point
        descent.step()
        if turn < 3:
            change, turned, _, _ = descent.pairs[-1]
            np.testing.assert_array_equal(change, descent.point.weights - before.weights)
            np.testing.assert_array_equal(turned, descent.point.gradient - before.gradient)
        values.append(descent.point.value)
        passes.append(descent.passes)
    assert all(b <= a + 1e-12 for a, b in pairwise(values))
    assert values[-1] < values[0] and max(np.diff(passes)) <= 4
    until = descent.passes + 3
    descent.advance(until)
    assert until <= descent.passes < until + 4
    descent.advance(descent.passes)
    assert descent.passes < until + 4


def tried(descent, *values):
    """Let points have given values, and note where they are asked for."""
    asked, left = [], list(values)

    def at(weights):
        asked.append(weights)
        descent.passes += 1
        return type(descent.point)(
            weights,
            left.pop(0),
            descent.point.gradient,
            descent.point.Z,
            descent.point.slack,
            descent.point.S,
        )

    descent.at = at
    return asked


def test_shorter_steps_are_tried_where_long_ones_do_not_descend():
    diffrac, oracles = problem(7)
    start = _Descent(Iterate(diffrac, oracles), None).point
    G = start.gradient
    metric = np.vstack([diffrac.gram @ G[:-1], diffrac.total * G[-1:]])
    slope = -2 / diffrac.total * float(np.vdot(metric, G))
    for lengths in ([1.0], [1.0, 0.5], [1.0, 0.5, 0.1]):
        descent = _Descent(Iterate(diffrac, oracles), None)
        enough = descent.point.value + 1e-4 * lengths[-1] * slope
        asked = tried(descent, *[descent.point.value] * (len(lengths) - 1), enough)
        descent.step()
        for length, weights in zip(lengths, asked, strict=True):
            np.testing.assert_allclose(weights, start.weights - length * G, atol=1e-12)
        assert descent.point.value == enough
    descent = _Descent(Iterate(diffrac, oracles), None)
    descent._remember(G, 2 * G)
    asked = tried(descent, *[descent.point.value] * 3, 99.0)
    descent.step()
    np.testing.assert_allclose(asked[-1], start.weights - G, atol=1e-12)
    assert descent.pairs == [], "what was known is forgotten, and the way is that of the gradient"
