"""Cuts of a video against an independent decode: the right first and last picture, sound where it belongs."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from media import films
from sayso.core.errors import MediaError, SaysoError
from sayso.media.animate import cut_moving_picture
from sayso.media.cut import cut_video

RATE = 48_000
REAL = ("flipping_a_pancake.mkv", "av1_video.mkv", "v_SoccerJuggling_g23_c01.avi", "R6llTwEh07w.mp4")
CLICKS = (0.5, 1.25, 2.0, 3.1, 4.0)


def read(data: bytes) -> tuple[list[float], list[int]]:
    """Return when each frame of a cut is shown, and the number that it carries."""
    with av.open(io.BytesIO(data)) as file:
        frames = list(file.decode(video=0))
        return [frame.time for frame in frames], [
            films.number_of(frame.to_ndarray(format="rgb24")) for frame in frames
        ]


def cut(path: Path, start_s: float, end_s: float, **options) -> tuple:
    held = io.BytesIO()
    done = cut_video(path, start_s, end_s, held, **options)
    return done, held.getvalue()


@cache
def frames_of(path: Path) -> tuple:
    return films.every_frame(path)


def expected(path: Path, start_s: float, end_s: float) -> tuple[list[float], list[int]]:
    """Return the same by plain PyAV: all frames decoded from the beginning, then chosen by their time."""
    times, frames, _ = frames_of(path)
    first = films.on_screen(times, start_s)
    chosen = [k for k in range(first, len(times)) if k == first or times[k] < end_s - 1e-4]
    return [max(0.0, times[k] - start_s) for k in chosen], [films.number_of(frames[k]) for k in chosen]


FILMS = {
    "plain.mp4": {"g": "40"},
    "no_b_frames.mp4": {"g": "25", "bf": "0"},
    "open.mkv": {"g": "30", "bf": "3", "x264_params": "open-gop=1:scenecut=0"},
    "stream.ts": {"g": "30"},
    "ntsc.mov": {"g": "48", "fps": Fraction(30000, 1001)},
    "old.avi": {"codec": "mpeg4", "g": "20"},
    "vp9.webm": {"codec": "libvpx-vp9", "g": "40", "deadline": "realtime", "cpu_used": "8"},
    "hevc.mp4": {"codec": "libx265", "g": "40", "x265_params": "log-level=none"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    held: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in held:
            held[name] = films.make(folder / name, 150, **FILMS[name])
        return held[name]

    return make


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("span", [(0.0, 1.0), (1.99, 3.5), (2.0, 2.01), (4.5, 60.0), (3.0001, 3.3)])
def test_an_exact_cut_has_the_frames_that_are_on_screen(made, name, span):
    done, data = cut(made(name), *span)
    times, numbers = read(data)
    wanted_times, wanted = expected(made(name), *span)
    assert numbers == wanted
    assert times == pytest.approx(wanted_times, abs=2e-3)
    assert done.frames == len(wanted)


def test_a_cut_lasts_as_long_as_its_span(made):
    _, data = cut(made("plain.mp4"), 1.5, 3.5)
    with av.open(io.BytesIO(data)) as file:
        assert file.duration / 1e6 == pytest.approx(2.0, abs=0.002)


@pytest.mark.parametrize(
    "name", ["plain.mp4", "no_b_frames.mp4", "open.mkv", "ntsc.mov", "hevc.mp4", "stream.ts"]
)
@pytest.mark.parametrize("form", ["mp4", pytest.param("mkv", marks=pytest.mark.slow)])
@pytest.mark.parametrize("span", [(0.0, 1.0), (1.99, 3.5), (3.2, 60.0)])
def test_a_copy_begins_at_the_key_frame_before_and_holds_the_same_packets(made, name, form, span):
    path = made(name)
    done, data = cut(path, *span, form=form, copy=True)
    times, all_frames, _ = frames_of(path)
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
        keys = [times[k] for k, frame in enumerate(frames) if frame.key_frame and times[k] <= span[0] + 1e-4]
    assert done.start_s == pytest.approx(keys[-1], abs=2e-3)
    numbers = read(data)[1]
    wanted = expected(path, keys[-1], span[1])[1]
    late = len(numbers) - len(wanted)
    assert 0 <= late <= 4, "a few frames that earlier ones need may follow the end"
    assert numbers[: len(wanted)] == wanted
    first = next(k for k, time in enumerate(times) if time == keys[-1])
    with av.open(io.BytesIO(data)) as file:
        pixels = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    for k in (0, len(wanted) - 1):
        assert np.array_equal(pixels[k], all_frames[first + k]), "nothing was encoded again"


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("copy", [False, True])
def test_a_turned_video_stays_upright(tmp_path, turn, copy):
    from sayso.media import read_clip

    path = films.make(tmp_path / "turned.mp4", 40, turn=turn, g="10")
    _, data = cut(path, 0.0, 1.0, copy=copy)
    (tmp_path / "cut.mp4").write_bytes(data)
    one, other = (read_clip(file, 0.2, 0.4, frames=1).frames[0] for file in (path, tmp_path / "cut.mp4"))
    assert one.shape == other.shape
    assert np.abs(one.astype(int) - other).mean() < 4


def test_pixels_that_are_not_square_and_odd_sizes(tmp_path):
    path = films.make(tmp_path / "wide.mp4", 20, aspect=Fraction(4, 3))
    with av.open(io.BytesIO(cut(path, 0, 0.5)[1])) as file:
        assert file.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
    path = films.make(tmp_path / "odd.mkv", 20, codec="ffv1", size=(95, 71), pixels="bgr0")
    with av.open(io.BytesIO(cut(path, 0, 0.5)[1])) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (94, 70)


def make_clapper(path: Path, *, rate: int = RATE, late_s: float = 0.0, codec: str = "aac") -> Path:
    """Write 5 s: dark, but a light frame and a click at the same instants."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=100, options={"g": "30", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 100)
        sound = out.add_stream(codec, rate=rate, layout="mono")
        for k in range(500):
            light = any(round(click * 100) == k for click in CLICKS)
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 230 * light, np.uint8), "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 100)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        wave = np.zeros(5 * rate, np.float32)
        for click in CLICKS:
            at = round(click * rate)
            wave[at : at + rate // 100] = 0.8 * np.sin(np.arange(rate // 100) * 2 * np.pi * 1000 / rate)
        for at in range(round(late_s * rate), len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, at : at + 1024], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
            out.mux(sound.encode(frame))
        out.mux(sound.encode())
    return path


def heard_and_seen(data: bytes) -> tuple[list[float], list[float], float]:
    """Return when clicks are heard and light is seen in a file, and where its sound ends."""
    with av.open(io.BytesIO(data)) as file:
        seen = [frame.time for frame in file.decode(video=0) if frame.to_ndarray(format="gray").mean() > 100]
    with av.open(io.BytesIO(data)) as file:
        heard, end_s = [], 0.0
        for frame in file.decode(audio=0):
            wave, rate = np.abs(frame.to_ndarray()[0]), frame.sample_rate
            end_s = frame.time + frame.samples / rate
            for k in np.flatnonzero(wave > 0.3):
                time = frame.time + k / rate
                if not heard or time - heard[-1] > 0.1:
                    heard.append(time)
    return heard, seen, end_s


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
@pytest.mark.parametrize("form", ["mp4", pytest.param("mkv", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("copy", "rate", "late_s"), [(False, RATE, 0.0), (False, 44_100, 1.0), (True, RATE, 0.0)]
)
def test_sound_stays_with_the_picture(tmp_path, name, form, copy, rate, late_s):
    path = make_clapper(tmp_path / name, rate=rate, late_s=late_s)
    done, data = cut(path, 0.9, 3.4, copy=copy, form=form)
    heard, seen, end_s = heard_and_seen(data)
    wanted = [click - done.start_s for click in CLICKS if done.start_s <= click < 3.4]
    assert seen == pytest.approx(wanted, abs=0.011)
    assert heard == pytest.approx(wanted, abs=0.012)
    if not copy:
        assert -0.003 <= end_s - 2.5 <= 1024 / rate, (
            "cut to the sample, and filled up to the coder's last block"
        )


def test_an_end_beyond_the_file_and_a_start_beyond_it(made, tmp_path):
    done, _ = cut(made("plain.mp4"), 4.0, 99.0)
    assert done.end_s == pytest.approx(5.0, abs=0.01)
    for copy in (False, True):
        with pytest.raises(MediaError, match="holds no picture at second 9"):
            cut(made("plain.mp4"), 9.0, 10.0, copy=copy)
    with pytest.raises(MediaError, match="holds no picture"):
        cut_moving_picture(made("plain.mp4"), 9.0, 10.0, io.BytesIO())


@pytest.mark.parametrize(
    "span", [(2.0, 2.0), (3.0, 1.0), (-1.0, 2.0), (0.0, float("inf")), (float("nan"), 1.0)]
)
def test_spans_that_make_no_sense(made, span):
    with pytest.raises(SaysoError, match="makes no sense"):
        cut(made("plain.mp4"), *span)


def test_what_a_container_cannot_hold_is_said(made, tmp_path):
    path = films.make(tmp_path / "vp8.webm", 20, codec="libvpx")
    with pytest.raises(SaysoError, match=r"cannot be copied into \.mp4 as it is .* leave --copy away"):
        cut(path, 0, 0.5, copy=True)


@pytest.mark.parametrize("form", ["gif", "webp"])
def test_a_moving_picture(made, form):
    held = io.BytesIO()
    done = cut_moving_picture(made("plain.mp4"), 2.0, 3.5, held, form=form)
    with Image.open(held) as picture:
        assert (picture.format, picture.n_frames) == (form.upper(), 15)
        assert picture.info["loop"] == 0
        numbers, lasting = [], []
        for k in range(picture.n_frames):
            picture.seek(k)
            numbers.append(films.number_of(np.asarray(picture.convert("RGB"))))
            lasting.append(picture.info["duration"])
    assert numbers == [int((2.0 + (k + 0.5) / 10) * 30 + 1e-6) for k in range(15)]
    assert set(lasting) == {100}
    assert done.frames == 15
    with pytest.raises(SaysoError, match="too long for a moving picture"):
        cut_moving_picture(made("plain.mp4"), 0, 61, io.BytesIO(), form=form)


@pytest.mark.parametrize("name", REAL)
def test_real_files(shared_data, name):
    path = shared_data / "videos" / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    _, data = cut(path, 2.3, 3.7)
    times, frames, _ = films.every_frame(path) if path.suffix == ".avi" else decoded_until(path, 5.0)
    first = films.on_screen(times, 2.3)
    last = max(k for k, time in enumerate(times) if time < 3.7 - 1e-4)
    with av.open(io.BytesIO(data)) as file:
        pixels = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(pixels) == last - first + 1
    for mine, theirs in ((pixels[0], frames[first]), (pixels[-1], frames[last])):
        assert np.abs(mine.astype(int) - theirs[: mine.shape[0], : mine.shape[1]]).mean() < 6


def decoded_until(path: Path, end_s: float) -> tuple[list[float], list[np.ndarray], float]:
    """Decode the beginning with plain PyAV, on the container's clock."""
    times, frames = [], []
    with av.open(str(path)) as file:
        zero_s = min(
            float(one.start_time * one.time_base) for one in file.streams if one.start_time is not None
        )
        for frame in file.decode(file.streams.best("video")):
            if frame.time - zero_s > end_s:
                break
            times.append(frame.time - max(0.0, zero_s))
            frames.append(frame.to_ndarray(format="rgb24"))
    return times, frames, end_s
