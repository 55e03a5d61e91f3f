"""Windows as protocols cut them, against the frames of a file whose every frame is a known grey."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

import toy
from sayso.core.types import Span
from sayso.encoders.interface import ClipSpec
from sayso.evaluation import EVALUATORS
from sayso.evaluation.windows import Windows, _native_windows, _windows, adapted, clip_of

SPEC = ClipSpec(frames=8, fps=4, size=16)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """40 frames at 10 a second; frame k is grey 5 k + 40."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv444p"
        stream.codec_context.time_base = Fraction(1, 10)
        for k in range(40):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 5 * k + 40, np.uint8), "rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return str(path)


def numbers(windows):
    """Return which frame each is, (W, T); -8 is black."""
    return np.rint((windows.astype(float).mean((2, 3, 4)) - 40) / 5).astype(int)


def test_native_windows_are_consecutive_frames_of_the_file(film):
    windows = Windows(count=10, frames=32, native=True)
    found = numbers(_native_windows(film, None, windows.clip(SPEC), windows))
    starts = np.linspace(0, 40 - 32, 10, dtype=int)
    assert (found == starts[:, None] + np.arange(32)).all()
    assert len({tuple(row) for row in found.tolist()}) == 9, "cut by time they would all be the same"
    long = Windows(count=2, frames=48, native=True)
    found = numbers(_native_windows(film, None, long.clip(SPEC), long))
    assert (found == [*range(40), *[-8] * 8]).all()


def test_the_last_window_keeps_the_margin_and_black_follows_the_end(film):
    """Starts as np.linspace(start, max(start, end - num_sec - 0.4), n), frames at their cells' middles."""
    windows = Windows(count=3, frames=16, fps=8, margin_s=0.4, beyond="black")
    for begin, end in [(0.0, 3.0), (1.0, 4.0), (3.0, 3.5)]:
        found = numbers(_windows(film, Span(begin, end), windows.clip(SPEC), windows))
        starts = np.linspace(begin, max(begin, end - 2 - 0.4), 3)
        moments = starts[:, None] + (np.arange(16) + 0.5) / 8
        expected = np.where(moments < 4, np.floor(moments * 10 + 1e-6), -8)
        assert np.abs(found - expected).max() == 0
    held = Windows(count=1, frames=16, fps=8)
    assert numbers(_windows(film, Span(3, 3.5), held.clip(SPEC), held))[0, -1] == 39


def test_the_protocol_decides_and_the_encoder_where_it_says_nothing():
    encoder = toy.ColourEncoder()
    assert Windows(count=4).clip(encoder.clip) == encoder.clip
    assert Windows(fps=5.0, frames=16).clip(encoder.clip) == ClipSpec(16, 5.0, 32)
    assert adapted(encoder, Windows(fps=5.0)) is encoder
    cuts = {
        name: EVALUATORS[name].protocol.cut()
        for name in EVALUATORS
        if name.startswith(("you", "msr")) and hasattr(EVALUATORS[name], "protocol")
    }
    assert {name: (cut.count, cut.frames, cut.fps) for name, cut in cuts.items()} == {
        f"{base}{variant}": clip
        for base in ("youcook2", "msrvtt")
        for variant, clip in {
            "": (10, 32, 10.0),
            "-4": (4, 32, 10.0),
            "-open": (10, 16, 5.0),
            "-open-4": (4, 16, 5.0),
        }.items()
    }
    assert {(cut.size, cut.margin_s, cut.beyond) for cut in cuts.values()} == {(224, 0.4, "black")}
    assert {EVALUATORS[name].protocol.max_words for name in cuts} == {30}


def test_an_encoder_of_single_pictures_keeps_their_size():
    """A protocol's 224 pixels are of the networks that it was written for; others would see them scaled."""
    encoder = toy.ColourEncoder()
    windows = Windows(count=10, frames=32, fps=10, size=224)
    clip = clip_of(encoder, windows)
    assert (clip.frames, clip.fps, clip.size) == (32, 10, encoder.clip.size)
    assert encoder.clip.size != 224
