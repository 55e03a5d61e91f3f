"""How-to videos: tasks of ordered steps, and somebody who talks while doing them.

A task is a list of steps (verb, object). A video of it leaves some steps out, swaps some
neighbours, and does each with a thing of another colour. The narrator names a step some
seconds before or after it happens, forgets some, and chatters in between.

What training videos show and what test videos show have no pair (verb, object) in
common, whatever the seeds (``sayso.toyworld.words.held_out``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.toyworld.words import COLOURS, chatter, instruction, pairs, step_name

TRAIN, TEST = 0, 1
_SPOKEN_S = 0.35  # seconds a word
_SHORTEST_S = 0.3  # between the beginnings of two lines


@dataclass(frozen=True, slots=True)
class Narration:
    """How people talk.

    Args:
        lag_mean_s: by how much a line begins later than its step, seconds; negative is earlier.
        lag_sd_s: standard deviation of that, over lines.
        dropped: share of the steps of which nothing is said.
        chatter: share of the lines that are about nothing visible.
    """

    lag_mean_s: float = -1.0
    lag_sd_s: float = 3.0
    dropped: float = 0.1
    chatter: float = 0.5

    def __post_init__(self) -> None:
        if self.lag_sd_s < 0 or not 0 <= self.dropped <= 1 or not 0 <= self.chatter < 1:
            raise SaysoError(
                "a narration needs lag_sd_s >= 0, dropped in [0, 1] and chatter in [0, 1); "
                f"got {self.lag_sd_s}, {self.dropped} and {self.chatter}"
            )


@dataclass(frozen=True, slots=True)
class ToyStep:
    """What happens during a span: ``verb`` is done to a ``colour`` ``thing``.

    Args:
        number: position in the task's full list of steps, from 0.
        verb: a key of ``VERBS``.
        thing: a key of ``OBJECTS``.
        colour: a key of ``COLOURS``.
        span: seconds.
        caption: what the step is called, with synonyms.
    """

    number: int
    verb: str
    thing: str
    colour: str
    span: Span
    caption: str


@dataclass(frozen=True, slots=True)
class NarrationLine:
    """A sentence of the narration, and about which step of the video it is; None for chatter."""

    span: Span
    text: str
    about: int | None


@dataclass(frozen=True, slots=True)
class HowTo:
    """A video before it is drawn.

    Args:
        task: number of the task; -1 if the steps belong to none.
        steps: in order of time.
        lines: in order of time.
        duration_s: of the video.
        seed: of everything that is random when it is drawn.
    """

    task: int
    steps: tuple[ToyStep, ...]
    lines: tuple[NarrationLine, ...]
    duration_s: float
    seed: tuple[int, ...]


def tasks(seed: int, steps: int = 8) -> list[list[tuple[str, str]]]:
    """Return tasks, each of so many (verb, object), that together show every training pair three times.

    The order in which pairs follow each other differs from task to task.
    """
    rng = np.random.default_rng([seed, 2])
    known = pairs(test=False)
    dealt = [known[i] for _ in range(3) for i in rng.permutation(len(known))]
    return [dealt[i : i + steps] for i in range(0, len(dealt) - steps + 1, steps)]


def training_video(
    seed: int, number: int, *, narration: Narration | None = None, left_out: float = 0.1, swapped: float = 0.1
) -> HowTo:
    """Return a narrated video of one of the tasks.

    Args:
        seed: of the corpus.
        number: of the video; tasks take turns.
        narration: how it is narrated.
        left_out: share of the task's steps that the video does not show.
        swapped: share of neighbours that change places.
    """
    key = (seed, TRAIN, number)
    rng = np.random.default_rng(key)
    all_tasks = tasks(seed)
    task = number % len(all_tasks)
    order = _varied(rng, len(all_tasks[task]), left_out, swapped)
    colours = rng.choice(list(COLOURS), len(order))
    shown = [(k, *all_tasks[task][k], str(colour)) for k, colour in zip(order, colours, strict=True)]
    steps, duration_s = _timed(rng, shown)
    lines = _narrated(rng, steps, duration_s, narration or Narration())
    return HowTo(task, steps, lines, duration_s, key)


def held_out_videos(seed: int, clips: int, steps: int = 8) -> list[HowTo]:
    """Return videos without narration whose steps are held-out pairs, each (verb, colour, object) once.

    Args:
        seed: of the corpus.
        clips: how many steps in all.
        steps: per video; the last may have fewer.

    Raises:
        ValueError: if there are not so many different steps.
    """
    rng = np.random.default_rng([seed, TEST])
    every = [(verb, thing, colour) for verb, thing in pairs(test=True) for colour in COLOURS]
    if not 1 <= clips <= len(every):
        raise ValueError(f"a test set has 1 to {len(every)} clips, all different; got {clips}")
    chosen = [every[i] for i in rng.permutation(len(every))[:clips]]
    films = []
    for first in range(0, clips, steps):
        key = (seed, TEST, first // steps)
        shown = [(k, *what) for k, what in enumerate(chosen[first : first + steps])]
        timed, duration_s = _timed(np.random.default_rng(key), shown)
        films.append(HowTo(-1, timed, (), duration_s, key))
    return films


def _varied(rng: np.random.Generator, steps: int, left_out: float, swapped: float) -> list[int]:
    """Return which steps a video shows, in its order; one at least."""
    order = [k for k in range(steps) if rng.random() >= left_out] or [0]
    for k in range(len(order) - 1):
        if rng.random() < swapped:
            order[k], order[k + 1] = order[k + 1], order[k]
    return order


def _timed(
    rng: np.random.Generator, shown: list[tuple[int, str, str, str]]
) -> tuple[tuple[ToyStep, ...], float]:
    """Return the steps with their spans, and the duration; between steps the place is empty."""
    now = rng.uniform(1.5, 3.0)
    steps = []
    for number, verb, thing, colour in shown:
        span = Span(round(now, 1), round(now + rng.uniform(2.6, 3.6), 1))
        steps.append(ToyStep(number, verb, thing, colour, span, step_name(rng, verb, colour, thing)))
        now = span.end + rng.uniform(0.3, 1.2)
    return tuple(steps), round(now + rng.uniform(1.0, 2.5), 1)


def _narrated(
    rng: np.random.Generator, steps: tuple[ToyStep, ...], duration_s: float, how: Narration
) -> tuple[NarrationLine, ...]:
    """Return what is said: lines about steps, and chatter at any time."""
    said: list[tuple[float, str, int | None]] = []
    for k, step in enumerate(steps):
        if rng.random() >= how.dropped:
            start = step.span.start + rng.normal(how.lag_mean_s, how.lag_sd_s)
            said.append((start, instruction(rng, step.verb, step.colour, step.thing), k))
    idle = _rounded(rng, len(said) * how.chatter / (1 - how.chatter))
    said += [(rng.uniform(0, duration_s), chatter(rng), None) for _ in range(idle)]
    return _in_turn(sorted(said, key=lambda line: line[0]), duration_s)


def _in_turn(said: list[tuple[float, str, int | None]], duration_s: float) -> tuple[NarrationLine, ...]:
    """Return lines within the video, as long as it takes to say them, up to where the next begins."""
    wanted = np.array([start for start, _, _ in said])
    pace = _SHORTEST_S * np.arange(len(said))
    starts = np.maximum.accumulate(np.maximum(wanted, 0) - pace) + pace
    starts = np.minimum(starts, duration_s - _SHORTEST_S * len(said) + pace)
    nexts = np.append(starts[1:], duration_s)
    lines = []
    for (_, text, about), start, following in zip(said, starts, nexts, strict=True):
        end = min(start + _SPOKEN_S * len(text.split()), following)
        lines.append(NarrationLine(Span(round(float(start), 2), round(float(end), 2)), text, about))
    return tuple(lines)


def _rounded(rng: np.random.Generator, number: float) -> int:
    """Return a neighbouring whole number, at random so that the mean is kept."""
    return int(number + rng.random())
