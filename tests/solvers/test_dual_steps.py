"""The dual variables of the projection: what constraints lack, and its slopes, against the simplex alone."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.solvers.constraints import background, bag, joint
from sayso.solvers.linear_oracle import LinearOracle
from sayso.solvers.projection import Projection, project_simplex

ROWS, CLASSES, TOTAL = 9, 4, 11.0


def projection(seed):
    """Return one of constraints that share rows, some of them weighted, and rows that weigh differently."""
    r = np.random.default_rng(seed)
    constraints = [
        bag([0, 1, 2], 1, 2, 0.5),
        bag([2, 3, 4], 1, 1),
        joint([1, 3, 5], [0.9, 0.2, 0.7], 2, 0.3),
        joint([0, 2, 6], [0.0, 1.0, 0.5], 3, 2.0),
        background([6, 7, 8], 0, 0.5),
    ]
    return Projection(LinearOracle(ROWS, CLASSES, constraints), r.uniform(0.5, 2, ROWS), TOTAL), r


def raised(layers, U):
    U = U.copy()
    for layer in layers:
        layer.add_duals(U, 1)
    return U


@pytest.mark.parametrize("seed", range(6))
def test_what_a_constraint_lacks_and_how_fast_its_dual_variable_mends_it(seed):
    found, r = projection(seed)
    for layer in found._shared:
        U, given = r.normal(size=(ROWS, CLASSES)), []
        layer._find_roots = lambda *tables, given=given: given.append(tables) or 0.0
        layer.solve(U.copy())

        def missing(duals, layer=layer, U=U):
            layer.duals = duals
            Z = project_simplex(raised([layer], U))
            held = [
                sum(
                    layer.counts[k] * Z[layer.rows[k], layer.labels[k]]
                    for k in np.flatnonzero(layer.owner == j)
                )
                for j in range(len(duals))
            ]
            return layer.required - held - layer.softness * duals

        duals = r.uniform(0, 1, len(layer.duals))
        expected = missing(duals)
        slope = -(missing(duals + 1e-6) - missing(duals - 1e-6)) / 2e-6
        layer.duals = duals
        short, mends = layer._missing(*given[0])
        np.testing.assert_allclose(short, expected, atol=1e-12)
        np.testing.assert_allclose(mends, slope, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_a_layer_solved_lacks_nothing_and_tells_what_it_lacked(seed):
    found, r = projection(seed)
    U = r.normal(size=(ROWS, CLASSES)) * 10.0 ** (seed % 3)
    layer = found._shared[0]
    before = U.copy()
    Z = project_simplex(U)
    short = layer.required - np.bincount(layer.owner, layer.counts * Z[layer.rows, layer.labels])
    lacked = layer.solve(U)
    assert lacked == pytest.approx(max(0, short.max()))
    np.testing.assert_allclose(U, raised([layer], before))
    Z = project_simplex(U)
    left = layer.required - np.bincount(layer.owner, layer.counts * Z[layer.rows, layer.labels])
    left -= layer.softness * layer.duals
    assert (layer.duals >= 0).all() and (left < 1e-9).all()
    assert (abs(left[layer.duals > 0]) < 1e-9).all(), "no more is asked for than is lacking"
    assert layer.solve(U) == 0


def test_roots_are_found_in_few_turns():
    turns = []
    for seed in range(40):
        found, r = projection(seed)
        U = r.normal(size=(ROWS, CLASSES)) * 10.0 ** r.integers(-2, 3)
        for layer in found._shared:
            inner = layer._missing
            layer._missing = lambda *a, inner=inner: turns.append(1) or inner(*a)
            layer.solve(U)
    assert len(turns) <= 480, "four for each of 120 layers"


@pytest.mark.parametrize("seed", range(6))
def test_the_dual_its_gradient_and_its_curvature(seed):
    found, r = projection(seed)
    newton, layers = found._newton, found._shared
    base = r.normal(size=(len(newton.rows), CLASSES))
    J = len(newton.required)
    duals = r.uniform(0, 1, J)

    def lagrangian(duals):
        """The least of the objective and what constraints lack, each times its dual variable, over labels."""
        up = base.copy()
        for k, row in enumerate(newton.row_of):
            up[row, newton.labels[k]] += duals[newton.owner[k]] * newton.counts[k] / newton.weights[row]
        Z = project_simplex(up)
        held = np.bincount(newton.owner, newton.counts * Z[newton.row_of, newton.labels], J)
        slack = newton.softness * duals  # the best for these dual variables
        value = newton.weights @ np.square(Z - base).sum(1) / 2 + duals @ (newton.required - held - slack)
        return value + (slack @ duals) / 2, newton.required - held - slack

    value, gradient, curvature = newton._dual(base, duals)
    expected, lacking = lagrangian(duals)
    assert value == pytest.approx(expected)
    np.testing.assert_allclose(gradient, lacking, atol=1e-12)
    for j in range(J):
        way = 1e-6 * np.eye(J)[j]
        ahead, behind = newton._dual(base, duals + way), newton._dual(base, duals - way)
        assert (ahead[0] - behind[0]) / 2e-6 == pytest.approx(gradient[j], abs=1e-6)
        np.testing.assert_allclose((behind[1] - ahead[1]) / 2e-6, curvature[j], atol=1e-5)
    assert sorted(newton.rows.tolist()) == sorted({n for layer in layers for n in layer.rows})


@pytest.mark.parametrize("seed", range(10))
def test_newtons_method_never_lowers_the_dual_and_is_exact_near_its_top(seed):
    found, r = projection(seed)
    plain = r.normal(size=(ROWS, CLASSES))
    newton, layers = found._newton, found._shared

    def dual():
        return newton._dual(plain[newton.rows], np.concatenate([layer.duals for layer in layers]))

    U = plain.copy()
    for layer in layers:
        layer.solve(U)
    before = dual()[0]
    newton(U, layers)
    np.testing.assert_allclose(U, raised(layers, plain), atol=1e-12)
    assert dual()[0] >= before and all((layer.duals >= 0).all() for layer in layers)
    found(plain)
    top = dual()[0]
    for layer in layers:
        layer.duals = layer.duals * (1 + 1e-3 * r.uniform(-1, 1, len(layer.duals)))
    U = raised(layers, plain)
    newton(U, layers)
    np.testing.assert_allclose(U, raised(layers, plain), atol=1e-12)
    value, gradient, _ = dual()
    assert value == pytest.approx(top, abs=1e-12)
    duals = np.concatenate([layer.duals for layer in layers])
    np.testing.assert_allclose(gradient[duals > 1e-12], 0, atol=1e-7)
    assert (gradient[duals <= 1e-12] < 1e-7).all()


def test_constraints_that_share_no_rows_are_one_layer_and_the_others_few():
    oracle = LinearOracle(ROWS, CLASSES, [bag([0, 1], 1), bag([2, 3], 2), bag([4, 5], 1), bag([5, 6], 1)])
    found = Projection(oracle, np.ones(ROWS), TOTAL)
    assert [layer.rows.tolist() for layer in found._single] == [[0, 1, 2, 3]]
    assert [layer.rows.tolist() for layer in found._shared] == [[4, 5], [5, 6]]
    apart = Projection(LinearOracle(ROWS, CLASSES, [bag([0, 1], 1)]), np.ones(ROWS), TOTAL)
    assert len(apart._single) == 1 and apart._shared == []
    free = Projection(LinearOracle(ROWS, CLASSES), np.ones(ROWS), TOTAL)
    U = np.random.default_rng(0).normal(size=(ROWS, CLASSES))
    np.testing.assert_array_equal(free(U), project_simplex(U))


def test_slack_costs_what_it_does_in_the_objective():
    oracle = LinearOracle(ROWS, CLASSES, [bag([0, 1], 1, 1, 0.5), bag([1, 2], 2, 1), bag([4], 1, 1, 4.0)])
    found = Projection(oracle, np.ones(ROWS), TOTAL)
    assert found._single[0].softness.tolist() == [1 / (4.0 * TOTAL)]
    assert sorted(s for layer in found._shared for s in layer.softness) == [0, 1 / (0.5 * TOTAL)]


def test_constraints_that_contradict_each_other_by_little_are_told_too(monkeypatch):
    """Rows 0 and 1 hold 2 in all, and 2.001 are asked for."""
    monkeypatch.setattr("sayso.solvers.projection._MAX_TURNS", 20)
    for more, contradict in ((0.001, True), (-0.001, False)):
        constraints = [
            joint([0, 1], [1.0, 1.0], 1, alpha=1.0 + more),
            joint([0, 1], [1.0, 1.0], 2, alpha=1.0),
        ]
        found = Projection(LinearOracle(ROWS, CLASSES, constraints), np.ones(ROWS), TOTAL)
        if contradict:
            with pytest.raises(SaysoError, match="contradict each other"):
                found(np.zeros((ROWS, CLASSES)))
        else:
            assert found(np.zeros((ROWS, CLASSES)))[:2, 1].sum() == pytest.approx(0.999, abs=1e-6)


@pytest.mark.parametrize(("asked", "counts_as"), [(50, 50), (1, 1), (0.25, 1)])
def test_what_rounding_leaves_is_no_contradiction(asked, counts_as):
    """A hundred millionth of what is asked for, or of a row where less is."""
    weights = np.full(60, 1.0)
    constraint = joint(range(60), weights, 1, alpha=asked)
    oracle = LinearOracle(60, 2, [constraint])
    found = Projection(oracle, weights, TOTAL)
    for part, told in ((0.99, False), (1.01, True)):
        oracle.slack = lambda Z, part=part: np.array([part * 1e-8 * counts_as])
        if told:
            with pytest.raises(SaysoError, match="contradict each other, or all but"):
                found(np.zeros((60, 2)))
        else:
            found(np.zeros((60, 2)))
