from __future__ import annotations

import math

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import films
from media.conftest import SORTS
from sayso.core.errors import MediaError, SaysoError
from sayso.media import ClipFrames, read_clip, stream_frames


def naive(truth, start, end, frames=None, fps=None):
    """The rule, by a search through all frames of the video."""
    times, pictures, last = truth
    if frames is None and fps is None:
        wanted = [k for k, time in enumerate(times) if start - 1e-6 <= time < end - 1e-6]
        instants = [times[k] for k in wanted]
    else:
        count = frames if frames is not None else max(1, round((end - start) * fps))
        step = (end - start) / count if fps is None else 1 / fps
        instants = [start + (k + 0.5) * step for k in range(count)]
        wanted = [films.on_screen(times, instant) for instant in instants]
    padded = sum(instant >= last - 1e-6 for instant in instants)
    empty = np.empty((0, *pictures[0].shape), np.uint8)
    return np.stack([pictures[k] for k in wanted]) if wanted else empty, [times[k] for k in wanted], padded


def same(clip, want):
    frames, times, padded = want
    assert clip.times.tolist() == pytest.approx(times, abs=1e-9)
    assert clip.frames.dtype == np.uint8
    assert np.array_equal(clip.frames, frames)
    assert clip.padded == padded


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(SORTS)),
    start=st.floats(0, 5),
    length=st.floats(0, 2),
    frames=st.none() | st.integers(1, 12),
    fps=st.none() | st.floats(0.5, 40),
    threads=st.sampled_from([1, 1, 2]),
)
def test_equals_a_search_through_all_frames(film, truth, name, start, length, frames, fps, threads):
    clip = read_clip(film(name), start, start + length, frames=frames, fps=fps, threads=threads)
    same(clip, naive(truth(name), start, start + length, frames, fps))


@pytest.mark.parametrize("name", SORTS)
def test_frames_of_the_second_half_of_every_sort(film, truth, name):
    end = truth(name)[2]
    same(read_clip(film(name), 0.7 * end, 0.9 * end, frames=6), naive(truth(name), 0.7 * end, 0.9 * end, 6))
    same(read_clip(film(name), 0.8 * end, end), naive(truth(name), 0.8 * end, end))
    same(read_clip(film(name), 60, 61, frames=2), naive(truth(name), 60, 61, 2))


@pytest.mark.parametrize("name", ["plain.mp4", "late_start.mp4", "h264.avi", "late_start.ts", "uneven.mkv"])
def test_time_0_is_the_first_frame(film, name):
    clip = read_clip(film(name), 0.0, 0.1)
    assert clip.times[0] == 0
    assert [films.number_of(frame) for frame in clip.frames] == list(range(len(clip.frames)))


def test_the_numbers_say_which_frames_they_are(film):
    clip = read_clip(film("plain.mp4"), 2.0, 3.0, fps=5)
    assert [films.number_of(frame) for frame in clip.frames] == [63, 69, 75, 81, 87]
    assert clip.times == pytest.approx([63 / 30, 69 / 30, 75 / 30, 81 / 30, 87 / 30])


def test_pads_with_the_last_frame_and_says_so(film):
    clip = read_clip(film("plain.mp4"), 3.5, 4.5, fps=10)
    assert clip.padded == 5
    assert [films.number_of(frame) for frame in clip.frames][4:] == [118, 119, 119, 119, 119, 119]
    assert read_clip(film("plain.mp4"), 3.5, 4.0, fps=10).padded == 0
    assert read_clip(film("plain.mp4"), 50, 60, frames=3).padded == 3


def test_no_frame_may_begin_within_a_clip(film):
    clip = read_clip(film("uneven.mkv"), 0.35, 0.37)
    assert clip.frames.shape == (0, 72, 96, 3)
    assert clip.times.shape == (0,)


def test_a_far_seek_decodes_only_what_it_needs(tmp_path, decoders):
    path = films.make(tmp_path / "hour.mp4", [k % 4000 for k in range(6000)], g="60", preset="ultrafast")
    clip = read_clip(path, 190.0, 191.0, frames=3)
    assert [films.number_of(frame) for frame in clip.frames] == [
        int(30 * (190 + (k + 0.5) / 3)) % 4000 for k in range(3)
    ]
    assert decoders[-1].decoded <= 100  # of 5,720 before the end of the clip


