from __future__ import annotations

import gc
import re
import threading
import weakref
from itertools import islice

import av
import numpy as np
import pytest

from media import films
from media.conftest import SORTS
from sayso.core.errors import MediaError, SaysoError
from sayso.media import read_clip, stream_frames
from sayso.media import stream as stream_module
from sayso.media.decode import Decoder


def naive(truth, fps, start=0.0):
    """The rule, frame by frame over everything: (time, frame) of each cell that begins before the end."""
    times, frames, end = truth
    instants = []
    while (instant := start + (len(instants) + 0.5) / fps) < end - 1e-6:
        instants.append(instant)
    instants = instants or [start + 0.5 / fps]
    return [(times[k], frames[k]) for k in (films.on_screen(times, instant) for instant in instants)]


def same(got, want):
    assert [time for time, _ in got] == pytest.approx([time for time, _ in want], abs=1e-9)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(got, want, strict=True))


@pytest.mark.parametrize("name", SORTS)
@pytest.mark.parametrize("fps", [7, 1])
def test_equals_decoding_everything(film, truth, name, fps):
    same(list(stream_frames(film(name), fps=fps)), naive(truth(name), fps))


@pytest.mark.parametrize(
    "name", ["plain.mp4", "short_gops.mkv", "open_gop.ts", "h264.avi", "uneven.mp4", "hevc.mp4"]
)
@pytest.mark.parametrize(("fps", "start", "threads"), [(30, 0.0, 2), (2, 1.7, 1), (0.3, 0.0, 2), (3, 2.9, 2)])
def test_equals_decoding_everything_from_anywhere(film, truth, name, fps, start, threads):
    got = list(stream_frames(film(name), fps=fps, start_s=start, threads=threads))
    same(got, naive(truth(name), fps, start))


@pytest.mark.parametrize("name", SORTS)
def test_inexact_frames_are_near_and_tell_their_time(film, truth, name):
    times, frames, _ = truth(name)
    want = naive(truth(name), 1)
    got = list(stream_frames(film(name), fps=1, exact=False))
    assert len(got) == len(want)
    for (time, frame), (wanted, _) in zip(got, want, strict=True):
        assert wanted - 0.15 <= time <= wanted
        closest = frames[int(np.argmin(np.abs(np.array(times) - time)))]
        assert np.abs(frame.astype(int) - closest).mean() < 4


@pytest.mark.parametrize(
    "name", ["plain.mp4", "pyramid.mp4", "short_gops.mp4", "motion_jpeg.mov", "vp8.webm"]
)
def test_decodes_less_than_everything(film, truth, name, decoders):
    assert len(list(stream_frames(film(name), fps=1))) == 4
    skipped = {
        "plain.mp4": 0.7,
        "pyramid.mp4": 0.65,
        "short_gops.mp4": 0.8,
        "motion_jpeg.mov": 0.25,
        "vp8.webm": 1.0,
    }
    assert decoders[-1].decoded <= skipped[name] * len(truth(name)[0])


def test_a_key_frame_that_is_none_is_not_relied_on(film, truth, decoders):
    """With intra refresh no frame is a fresh start: whatever is skipped, all the others must be there."""
    same(list(stream_frames(film("refresh.mkv"), fps=0.7)), naive(truth("refresh.mkv"), 0.7))
    assert not decoders[-1]._planner.may_drop


def test_after_a_false_key_frame_a_true_one_changes_nothing(tmp_path, decoders):
    """Two videos with intra refresh, one after the other: true key frames only where they begin."""
    path = films.make(tmp_path / "part.mkv", 60, x264_params="intra-refresh=1:keyint=20:bframes=0:scenecut=0")
    with av.open(str(tmp_path / "joined.mkv"), "w") as out:
        stream = None
        for shift in (0, 2000, 4000):
            with av.open(str(path)) as part:
                stream = stream or out.add_stream_from_template(part.streams.video[0])
                for packet in part.demux(video=0):
                    if packet.size:
                        packet.stream, packet.pts, packet.dts = stream, packet.pts + shift, packet.pts + shift
                        out.mux(packet)
    truth = films.every_frame(tmp_path / "joined.mkv")
    assert len(truth[0]) == 180
    same(list(stream_frames(tmp_path / "joined.mkv", fps=3)), naive(truth, 3))
    assert not decoders[-1]._planner.may_drop


def test_gives_one_frame_of_a_video_shorter_than_half_a_cell(film, truth):
    times, frames, _ = truth("plain.mp4")
    same(list(stream_frames(film("plain.mp4"), fps=0.1)), [(times[-1], frames[-1])])


def test_gives_the_last_frame_when_started_after_the_end(film, truth):
    times, frames, _ = truth("plain.mp4")
    same(list(stream_frames(film("plain.mp4"), fps=5, start_s=100)), [(times[-1], frames[-1])])


def test_can_be_left_early_and_read_again(film):
    for _ in range(30):
        assert len(list(islice(stream_frames(film("plain.mp4"), fps=30), 3))) == 3


