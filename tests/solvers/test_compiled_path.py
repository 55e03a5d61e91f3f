"""The compiled ordered path against the numpy form, tie by tie, in threads and for wrong costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sayso.solvers import compiled_path
from sayso.solvers.ordered_path import ordered_path, ordered_paths, padded_paths, path_in_windows

pytest.importorskip("numba")


@pytest.fixture
def both(monkeypatch):
    """Return a function that asks the numpy form, then the compiled one."""

    def ask(run):
        found = []
        for answer in (False, True):
            monkeypatch.setattr(compiled_path, "worth_compiling", lambda cells, answer=answer: answer)
            try:
                found.append(run())
            except ValueError as error:
                found.append(str(error))
        return found

    return ask


def costs(rng, T, C):
    """Draw costs of which many are equal, or none."""
    return rng.integers(-2, 3, (T, C)).astype(float) if rng.random() < 0.5 else rng.normal(size=(T, C))


@pytest.mark.parametrize("seed", range(60))
def test_equal_with_windows_and_without_and_with_absent_steps(both, seed):
    rng = np.random.default_rng(seed)
    C = int(rng.integers(1, 7))
    T = C + int(rng.integers(0, 40))
    cost = costs(rng, T, C)
    windows = np.sort(rng.integers(0, T + 1, (C, 2)), axis=1)
    absent = np.where(rng.random(C) < 0.3, np.inf, rng.integers(-2, 3, C))
    for asked in ((), (windows,), (None, absent), (windows, absent)):
        numpy, compiled = both(lambda asked=asked: ordered_path(cost, *asked))
        assert np.array_equal(numpy, compiled), (asked, numpy, compiled)
    numpy, compiled = both(lambda: path_in_windows(cost[::-1].T.copy().T, windows))
    assert np.array_equal(numpy, compiled)


@pytest.mark.parametrize("seed", range(10))
def test_equal_for_videos_of_different_sizes_and_padded_ones(both, seed):
    rng = np.random.default_rng(seed)
    videos = [costs(rng, int(rng.integers(6, 60)), int(rng.integers(1, 7))) for _ in range(12)]
    numpy, compiled = both(lambda: ordered_paths(videos))
    assert [times.tolist() for times in numpy] == [times.tolist() for times in compiled]
    steps = np.array([video.shape[1] for video in videos])
    table = np.full((12, 60, 6), np.nan)
    for b, video in enumerate(videos):
        table[b, :, : steps[b]] = np.inf
        table[b, : len(video), : steps[b]] = video
    numpy, compiled = both(lambda: padded_paths(table, steps))
    assert np.array_equal(numpy, compiled)
    assert all(row[:n].tolist() == times.tolist() for row, n, times in zip(compiled, steps, both(
        lambda: ordered_paths(videos))[1], strict=True))  # fmt: skip


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("times", [6, 7])
def test_a_cost_that_is_not_finite_is_refused_wherever_it_stands(both, wrong, times):
    for at in np.ndindex(times, 2):
        cost = np.zeros((times, 2))
        cost[at] = wrong
        numpy, compiled = both(lambda cost=cost: ordered_path(cost))
        assert numpy == compiled
        assert "not finite" in compiled


@pytest.mark.parametrize("seed", range(25))
def test_the_loops_as_plain_python_find_the_same_and_touch_nothing_beside_their_arrays(monkeypatch, seed):
    """Python notices what a compiled loop reads or writes behind the end of an array."""
    monkeypatch.setattr(compiled_path, "worth_compiling", lambda cells: False)
    rng = np.random.default_rng(seed)
    C = int(rng.integers(1, 5))
    T = C + int(rng.integers(0, 9))
    table = np.stack([costs(rng, T, C) for _ in range(3)])
    steps, times = np.array([C, 1, C - 1]), np.full((3, C), -7)
    fits, total = compiled_path.free_paths.function(table, steps, times)
    assert fits and np.isfinite(total)
    expected = padded_paths(table, steps)
    for b, n in enumerate(steps):
        assert times[b].tolist() == [*expected[b, :n], *[-7] * (C - n)]
    table[1, T // 2 :, 0] = table[1, : T // 2, 0] = np.inf
    assert not compiled_path.free_paths.function(table, steps, times)[0]
    windows = np.sort(rng.integers(0, T + 1, (C, 2)), axis=1)
    for absent in (
        np.full(C, np.inf),
        np.where(rng.random(C) < 0.5, np.inf, rng.integers(-2, 3, C)).astype(float),
        rng.integers(-2, 3, C).astype(float),
    ):
        one = np.full(C, -7)
        if compiled_path.path_within.function(table[0], windows, absent, one):
            assert one.tolist() == path_in_windows(table[0], windows, absent).tolist()
        else:
            with pytest.raises(ValueError, match="no times keep the order"):
                path_in_windows(table[0], windows, absent)


@pytest.mark.parametrize("steps", range(1, 6))
def test_as_many_times_as_steps_have_one_answer_and_one_time_less_has_none(steps):
    for seed in range(5):
        cost = np.random.default_rng(seed).normal(size=(1, steps, steps))
        times = np.full((1, steps), -7)
        assert compiled_path.free_paths.function(cost, np.array([steps]), times)[0]
        assert times[0].tolist() == list(range(steps))
        short = np.ascontiguousarray(cost[:, 1:])
        assert not compiled_path.free_paths.function(short, np.array([steps]), times)[0]


def test_windows_that_leave_no_order_are_refused_all_the_same(both):
    numpy, compiled = both(lambda: ordered_path(np.zeros((5, 2)), [[3, 5], [0, 3]]))
    assert numpy == compiled
    assert "no times keep the order" in compiled


def test_many_threads_find_what_one_finds(both):
    rng = np.random.default_rng(0)
    videos = [rng.normal(size=(300, 8)) for _ in range(40)]
    one, _ = both(lambda: [ordered_path(video).tolist() for video in videos])
    with ThreadPoolExecutor(8) as threads:
        assert [times.tolist() for times in threads.map(ordered_path, videos)] == one
