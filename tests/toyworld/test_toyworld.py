"""The toy world is what its truth says: what is drawn, what is said and when, what is held out."""

from __future__ import annotations

import csv
import itertools
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.media import probe
from sayso.text import read_subtitles
from sayso.text.language.vocabulary import words_in
from sayso.toyworld import Narration, held_out_videos, render, training_video, write_corpus
from sayso.toyworld.howto import tasks
from sayso.toyworld.words import COLOURS, OBJECTS, VERBS, pairs


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = write_corpus(tmp_path_factory.mktemp("toy") / "world", videos=6, test_clips=8, size=48)
    return folder, json.loads((folder / "truth.json").read_text())


def test_files_are_as_the_truth_says(world):
    folder, truth = world
    for video in truth["videos"]:
        known = probe(folder / video["path"])
        assert known.duration == pytest.approx(video["duration_s"], abs=0.11)
        assert (known.width, known.height) == (48, 48)
        captions = (folder / video["path"]).with_suffix(".vtt")
        if video["lines"]:
            read = read_subtitles(captions)
            assert [caption.text for caption in read] == [line["text"] for line in video["lines"]]
            starts = [line["span"]["start"] for line in video["lines"]]
            assert [caption.span.start for caption in read] == pytest.approx(starts, abs=0.01)
    with (folder / "test" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["text"] for row in rows}) == 8
    assert all((folder / "test" / row["path"]).exists() for row in rows)


def test_the_same_seed_draws_the_same_pixels_and_another_does_not():
    draw = lambda seed: np.concatenate(list(render(training_video(seed, 3), size=32)))  # noqa: E731
    np.testing.assert_array_equal(draw(1), draw(1))
    assert draw(1).shape != draw(2).shape or (draw(1) != draw(2)).any()


def test_between_steps_only_the_camera_moves():
    """A shift of the whole picture explains what changes in the pauses, and not what changes in steps."""
    within, between = [], []
    for number in range(2):
        video = training_video(0, number)
        frames = np.concatenate(list(render(video, size=48))).astype(float)
        steps = [(step.span.start, step.span.end) for step in video.steps]
        pauses = [(a[1], b[0]) for a, b in itertools.pairwise(steps)]
        for spans, found in ((steps, within), (pauses, between)):
            for start, end in spans:
                seen = frames[round(10 * start) + 1 : round(10 * end) - 1]
                found += [unexplained(*pair) for pair in itertools.pairwise(seen)]
    assert max(between) == 0
    assert np.median(within) > 0.5


def unexplained(before, after, reach=6):
    """The mean absolute change, in levels, that is left after the best shift by whole pixels."""
    shifts = itertools.product(range(-reach, reach + 1), repeat=2)
    moved = (np.roll(before, shift, (0, 1)) - after for shift in shifts)
    return min(np.abs(change[reach:-reach, reach:-reach]).mean() for change in moved)


def test_a_task_has_its_own_place_if_asked():
    """Up to a shift, videos of one task begin with the same picture, and those of others do not."""
    every = len(tasks(0))

    def first(number, places):
        return next(render(training_video(0, number), size=48, places=places))[0].astype(float)

    for number in range(4):
        here = first(number, "task")
        assert unexplained(here, first(number + every, "task")) == 0
        assert unexplained(here, first(number + 1, "task")) > 0.5
        assert unexplained(first(number, "step"), first(number + every, "step")) > 0.5


def test_a_painted_thing_ends_in_the_colour_that_is_named():
    """A thing of the named colour covers pixels of about that hue in the middle of a step."""
    seen = {}
    for number in range(40):
        video = training_video(0, number)
        pieces = list(render(video, size=48))
        frames = np.concatenate(pieces)
        for step in video.steps:
            if step.colour in {"red", "green", "blue"} and step.verb in {"rotate", "shake", "slide"}:
                middle = frames[int(10 * (step.span.start + step.span.end) / 2)].astype(float)
                seen.setdefault(step.colour, []).append(middle - np.median(middle, (0, 1)))
    channel = {"red": 0, "green": 1, "blue": 2}
    for colour, pictures in seen.items():
        stand_out = np.stack(pictures)
        strongest = stand_out - stand_out.mean(-1, keepdims=True)
        share = [(picture[..., channel[colour]] > 25).mean() for picture in strongest]
        others = [
            (picture[..., k] > 25).mean() for picture in strongest for k in range(3) if k != channel[colour]
        ]
        assert np.mean(share) > 1.5 * np.mean(others), colour


def test_held_out_pairs_are_never_shown_or_named_in_training():
    held = set(pairs(test=True))
    known = set(pairs(test=False))
    assert not held & known
    assert {verb for verb, _ in held} <= {verb for verb, _ in known}
    assert {thing for _, thing in held} <= {thing for _, thing in known}
    for seed in (0, 1):
        for number in range(60):
            video = training_video(seed, number)
            assert all((step.verb, step.thing) in known for step in video.steps)
            for line in video.lines:
                said = set(words_in(line.text))
                named = {(v, o) for v, o in held if said & set(VERBS[v]) and said & set(OBJECTS[o])}
                assert not named
    assert all((step.verb, step.thing) in held for video in held_out_videos(0, 40) for step in video.steps)


def test_narration_is_as_it_was_asked_for():
    how = Narration(lag_mean_s=-1.0, lag_sd_s=2.0, dropped=0.2, chatter=0.4)
    videos = [training_video(3, number, narration=how) for number in range(300)]
    steps = sum(len(video.steps) for video in videos)
    lines = [(line, video) for video in videos for line in video.lines]
    told = [(line, video.steps[line.about]) for line, video in lines if line.about is not None]
    assert len(told) / steps == pytest.approx(0.8, abs=0.03)
    assert 1 - len(told) / len(lines) == pytest.approx(0.4, abs=0.03)
    lags = np.array([line.span.start - step.span.start for line, step in told])
    assert lags.mean() == pytest.approx(-0.9, abs=0.4)
    assert lags.std() == pytest.approx(2.0, abs=0.4)
    for line, step in told:
        said = set(words_in(line.text))
        assert said & {word for name in OBJECTS[step.thing] for word in words_in(name)}
        others = {word for colour in COLOURS if colour != step.colour for word in COLOURS[colour]}
        assert not said & others
    names = {
        word
        for table in (VERBS, OBJECTS)
        for all_ in table.values()
        for name in all_
        for word in words_in(name)
    }
    chatter = [set(words_in(line.text)) for line, _ in lines if line.about is None]
    assert not any(said & (names - {"up", "let", "fall", "blow"}) for said in chatter)
    for video in videos:
        starts = [line.span.start for line in video.lines]
        assert starts == sorted(starts)
        assert all(0 <= line.span.start < line.span.end <= video.duration_s + 0.01 for line in video.lines)


def test_the_verb_and_what_it_refuses(tmp_path):
    made = CliRunner().invoke(
        app, ["toyworld", "--out", str(tmp_path / "w"), "--videos", "1", "--test-clips", "4", "--size", "16"]
    )
    assert made.exit_code == 0, made.output
    assert len(list((tmp_path / "w" / "train").glob("*.mp4"))) == 1
    with pytest.raises(SaysoError, match="is there already; name a new folder"):
        write_corpus(tmp_path / "w")
    with pytest.raises(SaysoError, match="an even size >= 16"):
        write_corpus(tmp_path / "x", size=17)
    with pytest.raises(SaysoError):
        write_corpus(tmp_path / "x", test_clips=100_000)
    with pytest.raises(SaysoError, match=r"chatter in \[0, 1\)"):
        Narration(chatter=1.0)
