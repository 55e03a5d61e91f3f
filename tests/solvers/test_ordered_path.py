"""The ordered path against all choices of times."""

from __future__ import annotations

import importlib
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sayso.solvers.ordered_path import ordered_path, ordered_paths, path_in_windows
from sayso.solvers.running_minimum import Blocks

module = importlib.import_module("sayso.solvers.ordered_path")


@st.composite
def small_costs(draw: st.DrawFn) -> np.ndarray:
    steps = draw(st.integers(0, 4))
    moments = draw(st.integers(steps, 8))
    return draw(arrays(np.int64, (moments, steps), elements=st.integers(-3, 3)))


def by_trying_all(cost: np.ndarray) -> tuple[int, ...]:
    """The best times; of equals, the one that is earliest from the last step on."""
    moments, steps = cost.shape
    return min(
        combinations(range(moments), steps),
        key=lambda times: (sum(cost[t, k] for k, t in enumerate(times)), times[::-1]),
    )


@given(small_costs())
def test_equals_brute_force_with_its_ties(cost: np.ndarray) -> None:
    times = ordered_path(cost)
    assert times.dtype == np.int64
    assert tuple(times) == by_trying_all(cost)


def test_real_costs_equal_brute_force() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        cost = rng.normal(size=(9, 4))
        assert tuple(ordered_path(cost)) == by_trying_all(cost)


def test_finds_a_planted_path_in_a_long_video() -> None:
    rng = np.random.default_rng(1)
    planted = np.sort(rng.choice(2000, size=12, replace=False))
    cost = rng.random((2000, 12))
    cost[planted, np.arange(12)] = -100.0
    assert ordered_path(cost).tolist() == planted.tolist()


