"""The names that stage 1 of step discovery gives to the steps of CrossTask's tasks.

Real tasks, real orders. Each video tells the steps that are annotated in it, when and as often as they
are, in words made of the release's step names ("next put the steak on grill"): three in ten are left
out, as many lines are chatter, times are off by a standard deviation of 5 s. The number of steps is
given. Precision: of the discovered names that are one of the task's steps; recall: of the steps that can
be named (some, "brake on", are no verb with an object) that are discovered.

Verbs and objects are read by spaCy, or by rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.progress import Silent
from sayso.core.types import Caption, Span
from sayso.data.datasets.crosstask import InstructionTask, Segment, read_segments, read_tasks
from sayso.evaluation.evaluator import (
    DEFAULTS,
    Count,
    EvaluationOptions,
    EvaluationResult,
    Primary,
    Row,
    mean_row,
)
from sayso.systems.instruction_steps import discover_script
from sayso.text.language.narration import mentions
from sayso.toyworld.words import OPENINGS, chatter

if TYPE_CHECKING:
    from sayso.core.progress import Progress

LAG_S, LEFT_OUT, SEEDS = 5.0, 0.3, 3
COLUMNS = ("videos", "steps", "nameable", "precision", "recall")


@dataclass(frozen=True)
class StepNames:
    """Names of the steps of CrossTask's primary tasks.

    Args:
        parser: reads verbs and objects: ``spacy`` or ``rules``.
    """

    name: str = "step-names"
    parser: str = "spacy"
    title = "CrossTask, real orders, made sentences"
    measures = "precision and recall of the names of discovered steps"
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
        """Discover the names of the steps of each task; see ``Evaluator``."""
        tasks, seeds = read_tasks(data / "tasks_primary.txt"), options.seeds or tuple(range(SEEDS))
        parser = _parser(self.parser)
        rows: dict[str, Row] = {}
        for done, (number, task) in enumerate(tasks.items(), 1):
            files = sorted((data / "annotations").glob(f"{number}_*.csv"))
            segments = [read_segments(file, len(task.steps)) for file in files]
            rows[task.name] = name_row(int(number), task, segments, seeds, parser)
            (progress or Silent()).update(done, len(tasks), task.name)
        mean = mean_row(rows, COLUMNS[3:])
        return EvaluationResult(
            protocol=f"names of discovered steps, read by {self.parser}",
            primary=Primary("recall", mean["recall"]),
            columns=COLUMNS,
            rows={**rows, "mean": mean},
            counts={"tasks": Count(len(rows), len(tasks))},
            definition={"parser": self.parser, "seeds": list(seeds), "lag_s": LAG_S, "left out": LEFT_OUT},
        )


STEP_NAMES = StepNames()
STEP_NAMES_BY_RULES = StepNames("step-names-rules", "rules")


def name_row(
    number: int,
    task: InstructionTask,
    segments: Sequence[Sequence[Segment]],
    seeds: Sequence[int],
    parser: Any = None,
) -> Row:
    """Return precision and recall of the names of a task's steps, averaged over seeds.

    Args:
        number: of the task, which decides with the seed what is drawn.
        task: its steps.
        segments: the annotated steps of each video.
        seeds: narrations are drawn anew with each.
        parser: as of ``sayso.text.language.narration.mentions``.
    """
    read = [mentions([Caption(Span(0, 2), sentence(step))], parser) for step in task.steps]
    known = {found[0].phrase for found in read if found}
    scores = []
    for seed in seeds:
        rng = np.random.default_rng([seed, number])
        narrations = [mentions(made_narration(rng, rows, task.steps), parser) for rows in segments]
        names = [step.name for step in discover_script(narrations, len(known), seed=seed)]
        right = len(known & set(names))
        scores.append((right / len(names), right / len(known)))
    precision, recall = np.mean(scores, axis=0).tolist()
    return {
        "videos": len(segments),
        "steps": len(task.steps),
        "nameable": len(known),
        "precision": precision,
        "recall": recall,
    }


def made_narration(
    rng: np.random.Generator, segments: Sequence[Segment], steps: Sequence[str]
) -> list[Caption]:
    """Return what somebody might say who does what is annotated, in order of time.

    Args:
        rng: what is left out, how far times are off, which words.
        segments: the annotated steps of a video.
        steps: their names.
    """
    lines = []
    for segment in segments:
        if rng.random() >= LEFT_OUT:
            start = max(0.0, segment.start + LAG_S * rng.normal())
            lines.append((start, sentence(steps[segment.step], str(rng.choice(OPENINGS)))))
        if rng.random() < LEFT_OUT:
            lines.append((segment.start + rng.uniform(0, 20), f"{chatter(rng)}."))
    return [Caption(Span(start, start + 2), text) for start, text in sorted(lines)]


def sentence(step: str, opening: str = "now") -> str:
    """Return a sentence that tells of a step by its name."""
    verb, _, rest = step.partition(" ")
    return f"{opening} {verb} the {rest}.".strip() if rest else f"{opening} {verb}."


def _parser(name: str) -> Any:
    if name == "rules":
        return None
    from sayso.text.language.actions import load_parser

    return load_parser()
