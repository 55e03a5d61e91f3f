"""Key frames alone: those that another reader of packets finds, as a whole decode shows them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

import toy
from sayso.core.errors import MediaError
from sayso.media import NoKeyFramesError, key_frames, read_clip, stream_frames
from sayso.media.keyframes import MAX_GAP_S

RATE = 10


def write(path, seconds, *, codec="libx264", options=None, late_s=0, at=RATE):
    """Write a video whose grey grows with time, by 4 a second; its sound begins ``late_s`` before it."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=at, options={"sc_threshold": "0", **(options or {})})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if late_s:
            sound = out.add_stream("aac", rate=8000)
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 8000, 0
            out.mux(sound.encode(silence))
            out.mux(sound.encode())
        for k in range(round(seconds * at)):
            pixels = np.full((48, 64, 3), round(10 + 4 * k / at) % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = k + round(late_s * at), Fraction(1, at)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def key_times(path):
    """Return when key frames are shown, by the packets of PyAV alone, and when the video ends."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        zero = min(s.start_time * s.time_base for s in container.streams)
        packets = [p for p in container.demux(stream) if p.pts is not None]
        seconds = [float(p.pts * p.time_base - zero) for p in packets]
        end = max(s + float(p.duration * p.time_base) for s, p in zip(seconds, packets, strict=True))
        return [s for s, p in zip(seconds, packets, strict=True) if p.is_keyframe], end


def taken(times, every_s):
    """Return the first of them, and then each that is far enough from the last."""
    kept = times[:1]
    for time in times:
        if time >= kept[-1] + every_s - 1e-6:
            kept.append(time)
    return kept


@pytest.mark.parametrize("every_s", [0.5, 2.0, 4.0])
@pytest.mark.parametrize(
    ("name", "gop", "codec"),
    [("a.mp4", 10, "libx264"), ("b.mkv", 25, "libx264"), ("c.mp4", 33, "libx265"), ("d.mov", 1, "mjpeg")],
)
def test_they_are_those_that_the_packets_name_at_the_files_times(tmp_path, name, gop, codec, every_s):
    options = (
        {"x265-params": f"keyint={gop}:scenecut=0:log-level=0"} if codec == "libx265" else {"g": str(gop)}
    )
    if codec == "mjpeg":
        options, codec = {}, "mjpeg"
    path = (
        write(tmp_path / name, 20, codec=codec, options=options)
        if codec != "mjpeg"
        else mjpeg(tmp_path / name)
    )
    times, end = key_times(path)
    found = list(key_frames(path, every_s=every_s, size=48))
    assert [one.start_s for one in found] == pytest.approx(taken(times, every_s))
    assert all(one.end_s == other.start_s for one, other in pairwise(found))
    assert found[-1].end_s == pytest.approx(end)
    for one in found:
        shown = read_clip(path, one.start_s, one.start_s + 0.02, frames=1, size=48).frames[0]
        assert one.frame.shape == shown.shape
        assert np.abs(one.frame.astype(int) - shown).mean() < 2


def mjpeg(path):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for k in range(20 * RATE):
            pixels = np.full((48, 64, 3), 10 + k // 3, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(stream.encode())
    return path


def test_pictures_that_begin_after_the_sound_keep_the_files_clock(tmp_path):
    path = write(tmp_path / "late.mp4", 9, options={"g": "30"}, late_s=2)
    found = list(key_frames(path, every_s=2, size=48))
    assert [one.start_s for one in found] == pytest.approx([2, 5, 8], abs=0.11)
    times, _ = key_times(path)
    assert [one.start_s for one in found] == pytest.approx(times)


def test_only_key_frames_are_decoded(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4", 20, options={"g": "10"})
    monkeypatch.setattr("sayso.media.keyframes.stream_frames", None)  # nothing else is read
    sizes = []
    real = key_frames.__globals__["_Reader"]._frame

    def counted(self, packet):
        sizes.append(packet.size)
        return real(self, packet)

    monkeypatch.setattr("sayso.media.keyframes._Reader._frame", counted)
    assert len(list(key_frames(path, every_s=4))) == 5
    assert len(sizes) == 5


@pytest.mark.parametrize(("gop", "seconds"), [(1000, 40), (200, 47)])
def test_where_the_next_one_is_far_off_what_lies_between_is_decoded(tmp_path, caplog, gop, seconds):
    caplog.set_level("INFO", "sayso")
    path = write(tmp_path / "long.mp4", seconds, options={"g": str(gop), "keyint_min": str(gop)})
    times, end = key_times(path)
    assert max(b - a for a, b in pairwise([*times, end])) > MAX_GAP_S
    found = list(key_frames(path, every_s=4, size=48))
    assert [one.start_s for one in found[:1]] == [0]
    assert all(one.end_s == pytest.approx(other.start_s) for one, other in pairwise(found))
    assert found[-1].end_s == pytest.approx(end)
    assert all(one.end_s - one.start_s <= 8 for one in found)
    for one in found:
        low, high = (10 + 4 * s for s in (one.start_s, one.end_s))
        assert low - 4 <= one.frame.mean() <= high + 4
    assert "were decoded in full" in caplog.text


def test_a_container_that_tells_no_times_says_so_before_anything_else(tmp_path):
    toy.make_video(tmp_path / "a.avi", ["red", "blue"])
    with pytest.raises(NoKeyFramesError, match="does not tell"):
        next(key_frames(tmp_path / "a.avi", every_s=4))


def test_a_file_that_was_cut_short_is_told_after_what_could_be_read(tmp_path):
    whole = write(tmp_path / "a.mkv", 30, options={"g": "10"})
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = []
    with pytest.raises(MediaError, match="reading failed at"):
        found.extend(iter_into(found, key_frames(cut, every_s=2)))
    assert found
    assert found[-1].end_s < 29
    with pytest.raises(MediaError, match="reading failed at"):
        list(stream_frames(cut, fps=1))


def iter_into(kept, items):
    for item in items:
        kept.append(item)
    return ()
