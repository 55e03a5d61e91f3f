"""The steps of toy tasks, found from narration, from video, and from both, beside simple ways.

Five tasks of 30 videos each (``sayso.toyworld.tasks``), with planted features: synonyms, narration 1 s
early with a spread of 2 s, steps left out and swapped, half of the lines chatter. The number of steps is
given. F1 by the protocol of Alayrac et al., CVPR 2016: discovered steps are matched one to one to true
ones over the task, and a prediction is right when its second lies inside the step. Narration windows
reach from 5 s before to 5 s after the words, but where the row says else. A step's appearance has length
1.4 in 64 numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Ints
from sayso.core.progress import Silent
from sayso.core.types import Caption
from sayso.evaluation.evaluator import DEFAULTS, EvaluationOptions, EvaluationResult, Primary, Row
from sayso.evaluation.k_means import lloyd
from sayso.evaluation.placed_steps import uniform
from sayso.metrics.steps import step_f1
from sayso.solvers.ordered_path import ordered_path
from sayso.systems.instruction_steps import NarratedVideo, StepModel, StepsRecipe
from sayso.systems.instruction_steps.lag import estimate_window
from sayso.systems.instruction_steps.localization import StepScorer, localize_steps, step_windows
from sayso.systems.instruction_steps.script import ScriptStep, discover_script
from sayso.text.language.narration import mentions
from sayso.toyworld.tasks import TASKS, VIDEOS, task_features, task_steps, task_truth, task_video

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.toyworld import HowTo

LATER_S, AROUND_S, SEEDS = 1.5, 5.0, 3
BEST = "text and video, alternating minimisation"
ESTIMATED = "the same, in windows that the videos tell of (sayso steps)"


@dataclass(frozen=True)
class StepDiscovery:
    """F1 of steps discovered in toy tasks.

    Args:
        noises: lengths of the noise of the features.
        tasks: how many.
        videos: of each task, to learn from; as many others are kept aside.
    """

    noises: tuple[float, ...] = (1, 4)
    tasks: int = TASKS
    videos: int = VIDEOS
    name = "step-discovery"
    title = "toy tasks, planted features"
    measures = "F1 of the steps discovered in narrated videos"
    needs = ()
    data = ""
    takes = ("seeds",)

    def __call__(
        self,
        model: None = None,  # noqa: ARG002  the system itself is measured
        data: Path | None = None,  # noqa: ARG002  it draws its own
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Discover the steps of toy tasks; see ``Evaluator``."""
        seeds = options.seeds or tuple(range(SEEDS))
        rows: dict[str, dict[str, float | None]] = {}
        for n, noise in enumerate(self.noises):
            found: dict[str, list[list[float]]] = {}
            for k, seed in enumerate(seeds, 1):
                every = [self.task_scores(seed, task, noise) for task in range(self.tasks)]
                for way in every[0]:
                    found.setdefault(way, []).append([scores[way] for scores in every])
                (progress or Silent()).update(n * len(seeds) + k, len(self.noises) * len(seeds))
            for way, values in found.items():
                means = np.mean(values, axis=1)
                spread = float(means.std()) if len(seeds) > 1 else None
                cells = {f"F1, noise {noise:g}": float(means.mean()), f"± {noise:g}": spread}
                rows[way] = rows.get(way, {}) | cells
        primary = f"F1, noise {self.noises[0]:g}"
        table: dict[str, Row] = dict(rows)
        return EvaluationResult(
            protocol="steps discovered in toy tasks",
            primary=Primary(primary, rows[BEST][primary]),
            columns=tuple(rows[BEST]),
            rows=table,
            definition={
                "tasks": self.tasks,
                "videos": self.videos,
                "seeds": list(seeds),
                "around_s": AROUND_S,
            },
        )

    def task_scores(self, seed: int, task: int, noise: float) -> dict[str, float]:
        """Return the F1 of each way to find the steps of one task.

        Args:
            seed: of the toy world.
            task: its number.
            noise: standard deviation of the features' noise.
        """
        videos = [task_video(seed, task, n) for n in range(self.videos)]
        steps = task_steps(seed, task)
        script = discover_script([mentions(toy_captions(video)) for video in videos], len(steps))
        X = [task_features(seed, video, noise=noise) for video in videos]
        inside = [task_truth(video, len(steps)) for video in videos]
        K, lengths = len(script), [len(rows) for rows in X]
        rng = np.random.default_rng(seed)
        free = step_windows([ScriptStep((), {}) for _ in script], lengths)
        near = step_windows(script, lengths, before_s=AROUND_S, after_s=AROUND_S)
        best = localize_steps(X, near)
        before_s, after_s = estimate_window(X, script)
        told = step_windows(script, lengths, before_s=before_s, after_s=after_s)
        times: dict[str, Sequence[ArrayLike]] = {
            "uniform in time": [uniform(T, K) for T in lengths],
            "ordering only (random times, in order)": [
                np.sort(rng.choice(T, K, replace=False)) for T in lengths
            ],
            "k-means, the row nearest to each centre": _nearest_rows(X, K, seed),
            "text only: when it is said": [_when_said(script, T, n) for n, T in enumerate(lengths)],
            "text only: 1.5 s later, the best lag": [
                _when_said(script, T, n, LATER_S) for n, T in enumerate(lengths)
            ],
            "video only: ordered clustering": localize_steps(X, free, alternations=0).times,
            "video only, alternating minimisation": localize_steps(X, free).times,
            "text and video, as published": localize_steps(X, near, alternations=0).times,
            BEST: best.times,
            ESTIMATED: localize_steps(X, told).times,
            "the same, in windows of 0 to 10 s after the words": localize_steps(
                X, step_windows(script, lengths)
            ).times,
        }
        scores = {way: step_f1(list(zip(inside, found, strict=True))).f1 for way, found in times.items()}
        return scores | self._on_others(seed, task, noise, script, best.scorer)

    def _on_others(
        self, seed: int, task: int, noise: float, script: Sequence[ScriptStep], scorer: StepScorer
    ) -> dict[str, float]:
        """Return the F1 on videos that were not learned from, with their narration and without."""
        names = tuple(step.name for step in script)
        phrases = tuple(tuple(phrase for phrase, _ in step.phrases) for step in script)
        recipe = StepsRecipe(before_s=AROUND_S, after_s=AROUND_S)
        model = StepModel(names, phrases, scorer, (1.0,) * len(names), recipe)
        with_text: list[tuple[ArrayLike, ArrayLike]] = []
        silent: list[tuple[ArrayLike, ArrayLike]] = []
        for number in range(self.videos, 2 * self.videos):
            video = task_video(seed, task, number)
            inside = task_truth(video, len(task_steps(seed, task)))
            rows = task_features(seed, video, noise=noise)
            for found, captions in ((with_text, toy_captions(video)), (silent, [])):
                located = model.locate(NarratedVideo("", rows, captions))
                found.append((inside, [int(step.time_s) for step in located]))
        return {
            f"{self.videos} other videos, with narration": step_f1(with_text).f1,
            f"{self.videos} other videos, silent": step_f1(silent).f1,
        }


