"""Moving pictures in picture formats are videos."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from media import films
from sayso.core.errors import MediaError
from sayso.media import probe, read_clip, read_image, sniff, stream_frames

FORMATS = {"gif": "GIF", "webp": "WEBP", "png": "PNG", "avif": "AVIF"}
LENGTHS = [100 + 10 * k for k in range(30)]


def animation(path, frames=30, *, blank_first=True, lengths=LENGTHS):
    """Write numbered frames, the first of them transparent."""
    drawn = [Image.fromarray(films.draw(k)).convert("RGBA") for k in range(frames)]
    if blank_first:
        drawn[0] = Image.new("RGBA", (96, 72), (0, 0, 0, 0))
    options = {"disposal": 2} if path.suffix == ".gif" else {}
    kind = FORMATS[path.suffix[1:]]
    drawn[0].save(path, kind, save_all=True, append_images=drawn[1:], duration=lengths, loop=0, **options)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_animation_is_a_video(tmp_path, suffix):
    path = animation(tmp_path / f"moves.{suffix}")
    assert sniff(path) == "video"
    known = probe(path)
    assert (known.width, known.height, known.container, known.video_codec) == (96, 72, suffix, suffix)
    assert known.duration == pytest.approx(sum(LENGTHS) / 1000, abs=0.002)
    times = np.cumsum([0, *LENGTHS]) / 1000
    expected = [int(np.searchsorted(times, 0.5 * k + 0.25, "right")) - 1 for k in range(15)]
    streamed = [films.number_of(frame) for _, frame in stream_frames(path, fps=2)]
    assert streamed == expected
    assert [films.number_of(frame) for frame in read_clip(path, 3.0, 5.0, fps=2).frames] == expected[6:10]
    assert read_clip(path, 0, 0.1, frames=1).frames.min() == 255  # transparent pixels are white


@pytest.mark.parametrize("suffix", FORMATS)
def test_one_frame_is_a_picture(tmp_path, suffix):
    Image.fromarray(films.draw(5)).save(tmp_path / f"still.{suffix}", FORMATS[suffix])
    assert sniff(tmp_path / f"still.{suffix}") == "picture"
    with pytest.raises(MediaError, match="is a picture, not a video; give a video"):
        probe(tmp_path / f"still.{suffix}")
    if suffix in ("gif", "webp"):
        one = animation(tmp_path / f"one.{suffix}", 1, blank_first=False, lengths=100)
        assert sniff(one) == "picture"


def test_frames_in_a_hurry_stay_as_long_as_browsers_show_them(tmp_path):
    path = animation(tmp_path / "fast.gif", 10, lengths=[0] * 10)
    assert probe(path).duration == pytest.approx(1.0, abs=0.002)


def test_the_first_frame_is_still_read_as_a_picture(tmp_path):
    path = animation(tmp_path / "moves.gif", blank_first=False)
    assert films.number_of(np.asarray(read_image(path))) == 0


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_cut_animation_is_told(tmp_path, suffix):
    path = animation(tmp_path / f"cut.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(MediaError, match="cut"):
        list(stream_frames(path, fps=2))
