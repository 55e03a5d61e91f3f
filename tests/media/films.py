"""Videos whose frames carry their own number, and the plainest way to read and to sample one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import pytest

ROWS, COLUMNS = 3, 4  # twelve blocks: numbers up to 4095


@lru_cache(maxsize=32)
def draw(number: int, width: int = 96, height: int = 72) -> np.ndarray:
    """Return (height, width, 3) uint8: the bits of the number as dark and light blocks, tinted by place."""
    rows = np.minimum(np.arange(height) * ROWS // height, ROWS - 1)
    columns = np.minimum(np.arange(width) * COLUMNS // width, COLUMNS - 1)
    bit = rows[:, None] * COLUMNS + columns[None]
    light = (number >> bit) & 1
    grey = np.where(light, 205, 45)[..., None]
    tint = np.stack([columns[None] + 0 * rows[:, None], rows[:, None] + 0 * columns[None], 0 * bit], -1) * 8
    return (grey + tint).astype(np.uint8)


def number_of(frame: np.ndarray) -> int:
    """Read the number back from the middles of the blocks."""
    height, width = frame.shape[:2]
    rows = (2 * np.arange(ROWS) + 1) * height // (2 * ROWS)
    columns = (2 * np.arange(COLUMNS) + 1) * width // (2 * COLUMNS)
    light = frame[rows[:, None], columns[None]].mean(-1) > 135
    return int((light.ravel() << np.arange(ROWS * COLUMNS)).sum())


def make(
    path: Path,
    numbers: int | Sequence[int] = 60,
    *,
    codec: str = "libx264",
    fps: int | Fraction = 30,
    size: tuple[int, int] = (96, 72),
    stamps: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    pixels: str = "yuv420p",
    turn: int = 0,
    aspect: Fraction | None = None,
    container: str | None = None,
    muxer: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Write a video.

    Args:
        path: where; the suffix decides the container.
        numbers: how many frames, or the number that each carries.
        codec: an encoder of FFmpeg.
        fps: frames a second.
        size: width, height.
        stamps: presentation time of each frame in ``time_base``; evenly spaced by default.
        time_base: seconds.
        pixels: pixel format.
        turn: degrees counter-clockwise in the display matrix.
        aspect: width of a pixel over its height.
        container: format, if the suffix does not say it.
        muxer: options of the container.
        options: of the encoder; underscores stand for hyphens.
    """
    wanted = range(numbers) if isinstance(numbers, int) else numbers
    with av.open(str(path), "w", format=container, options=muxer or {}) as out:
        given = {name.replace("_", "-"): value for name, value in options.items()}
        stream = out.add_stream(codec, rate=fps, options=given)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        stream.codec_context.time_base = time_base or Fraction(1) / fps
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn and not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write a rotation")
        if turn:
            stream.set_display_rotation(turn)
        for k, number in enumerate(wanted):
            frame = av.VideoFrame.from_ndarray(draw(number, *size), "rgb24")
            frame.pts = k if stamps is None else stamps[k]
            frame.time_base = stream.codec_context.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def every_frame(path: Path) -> tuple[list[float], list[np.ndarray], float]:
    """Decode all of a video with plain PyAV: seconds from the first frame, RGB, and where the last ends."""
    with av.open(str(path), metadata_errors="replace") as file:
        stream = file.streams.best("video")
        found = list(file.decode(stream))
        base = float(stream.time_base)
        step = max(1, round(1 / (stream.average_rate * stream.time_base))) * base
        if file.format.name == "h264":
            step = float(found[0].duration * base)  # its header says 30, the container guesses 25
        if file.format.name in ("avi", "h264"):  # no presentation times in there: evenly spaced
            times = [k * step for k in range(len(found))]
            return times, [frame.to_ndarray(format="rgb24") for frame in found], len(found) * step
        times = [(frame.pts - found[0].pts) * base for frame in found]
        end = times[-1] + ((found[-1].duration or 0) * base or step)
        return times, [frame.to_ndarray(format="rgb24") for frame in found], end


def on_screen(times: Sequence[float], instant: float) -> int:
    """Return the index of the last frame that is not later than the instant; the first if all are."""
    index = 0
    for k, time in enumerate(times):
        if time <= instant + 1e-6:
            index = k
    return index


def make_late(
    path: Path,
    pictures_s: float,
    sound_s: float | None,
    count: int = 250,
    *,
    codec: str = "libx264",
    sound_codec: str = "aac",
    sound_until_s: float | None = None,
    muxer: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Write a video of numbered frames, 25 a second, whose sound and pictures begin when they are told.

    Args:
        path: where; the suffix decides the container.
        pictures_s: container's second of the first picture.
        sound_s: container's second at which the sound begins; None for no sound.
        count: of frames.
        codec: of the pictures.
        sound_codec: of the sound.
        sound_until_s: where the sound ends; by default with the pictures.
        muxer: options of the container.
        options: of the encoder; underscores stand for hyphens.
    """
    with av.open(str(path), "w", options=muxer or {}) as out:
        given = {"g": "50", **{name.replace("_", "-"): value for name, value in options.items()}}
        video = out.add_stream(codec, rate=25, options=given)
        video.width, video.height, video.pix_fmt = 192, 144, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        sound = None if sound_s is None else out.add_stream(sound_codec, rate=48_000, layout="mono")
        packets = []
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(draw(k, 192, 144), "rgb24")
            frame.pts, frame.time_base = round(1000 * pictures_s) + 40 * k, Fraction(1, 1000)
            packets += video.encode(frame)
        packets += video.encode()
        if sound is not None:
            until_s = sound_until_s or pictures_s + count / 25
            for at in range(round(sound_s * 48_000), round(until_s * 48_000), 960):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), "flt", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
                packets += sound.encode(frame)
            packets += sound.encode()
        out.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))
    return path
