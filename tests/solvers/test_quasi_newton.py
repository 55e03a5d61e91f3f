from __future__ import annotations

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.datasets.movies66 import read_films
from sayso.solvers import Diffrac, LinearOracle, block_frank_wolfe, quasi_newton
from sayso.solvers.constraints import background, bag


def films(seed=0, blocks=3, rows=40, lambda_=1e-3, weights=False, bias=None):
    """Return blocks of planted features, the oracles of their bags, and the problem."""
    r = np.random.default_rng(seed)
    X = [r.normal(size=(rows, 5)) for _ in range(blocks)]
    for features in X:
        features[:4] += 2
    times = r.uniform(0.2, 2, rows * blocks) if weights else None
    constraints = [
        bag(range(8), 1, 2, 0.01),
        bag(range(5, 12), 2, 1, 0.01),
        background(range(12, rows), 0, 0.4),
    ]
    oracles = [LinearOracle(rows, 4, constraints) for _ in X]
    return X, oracles, Diffrac(X, lambda_, weights=times, bias=bias)


@pytest.mark.parametrize(("weights", "bias"), [(False, None), (True, None), (False, 10.0), (True, 10.0)])
def test_it_finds_what_frank_wolfe_finds_with_weights_and_a_bias_feature(weights, bias):
    _, oracles, problem = films(weights=weights, bias=bias)
    ours = quasi_newton(problem, oracles, tol=1e-7)
    theirs = block_frank_wolfe(problem, oracles, tol=1e-5, max_iter=3000)
    assert ours.converged and theirs.converged
    assert ours.value == pytest.approx(theirs.value, abs=1e-5)
    assert ours.value == pytest.approx(
        problem.value(ours.Z) + sum(o.kappa @ s**2 for o, s in zip(oracles, ours.slack, strict=True))
    )


def test_the_gap_is_never_below_the_true_distance_and_labels_are_always_feasible():
    _, oracles, problem = films(seed=1)
    best = quasi_newton(problem, oracles, tol=1e-9).value

    def callback(state, passes, gap):
        seen.append(gap)
        assert gap >= state.value() - best - 1e-9 or (gap >= 0 and state.value() > least[0])
        least[0] = min(least[0], state.value())
        for oracle, rows, slack in zip(oracles, problem.slices, state.slack, strict=True):
            assert oracle.violation(state.Z[rows], slack) < 1e-8

    seen, least = [], [np.inf]
    found = quasi_newton(problem, oracles, tol=1e-6, check_every=1, callback=callback)
    assert found.gap == seen[-1] <= 1e-6 and len(seen) > 3


def test_blocks_in_files_and_in_one_array_give_the_same(tmp_path):
    X, oracles, problem = films()
    for i, features in enumerate(X):
        np.save(tmp_path / f"{i}.npy", features)
    filed = Diffrac([tmp_path / f"{i}.npy" for i in range(3)], 1e-3)
    one = quasi_newton(problem, oracles, tol=1e-6)
    np.testing.assert_allclose(quasi_newton(filed, oracles, tol=1e-6).Z, one.Z, atol=1e-8)
    moved = [
        type(d)(d.rows + i * 40, d.label, d.at_least, d.kappa)
        for i, o in enumerate(oracles)
        for d in o.constraints
    ]
    whole = quasi_newton(Diffrac(np.vstack(X), 1e-3), [LinearOracle(120, 4, moved)], tol=1e-6)
    assert whole.value == pytest.approx(one.value, abs=1e-6)


def test_solving_goes_on_after_an_interrupt_as_if_it_had_not_stopped(tmp_path):
    _, oracles, problem = films()
    whole = quasi_newton(problem, oracles, tol=0, max_iter=30)

    def interrupt(state, passes, gap):
        if passes > 12:
            raise KeyboardInterrupt

    file = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        quasi_newton(problem, oracles, tol=0, max_iter=30, checkpoint=file, callback=interrupt)
    assert file.stat().st_size < 20_000
    again = quasi_newton(problem, oracles, tol=0, max_iter=30, checkpoint=file)
    assert again.value == pytest.approx(whole.value, abs=1e-8) and again.iterations == whole.iterations
    other = [LinearOracle(40, 5) for _ in oracles]
    with pytest.raises(SaysoError, match="another problem"):
        quasi_newton(problem, other, checkpoint=file)


def test_contradicting_demands_are_said():
    X, _, _ = films()
    oracle = LinearOracle(40, 4, [bag(range(4), 1, 3), bag(range(4), 2, 3)])
    with pytest.raises(SaysoError, match="contradict"):
        quasi_newton(Diffrac(X[0], 1e-3), [oracle])


def test_it_converges_on_the_published_films(shared_data):
    r, K = np.random.default_rng(0), 14
    blocks, oracles = [], []
    for film in read_films(shared_data / "movies66"):
        X = r.normal(size=(len(film.frames), 20))
        constraints = [bag(one.tracks, one.action, 2, 1e-3) for one in film.bags if len(one.tracks)]
        for one in film.bags:
            X[one.tracks[:2], one.action] += 4
        blocks.append(X)
        oracles.append(LinearOracle(len(X), K, [*constraints, background(film.outside(), 0, 0.4)]))
    found = quasi_newton(Diffrac(blocks, 1e-4), oracles, tol=1e-2, relative=True, max_iter=150)
    assert found.converged and found.gap <= 1e-2 * found.value
