"""What a run says of the time that is left is right within 30 %, from the first word on, in any mixture."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, product

import pytest

from sayso.index.time_left import Standing, TimeLeft

PICTURES, FILM, SHORTS = [0.0] * 132, [3600.0], [60.0] * 60
MIXTURES = {
    "only pictures": PICTURES * 8,
    "only a film": FILM,
    "only short ones": SHORTS,
    "a film, then pictures": FILM + PICTURES,
    "pictures, then a film": PICTURES + FILM,
    "a film, then many pictures": FILM + PICTURES * 12,
    "many pictures, then a film": PICTURES * 12 + FILM,
    "short ones, then a film": SHORTS + FILM,
    "a film, then short ones": FILM + SHORTS,
    "short ones, then pictures": SHORTS + PICTURES,
    "pictures, then short ones": PICTURES + SHORTS,
}
"""Lengths of the files in their order, seconds; 0: a picture."""

MACHINES = [(1, 1.0), (2, 2.0), (2, 1.0), (8, 1.0), (8, 2.0)]
"""How many files are read at once, each on a core of its own, and how many cores one can use."""

WAYS = (list(MIXTURES), MACHINES, [16, 64], [0.12, 0.4], [0.003, 0.1], [0.002, 0.02], [0.0, 3.0])
"""The mixture and the machine; frames in a batch; core-seconds to decode a clip and a picture; seconds to
embed a frame, and how much longer the first batch takes."""

MEASURED = (64, 0.1155, 0.0027, 0.0072, 2.8)
"""What the hour of `benchmarks/eta.py` takes of the same, but for the mixture and the machine."""

CLIP_S, CLIP_FRAMES = 4.0, 4
"""How long a clip is, and its pictures."""


@dataclass(frozen=True)
class Part:
    """A clip or a picture that was decoded, or (``frames`` 0) the end of a file."""

    at_s: float
    file: int
    done_s: float
    frames: int


def decoded(
    lengths: list[float], machine: tuple[int, float], clip_s: float, picture_s: float
) -> Iterator[Part]:
    """Simulate decoding: files in their order, several at once.

    Args:
        lengths: of the files.
        machine: of ``MACHINES``.
        clip_s: core-seconds a clip.
        picture_s: core-seconds a picture.
    """
    workers, widest = machine
    waiting, at_s = deque(enumerate(lengths)), 0.0
    left, done = (
        dict[int, float](),
        dict[int, float](),
    )  # core-seconds of what is decoded now, seconds that were
    while waiting or left:
        while waiting and len(left) < workers:
            k, length_s = waiting.popleft()
            left[k], done[k] = clip_s if length_s else picture_s, 0.0
        share, next_s = min(widest, workers / len(left)), min(left.values())
        at_s += next_s / share
        left = {k: core_s - next_s for k, core_s in left.items()}
        for k in [k for k, core_s in left.items() if core_s < 1e-9]:
            done[k] += CLIP_S if lengths[k] else 0.0
            left[k] = clip_s
            yield Part(at_s, k, done[k], CLIP_FRAMES if lengths[k] else 1)
            if done[k] >= lengths[k]:
                del left[k]
                yield Part(at_s, k, lengths[k], 0)


def encoded(parts: Iterable[Part], batch: int, frame_s: float, start_s: float) -> Iterator[Part]:
    """Simulate encoding beside it: full batches, whichever files they are of; what is in one comes at once.

    Args:
        parts: that were decoded.
        batch: how many frames are encoded together.
        frame_s: how long a frame takes.
        start_s: how much longer the first batch takes.
    """
    held, at_s = list[Part](), start_s
    for part in chain(parts, [None]):
        if held and (part is None or sum(one.frames for one in held) >= batch):
            at_s = max(at_s, held[-1].at_s) + frame_s * sum(one.frames for one in held)
            yield from (replace(one, at_s=at_s) for one in held)
            held = []
        held += [part] if part else []


def standings(
    lengths: list[float], reading: Iterable[Part], parts: Iterable[Part]
) -> Iterator[tuple[float, Standing]]:
    """Yield when something was done, and what is.

    Args:
        lengths: of the files.
        reading: what was decoded.
        parts: what was done.
    """
    done, read, coming = dict[int, float](), dict[int, float](), deque(reading)  # of videos under way
    waiting = sorted(filter(None, lengths))
    seconds, pictures, ahead, files_left = 0.0, 0, 0, len(lengths)
    for part in parts:
        while coming and coming[0].at_s <= part.at_s:
            one = coming.popleft()
            ahead += one.frames and not lengths[one.file]
            if lengths[one.file] and one.frames:
                if one.file not in read:
                    waiting.remove(lengths[one.file])
                read[one.file] = one.done_s
        seconds += part.done_s - done.get(part.file, 0.0)
        done[part.file] = part.done_s
        if not part.frames:
            files_left, pictures = files_left - 1, pictures + (not lengths[part.file])
            read.pop(part.file, None)
        yield (
            part.at_s,
            Standing(
                seconds,
                pictures,
                sum(lengths) - seconds,
                lengths.count(0.0) - pictures,
                files_left,
                waiting[-1] if waiting else 0.0,
                {str(k): (at_s, lengths[k] - at_s) for k, at_s in read.items()},
                sum(at_s - done.get(k, 0.0) for k, at_s in read.items()),
                ahead - pictures,
            ),
        )


def told(way) -> tuple[list[tuple[float, float]], float]:
    """Return when something is told and the end that is foretold, and the end."""
    mixture, machine, batch, clip_s, picture_s, frame_s, start_s = way
    lengths, time_left, found, at_s = MIXTURES[mixture], TimeLeft(), [], 0.0
    time_left.note(0.0, Standing(0, 0, sum(lengths), lengths.count(0.0), len(lengths), max(lengths)))
    parts = list(decoded(lengths, machine, clip_s, picture_s))
    for at_s, now in standings(lengths, parts, encoded(parts, batch, frame_s, start_s)):
        time_left.note(at_s, now)
        left_s = time_left.seconds(at_s)
        if left_s is not None:
            found.append((at_s, at_s + left_s))
    return found, at_s


def check(way) -> None:
    found, end_s = told(way)
    assert found[-1][1] == pytest.approx(end_s)
    assert all(abs(foretold - end_s) <= 0.3 * end_s for _, foretold in found), way


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 6), pytest.param(2, 300, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_what_is_told_is_right_in_any_mixture(seed, count):
    for way in random.Random(seed).sample(list(product(*WAYS)), count):
        check(way)


@pytest.mark.parametrize("mixture", ["a film, then pictures", "pictures, then a film", "only a film"])
@pytest.mark.parametrize("machine", [(2, 1.5), (2, 2.0)])
def test_the_rush_after_a_slow_first_batch_is_not_taken_for_the_pace(mixture, machine):
    """An hour as it was measured on two cores; the film is decoded while the model embeds its first batch."""
    found, end_s = told((mixture, machine, *MEASURED))
    assert found[0][0] < end_s / 6
    assert all(abs(foretold - end_s) <= 0.1 * end_s for _, foretold in found)


@pytest.mark.parametrize("mixture", ["only a film", "only short ones", "a film, then pictures"])
def test_it_is_told_within_the_first_third(mixture):
    found, end_s = told((mixture, (2, 1.0), 64, 0.4, 0.003, 0.005, 3.0))
    assert found[0][0] < end_s / 3


def test_nothing_is_told_of_a_film_that_was_not_begun():
    found, end_s = told(("pictures, then a film", (2, 2.0), 16, 0.4, 0.3, 0.002, 0.0))
    assert found[0][0] > 20 and found[0][1] == pytest.approx(end_s, rel=0.1)


def test_a_batch_counts_as_a_whole():
    """A batch ends amid what was told at once: pictures and clips of a film, until the film is alone."""
    time_left, left, at_s = TimeLeft(), {"pictures": 100.0, "seconds": 3000.0}, 10.0
    time_left.note(0.0, Standing(0, 0, 3000, 100, 101, 3000))
    for batch in range(60):
        at_s += 2.0
        for k in range(20):
            left["seconds"] -= 2.5
            if batch < 10 and k % 2 == 0:
                left["pictures"] -= 1
            done_s, pictures = 3000 - left["seconds"], 100 - left["pictures"]
            under_way = {"film": (done_s, left["seconds"])}
            files = int(left["pictures"]) + (left["seconds"] > 0)
            time_left.note(
                at_s, Standing(done_s, pictures, left["seconds"], left["pictures"], files, 0.0, under_way)
            )
        left_s = time_left.seconds(at_s)
        if left_s is not None:
            assert at_s + left_s == pytest.approx(130.0, abs=4.0), at_s


def test_a_moment_of_a_rush_is_too_short_to_tell_anything():
    """Eight videos are decoded in step, for three seconds before the first batch."""
    found, end_s = told(("only short ones", (8, 1.0), 64, 0.4, 0.1, 0.002, 3.0))
    assert all(abs(foretold - end_s) <= 0.1 * end_s for _, foretold in found)
