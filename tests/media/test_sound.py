"""Sound on the file's one clock: a click is where it was put, whatever begins first in the file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sayso.core.errors import MediaError
from sayso.media import NoSound, probe_sound, stream_sound
from sayso.media.sound import SOUND_RATE

RATE = 44_100


def write(
    path: Path,
    *,
    sound_s: tuple[float, float] | None = (0.0, 4.0),
    clicks: tuple[float, ...] = (2.5,),
    pictures_s: tuple[float, float] | None = (0.0, 4.0),
    codec: str = "aac",
    gap: tuple[float, float] | None = None,
) -> Path:
    """Write a file whose sound clicks at seconds of the container's time, with no sound in ``gap``."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=10) if pictures_s else None
        if pictures:
            pictures.width = pictures.height = 32
        sound = out.add_stream(codec, rate=RATE) if sound_s else None
        for k in range(*(round(10 * second) for second in pictures_s)) if pictures else ():
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
            frame.pts, frame.time_base = k, Fraction(1, 10)
            out.mux(pictures.encode(frame))
        if sound:
            for start in range(*(round(RATE * second) for second in sound_s), 1024):
                t = (start + np.arange(1024)) / RATE
                if gap and gap[0] <= t[0] < gap[1]:
                    continue
                loud = sum((np.abs(t - click) < 0.01) * np.sin(2 * np.pi * 1000 * t) for click in clicks)
                samples = (16_000 * loud).astype(np.int16).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                frame.rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
                out.mux(sound.encode(frame))
            out.mux(sound.encode())
        if pictures:
            out.mux(pictures.encode())
    return path


def heard(path: Path) -> np.ndarray:
    return np.concatenate(list(stream_sound(path)))


def clicks_in(sound: np.ndarray) -> list[float]:
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 4000) / SOUND_RATE
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > 0.2) + 1)
    return [float((group[0] + group[-1]) / 2) for group in groups]


@pytest.mark.parametrize(
    ("name", "sound_s", "pictures_s", "shown_at"),
    [
        ("both.mp4", (0.0, 4.0), (0.0, 4.0), 2.5),
        ("sound_later.mp4", (1.5, 4.0), (0.0, 4.0), 2.5),
        ("sound_later.mkv", (1.5, 4.0), (0.0, 4.0), 2.5),
        ("pictures_later.mp4", (0.0, 4.0), (1.5, 4.0), 2.5),
        ("pictures_later.mkv", (0.0, 4.0), (1.5, 4.0), 2.5),
        ("both_later.mkv", (1.5, 4.0), (1.0, 4.0), 1.5),  # second 0 is where the pictures begin
        ("stream.ts", (0.0, 4.0), (0.0, 4.0), 2.5),  # its clock starts at 1.4 s or so
        ("sound_later.ts", (1.5, 4.0), (0.0, 4.0), 2.5),
    ],
)
def test_a_click_is_at_its_second_whatever_begins_first(tmp_path, name, sound_s, pictures_s, shown_at):
    path = write(tmp_path / name, sound_s=sound_s, pictures_s=pictures_s)
    assert clicks_in(heard(path)) == pytest.approx([shown_at], abs=0.03)


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.m4a", "aac"), ("a.flac", "flac")])
def test_files_of_sound_alone(tmp_path, name, codec):
    path = write(tmp_path / name, pictures_s=None, codec=codec)
    assert clicks_in(heard(path)) == pytest.approx([2.5], abs=0.03)
    assert probe_sound(path).seconds == pytest.approx(4.0, abs=0.1)


def test_silence_stands_for_sound_that_is_missing_in_between(tmp_path):
    path = write(tmp_path / "gap.mkv", clicks=(0.5, 3.5), gap=(1.0, 3.0))
    assert clicks_in(heard(path)) == pytest.approx([0.5, 3.5], abs=0.03)


def test_a_file_without_sound_is_told_from_a_broken_one(tmp_path):
    silent = write(tmp_path / "silent.mp4", sound_s=None)
    for ask in (probe_sound, heard):
        with pytest.raises(NoSound, match="holds no sound"):
            ask(silent)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(silent.read_bytes()[:300])
    for ask in (probe_sound, heard):
        with pytest.raises(MediaError) as caught:
            ask(broken)
        assert not isinstance(caught.value, NoSound)


def test_of_a_file_that_breaks_off_comes_what_is_before(tmp_path):
    whole = write(tmp_path / "whole.ts", clicks=(0.5, 3.5))
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert clicks_in(heard(cut))[:1] == pytest.approx([0.5], abs=0.03)
    assert len(heard(cut)) < len(heard(whole))
