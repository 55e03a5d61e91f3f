from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media import films
from sayso.core.errors import MediaError
from sayso.media import probe, read_clip, stream_frames
from sayso.media.shape import scaled_size, turned


@given(width=st.integers(1, 4000), height=st.integers(1, 4000), size=st.integers(1, 512))
def test_scaling_keeps_the_short_side_and_the_aspect(width, height, size):
    w, h = scaled_size(width, height, size, "none", Fraction(1))
    assert min(w, h) == size
    assert max(w, h) == pytest.approx(size * max(width, height) / min(width, height), abs=0.5 + 1e-6)
    assert (w >= h) == (width >= height) or w == h
    assert scaled_size(width, height, size, "center", Fraction(1)) == (w, h)
    assert scaled_size(width, height, size, "squash", Fraction(1)) == (size, size)
    assert scaled_size(width, height, None, "none", Fraction(1)) == (width, height)


@pytest.mark.parametrize(
    ("size", "crop", "shape"),
    [
        (None, "none", (61, 97)),
        (32, "none", (32, 51)),
        (32, "center", (32, 32)),
        (40, "squash", (40, 40)),
        (122, "none", (122, 194)),
    ],
)
def test_shapes_of_an_odd_video(film, size, crop, shape):
    clip = read_clip(film("odd.mp4"), 1, 2, frames=3, size=size, crop=crop)
    assert clip.frames.shape == (3, *shape, 3)
    streamed = list(stream_frames(film("odd.mp4"), fps=1, size=size, crop=crop))
    assert {frame.shape for _, frame in streamed} == {(*shape, 3)}
    assert all(frame.flags.c_contiguous for _, frame in streamed)


@pytest.mark.parametrize("crop", ["none", "center", "squash"])
def test_scales_like_pillow(film, crop):
    full = read_clip(film("plain.mp4"), 1, 2, frames=2)
    small = read_clip(film("plain.mp4"), 1, 2, frames=2, size=48, crop=crop)
    for whole, frame in zip(full.frames, small.frames, strict=True):
        size = (48, 48) if crop == "squash" else (64, 48)
        expected = np.asarray(Image.fromarray(whole).resize(size, Image.Resampling.BICUBIC))
        expected = expected[:, 8:56] if crop == "center" else expected
        assert frame.shape == expected.shape
        assert np.abs(frame.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("turn", [90, 180, -90])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_frames_are_turned_upright(tmp_path, turn, suffix):
    flat = films.make(tmp_path / f"flat.{suffix}", 20)
    path = films.make(tmp_path / f"turned.{suffix}", 20, turn=turn)
    stored, upright = read_clip(flat, 0, 1, frames=3).frames, read_clip(path, 0, 1, frames=3).frames
    assert np.array_equal(upright, np.rot90(stored, turn // 90, axes=(1, 2)))
    known = probe(path)
    assert upright.shape[1:3] == (known.height, known.width)
    assert read_clip(path, 0, 1, frames=1, size=36, crop="center").frames.shape == (1, 36, 36, 3)
    assert next(stream_frames(path, fps=1, size=36))[1].shape == ((48, 36, 3) if turn != 180 else (36, 48, 3))


@pytest.mark.parametrize(
    ("turn", "filters"), [(90, "transpose=2"), (180, "hflip,vflip"), (-90, "transpose=1")]
)
def test_turned_as_ffmpeg_turns(tmp_path, turn, filters):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    path = films.make(tmp_path / "turned.mp4", [900] * 5, turn=turn)
    read = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    shape = read_clip(path, 0, 0, frames=1).frames.shape[1:]
    theirs = np.frombuffer(subprocess.check_output(read), np.uint8).reshape(shape)
    assert np.abs(theirs.astype(int) - read_clip(path, 0, 0, frames=1).frames[0]).mean() < 2


@given(st.sampled_from([(t, m, f) for t in (0, 1) for m in (0, 1) for f in (0, 1)]))
def test_the_eight_ways_to_bring_a_picture_upright(turn):
    """Against the definition: the pixel at (x, y) goes to (a x + c y, b x + d y), moved into the picture."""
    transpose, mirror, flip = turn
    matrix = np.array([[0, 1], [1, 0]]) if transpose else np.eye(2, dtype=int)
    matrix = np.diag([-1 if mirror else 1, -1 if flip else 1]) @ matrix
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    moved = {tuple(matrix @ (x, y)): picture[y, x] for y in range(2) for x in range(3)}
    left, top = min(x for x, _ in moved), min(y for _, y in moved)
    expected = np.empty((3, 2, 3) if transpose else (2, 3, 3), np.uint8)
    for (x, y), pixel in moved.items():
        expected[y - top, x - left] = pixel
    assert np.array_equal(turned(picture, turn), expected)


def test_pixels_that_are_not_square_are_shown_as_on_a_screen(tmp_path):
    path = films.make(tmp_path / "wide.mp4", 10, size=(96, 96), aspect=Fraction(16, 9))
    assert read_clip(path, 0, 1, frames=1).frames.shape == (1, 96, 96, 3)
    assert read_clip(path, 0, 1, frames=1, size=48).frames.shape == (1, 48, 85, 3)
    assert read_clip(path, 0, 1, frames=1, size=48, crop="center").frames.shape == (1, 48, 48, 3)


def test_frames_that_change_their_size_come_out_alike(tmp_path):
    """Two videos joined, the second larger: transport streams may do that."""
    parts = [films.make(tmp_path / f"{size[0]}.ts", 30, size=size, g="10") for size in [(96, 72), (160, 120)]]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = [frame for _, frame in stream_frames(path, fps=10)]
    assert {frame.shape for frame in frames} == {(72, 96, 3)}
    assert len(frames) >= 19
    numbers = [films.number_of(frame) for frame in frames]
    assert numbers[:10] == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28]
    assert set(numbers[11:]) <= set(range(30))


def test_refuses_to_scale_a_thread(tmp_path):
    path = films.make(tmp_path / "thread.mkv", 3, codec="ffv1", size=(8, 1000))
    assert read_clip(path, 0, 1, frames=1).frames.shape == (1, 1000, 8, 3)
    with pytest.raises(MediaError, match=r"8 x 1000 pixels is too narrow to be scaled"):
        read_clip(path, 0, 1, frames=1, size=224)
