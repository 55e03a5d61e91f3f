from __future__ import annotations

import shutil
import subprocess
from dataclasses import FrozenInstanceError
from fractions import Fraction

import av
import numpy as np
import pytest

from media import films
from media.conftest import SORTS, N
from sayso.core.errors import MediaError
from sayso.media import probe


def test_says_all_of_a_plain_video(film):
    known = probe(film("plain.mp4"))
    assert (known.width, known.height, known.rotation) == (96, 72, 0)
    assert (known.video_codec, known.audio_codec, known.has_audio) == ("h264", None, False)
    assert (known.container, known.start, known.fps) == ("mov", 0.0, 30.0)
    assert known.duration == pytest.approx(4.0)
    assert known.path == str(film("plain.mp4"))
    with pytest.raises(FrozenInstanceError):
        known.width = 1


@pytest.mark.parametrize("name", sorted(set(SORTS) - {"mpeg2.mpg", "flash.flv"}))
def test_the_duration_is_where_the_last_frame_ends(film, truth, name):
    assert probe(film(name)).duration == pytest.approx(truth(name)[2], abs=0.05)


@pytest.mark.parametrize("name", ["mpeg2.mpg", "flash.flv"])
def test_a_duration_that_the_container_only_implies_is_near(film, name):
    assert probe(film(name)).duration == pytest.approx(N / 30, abs=0.3)


@pytest.mark.parametrize("name", sorted(set(SORTS) - {"uneven.mp4", "uneven.mkv"}))
def test_the_frame_rate(film, name):
    assert probe(film(name)).fps == pytest.approx(30, abs=0.4)


@pytest.mark.parametrize(("name", "origin"), [("mkv", 2.0), ("ts", 5.0), ("mp4", 5.0)])
def test_a_file_of_pictures_alone_begins_with_the_first(film, name, origin):
    known = probe(film(f"late_start.{name}"))
    assert (known.origin, known.start) == pytest.approx((origin, 0.0))


def test_a_header_without_a_duration_is_made_up_for_by_walking_through(film, monkeypatch):
    from sayso.media import header

    walked = []
    walk = header._walked_end
    monkeypatch.setattr(header, "_walked_end", lambda *args: walked.append(args) or walk(*args))
    assert probe(film("no_duration.mkv")).duration == pytest.approx(4.0)
    assert probe(film("raw.h264")).duration == pytest.approx(4.0)
    assert len(walked) == 2
    probe(film("plain.mp4"))
    assert len(walked) == 2


@pytest.mark.parametrize(("turn", "clockwise"), [(0, 0), (90, 270), (-90, 90), (180, 180)])
def test_width_and_height_are_those_on_screen(tmp_path, turn, clockwise):
    known = probe(films.make(tmp_path / "turned.mp4", 10, turn=turn))
    assert known.rotation == clockwise
    assert (known.width, known.height) == ((72, 96) if clockwise in (90, 270) else (96, 72))


def with_sound(path, *, video=True):
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=48000, layout="mono")
        stream = out.add_stream("libx264", rate=10) if video else None
        if stream is not None:
            stream.width, stream.height = 96, 72
            for k in range(10):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(films.draw(k), "rgb24")))
            out.mux(stream.encode())
        for k in range(40):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, 1024 * k, Fraction(1, 48000)
            out.mux(sound.encode(frame))
        out.mux(sound.encode())
    return path


def test_sound(tmp_path):
    known = probe(with_sound(tmp_path / "heard.mp4"))
    assert (known.has_audio, known.audio_codec, known.video_codec) == (True, "aac", "h264")


@pytest.mark.parametrize("suffix", ["mp4", "m4a", "mka"])
def test_sound_alone_is_no_video(tmp_path, suffix):
    with pytest.raises(MediaError, match=rf"alone.{suffix} is not a video: it holds only sound"):
        probe(with_sound(tmp_path / f"alone.{suffix}", video=False))


def test_agrees_with_ffprobe(film, shared_data):
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    for path in sorted((shared_data / "videos").iterdir()):
        if path.name in ("nasa_13013.mp4",):  # two videos in one file
            continue
        entries = "stream=codec_name,width,height,avg_frame_rate:format=duration"
        command = [
            "ffprobe",
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            entries,
            "-of",
            "flat=s=_",
            path,
        ]
        said = dict(line.split("=") for line in subprocess.check_output(command, text=True).split())
        known = probe(path)
        assert known.video_codec == said["streams_stream_0_codec_name"].strip('"')
        assert [known.width, known.height] == [
            int(said["streams_stream_0_width"]),
            int(said["streams_stream_0_height"]),
        ]
        assert known.fps == pytest.approx(
            float(Fraction(said["streams_stream_0_avg_frame_rate"].strip('"'))), rel=1e-3
        )
        assert known.duration == pytest.approx(float(said["format_duration"].strip('"')), abs=0.1)


def test_of_two_videos_in_one_file_the_larger_is_meant(shared_data):
    known = probe(shared_data / "videos" / "nasa_13013.mp4")
    assert (known.width, known.height) == (480, 270)
