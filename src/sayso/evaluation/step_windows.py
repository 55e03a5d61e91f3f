"""How well the estimated narration window does beside fixed ones, on CrossTask's annotated steps.

Real tasks, real seconds of steps, planted features (a step's appearance has length 1 in 64 numbers, noise
length 2) and planted mentions. A task's narrators tell of a step some seconds before or after its deed;
how many, how regularly, and of how many steps, differs from task to task. One mention in seven is at any
time. What is told of and what is seen is drawn anew with each seed. The script is given, so that nothing
but the windows is measured: F1 of the placed steps (``metrics.steps``). The best fixed window of a task
is chosen with the truth, from the mean over the seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.core.types import Span
from sayso.data.datasets.crosstask import InstructionTask, Segment, read_segments, read_tasks, truth
from sayso.evaluation.evaluator import (
    DEFAULTS,
    Count,
    EvaluationOptions,
    EvaluationResult,
    Number,
    Primary,
    Row,
    mean_row,
)
from sayso.metrics.steps import step_f1
from sayso.systems.instruction_steps.lag import estimate_window
from sayso.systems.instruction_steps.localization import localize_steps, step_windows
from sayso.systems.instruction_steps.script import ScriptStep
from sayso.text.language.narration import Mention

if TYPE_CHECKING:
    from sayso.core.arrays import Bools
    from sayso.core.progress import Progress

FIXED = {"0 to 10": (0.0, 10.0), "-5 to 5": (5.0, 5.0), "-10 to 0": (10.0, 0.0), "-10 to 10": (10.0, 10.0)}
ESTIMATED, BEST, LOSS = "estimated", "best fixed", "best less estimated"
COLUMNS = ("lag", "told", *FIXED, ESTIMATED, BEST, LOSS)
VIDEOS, SEEDS, ITERATIONS = 30, 3, 200
DIM, NOISE, ANYWHERE = 64, 2.0, 1 / 7
LAGS = ((6.0, 2.0), (0.0, 3.0), (-5.0, 3.0), (3.0, 5.0))  # word before the deed, and how far that varies, s
TOLD = (0.3, 0.9)  # of the steps, least and most


@dataclass(frozen=True)
class StepWindows:
    """F1 of steps in estimated and in fixed narration windows.

    Args:
        videos: of each task, at most.
    """

    videos: int = VIDEOS
    name = "step-windows"
    title = "CrossTask, annotated seconds, planted features and mentions"
    measures = "F1 of steps placed in estimated and in fixed narration windows"
    needs = ()
    data = "CrossTask's release (tasks_primary.txt, annotations/)"
    takes = ("seeds",)

    def __call__(
        self,
        model: None,  # noqa: ARG002  the system itself is measured
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Place the steps of each task in each kind of window; see ``Evaluator``."""
        tasks, seeds = read_tasks(data / "tasks_primary.txt"), options.seeds or tuple(range(SEEDS))
        rows: dict[str, Row] = {}
        for done, (number, task) in enumerate(tasks.items(), 1):
            files = sorted((data / "annotations").glob(f"{number}_*.csv"))[: self.videos]
            segments = [found for file in files if (found := read_segments(file, len(task.steps)))]
            if segments:
                rows[task.name] = window_row(int(number), task, segments, seeds)
            (progress or Silent()).update(done, len(tasks), task.name)
        if not rows:
            raise SaysoError(f"{data / 'annotations'} has no annotated video of the {len(tasks)} tasks")
        mean = mean_row(rows, COLUMNS[2:])
        losses = [float(row[LOSS] or 0) for row in rows.values()]
        return EvaluationResult(
            protocol="steps in narration windows",
            primary=Primary(ESTIMATED, mean[ESTIMATED]),
            columns=COLUMNS,
            rows={**rows, "mean": mean, "largest": {LOSS: max(losses)}},
            counts={"tasks": Count(len(rows), len(tasks))},
            definition={"seeds": list(seeds), "videos": self.videos, "noise": NOISE, "lags": LAGS},
        )


