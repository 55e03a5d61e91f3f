"""Many narrated videos of the same task, for the discovery of its steps: words, times, features, truth.

Five tasks of eight to twelve steps, thirty videos each. A video leaves steps out and swaps some
neighbours; between steps nothing, or something else, happens. The narrator calls a step by its usual name
or by synonyms, some seconds before or after it happens, forgets some, and chatters.

Features are planted rather than seen: each step looks like the sum of its verb and its thing, a little
different in every video, under the light of the video and noise. Between steps, most is one of a few
scenes that all videos have (somebody talks to the camera). ``sayso.toyworld.render`` draws the same
videos as pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sayso.core.types import Span
from sayso.toyworld.howto import HowTo, Narration, NarrationLine, ToyStep
from sayso.toyworld.words import COLOURS, OBJECTS, OPENINGS, VERBS, chatter, pairs

TASKS = 5
VIDEOS = 30
_TASK, _LOOKS, _SEEN = 4, 5, 6  # random streams of tasks, looks and features, beside those of howto
_SCENES = 4
_WORD_S, _SHORTEST_S = 0.35, 0.3


@dataclass(frozen=True, slots=True)
class Variation:
    """How videos of a task differ.

    Args:
        narration: how they are narrated.
        left_out: share of the steps that a video does not show.
        swapped: share of neighbours that change places.
        usual: share of the words that are the usual name, not a synonym.
        pause_s: longest time between two steps.
    """

    narration: Narration = field(default_factory=partial(Narration, -1.0, 2.0))
    left_out: float = 0.15
    swapped: float = 0.1
    usual: float = 0.6
    pause_s: float = 6.0


def task_steps(seed: int, task: int) -> list[tuple[str, str]]:
    """Return the steps (verb, thing) of a task, in order: 8 to 12, no thing more than twice.

    Examples:
        >>> task_steps(0, 0)[:2]
        [('cover', 'tree'), ('slide', 'ring')]
    """
    rng = np.random.default_rng([seed, _TASK, task])
    every = pairs(test=False)
    wanted = int(rng.integers(8, 13))
    steps: list[tuple[str, str]] = []
    for index in rng.permutation(len(every)):
        pair = every[index]
        if sum(thing == pair[1] for _, thing in steps) < 2:
            steps.append(pair)
        if len(steps) == wanted:
            break
    return steps


def task_video(seed: int, task: int, number: int, variation: Variation | None = None) -> HowTo:
    """Return a narrated video of a task; ``Step.number`` is the step's place in the task.

    Args:
        seed: of the world.
        task: number of the task.
        number: of the video.
        variation: how videos differ.
    """
    how = variation or Variation()
    key = (seed, _TASK, task, number)
    rng = np.random.default_rng(key)
    known = task_steps(seed, task)
    order = [k for k in range(len(known)) if rng.random() >= how.left_out] or [0]
    for k in range(len(order) - 1):
        if rng.random() < how.swapped:
            order[k], order[k + 1] = order[k + 1], order[k]
    now, steps = rng.uniform(2, 8), []
    for k in order:
        verb, thing = known[k]
        span = Span(round(now, 1), round(now + rng.uniform(2.6, 6.0), 1))
        colour = str(rng.choice(list(COLOURS)))
        steps.append(ToyStep(k, verb, thing, colour, span, f"{verb} {thing}"))
        now = span.end + rng.uniform(0.5, how.pause_s)
    duration_s = round(now + rng.uniform(1, 5), 1)
    return HowTo(task, tuple(steps), _narrated(rng, steps, duration_s, how), duration_s, key)


def task_features(
    seed: int, video: HowTo, *, rate: float = 1.0, dim: int = 64, noise: float = 1.0
) -> NDArray[np.float32]:
    """Return what is seen in each stretch of 1 / rate seconds, (T, dim).

    A step shows its verb and thing, each a unit vector of the world, and something of length 0.7
    that is its own in each video. What lies between steps shows, by turns of 4 s, one of four
    scenes of the world (length 1.4), or any verb and thing, or nothing. The light of the video (length
    0.5) and noise are added.

    Args:
        seed: of the world, which fixes how verbs and things look.
        video: of ``task_video``.
        rate: rows a second.
        dim: D.
        noise: expected length of the noise of one row.
    """
    looks = np.random.default_rng([seed, _LOOKS]).normal(size=(len(VERBS) + len(OBJECTS) + _SCENES, dim))
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    verbs, things = list(VERBS), list(OBJECTS)
    rng = np.random.default_rng([*video.seed, _SEEN])
    T = int(np.ceil(video.duration_s * rate))
    seen = np.zeros((T, dim))
    turn = max(1, round(4 * rate))
    for first in range(0, T, turn):
        kind = rng.random()
        if kind < 0.6:
            seen[first : first + turn] = np.sqrt(2) * looks[-1 - rng.integers(_SCENES)]
        elif kind < 0.8:
            seen[first : first + turn] = looks[rng.integers(len(looks))] + looks[rng.integers(len(looks))]
    for step in video.steps:
        begin, end = round(step.span.start * rate), max(round(step.span.end * rate), 1)
        own = 0.7 * rng.normal(size=dim) / np.sqrt(dim)
        seen[begin:end] = looks[verbs.index(step.verb)] + looks[len(verbs) + things.index(step.thing)] + own
    light = 0.5 * rng.normal(size=dim) / np.sqrt(dim)
    rows: NDArray[np.float32] = (seen + light + noise * rng.normal(size=(T, dim)) / np.sqrt(dim)).astype(
        np.float32
    )
    return rows


def task_truth(video: HowTo, steps: int, *, rate: float = 1.0) -> NDArray[np.bool_]:
    """Return where each step of the task happens, (T, C).

    Args:
        video: of the task.
        steps: C of the task.
        rate: rows a second.
    """
    inside = np.zeros((int(np.ceil(video.duration_s * rate)), steps), dtype=bool)
    for step in video.steps:
        inside[round(step.span.start * rate) : max(round(step.span.end * rate), 1), step.number] = True
    return inside


def _narrated(
    rng: np.random.Generator, steps: list[ToyStep], duration_s: float, how: Variation
) -> tuple[NarrationLine, ...]:
    """Return what is said, in order of time, no two lines at once."""
    said: list[tuple[float, str, int | None]] = []
    for k, step in enumerate(steps):
        if rng.random() >= how.narration.dropped:
            start = step.span.start + rng.normal(how.narration.lag_mean_s, how.narration.lag_sd_s)
            said.append((start, _instruction(rng, step, how.usual), k))
    share = how.narration.chatter
    idle = int(len(said) * share / (1 - share) + rng.random())
    said += [(rng.uniform(0, duration_s), chatter(rng), None) for _ in range(idle)]
    lines: list[NarrationLine] = []
    now = 0.0
    for start, text, about in sorted(said, key=lambda line: line[0]):
        begin = min(max(start, now), duration_s)
        now = min(begin + max(_SHORTEST_S, _WORD_S * len(text.split())), duration_s)
        lines.append(NarrationLine(Span(round(begin, 2), round(now, 2)), text, about))
    return tuple(lines)


def _instruction(rng: np.random.Generator, step: ToyStep, usual: float) -> str:
    verb, thing = _word(rng, VERBS[step.verb], usual), _word(rng, OBJECTS[step.thing], usual)
    colour = f"{rng.choice(COLOURS[step.colour])} " if rng.random() < 0.5 else ""
    return f"{rng.choice(OPENINGS)} {verb} the {colour}{thing}".strip()


def _word(rng: np.random.Generator, names: tuple[str, ...], usual: float) -> str:
    return names[0] if rng.random() < usual else str(rng.choice(names[1:] or names))