def test_holds_a_few_frames_only(film, monkeypatch):
    alive, most = weakref.WeakSet(), 0

    class Watched(Decoder):
        def frames(self, start_s=0.0):
            nonlocal most
            for seconds, frame in super().frames(start_s):
                box = Box(frame)
                alive.add(box)
                most = max(most, len(alive))
                yield seconds, box

    class Box:
        def __init__(self, frame):
            self.frame = frame

    class Unboxing(stream_module.Shaper):
        def __call__(self, box):
            return super().__call__(box.frame)

    monkeypatch.setattr(stream_module, "Decoder", Watched)
    monkeypatch.setattr(stream_module, "Shaper", Unboxing)
    gc.collect()
    assert sum(1 for _ in stream_frames(film("long_gop.mp4"), fps=30)) == 120
    assert most <= 4


def test_memory_does_not_grow_with_length(tmp_path):
    import resource

    def peak(path):
        for _ in stream_frames(path, fps=25):
            pass
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def film(name, frames):
        return films.make(
            tmp_path / name, [1, 2] * (frames // 2), size=(480, 360), preset="ultrafast", tune="zerolatency"
        )

    peak(film("short.mp4", 30))
    before = peak(film("middle.mp4", 60))
    after = peak(film("long.mp4", 500))
    assert after - before < 40_000  # KiB; the 440 more frames would take 228,000


def test_many_files_at_once_in_threads(film, truth):
    names = ["plain.mp4", "open_gop.mkv", "h264.avi", "vp9.webm", "hevc.mp4", "uneven.mkv"]
    got: dict[str, list] = {}

    def read(name):
        got[name] = list(stream_frames(film(name), fps=5))

    for name in names:
        film(name)
    threads = [threading.Thread(target=read, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        same(got[name], naive(truth(name), 5))


def drain(frames):
    """Return what came, and the error that came after it."""
    got = []
    try:
        for pair in frames:
            got.append(pair)  # noqa: PERF402  what came before the error counts
    except MediaError as error:
        return got, str(error)
    return got, ""


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_a_file_cut_off_gives_what_it_has_then_says_where_it_ends(tmp_path, suffix):
    muxer = {"movflags": "faststart"} if suffix == "mp4" else {}
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = cut(films.make(tmp_path / f"whole.{suffix}", 300, codec=codec, muxer=muxer, g="15"), 0.6)
    got, error = drain(stream_frames(path, fps=5))
    assert re.search(rf"whole.{suffix}: reading failed at [3-8]\.\d s \(.*incomplete", error)
    assert 15 <= len(got) <= 40
    for time, frame in got[:-1]:
        assert films.number_of(frame) == round(time * 30)


def test_a_hole_in_the_middle_is_told_and_the_rest_is_read(tmp_path):
    path = films.make(tmp_path / "holed.mp4", 300, g="30")
    with av.open(str(path)) as file:
        damaged = [packet.pos for packet in file.demux(video=0) if packet.size][150]
    data = bytearray(path.read_bytes())
    data[damaged : damaged + 4] = b"\xff\xff\xff\xff"  # a length that leaves the file
    path.write_bytes(data)
    got, error = drain(stream_frames(path, fps=30))
    assert re.search(r"holed.mp4: reading failed at 5\.\d s \(invalid data", error)
    assert got[-1][0] > 9.9
    assert read_clip(path, 7, 8, frames=3).padded == 0
    with pytest.raises(MediaError, match=r"reading failed at 5\.\d s"):
        read_clip(path, 4.5, 6.5, fps=30)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"fps": 0}, "fps must be a positive number"),
        ({"fps": float("nan")}, "fps must be"),
        ({"fps": 1, "start_s": -1}, "start must be 0 or more"),
        ({"fps": 1, "size": 0}, "size must be between 1 and 8192"),
        ({"fps": 1, "crop": "centre", "size": 8}, "crop must be 'none', 'center' or 'squash'"),
        ({"fps": 1, "crop": "center"}, "needs a size"),
    ],
)
def test_says_at_once_what_argument_is_wrong(options, says):
    with pytest.raises(SaysoError, match=says):
        stream_frames("never opened.mp4", **options)


def videos(folder):
    return [path for path in sorted((folder / "videos").iterdir()) if path.name != "corrupted.mp4"]


@pytest.mark.parametrize("each", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_real_videos(shared_data, each):
    for path in videos(shared_data)[::each]:
        times, frames, end = films.every_frame(path)
        same(list(stream_frames(path, fps=2)), naive((times, frames, end), 2))
        clip = read_clip(path, 0.4 * end, 0.9 * end, frames=5)
        wanted = [films.on_screen(times, 0.4 * end + (k + 0.5) * 0.1 * end) for k in range(5)]
        assert np.array_equal(clip.frames, np.stack([frames[k] for k in wanted]))


def test_a_real_damaged_video(shared_data):
    got, error = drain(stream_frames(shared_data / "videos" / "corrupted.mp4", fps=2, size=64))
    assert "corrupted.mp4: reading failed at 3.0 s (invalid data" in error
    assert len(got) == 10