STEP_WINDOWS = StepWindows()


def window_row(
    number: int, task: InstructionTask, segments: Sequence[Sequence[Segment]], seeds: Sequence[int]
) -> Row:
    """Return the F1 in each kind of window, means over seeds.

    Args:
        number: of the task, which decides with the seed what is drawn.
        task: its C steps.
        segments: the annotated steps of each video.
        seeds: everything is drawn anew with each.
    """
    found: dict[str, list[float]] = {name: [] for name in (*FIXED, ESTIMATED)}
    C = len(task.steps)
    for seed in seeds:
        rng = np.random.default_rng([seed, number])
        lengths = [max(C, int(np.ceil(1.1 * max(one.end for one in rows))) + 5) for rows in segments]
        inside = [truth(rows, T, C) for rows, T in zip(segments, lengths, strict=True)]
        features = planted_features(rng, inside)
        script = planted_script(rng, task, segments, habit_of(number))
        windows = {**FIXED, ESTIMATED: estimate_window(features, script)}
        for name, (before_s, after_s) in windows.items():
            told = step_windows(script, lengths, before_s=before_s, after_s=after_s)
            times = localize_steps(features, told, iterations=ITERATIONS).times
            found[name].append(step_f1(list(zip(inside, times, strict=True))).f1)
    means: dict[str, Number] = {name: float(np.mean(values)) for name, values in found.items()}
    best = max(float(np.mean(found[name])) for name in FIXED)
    gap = best - float(np.mean(found[ESTIMATED]))
    lag, _, share = habit_of(number)
    return {"lag": lag, "told": share, **means, BEST: best, LOSS: gap}


def habit_of(number: int) -> tuple[float, float, float]:
    """Return how many seconds a task's words come before the deed, how far that varies, and of what share."""
    rng = np.random.default_rng(number)
    return *LAGS[int(rng.integers(len(LAGS)))], float(rng.uniform(*TOLD))


def planted_features(rng: np.random.Generator, inside: Sequence[Bools]) -> list[NDArray[np.float32]]:
    """Return (T, D) of each video: the steps that are on, else one of six scenes, each five seconds long.

    Args:
        rng: what they look like, and the noise.
        inside: (T, C) of each video, where each step is.
    """
    looks, scenes = _units(rng, inside[0].shape[1]), _units(rng, 6)
    features = []
    for where in inside:
        T = len(where)
        shown = np.repeat(rng.integers(len(scenes), size=-(-T // 5)), 5)[:T]
        X = where @ looks / np.maximum(1, where.sum(1, keepdims=True))
        X = np.where(where.any(1, keepdims=True), X, scenes[shown])
        features.append((X + NOISE * rng.normal(size=(T, DIM)) / np.sqrt(DIM)).astype(np.float32))
    return features


def planted_script(
    rng: np.random.Generator,
    task: InstructionTask,
    segments: Sequence[Sequence[Segment]],
    habit: tuple[float, float, float],
) -> list[ScriptStep]:
    """Return the task's steps with their mentions: told of before or after the deed, as the task's habit is.

    Args:
        rng: what is told of, and when.
        task: its steps.
        segments: the annotated steps of each video; what is done again is told of once.
        habit: as of ``habit_of``.
    """
    lag, spread, share = habit
    mentions: list[dict[int, Mention]] = [{} for _ in task.steps]
    for video, rows in enumerate(segments):
        last = max(one.end for one in rows)
        for one in rows:
            if video in mentions[one.step] or rng.random() > share:
                continue
            said = one.start - lag + spread * rng.normal()
            said = max(0.0, rng.uniform(0, last) if rng.random() < ANYWHERE else said)
            mentions[one.step][video] = Mention("do", "it", Span(said, said + 1), "")
    return [ScriptStep(((name, len(told)),), told) for name, told in zip(task.steps, mentions, strict=True)]


def _units(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    x = rng.normal(size=(count, DIM))
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))
