"""Streams made on the fly are decoded again and compared with the file they were made from."""

from __future__ import annotations

import io
import os
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import toy
from media import films as numbered
from media.test_hdr import BARS, bars
from sayso.core.errors import MediaError
from sayso.serve.stream import Mp4Stream, mp4_content_type, start_stream
from sayso.serve.tracks import MAX_HEIGHT


def whole(playing: Mp4Stream) -> av.container.InputContainer:
    """Return the finished stream, opened by another demuxer."""
    return av.open(io.BytesIO(b"".join(playing.chunks)))


def pictures(playing: Mp4Stream) -> list[tuple[float, str]]:
    """Return the second of the file and the colour of every picture of a stream."""
    with whole(playing) as stream:
        shown = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in stream.decode(video=0)]
    return [(time + playing.start_s, nearest(array)) for time, array in shown]


def nearest(array: np.ndarray) -> str:
    mean = array.reshape(-1, 3).mean(0)
    return min(toy.COLOURS, key=lambda name: np.abs(np.subtract(toy.COLOURS[name], mean)).sum())


COLOURS = ["red", "green", "blue"]


@pytest.fixture(scope="module")
def films(tmp_path_factory, movie) -> dict[str, Path]:
    """Three times two seconds of colour at 10 frames a second, in files that browsers do not play."""
    folder = tmp_path_factory.mktemp("films")
    kinds = {
        "mpeg4.avi": ("mpeg4", {}),
        "hevc.mp4": ("libx265", {"x265-params": "log-level=none"}),
        "vp9.mkv": ("libvpx-vp9", {"deadline": "realtime"}),
        "h264.mkv": ("libx264", {"g": "10", "bf": "3"}),
        "h264.ts": ("libx264", {"g": "10"}),
        "mpeg2.ts": ("mpeg2video", {}),
    }
    return {
        name: movie(folder / name, COLOURS, codec=codec, seconds_each=2, options=options)
        for name, (codec, options) in kinds.items()
    }


NAMES = ["mpeg4.avi", "hevc.mp4", "vp9.mkv", "h264.mkv", "h264.ts", "mpeg2.ts"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at_s", [0.0, 1.0, 2.75, 5.9])
def test_the_stream_shows_what_the_file_shows_at_the_same_second(films, name, at_s):
    playing = start_stream(str(films[name]), at_s)
    shown = pictures(playing)
    copied = name == "h264.mkv"
    assert playing.start_s <= at_s if copied else playing.start_s == at_s
    assert shown[0][0] <= at_s + 1e-3, "there is a picture at the second that was asked for"
    assert copied or shown[0][0] == pytest.approx(at_s, abs=1e-3)
    assert shown[-1][0] == pytest.approx(5.9, abs=0.11)
    expected = round((5.9 - shown[0][0]) * 10) + 1
    assert abs(len(shown) - expected) <= 1
    for second, colour in shown:
        if abs(second - 2) > 0.15 and abs(second - 4) > 0.15:
            assert colour == COLOURS[int(second // 2)], second


def test_h264_of_a_matroska_file_is_copied_from_the_key_frame_before(films):
    playing = start_stream(str(films["h264.mkv"]), 2.75)
    assert 1.7 <= playing.start_s <= 2.0
    with whole(playing) as stream, av.open(str(films["h264.mkv"])) as file:
        copied = [bytes(packet) for packet in stream.demux(video=0) if packet.size]
        original = [bytes(packet) for packet in file.demux(video=0) if packet.size]
    assert copied == original[-len(copied) :], "not a byte of the pictures was changed"
    assert len(copied) == 40


@pytest.mark.parametrize("options", [{"profile": "high422"}, {"profile": "high10"}])
def test_h264_that_browsers_do_not_decode_is_encoded_again(tmp_path, options):
    formats = {"high422": "yuv422p", "high10": "yuv420p10le"}
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, formats[options["profile"]]
        image = np.ascontiguousarray(np.broadcast_to(np.uint8(toy.COLOURS["blue"]), (48, 64, 3)))
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    playing = start_stream(str(path), 0.0)
    with whole(playing) as stream:
        assert stream.streams.video[0].codec_context.pix_fmt == "yuv420p"
    assert "avc1.64" in playing.content_type


def test_sound_and_picture_stay_together(tmp_path):
    """A white flash and a beep at second 3 of a film without sound before it."""
    path = tmp_path / "clap.avi"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for k in range(125):
            light = 255 if 75 <= k < 80 else 0
            container.mux(
                video.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), light, np.uint8), "rgb24"))
            )
            times = np.arange(640) / 16_000 + k / 25
            wave = np.where((times >= 3) & (times < 3.2), np.sin(2 * np.pi * 1000 * times), 0)
            frame = av.AudioFrame.from_ndarray((wave * 20_000).astype(np.int16)[None], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, k * 640, Fraction(1, 16_000)
            container.mux(audio.encode(frame))
        container.mux(video.encode())
    for at_s in (0.0, 1.3, 2.9):
        playing = start_stream(str(path), at_s)
        assert playing.content_type.endswith(',mp4a.40.2"')
        data = b"".join(playing.chunks)
        with av.open(io.BytesIO(data)) as stream:
            flash = next(
                frame.time for frame in stream.decode(video=0) if frame.to_ndarray(format="gray").mean() > 128
            )
        with av.open(io.BytesIO(data)) as stream:
            heard = [(frame.time, frame.to_ndarray(), frame.sample_rate) for frame in stream.decode(audio=0)]
        beep = next(
            t + np.argmax(np.abs(a[0]) > 0.2) / rate for t, a, rate in heard if np.abs(a[0]).max() > 0.2
        )
        assert flash + at_s == pytest.approx(3, abs=0.041)
        assert beep + at_s == pytest.approx(3, abs=0.04)


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((64, 48), None, (64, 48)),
        ((66, 50), None, (66, 50)),
        ((1280, 1440), None, (640, 720)),
        ((64, 48), Fraction(4, 3), (86, 48)),
    ],
)
def test_sizes(tmp_path, size, aspect, expected):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for _ in range(3):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((*size[::-1], 3), np.uint8), "rgb24"))
            )
        container.mux(stream.encode())
    with whole(start_stream(str(path), 0.0)) as stream:
        video = stream.streams.video[0]
        assert (video.width, video.height) == expected
        assert video.height <= MAX_HEIGHT
        assert video.sample_aspect_ratio in (None, 0, 1)


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, "left top"), (90, "left bottom"), (180, "right bottom"), (-90, "right top")]
)
def test_turned_video_stands_upright(tmp_path, degrees, corner):
    """The top left corner of the stored picture is white; turned counter-clockwise it comes to ``corner``."""
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:16, :16] = 255
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if degrees:
            stream.set_display_rotation(degrees)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored, "rgb24")))
        container.mux(stream.encode())
    with av.open(str(path)) as file:
        assert next(file.decode(video=0)).rotation in (degrees, degrees % 360, degrees - 360)
    with whole(start_stream(str(path), 0.0)) as stream:
        shown = next(stream.decode(video=0)).to_ndarray(format="gray")
    assert shown.shape == ((64, 48) if degrees in (90, -90) else (48, 64))
    across, down = corner.split()
    rows = slice(0, 12) if down == "top" else slice(-12, None)
    columns = slice(0, 12) if across == "left" else slice(-12, None)
    assert shown[rows, columns].mean() > 180
    assert shown.mean() < 90


