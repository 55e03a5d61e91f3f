"""How solvers run: from given labels, telling how far they are, stopped when asked, in little memory."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.solvers import Diffrac, block_frank_wolfe, frank_wolfe, quasi_newton
from sayso.solvers.constraints import background, bag
from sayso.solvers.iterate import load_arrays, save_arrays
from sayso.solvers.linear_oracle import LinearOracle

K = 4


def films(rows=40, features=3, blocks=3, seed=0):
    """Return features and oracles of drawn films: of each twelve rows eight are a bag, four of its class."""
    r = np.random.default_rng(seed)
    centres = 2 * r.standard_normal((K, features)) / np.sqrt(features)
    X, oracles = [], []
    for _ in range(blocks):
        truth, constraints = np.zeros(rows, dtype=int), []
        for start in range(0, rows - 11, 12):
            label = int(r.integers(1, K))
            truth[start : start + 4] = label
            constraints.append(bag(range(start, start + 8), label, 3, 1e-3))
        rest = np.setdiff1d(np.arange(rows), np.concatenate([d.rows for d in constraints]))
        oracles.append(LinearOracle(rows, K, [*constraints, background(rest, 0, 0.8)]))
        X.append((centres[truth] + 0.5 * r.standard_normal((rows, features))).astype(np.float32))
    return X, oracles


SOLVERS = [quasi_newton, block_frank_wolfe, frank_wolfe]


@pytest.mark.parametrize(
    ("solve", "gap"), [(quasi_newton, 1e-6), (block_frank_wolfe, 1e-6), (frank_wolfe, 1e-2)]
)
def test_from_a_solution_hardly_a_step_is_needed(solve, gap):
    X, oracles = films()
    problem = Diffrac(X, 1e-2)
    cold = solve(problem, oracles, tol=gap)
    warm = solve(problem, oracles, tol=2 * gap, init=cold.Z)
    assert cold.converged and warm.converged
    assert warm.iterations < cold.iterations / 3 and warm.value == pytest.approx(cold.value, abs=3 * gap)


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_start_of_the_wrong_shape_or_against_a_demand_is_said(solve):
    X, oracles = films()
    problem = Diffrac(X, 1e-2)
    with pytest.raises(SaysoError, match="must be"):
        solve(problem, oracles, init=np.ones((3, K)) / K)
    broken = np.concatenate(
        [oracle(np.zeros((40, K)), np.zeros(len(oracle.constraints)))[0] for oracle in oracles]
    )
    broken[-1] = 0.5  # of one film alone
    with pytest.raises(SaysoError, match="breaks a constraint by 1"):
        solve(problem, oracles, init=broken)
    with pytest.raises(SaysoError, match="breaks a constraint"):
        solve(problem, oracles, init=np.full((120, K), 0.5))


@pytest.mark.parametrize("solve", SOLVERS)
def test_the_callback_sees_a_falling_gap_and_stops_and_progress_is_told(solve):
    X, oracles = films()
    gaps, told = [], []

    class Told:
        def update(self, done, total=None, note="", amount=None):
            told.append((done, total, note))

    def callback(labelling, done, gap):
        gaps.append(gap)
        return len(gaps) == 3

    found = solve(Diffrac(X, 1e-2), oracles, tol=0, callback=callback, progress=Told())
    assert len(gaps) == 3 and gaps[-1] <= gaps[0] and found.gap == gaps[-1] and not found.converged
    assert all(0 <= done <= total and note.startswith("gap ") for done, total, note in told)
    assert told[0][0] < told[0][1], "three are not all"


@pytest.mark.parametrize("solve", [quasi_newton, pytest.param(block_frank_wolfe, marks=pytest.mark.slow)])
def test_features_in_files_are_never_in_memory_at_once(solve, tmp_path):
    X, oracles = films(rows=1500, features=400, blocks=10)
    for number, block in enumerate(X):
        np.save(tmp_path / f"{number}.npy", block)
    size = sum(block.nbytes for block in X)
    del X
    tracemalloc.start()
    try:
        problem = Diffrac([tmp_path / f"{number}.npy" for number in range(10)], 1e-2)
        found = solve(problem, oracles, tol=1e-2, relative=True, max_iter=4)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.Z.shape == (15_000, K)
    assert peak < 0.7 * size  # one film as float64 is a fifth of it


@pytest.mark.parametrize("solve", SOLVERS)
def test_stopping_short_of_the_gap_is_logged_with_what_to_do(solve, caplog):
    X, oracles = films()
    problem = Diffrac(X, 1e-2)
    solve(problem, oracles, tol=0, max_iter=2)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "after 2 iterations" in caplog.text and "raise max_iter or tol" in caplog.text
    caplog.clear()
    solve(problem, oracles, tol=0, callback=lambda *_: True)  # stopped on purpose
    solve(problem, oracles, tol=100)
    assert not caplog.records


def test_a_checkpoint_must_have_what_is_asked_for_in_its_shape(tmp_path):
    file = tmp_path / "state.npz"
    save_arrays(file, one=np.zeros((2, 3)), two=np.zeros(4), more=1.5)
    found = load_arrays(file, {"one": (2, 3), "two": (4,)})
    assert sorted(found) == ["more", "one", "two"] and float(found["more"]) == 1.5
    for shapes in (
        {"one": (2, 3), "two": (5,)},
        {"one": (2, 3), "three": (4,)},
        {"one": (3, 2), "two": (4,)},
    ):
        with pytest.raises(SaysoError, match="is the checkpoint of another problem; remove it to start anew"):
            load_arrays(file, shapes)


@pytest.mark.parametrize("solve", [quasi_newton, block_frank_wolfe])
@pytest.mark.parametrize(("most", "every", "checked"), [(7, 3, [0, 3, 6, 7]), (6, 3, [0, 3, 6]), (0, 3, [0])])
def test_the_gap_is_computed_every_few_passes_and_at_the_end(solve, most, every, checked):
    X, oracles = films()
    seen = []
    found = solve(
        Diffrac(X, 1e-2),
        oracles,
        tol=0,
        max_iter=most,
        check_every=every,
        callback=lambda state, done, gap: seen.append(done) and None,
    )
    if solve is block_frank_wolfe:
        assert seen == checked and found.iterations == most * len(oracles)
    else:  # it counts passes over the features, and a step may take several
        assert seen[0] == 2 and all(1 < b - a <= every + 4 for a, b in itertools.pairwise(seen))
        assert most <= found.iterations == seen[-1] <= max(2, most + 5)
