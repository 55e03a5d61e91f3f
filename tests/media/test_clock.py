"""A second is what a player shows at that second, whatever the file does to its clock."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from media import films
from sayso.core.errors import MediaError
from sayso.media import probe, read_clip, stream_frames

VP9 = {"codec": "libvpx-vp9", "sound_codec": "libopus", "deadline": "realtime", "cpu_used": "8"}
LATE = {
    "late.mp4": (3.0, 0.0, {}),
    "late.mkv": (3.0, 0.0, {}),
    "late.mov": (3.0, 0.0, {}),
    "late.ts": (3.0, 0.0, {}),
    "late.webm": (3.0, 0.0, VP9),
    "long.mkv": (3.0, 0.0, {"sound_until_s": 20.0}),
    "fragmented.mp4": (3.0, 0.0, {"muxer": {"movflags": "frag_keyframe+empty_moov+delay_moov"}}),
}


def seen(path, second: float) -> int:
    """Return the number of the frame on screen at a second."""
    return films.number_of(read_clip(path, second - 0.01, second + 0.01, frames=1).frames[0])


@pytest.mark.parametrize("name", LATE)
def test_pictures_later_than_the_sound(tmp_path, name):
    pictures_s, sound_s, options = LATE[name]
    path = films.make_late(tmp_path / name, pictures_s, sound_s, **options)
    known = probe(path)
    off = 0.025  # the run-in of the sound counts in a transport stream
    assert known.start == pytest.approx(3.0, abs=off)
    assert known.duration == pytest.approx(13.0, abs=off)
    assert known.length == pytest.approx(20.0 if name.startswith("long") else 13.0, abs=0.1)
    for second in (3.3, 5.02, 9.1, 12.9):
        assert seen(path, second + off) == pytest.approx((second - 3) * 25, abs=1)
    streamed = [(second, films.number_of(frame)) for second, frame in stream_frames(path, fps=5)]
    assert len(streamed) == 65
    assert {number for _, number in streamed[:15]} == {0}  # the first picture, before it comes
    for k in (16, 30, 64):
        second, number = streamed[k]
        assert (second, number) == (
            pytest.approx(0.2 * k + 0.1, abs=0.07),
            pytest.approx(5 * k - 72.5, abs=1.5),
        )


def test_a_file_that_begins_late_as_a_whole_begins_at_0(tmp_path):
    for name, options in (("both.mp4", {}), ("both.webm", VP9), ("both.ts", {})):
        path = films.make_late(tmp_path / name, 5.0, 4.0, **options)
        assert probe(path).start == pytest.approx(1.0, abs=0.05)
        assert seen(path, 4.1) == pytest.approx(77, abs=1)


def test_pictures_before_0_and_what_an_edit_list_cuts_off(tmp_path):
    path = films.make_late(tmp_path / "early.mp4", -1.0, 0.0, muxer={"avoid_negative_ts": "disabled"})
    known = probe(path)
    assert (known.start, known.duration) == pytest.approx((0.0, 9.0), abs=0.03)
    for second in (0.5, 4.02, 8.9):
        assert seen(path, second) == pytest.approx(25 * second + 25, abs=1)


def test_the_run_in_of_a_sound_codec_moves_no_picture(tmp_path):
    path = films.make_late(tmp_path / "plain.webm", 0.0, 0.0, **VP9)
    assert (probe(path).origin, probe(path).start) == pytest.approx((0.0, 0.0))
    assert [seen(path, second) for second in (0.5, 4.02)] == [12, 100]


def test_an_avi_whose_pictures_begin_late(tmp_path):
    data = bytearray(films.make(tmp_path / "plain.avi", 50, codec="mpeg4", fps=25).read_bytes())
    header = data.index(b"strh") + 8
    assert struct.unpack_from("<II", data, header + 20) == (1, 25)
    struct.pack_into("<I", data, header + 28, 50)  # dwStart
    (tmp_path / "late.avi").write_bytes(data)
    assert probe(tmp_path / "late.avi").start == pytest.approx(2.0)
    assert seen(tmp_path / "late.avi", 3.02) == pytest.approx(25, abs=1)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("ts", "libx264"), ("ts", "mpeg2video"), ("mpg", "mpeg2video")]
)
@pytest.mark.parametrize("seconds", [(8, 6), (3, 9, 5)])
def test_recordings_joined_end_to_end_have_one_clock(tmp_path, suffix, codec, seconds):
    joined, numbers = b"", []
    for k, count in enumerate(seconds):
        part = range(300 * k, 300 * k + 25 * count)
        numbers += part
        path = films.make(
            tmp_path / f"{k}.{suffix}", part, codec=codec, fps=25, g="25", bf="0", bit_rate="2M"
        )
        joined += path.read_bytes()
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(joined)
    known = probe(path)
    assert known.duration == pytest.approx(sum(seconds), abs=0.1)
    streamed = [films.number_of(frame) for _, frame in stream_frames(path, fps=5)]
    assert streamed == pytest.approx([numbers[5 * k + 2] for k in range(5 * sum(seconds))], abs=2)
    for second in (1.5, 4.02, 6.02, 8.7, 11.02, sum(seconds) - 0.3):
        assert seen(path, second) == pytest.approx(numbers[int(second * 25)], abs=2), second
        clip = read_clip(path, second - 0.5, second + 0.2)
        assert len(clip.frames) == pytest.approx(17, abs=2)
    assert read_clip(path, sum(seconds) + 1, sum(seconds) + 2, frames=2).padded == 2


def test_a_clock_that_goes_on_much_later_is_a_new_recording(tmp_path):
    first = films.make_late(tmp_path / "a.ts", 0.0, 0.0, 100).read_bytes()
    second = films.make_late(tmp_path / "b.ts", 200.0, 200.0, 100).read_bytes()
    (tmp_path / "joined.ts").write_bytes(first + second)
    assert probe(tmp_path / "joined.ts").duration == pytest.approx(8.0, abs=0.2)
    assert seen(tmp_path / "joined.ts", 6.02) == pytest.approx(50, abs=4)


def test_a_file_that_is_walked_through_is_walked_once(tmp_path, monkeypatch):
    from sayso.media import clock

    walks = []
    walk = clock._pieces
    monkeypatch.setattr(clock, "_pieces", lambda *args: walks.append(args) or walk(*args))
    path = films.make(tmp_path / "once.ts", 60)
    for _ in range(3):
        probe(path)
    assert len(walks) == 1


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "webm"])
def test_a_header_that_promises_more_than_a_whole_file_holds(tmp_path, suffix):
    options = VP9 if suffix == "webm" else {"codec": "mpeg4"} if suffix == "avi" else {}
    sound = None if suffix == "avi" else 0.0
    path = films.make_late(tmp_path / f"lies.{suffix}", 0.0, sound, 100, sound_until_s=30.0, **options)
    assert len(list(stream_frames(path, fps=5))) == 20
    assert read_clip(path, 2.0, 8.0, frames=6).padded == 4
    if suffix != "avi":
        assert probe(path).duration == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "webm"])
@pytest.mark.parametrize("zeros", [False, True])
def test_a_file_that_was_cut_or_never_finished_is_damaged(tmp_path, suffix, zeros):
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(suffix, "libx264")
    muxer = {"movflags": "faststart"} if suffix == "mp4" else {}
    path = films.make(tmp_path / f"cut.{suffix}", 250, codec=codec, muxer=muxer, fps=25, g="15")
    data = path.read_bytes()
    part = int(0.4 * len(data))
    path.write_bytes(data[:part] + bytes(len(data) - part if zeros else 0))
    with pytest.raises(MediaError, match="damaged or incomplete"):
        list(stream_frames(path, fps=5))


def test_the_reports(shared_data):
    reports = shared_data / "reports"
    if not reports.exists():
        pytest.skip("no reports here")
    for name in ("late6.mp4", "late6.mkv", "late6.webm"):
        path = reports / "captions_of_late_video" / name
        assert probe(path).start == pytest.approx(6.0)
        assert numbers_at(path, (8.02, 8.5, 9.98, 18.02)) == [50, 62, 99, 300]
    path = reports / "ts_clock_restarts" / "cat.ts"
    assert probe(path).duration == pytest.approx(14.28)
    assert numbers_at(path, (5.02, 9.02, 12.02)) == [125, 268, 343]
    assert len(list(stream_frames(reports / "false_damage" / "vfr.webm", fps=2))) == 32


def numbers_at(path, seconds) -> list[int]:
    """Return the numbers that the reports' frames carry: twelve blocks of 16 pixels in the upper half."""
    found = []
    for second in seconds:
        frame = read_clip(path, second - 0.01, second + 0.01, frames=1).frames[0]
        light = frame[8, 8::16].mean(-1)[:12] > 128
        found.append(int((light << np.arange(12)).sum()))
    return found
