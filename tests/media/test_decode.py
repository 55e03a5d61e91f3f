from __future__ import annotations

import pytest

from media import films
from sayso.core.errors import MediaError
from sayso.media.container import open_video
from sayso.media.decode import DecodeFailure, Decoder
from sayso.media.sampling import Cells


@pytest.mark.parametrize("name", ["plain.mp4", "h264.avi", "broadcast.ts", "late_start.mkv"])
def test_every_frame_comes_once_in_order(film, truth, name):
    times, frames, end = truth(name)
    with open_video(film(name)) as source:
        decoder = Decoder(source, None)
        shown = [
            (seconds, films.number_of(frame.to_ndarray(format="rgb24")))
            for seconds, frame in decoder.frames()
        ]
    assert [number for _, number in shown] == list(range(len(frames)))
    assert [seconds for seconds, _ in shown] == pytest.approx(times)
    assert decoder.decoded == len(frames)
    assert decoder.failure is None
    assert decoder.end_s() == pytest.approx(end, abs=0.001)


@pytest.mark.parametrize("start", [0.0, 0.9, 1.1, 2.5, 3.9, 70.0])
@pytest.mark.parametrize(
    "name", ["short_gops.mp4", "open_gop.ts", "mpeg2.mpg", "mpeg4.avi", "refresh.mkv", "raw.h264"]
)
def test_frames_begin_at_or_before_the_start_that_was_asked_for(film, truth, name, start):
    with open_video(film(name)) as source:
        seconds, frame = next(iter(Decoder(source, None).frames(start)))
        assert seconds <= start
        number = films.number_of(frame.to_ndarray(format="rgb24"))
    guessed = 0.2 if name == "mpeg2.mpg" and seconds > 0 else 0.001  # so far before the start it may be
    assert truth(name)[0][number] == pytest.approx(seconds, abs=guessed)


def test_after_a_failure_the_end_is_where_decoding_came(film):
    """Packets that cannot be decoded do not tell when the last frame leaves the screen."""
    with open_video(film("plain.mp4")) as source:
        decoder = Decoder(source, Cells(0.0, 1.0))
        for _ in decoder.frames():
            pass
        decoder._planner.last = 10**12, 512
        assert decoder.end_s() > 10**6
        decoder.failure = DecodeFailure(0.6, "damaged")
        assert decoder.end_s() <= 4.0


def test_a_failure_counts_up_to_the_second_that_was_wanted(film):
    with open_video(film("plain.mp4")) as source:
        decoder = Decoder(source, None)
        decoder.check()
        decoder.failure = DecodeFailure(2.0, "damaged")
        decoder.check(until_s=1.9)
        with pytest.raises(MediaError, match=r"plain.mp4: reading failed at 2.0 s \(damaged\)"):
            decoder.check(until_s=2.0)


def test_says_that_not_one_frame_can_be_decoded(tmp_path):
    path = films.make(tmp_path / "broken.mp4", 20, g="5")
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)
    with (
        open_video(path) as source,
        pytest.raises(MediaError, match=r"broken.mp4: not one frame can be decoded \(inv"),
    ):
        Decoder(source, None).frames()
