"""Numbered videos of every sort that has to be read, made once."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from media import films
from sayso.media.decode import Decoder

N = 120
UNEVEN = [33 * k + 5 * (k % 7) + 400 * (k // 9) for k in range(N)]
os.environ["SVT_LOG"] = "0"  # an encoder that prints
SORTS = {
    "plain.mp4": {},
    "short_gops.mp4": {"g": "10"},
    "short_gops.mkv": {"g": "12", "bf": "2"},
    "no_b.mkv": {"bf": "0", "g": "30", "sc_threshold": "0"},
    "pyramid.mp4": {"bf": "7", "x264_params": "b-pyramid=normal:b-adapt=0", "g": "40"},
    "open_gop.mp4": {"x264_params": "open-gop=1:keyint=15:min-keyint=5:scenecut=0:bframes=3:b-adapt=0"},
    "open_gop.mkv": {"x264_params": "open-gop=1:keyint=15:min-keyint=5:scenecut=0:bframes=3:b-adapt=0"},
    "open_gop.ts": {"x264_params": "open-gop=1:keyint=15:min-keyint=5:scenecut=0:bframes=3:b-adapt=0"},
    "refresh.mp4": {"x264_params": "intra-refresh=1:keyint=20:bframes=2:scenecut=0"},
    "refresh.mkv": {"x264_params": "intra-refresh=1:keyint=20:bframes=2:scenecut=0"},
    "long_gop.mp4": {"x264_params": "keyint=infinite:scenecut=0"},
    "broadcast.ts": {"g": "24"},
    "h264.avi": {"g": "20"},
    "interlaced.mp4": {"flags": "+ilme+ildct", "x264_params": "tff=1:keyint=20"},
    "hevc.mp4": {"codec": "libx265", "x265_params": "log-level=none:keyint=25"},
    "hevc_layers.mp4": {
        "codec": "libx265",
        "x265_params": "log-level=none:keyint=20:temporal-layers=3:bframes=7",
    },
    "vp9.webm": {"codec": "libvpx-vp9", "deadline": "realtime", "cpu_used": "8", "g": "25"},
    "vp8.webm": {
        "codec": "libvpx",
        "deadline": "realtime",
        "cpu_used": "8",
        "g": "25",
        "auto_alt_ref": "1",
        "lag_in_frames": "8",
    },
    "av1.mkv": {"codec": "libsvtav1", "preset": "12", "g": "30", "svtav1_params": "lp=1"},
    "mpeg4.avi": {"codec": "mpeg4", "bf": "2", "g": "15"},
    "mpeg4.mp4": {"codec": "mpeg4", "bf": "2", "g": "15"},
    "mpeg2.mpg": {"codec": "mpeg2video", "bf": "2", "g": "12"},
    "mpeg2.ts": {"codec": "mpeg2video", "bf": "2", "g": "12"},
    "motion_jpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p", "strict": "unofficial"},
    "motion_jpeg.mov": {"codec": "mjpeg", "pixels": "yuvj420p", "strict": "unofficial"},
    "prores.mov": {"codec": "prores", "pixels": "yuv422p10le"},
    "windows.wmv": {"codec": "wmv2"},
    "flash.flv": {"codec": "flv", "g": "20"},
    "raw.h264": {"g": "20"},
    "ntsc.mp4": {"fps": Fraction(30000, 1001), "g": "25"},
    "odd.mp4": {"codec": "mpeg4", "size": (97, 61)},
    "fragmented.mp4": {"g": "15", "muxer": {"movflags": "frag_keyframe+empty_moov"}},
    "no_duration.mkv": {"g": "25", "muxer": {"live": "1"}},
    "late_start.mkv": {
        "stamps": [2000 + 33 * k for k in range(N)],
        "time_base": Fraction(1, 1000),
        "g": "20",
    },
    "late_start.ts": {
        "stamps": [450000 + 3000 * k for k in range(N)],
        "time_base": Fraction(1, 90000),
        "g": "20",
    },
    "late_start.mp4": {
        "stamps": [5000 + 33 * k for k in range(N)],
        "time_base": Fraction(1, 1000),
        "g": "20",
    },
    "uneven.mkv": {"stamps": UNEVEN, "time_base": Fraction(1, 1000), "g": "15"},
    "uneven.mp4": {"stamps": UNEVEN, "time_base": Fraction(1, 1000), "g": "15"},
}


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the video of a sort, made when first asked for."""
    folder = tmp_path_factory.mktemp("films")

    @cache
    def make(name: str) -> Path:
        return films.make(folder / name, N, **SORTS[name])

    return make


@pytest.fixture(scope="session")
def truth(film: Callable[[str], Path]) -> Callable[[str], tuple]:
    """Return a function that gives times, frames and the end of a video, all decoded by plain PyAV."""
    return cache(lambda name: films.every_frame(film(name)))


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> list[Decoder]:
    """The decoders that reading made, in order, to ask them what they did."""
    made: list[Decoder] = []

    def remember(*args, **kwargs) -> Decoder:
        made.append(Decoder(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr("sayso.media.clip.Decoder", remember)
    monkeypatch.setattr("sayso.media.stream.Decoder", remember)
    return made
