"""What a run says of the time that is left is right within 30 %, from the first word on, in any mixture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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

WAYS = (list(MIXTURES), MACHINES, [4.0, 64.0], [0.02, 0.06, 0.3], [0.0, 5.0])


def standings(
    lengths: list[float], machine: tuple[int, float], batch_s: float, picture_s: float, start_s: float
) -> Iterator[tuple[float, Standing]]:
    """Simulate a run: a core reads 10 s of video in a second; yield when something was done, and what is.

    Args:
        lengths: of the files.
        machine: of ``MACHINES``.
        batch_s: seconds of video that come at once.
        picture_s: core-seconds a picture.
        start_s: seconds before the first file is begun.
    """
    workers, widest = machine
    waiting, active = list(enumerate(lengths)), dict[int, float]()
    at_s, seconds, pictures = start_s, 0.0, 0
    needs = [length / 10 or picture_s for length in lengths]
    while waiting or active:
        while waiting and len(active) < workers:
            active[waiting.pop(0)[0]] = 0.0
        share = min(widest, workers / len(active))
        step = batch_s / 10
        next_s = min(
            min(needs[k], (int(done / step + 1e-9) + 1) * step) - done if lengths[k] else needs[k] - done
            for k, done in active.items()
        )
        at_s += next_s / share
        active = {k: done + next_s for k, done in active.items()}
        for k in [k for k, done in active.items() if done > needs[k] - 1e-9]:
            del active[k]
            seconds, pictures = seconds + lengths[k], pictures + (not lengths[k])
        begun = {k: int(done / step + 1e-9) * batch_s for k, done in active.items() if lengths[k]}
        under_way = {str(k): (done, lengths[k] - done) for k, done in begun.items() if done}
        done_s = seconds + sum(begun.values())
        not_begun = [lengths[k] for k, _ in waiting] + [lengths[k] for k, done in begun.items() if not done]
        yield (
            at_s,
            Standing(
                done_s,
                pictures,
                sum(lengths) - done_s,
                lengths.count(0.0) - pictures,
                len(waiting) + len(active),
                max(not_begun, default=0.0),
                under_way,
            ),
        )


def told(way) -> tuple[list[tuple[float, float]], float]:
    """Return when something is told and the end that is foretold, and the end."""
    mixture, *how = way
    lengths, time_left, found, at_s = MIXTURES[mixture], TimeLeft(), [], 0.0
    time_left.note(0.0, Standing(0, 0, sum(lengths), lengths.count(0.0), len(lengths), max(lengths)))
    for at_s, now in standings(lengths, *how):
        time_left.note(at_s, now)
        left_s = time_left.seconds(at_s)
        if left_s is not None:
            found.append((at_s, at_s + left_s))
    return found, at_s


def check(way) -> None:
    found, end_s = told(way)
    assert found[-1][1] == pytest.approx(end_s)
    assert all(abs(foretold - end_s) <= 0.3 * end_s for _, foretold in found), way


@given(st.tuples(*map(st.sampled_from, WAYS)))
@settings(max_examples=8, deadline=None)
def test_what_is_told_is_right_in_any_mixture(way):
    check(way)


@pytest.mark.slow
def test_what_is_told_is_right_in_every_mixture():
    for way in product(*WAYS):
        check(way)


@pytest.mark.parametrize("mixture", ["only a film", "only short ones", "a film, then pictures"])
def test_it_is_told_within_the_first_third(mixture):
    found, end_s = told((mixture, (2, 2.0), 64.0, 0.06, 5.0))
    assert found[0][0] < end_s / 3


def test_nothing_is_told_of_a_film_that_was_not_begun():
    found, end_s = told(("pictures, then a film", (2, 2.0), 4.0, 0.3, 0.0))
    assert found[0][0] > 20 and found[0][1] == pytest.approx(end_s, rel=0.1)