STEP_DISCOVERY = StepDiscovery()


def toy_captions(video: HowTo) -> list[Caption]:
    """Return what is said in a toy video, as captions."""
    return [Caption(line.span, line.text) for line in video.lines]


def _when_said(script: Sequence[ScriptStep], T: int, n: int, later_s: float = 0.0) -> Ints:
    """Return the seconds at which video n speaks of the steps, evenly spread where it does not, in order."""
    wanted = uniform(T, len(script)).astype(float)
    for k, step in enumerate(script):
        if n in step.mentions:
            span = step.mentions[n].span
            wanted[k] = (span.start + span.end) / 2 + later_s
    return ordered_path(np.abs(np.arange(T)[:, None] + 0.5 - wanted))


def _nearest_rows(features: Sequence[NDArray[np.float32]], K: int, seed: int) -> list[Ints]:
    """Return for each video the row nearest to each of K centres; the best of five runs."""
    rows = np.concatenate(features).astype(np.float64)
    rows -= rows.mean(0)
    rng = np.random.default_rng(seed)
    runs = [lloyd(rows, rows[rng.choice(len(rows), K, replace=False)], 50) for _ in range(5)]
    centres = min(runs, key=lambda run: run[2])[1]
    distances = (rows**2).sum(1)[:, None] - 2 * rows @ centres.T
    ends = np.cumsum([len(X) for X in features])[:-1]
    return [part.argmin(0) for part in np.split(distances, ends)]
