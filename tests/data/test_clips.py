"""Training clips: where they begin, what is shown of them, what is said, and that all of it is repeatable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.narrated import SHOWN, colour_of, narrate
from sayso.core.errors import MediaError, SaysoError
from sayso.core.types import Span
from sayso.data import Clips, read_corpus
from sayso.data.corpus import CorpusBuilder
from sayso.data.narrated import widen
from sayso.media import read_clip


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A corpus of one video of twelve seconds: red, green, blue."""
    folder = tmp_path_factory.mktemp("one")
    narrate(folder, "v")
    return read_corpus(folder)


@settings(deadline=None)
@given(start=st.floats(0, 1000), length=st.floats(0, 20), min_s=st.floats(0, 10))
def test_short_spans_are_widened_about_their_middle_and_never_before_zero(start, length, min_s):
    span = Span(start, start + length)
    wide = widen(span, min_s)
    assert wide.start <= span.start + 1e-9
    assert wide.end >= span.end - 1e-9
    assert wide.start >= 0
    assert wide.duration == pytest.approx(max(span.duration, min_s))
    if wide.start > 0:
        assert sum((wide.start, wide.end)) == pytest.approx(span.start + span.end)


def test_a_clip_shows_what_its_caption_says(one):
    clips = Clips(one, frames=3, fps=2, size=32, bag_size=1, per_video=None, min_s=0)
    assert len(clips) == 3
    for item in range(3):
        for seed in range(5):
            (example,) = clips.sample(item, rng(seed))
            assert example["frames"].shape == (3, 32, 32, 3)
            assert example["frames"].dtype == np.uint8
            assert example["texts"] == (f"v {colour_of(example['frames'])}",)
            assert (example["video"], example["caption"]) == (0, item)


def test_starts_are_spread_over_the_room_there_is(one):
    clips = Clips(one, frames=4, fps=2, bag_size=1, min_s=5)
    span = Span(2.0, 7.0)
    starts = [clips._start(span, rng(seed)) for seed in range(300)]
    assert 2.0 <= min(starts) < 2.1
    assert 4.9 < max(starts) <= 5.0
    assert np.mean(starts) == pytest.approx(3.5, abs=0.2)
    long = Clips(one, frames=32, fps=4, bag_size=1)
    assert {long._start(span, rng(seed)) for seed in range(5)} == {2.0}


def test_without_chance_a_clip_is_the_middle_of_its_caption(one):
    plain = {"crop": "center", "flip": False, "jitter": False}
    clips = Clips(one, frames=2, fps=1, size=24, bag_size=1, per_video=None, min_s=0, **plain)
    (example,) = clips.sample(1, rng())
    expected = read_clip(one.paths[0], 4.5, 6.5, frames=2, fps=1, size=24, crop="center").frames
    assert np.array_equal(example["frames"], expected)
    assert clips._start(Span(0, 1), rng()) == 0
    assert clips._start(Span(3, 4), rng()) == 2.5


class Wide(Clips):
    """Shows a picture whose pixels say where they are."""

    def window(self, rng):
        rows, columns = np.mgrid[0:10, 0:16].astype(np.uint8)
        frames = np.stack([rows, columns, np.zeros_like(rows)], -1)[None].repeat(2, 0)
        return self._window(frames, rng)


def test_the_square_lies_anywhere_and_is_mirrored_half_of_the_time(one):
    clips = Wide(one, size=8, short_side=10)
    corners, mirrored = set(), 0
    for seed in range(400):
        shown = clips.window(rng(seed))
        assert shown.shape == (2, 8, 8, 3)
        flipped = int(shown[0, 0, 0, 1]) > int(shown[0, 0, -1, 1])
        mirrored += flipped
        left = int(shown[0, 0, -1 if flipped else 0, 1])
        corners.add((int(shown[0, 0, 0, 0]), left))
    assert corners == {(top, left) for top in range(3) for left in range(9)}
    assert 150 < mirrored < 250
    middle = Wide(one, size=8, short_side=10, crop="center", flip=False).window(rng())
    assert middle[0, 0, 0].tolist() == [1, 4, 0]


def test_captions_of_one_video_are_different_while_it_has_enough(one):
    few = Clips(one, frames=1, fps=1, size=16, bag_size=2, per_video=2)
    assert (len(few), few.group) == (1, 2)
    seen = set()
    for seed in range(20):
        examples = few.sample(0, rng(seed))
        assert len({example["caption"] for example in examples}) == 2
        seen |= {example["caption"] for example in examples}
    assert seen == {0, 1, 2}
    many = Clips(one, frames=1, fps=1, size=16, per_video=7).choose(0, rng())
    assert sorted(many.count(c) for c in range(3)) == [2, 2, 3]


def test_a_bag_is_the_nearest_captions_and_repeat_when_there_are_no_more(one):
    (example,) = Clips(one, frames=1, fps=1, size=16, bag_size=5, per_video=None).sample(0, rng())
    assert example["texts"] == tuple(f"v {SHOWN[i]}" for i in (0, 1, 2, 0, 1))
    assert example["distinct"] == 3


def test_a_caption_of_a_whole_video_is_cut_anywhere_in_it(tmp_path, one):
    builder = CorpusBuilder()
    builder.add("v", one.paths[0], [(0.0, float("inf"), "colours")])
    clips = Clips(builder.finish(), frames=1, fps=1, size=16, bag_size=1)
    assert {colour_of(clips.sample(0, rng(seed))[0]["frames"]) for seed in range(30)} == set(SHOWN)


def test_a_caption_after_the_end_of_its_video_is_an_error_and_one_at_the_end_is_not(one):
    builder = CorpusBuilder()
    builder.add("v", one.paths[0], [(11.9, 12.0, "the end"), (60.0, 64.0, "another video")])
    clips = Clips(builder.finish(), frames=2, fps=2, size=16, bag_size=1, per_video=None)
    for seed in range(10):
        assert colour_of(clips.sample(0, rng(seed))[0]["frames"]) == "blue"
    with pytest.raises(MediaError, match=r"v\.mp4 ends at 11\.8 s, before its caption at 60\.0 s"):
        clips.sample(1, rng())


def test_numbers_that_make_no_sense_are_told(one):
    for wrong in ({"frames": 0}, {"fps": 0}, {"size": 0}, {"size": 64, "short_side": 32}):
        with pytest.raises(SaysoError, match="a clip needs frames and fps above 0"):
            Clips(one, **wrong)
    for wrong in ({"bag_size": 0}, {"per_video": 0}):
        with pytest.raises(SaysoError, match="must be 1 or more"):
            Clips(one, **wrong)
    builder = CorpusBuilder()
    builder.miss("x", "is gone")
    with pytest.raises(SaysoError, match=r"no video with captions \(1 listed videos are missing\)"):
        Clips(builder.finish())
