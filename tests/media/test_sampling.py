from __future__ import annotations

import math
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import films
from sayso.core.errors import SaysoError
from sayso.media.sampling import Cells, check_span, frames_on_screen


def test_the_rule_on_an_example():
    cells = Cells.of_clip(1.0, 2.0, frames=None, fps=2)
    assert [cells.instant(k) for k in range(cells.count)] == [1.25, 1.75]
    assert Cells.of_clip(1.0, 2.0, frames=4, fps=None) == Cells(1.0, 0.25, 4)
    assert Cells.of_clip(1.0, 2.0, frames=4, fps=2) == Cells(1.0, 0.5, 4)


@pytest.mark.parametrize(
    ("length", "fps", "count"), [(0.0, 5, 1), (0.01, 5, 1), (1.1, 10, 11), (3.2, 10, 32)]
)
def test_a_clip_has_at_least_one_frame(length, fps, count):
    assert Cells.of_clip(0.0, length, None, fps).count == count


@given(
    gaps=st.lists(st.floats(0.001, 2), min_size=1, max_size=30),
    start=st.floats(0, 20),
    step=st.floats(0.01, 3),
    count=st.integers(1, 40),
)
def test_picks_like_a_search_through_all_frames(gaps, start, step, count):
    times = [0.0]
    for gap in gaps[:-1]:
        times.append(times[-1] + gap)
    end = times[-1] + gaps[-1]
    cells = Cells(start, step, count)
    picked = list(frames_on_screen(((time, k) for k, time in enumerate(times)), cells, lambda: end))
    instants = [start + (k + 0.5) * step for k in range(count)]
    assert [frame for _, frame, _ in picked] == [films.on_screen(times, instant) for instant in instants]
    assert [time for time, _, _ in picked] == [times[frame] for _, frame, _ in picked]
    assert [late for *_, late in picked] == [instant >= end - 1e-6 for instant in instants]


def test_goes_on_for_ever_after_the_end_if_no_count_is_given():
    picked = list(islice(frames_on_screen([(0.0, "a")], Cells(0.0, 1.0), lambda: 2.0), 5))
    assert [late for *_, late in picked] == [False, False, True, True, True]


def test_reads_no_further_than_the_frame_after_the_last_instant():
    frames = iter([(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 3)])
    assert [frame for _, frame, _ in frames_on_screen(frames, Cells(0.0, 1.0, 1), lambda: 9.0)] == [0]
    assert next(frames) == (2.0, 2)


@given(
    start=st.floats(0, 100),
    step=st.floats(0.001, 10),
    count=st.none() | st.integers(1, 50),
    low=st.floats(-5, 200),
    length=st.floats(0, 5),
)
def test_a_stretch_that_holds_an_instant_is_never_called_empty(start, step, count, low, length):
    cells = Cells(start, step, count)
    first = max(0, math.floor((low - start) / step) - 2)
    instants = [cells.instant(k) + 1e-6 for k in range(first, first + math.ceil(length / step) + 5)]
    instants = instants[: None if count is None else max(0, count - first)]
    assert cells.any_in(low, low + length) or not any(low <= t < low + length for t in instants)
    if cells.any_in(low, low + length):
        assert any(low - 1e-7 <= t < low + length + 1e-7 for t in instants)


def test_a_frame_shown_at_the_very_instant_hides_the_one_before():
    cells = Cells(0.0, 1.0)
    assert cells.any_in(0.5, 0.6)
    assert not cells.any_in(0.4, 0.5)


def test_an_empty_clip_shows_the_frame_at_its_start():
    cells = Cells.of_clip(3.0, 3.0, frames=2, fps=None)
    assert [cells.instant(k) for k in range(2)] == [3.0, 3.0]
    assert cells.any_in(2.9, 3.1)
    assert not cells.any_in(3.1, 3.2)
    assert Cells(0.0, 5e-324, 2).any_in(0.0, 1.0)


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 2), (2, 1), (math.nan, 1), (0, math.nan), (0, math.inf), (math.inf, math.inf)]
)
def test_says_that_times_make_no_clip(start, end):
    with pytest.raises(SaysoError, match=r"0 or more seconds|end after it starts"):
        check_span(start, end)


@pytest.mark.parametrize("fps", [0, -1, math.nan, math.inf])
def test_says_that_a_rate_makes_no_sense(fps):
    with pytest.raises(SaysoError, match=r"fps must be a positive number"):
        Cells.of_clip(0, 1, None, fps)


@pytest.mark.parametrize("frames", [0, -3, 10**9])
def test_says_how_many_frames_a_clip_can_have(frames):
    with pytest.raises(SaysoError, match=r"between 1 and 10000000 frames"):
        Cells.of_clip(0, 1, frames, None)