def test_as_many_times_as_steps_leaves_one_answer() -> None:
    assert ordered_path(np.random.default_rng(2).random((6, 6))).tolist() == list(range(6))


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (np.zeros((2, 3)), "3 steps need at least 3 times"),
        (np.zeros(3), "expected cost"),
        (np.array([[np.nan]]), "not finite"),
        (np.array([[np.inf]]), "not finite"),
        (np.array([["a"]]), "expected cost"),
    ],
)
def test_says_what_is_wrong(cost: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ordered_path(cost)


def least_cost(cost: np.ndarray, windows: np.ndarray, absent: np.ndarray) -> float:
    """Return the least cost by trying all choices; infinity where there is none."""
    T, K = cost.shape
    least = np.inf
    for choice in product(range(-1, T), repeat=K):
        present = [t for t in choice if t >= 0]
        if present != sorted(set(present)):
            continue
        if all(t < 0 or windows[k, 0] <= t < windows[k, 1] for k, t in enumerate(choice)):
            least = min(least, sum(absent[k] if t < 0 else cost[t, k] for k, t in enumerate(choice)))
    return float(least)


@st.composite
def scripts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    T, K = draw(st.integers(0, 5)), draw(st.integers(0, 3))
    cost = draw(arrays(np.int64, (T, K), elements=st.integers(-3, 3)))
    windows = np.sort(draw(arrays(np.int64, (K, 2), elements=st.integers(0, T))), axis=1)
    absent = draw(arrays(np.float64, K, elements=st.sampled_from([-1.0, 0.0, 2.0, np.inf])))
    return cost, windows, absent


def check(cost: np.ndarray, windows: np.ndarray, absent: np.ndarray, times: np.ndarray) -> None:
    """Times are in order, in their windows, and of least cost."""
    there = np.flatnonzero(times >= 0)
    assert (times[times < 0] == -1).all()
    assert (np.diff(times[there]) > 0).all()
    assert ((windows[there, 0] <= times[there]) & (times[there] < windows[there, 1])).all()
    total = cost[times[there], there].sum() + absent[times < 0].sum()
    assert total == least_cost(cost, windows, absent)


@given(st.lists(scripts(), max_size=4))
def test_videos_with_windows_and_absent_steps_equal_brute_force(videos: list) -> None:
    feasible = [np.isfinite(least_cost(*video)) for video in videos]
    costs, windows, absent = ([video[part] for video in videos] for part in range(3))
    if all(feasible):
        for video, times in zip(videos, ordered_paths(costs, windows, absent), strict=True):
            check(*video, times)
    else:
        with pytest.raises(ValueError, match="keep the order and the windows"):
            ordered_paths(costs, windows, absent)


def test_videos_side_by_side_equal_videos_alone() -> None:
    rng = np.random.default_rng(3)
    shapes = [(1, 1), (700, 5), (33, 0), (350, 9), (701, 2)]
    costs = [rng.normal(size=shape) for shape in shapes]
    together = ordered_paths(costs)
    assert [times.tolist() for times in together] == [ordered_path(cost).tolist() for cost in costs]


def test_long_videos_leave_steps_out_where_that_costs_less() -> None:
    rng = np.random.default_rng(4)
    for T in (199, 200, 1200):
        cost = rng.random((T, 6))
        planted = np.sort(rng.choice(T, size=6, replace=False))
        cost[planted, np.arange(6)] = -5.0
        absent = np.array([np.inf, -6.0, 0.0, np.inf, -4.0, -7.0])
        wanted = np.where(absent < -5, -1, planted)
        assert ordered_path(cost, absent=absent).tolist() == wanted.tolist()


def test_windows_move_a_step_from_its_cheapest_time() -> None:
    cost = np.tile(np.arange(500.0)[:, None], 3)
    windows = [(10, 20), (0, 400), (300, 301)]
    assert ordered_path(cost, windows).tolist() == [10, 11, 300]


@pytest.mark.parametrize(
    ("windows", "absent", "message"),
    [
        ([(0, 3)], None, "expected windows"),
        ([(0, 3), (0, 9)], None, "not within the 3 times"),
        ([(2, 3), (0, 2)], None, "keep the order and the windows"),
        ([(0.0, 3.0), (0.0, 3.0)], None, "of integers"),
        (None, [1.0], "expected absent"),
        (None, [np.nan, 1.0], "expected absent"),
        (None, [-np.inf, 1.0], "expected absent"),
        ([(-1, 3), (0, 3)], None, "not within the 3 times"),
        ([(2, 1), (0, 3)], None, "not within the 3 times"),
    ],
)
def test_says_what_is_wrong_with_windows(windows: list | None, absent: list | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ordered_path(np.zeros((3, 2)), windows, absent)


@pytest.mark.parametrize("times", [401, 899, 900, 1000, 2507])
def test_blocks_find_what_one_pass_finds(times):
    """A long video is cut into blocks, the last of them in part: each step's running minimum, and where."""
    rng = np.random.default_rng(times)
    cost = rng.integers(-9, 9, (times, 3)).astype(float)
    windows = np.array([[0, times], [times // 5, times - 3], [times // 2, times]])
    blocks = Blocks(cost, windows)
    best, naive = blocks.start(), np.zeros(times + 1)
    for c in range(3):
        best = blocks.place(c, best)
        sums = np.full(times, np.inf)
        sums[slice(*windows[c])] = (naive[:-1] + cost[:, c])[slice(*windows[c])]
        naive = np.concatenate([[np.inf], np.minimum.accumulate(sums)])
        assert [float(blocks.at(best, t)) for t in range(times + 1)] == naive.tolist()
        for t in (times, times - 1, times * 3 // 4, times // 2 + 1):
            assert blocks.first(c, t) == sums[:t].argmin()


@pytest.mark.parametrize(("times", "rows"), [(3, 1), (24, 1), (99, 1), (225, 2), (2500, 5), (10_000, 10)])
def test_blocks_are_as_long_as_pays(times, rows):
    blocks = Blocks(np.zeros((times, 1)), np.array([[0, times]]))
    assert blocks.start().shape == (rows, times // rows + 1)


def test_long_and_short_windows_are_solved_by_the_layout_that_is_faster(monkeypatch):
    made = []
    for name in ("Blocks", "Windows"):
        kind = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, kind=kind: made.append(kind.__name__) or kind(*a))
    monkeypatch.setattr(module, "compiled_within", lambda *_: None)
    monkeypatch.setattr(module, "_LONG", 10)
    for ends in ([15, 15], [14, 16], [14, 17]):
        path_in_windows(np.zeros((20, 2)), np.array([[5, ends[0]], [5, ends[1]]]))
    assert made == ["Windows", "Windows", "Blocks"]


def test_eight_videos_are_solved_side_by_side_and_seven_one_by_one(monkeypatch):
    calls, alone = [], module.ordered_path
    monkeypatch.setattr(module, "compiled_each", lambda costs: None)
    monkeypatch.setattr(module, "ordered_path", lambda *a: calls.append(1) or alone(*a))
    videos = [np.random.default_rng(k).normal(size=(9 if k else 1, 1 + k % 3)) for k in range(8)]
    expected = [alone(video).tolist() for video in videos]
    for count, times in ((7, 7), (8, 0)):
        calls.clear()
        assert [found.tolist() for found in ordered_paths(videos[:count])] == expected[:count]
        assert len(calls) == times
    with pytest.raises(ValueError, match="3 steps need at least as many times; there are 2"):
        ordered_paths([*videos, np.zeros((2, 3))])
    absent = [np.array([np.inf]), np.array([-9.0])]
    found = ordered_paths([np.zeros((3, 1)), np.zeros((3, 1))], absent=absent)
    assert [one.tolist() for one in found] == [[0], [-1]]
    found = ordered_paths([np.zeros((3, 1)), np.zeros((3, 1))], windows=[[(1, 3)], [(2, 3)]])
    assert [one.tolist() for one in found] == [[1], [2]]


def test_costs_may_be_so_large_that_their_sum_is_no_number() -> None:
    with np.errstate(over="ignore"):
        assert ordered_path(np.array([[1e308], [-1e308], [1e308], [1.5e308], [1e308]])).tolist() == [1]


@pytest.mark.parametrize("times", [401, 1000])
def test_blocks_keep_to_windows_where_costs_fall_and_rise(times):
    windows = np.array([[times // 5, times - 3], [times // 5, times // 2]])
    for falling in (-1.0, 1.0):
        blocks = Blocks(falling * np.tile(np.arange(float(times))[:, None], 2), windows)
        for c, (first, end) in enumerate(windows.tolist()):
            after = blocks.place(c, blocks.start())
            assert blocks.at(after, first) == np.inf
            for t in (first + 1, first + 2, end - 1, end, end + 1, times):
                least = first if falling > 0 else min(t, end) - 1
                assert blocks.at(after, t) == falling * least
                assert blocks.first(c, t) == least