def test_the_stream_is_made_piece_by_piece(tmp_path, movie):
    """Taking one piece of a long film decodes a moment of it, and leaves no file open."""
    path = movie(tmp_path / "long.avi", ["red"], codec="mpeg4", seconds_each=60)
    playing = start_stream(str(path), 0.0)
    pieces = [next(playing.chunks) for _ in range(4)]
    with av.open(io.BytesIO(b"".join(pieces))) as stream:
        assert 0.3 < max(frame.time for frame in stream.decode(video=0)) < 6
    playing.chunks.close()
    assert list(playing.chunks) == []
    if sys.platform == "linux":
        held = {os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")}
        assert str(path) not in held


def test_damage_in_the_middle_is_passed_over(films, tmp_path):
    data = bytearray(films["mpeg4.avi"].read_bytes())
    rng = np.random.default_rng(0)
    middle = slice(len(data) * 2 // 5, len(data) * 3 // 5)
    data[middle] = rng.integers(0, 256, middle.stop - middle.start, np.uint8).tobytes()
    path = tmp_path / "damaged.avi"
    path.write_bytes(data)
    shown = pictures(start_stream(str(path), 0.0))
    assert shown[0][1] == "red"
    assert len(shown) > 20


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100, None])
def test_what_is_no_video_is_told_in_one_sentence(tmp_path, content):
    path = tmp_path / "x.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=r"x\.avi cannot be played"):
        start_stream(str(path), 0.0)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(MediaError, match="holds no video"):
        start_stream(str(path), 0.0)


def test_the_codecs_are_read_from_the_header():
    head = b"....avcC\x01\x64\x00\x1f...."
    assert mp4_content_type(head) == 'video/mp4; codecs="avc1.64001f"'
    assert mp4_content_type(head + b"mp4a") == 'video/mp4; codecs="avc1.64001f,mp4a.40.2"'


@pytest.mark.parametrize("at_s", [0.0, 2.0, pytest.param(4.5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["late.mkv", pytest.param("late.webm", marks=pytest.mark.slow), "moves.gif"])
def test_the_stream_keeps_the_files_clock(tmp_path, name, at_s):
    """Before the first picture there is that picture; a moving picture is a video."""
    path = tmp_path / name
    late_s = 0.0 if name == "moves.gif" else 3.0
    if name == "moves.gif":
        frames = [Image.fromarray(numbered.draw(k, 192, 144)) for k in range(80)]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    elif name == "late.webm":
        vp9 = {"codec": "libvpx-vp9", "sound_codec": "libopus", "deadline": "realtime", "cpu_used": "8"}
        numbered.make_late(path, late_s, 0.0, 125, **vp9)
    else:
        numbered.make_late(path, late_s, 0.0, 125)
    rate = 10 if name == "moves.gif" else 25
    playing = start_stream(str(path), at_s)
    with whole(playing) as stream:
        shown = [
            (frame.time + playing.start_s, numbered.number_of(frame.to_ndarray(format="rgb24")))
            for frame in stream.decode(video=0)
        ]
    assert shown[0][0] <= at_s + 0.05
    gaps = np.diff([second for second, _ in shown])
    assert gaps.max() < 0.2
    for second, number in shown:
        assert number == pytest.approx(max(0.0, (second - late_s) * rate), abs=1.5)


def test_high_dynamic_range_is_streamed_in_the_colours_of_sdr(tmp_path):
    path = bars(tmp_path / "pq.mp4", "pq")
    with whole(start_stream(str(path), 0.0)) as stream:
        frame = next(stream.decode(video=0)).to_ndarray(format="rgb24")
    middles = frame[frame.shape[0] // 2, frame.shape[1] // 12 :: frame.shape[1] // 6]
    assert np.abs(middles.astype(int) - BARS).max() <= 30