def test_a_clip_at_the_start_of_a_long_file_leaves_the_rest_alone(tmp_path, monkeypatch):
    from sayso.media.container import VideoSource

    path = films.make(tmp_path / "long.mp4", 1500, g="30", preset="ultrafast")
    read, packets = [], VideoSource.packets
    monkeypatch.setattr(
        VideoSource, "packets", lambda source: (read.append(p.pts) or p for p in packets(source))
    )
    clip = read_clip(path, 0.5, 1.5, frames=2)
    assert [films.number_of(frame) for frame in clip.frames] == [22, 37]
    assert len(read) < 100


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_a_container_that_marks_every_frame_as_a_key_frame_is_seen_through(tmp_path, codec):
    """Without its table of key frames, an MP4 file says that all are."""
    path = films.make(tmp_path / "marked.mp4", 120, codec=codec, g="40", bf="0")
    data = path.read_bytes()
    assert data.count(b"stss") == 1
    truth = films.every_frame(path)
    path.write_bytes(data.replace(b"stss", b"free"))
    with av.open(str(path)) as file:
        marked = [packet.is_keyframe for packet in file.demux(video=0) if packet.size]
        assert all(marked) or codec == "libx264"  # FFmpeg looks into H.264 itself
    for start in (1.2, 2.2, 3.1):
        same(read_clip(path, start, start + 0.5, frames=3), naive(truth, start, start + 0.5, 3))
    streamed = list(stream_frames(path, fps=1))
    assert [films.number_of(frame) for _, frame in streamed] == [15, 45, 75, 105]


@pytest.mark.parametrize("suffix", ["mkv", "ts", "avi", pytest.param("webm", marks=pytest.mark.slow)])
def test_a_far_seek_in_other_containers(tmp_path, decoders, suffix):
    codec = {"webm": "libvpx"}.get(suffix, "libx264")
    speed = {"deadline": "realtime", "cpu-used": "16"} if suffix == "webm" else {"preset": "ultrafast"}
    path = films.make(tmp_path / f"long.{suffix}", 1500, codec=codec, g="30", **speed)
    clip = read_clip(path, 41.0, 42.0, frames=2)
    assert [films.number_of(frame) for frame in clip.frames] == [1237, 1252]
    assert decoders[-1].decoded <= 180


def test_reads_on_from_the_start_where_seeking_fails(film, truth, monkeypatch):
    from sayso.media import container

    class Unseekable(container.VideoSource):
        @property
        def container(self):
            return self._real

        @container.setter
        def container(self, real):
            self._real = NoSeek(real)

    class NoSeek:
        def __init__(self, real):
            self.real = real

        def __getattr__(self, name):
            return getattr(self.real, name)

        def seek(self, *args, **kwargs):
            raise av.error.PermissionError(1, "not seekable")

    monkeypatch.setattr(container, "VideoSource", Unseekable)
    same(read_clip(film("plain.mp4"), 2.5, 3.5, frames=4), naive(truth("plain.mp4"), 2.5, 3.5, 4))


@pytest.mark.parametrize("landing", [0.5, 1.5, 30.0])
def test_a_seek_that_lands_too_late_is_repeated_further_back(film, truth, monkeypatch, landing):
    from sayso.media.timeline import Timeline

    exact = Timeline.stamp
    monkeypatch.setattr(Timeline, "stamp", lambda clock, seconds: exact(clock, seconds + landing))
    same(read_clip(film("short_gops.mp4"), 2.1, 2.6, frames=3), naive(truth("short_gops.mp4"), 2.1, 2.6, 3))


def test_unpacks_and_converts_like_an_array(film):
    clip = read_clip(film("plain.mp4"), 0, 1, frames=4)
    frames, times = clip
    assert frames is clip.frames
    assert times is clip.times
    assert np.asarray(clip) is frames
    assert np.array(clip, copy=True) is not frames
    assert np.asarray(clip, np.float32).dtype == np.float32
    assert isinstance(clip, ClipFrames)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((2, 1), {"frames": 1}, "must end after it starts; got 2 to 1"),
        ((-1, 1), {"frames": 1}, "start must be 0 or more seconds; got -1"),
        ((0, math.nan), {"frames": 1}, "must end after it starts"),
        ((0, 1), {"frames": 0}, "between 1 and 10000000 frames; got 0"),
        ((0, 1), {"fps": -2}, "fps must be a positive number"),
        ((0, 1), {"crop": "center"}, "needs a size"),
        ((0, 1), {"size": -5}, "size must be between 1 and 8192 pixels; got -5"),
    ],
)
def test_says_what_argument_is_wrong(arguments, options, says):
    with pytest.raises(SaysoError, match=says):
        read_clip("never opened.mp4", *arguments, **options)


def test_refuses_a_clip_larger_than_memory_before_taking_it(film):
    with pytest.raises(SaysoError, match=r"would take \d+ GiB of memory; ask for fewer or smaller frames"):
        read_clip(film("plain.mp4"), 0, 1, frames=9_000_000)


def test_a_file_cut_off_is_told_instead_of_padded(tmp_path):
    path = films.make(tmp_path / "cut.mkv", 300, g="15")
    path.write_bytes(path.read_bytes()[:12_000])
    assert read_clip(path, 0, 1, frames=4).padded == 0
    with pytest.raises(
        MediaError, match=r"cut.mkv: reading failed at \d\.\d s .*10\.0 s\); the file is damaged"
    ):
        read_clip(path, 8, 9, frames=4)
