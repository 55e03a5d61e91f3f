"""Clips lie on the file's clock: they begin with the pictures, and captions meet their frames."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from media import films
from sayso import Span
from sayso.core.errors import MediaError
from sayso.encoders.interface import ClipSpec
from sayso.engine.segment import Job, cut_clips

SPEC = ClipSpec(frames=4, fps=2.0, size=96)


def cut(path, spans=None, kind="video"):
    """Return the span and the numbers of the frames of each clip."""
    clips = cut_clips(Job(str(path), kind, 4.0, spans), SPEC)
    return [(clip.span, [films.number_of(frame) for frame in clip.content]) for clip in clips]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_windows_begin_with_the_first_picture(tmp_path, suffix):
    path = films.make_late(tmp_path / f"late.{suffix}", 6.0, 0.0)
    spec = ClipSpec(frames=8, fps=2.0, size=144)
    clips = list(cut_clips(Job(str(path), "video", 4.0), spec))
    assert [clip.span for clip in clips] == [Span(6.0, 8.0), Span(8.0, 12.0), Span(12.0, 16.0)]
    starts = [films.number_of(clip.content[0]) for clip in clips]
    assert starts == pytest.approx([6, 56, 156], abs=1)
    assert clips[0].probe is not None and clips[0].probe.duration == pytest.approx(16.0)


def test_captions_meet_their_frames_and_those_of_no_picture_are_told(tmp_path, caplog):
    path = films.make_late(tmp_path / "late.mp4", 6.0, 0.0, sound_until_s=20.0)
    spans = (Span(1.0, 3.0), Span(8.0, 10.0), Span(15.0, 16.0), Span(17.0, 18.0))
    clips = list(cut_clips(Job(str(path), "video", 4.0, spans), ClipSpec(4, 2.0, 144)))
    assert [clip.span for clip in clips] == list(spans[1:])
    numbers = [[films.number_of(frame) for frame in clip.content] for clip in clips]
    assert numbers[0] == pytest.approx([56, 68, 81, 93], abs=1)
    assert numbers[2] == [249] * 4  # the last picture stays while the sound goes on
    assert "1 of 4 spans end before its first picture at 6.0 s, and give no clip" in caplog.text
    with pytest.raises(MediaError, match=r"1 of 1 spans start after its end at 20\.\d s"):
        list(cut_clips(Job(str(path), "video", 4.0, (Span(30.0, 31.0),)), SPEC))


def test_a_picture_that_comes_after_every_instant_is_one_clip(tmp_path):
    path = films.make_late(tmp_path / "blink.mp4", 0.3, 0.0, 2)
    (clip,) = cut_clips(Job(str(path), "video", 4.0), ClipSpec(frames=2, fps=1.0, size=144))
    assert (clip.span.start, clip.span.end) == pytest.approx((0.3, 0.38))


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_a_moving_picture_gives_clips(tmp_path, suffix):
    frames = [Image.fromarray(films.draw(k, 96, 96)) for k in range(60)]
    path = tmp_path / f"moves.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0, lossless=True)
    clips = cut(path)
    ends = [(span.start, round(span.end, 2)) for span, _ in clips]
    assert ends == [(0.0, 4.0), (4.0, 6.0)]
    assert clips[0][1] == pytest.approx(np.arange(8) * 5 + 2, abs=1)
