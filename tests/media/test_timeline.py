from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace

import pytest

from media import films
from sayso.media import stream_frames
from sayso.media.container import open_video
from sayso.media.timeline import Timeline, declared_end, declared_length, frame_rate


@dataclass
class Frame:
    pts: int | None
    dts: int | None = None
    duration: int = 0


def clock(format_="mov", base=Fraction(1, 100), rate=Fraction(25)):
    stream = SimpleNamespace(
        time_base=base, average_rate=rate, guessed_rate=rate, start_time=0, duration=1000, metadata={}
    )
    return Timeline(SimpleNamespace(stream=stream, format=format_, origin=None))


def test_seconds_count_from_the_first_frame():
    timeline = clock()
    assert [timeline.place(Frame(pts)) for pts in (500, 504, 512)] == pytest.approx([0.0, 0.04, 0.12])
    assert timeline.end_s == pytest.approx(0.16)
    assert timeline.stamp(0.12) == 512
    assert timeline.stamp(0.1199) == 511
    assert timeline.seconds(512) == pytest.approx(0.12)
    assert timeline.is_first(500)


def test_frames_a_little_out_of_order_stay_where_they_are():
    timeline = clock()
    assert [timeline.place(Frame(pts)) for pts in (0, 8, 4, 12)] == pytest.approx([0.0, 0.08, 0.08, 0.12])


def test_a_clock_that_starts_again_goes_on():
    timeline = clock()
    placed = [timeline.place(Frame(pts)) for pts in (0, 400, 800, 0, 4, 8)]
    assert placed == pytest.approx([0, 4, 8, 8.04, 8.08, 8.12])


def test_frames_without_a_time_follow_one_another():
    timeline = clock()
    assert [timeline.place(Frame(None, duration=6)) for _ in range(3)] == pytest.approx([0, 0.06, 0.12])


def test_after_a_jump_a_frame_without_a_time_cannot_be_placed():
    timeline = clock()
    timeline.place(Frame(0))
    timeline.jump()
    assert timeline.place(Frame(None)) is None
    assert timeline.place(Frame(50)) == pytest.approx(0.5)
    timeline.jump(to_start=True)
    assert timeline.place(Frame(None)) == 0


def test_avi_counts_by_decoding_time():
    timeline = clock("avi")
    frames = [Frame(7, dts=3), Frame(5, dts=4), Frame(None, dts=5), Frame(None, dts=None)]
    assert [timeline.place(frame) for frame in frames] == pytest.approx([0, 0.01, 0.02, 0.06])
    assert not timeline.stamped


@pytest.mark.parametrize(
    ("duration", "lasts"), [(7, 7), (0, 4), (None, 4), (-3, 4), (360_000, 360_000), (360_001, 4)]
)
def test_how_long_a_frame_lasts(duration, lasts):
    assert clock().lasting(duration) == lasts


def test_a_frame_rate_beyond_belief_says_nothing():
    assert clock(rate=Fraction(1, 10**6)).lasting(None) == 0
    assert clock(rate=None).lasting(None) == 0


def test_where_the_header_says_that_pictures_and_file_end(film):
    with open_video(film("late_start.mkv")) as source:
        assert declared_end(source) == pytest.approx(3.96, abs=0.01)
    with open_video(film("flash.flv")) as source:
        assert declared_end(source) is None
        assert declared_length(source) == pytest.approx(4.0, abs=0.1)
        assert frame_rate(source.stream) == pytest.approx(30)
    with open_video(film("raw.h264")) as source:
        assert declared_length(source) is None
        assert frame_rate(source.stream) == pytest.approx(30)


def test_recordings_joined_end_to_end_are_read_through(tmp_path):
    part = films.make(tmp_path / "part.ts", 60, g="15").read_bytes()
    (tmp_path / "joined.ts").write_bytes(part * 3)
    times, numbers = [], []
    for time, frame in stream_frames(tmp_path / "joined.ts", fps=10):
        times.append(time)
        numbers.append(films.number_of(frame))
    assert len(times) >= 58
    assert times == sorted(times)
    assert numbers[:20] == [3 * k + 1 for k in range(20)]
    assert numbers[-10:] == pytest.approx([3 * k + 1 for k in range(10, 20)], abs=2)
