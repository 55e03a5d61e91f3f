"""Stage 1 of step discovery on toy tasks: is the list of steps right, and how good is the alignment?

The list is compared with the task's steps by meaning (synonyms count). Of the alignment of the narrations,
the objective f (less is better; ``sayso.solvers.sequence_alignment``) is compared between progressive
alignment, Frank-Wolfe from it, and Frank-Wolfe from it and from two random starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.progress import Silent
from sayso.evaluation.evaluator import (
    DEFAULTS,
    EvaluationOptions,
    EvaluationResult,
    Number,
    Primary,
    Row,
    mean_row,
)
from sayso.evaluation.step_discovery import toy_captions
from sayso.solvers.sequence_alignment import align_progressively, align_sequences
from sayso.systems.instruction_steps.script import APART, discover_script
from sayso.text.language.narration import Mention, mentions
from sayso.text.language.phrases import commonest, phrase_likeness
from sayso.toyworld.tasks import TASKS, VIDEOS, task_steps, task_video
from sayso.toyworld.words import OBJECTS, VERBS

if TYPE_CHECKING:
    from sayso.core.progress import Progress

SEEDS = 3
COLUMNS = ("precision", "recall", "steps off", "f, progressive", "f, Frank-Wolfe", "f, three starts")


@dataclass(frozen=True)
class ToyStepNames:
    """The list of steps of toy tasks.

    Args:
        tasks: how many.
        videos: of each task.
    """

    tasks: int = TASKS
    videos: int = VIDEOS
    name = "toy-step-names"
    title = "toy tasks"
    measures = "precision and recall of the list of steps, and the objective of the alignment"
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
        """Discover the lists of steps of toy tasks; see ``Evaluator``."""
        seeds = options.seeds or tuple(range(SEEDS))
        rows: dict[str, Row] = {}
        for seed in seeds:
            for task in range(self.tasks):
                videos = [task_video(seed, task, n) for n in range(self.videos)]
                narrations = [mentions(toy_captions(video)) for video in videos]
                rows[f"seed {seed}, task {task}"] = {
                    **list_scores(narrations, task_steps(seed, task)),
                    **objectives(narrations),
                }
                (progress or Silent()).update(len(rows), len(seeds) * self.tasks)
        mean = mean_row(rows, COLUMNS)
        return EvaluationResult(
            protocol="lists of steps of toy tasks",
            primary=Primary("recall", mean["recall"]),
            columns=COLUMNS,
            rows={**rows, "mean": mean},
            definition={"tasks": self.tasks, "videos": self.videos, "seeds": list(seeds)},
        )


TOY_STEP_NAMES = ToyStepNames()


def list_scores(narrations: list[list[Mention]], steps: list[tuple[str, str]]) -> dict[str, Number]:
    """Return precision and recall of the list, and how far its length is off where it is not given.

    Args:
        narrations: what each narration tells of.
        steps: the true ones, verb and thing.
    """
    script = discover_script(narrations, len(steps))
    right = len({meaning(step.name) for step in script} & set(steps))
    off = abs(len(discover_script(narrations)) - len(steps))
    return {"precision": right / len(script), "recall": right / len(steps), "steps off": off}


def objectives(narrations: list[list[Mention]]) -> dict[str, Number]:
    """Return f of progressive alignment, of Frank-Wolfe from it, and from two random starts as well."""
    pairs = commonest(narrations)
    phrases = [[(m.verb, m.object) for m in video] for video in narrations]
    likeness = phrase_likeness(pairs, phrases)
    cost = np.where(likeness > 0, -likeness, APART)
    tokens = [[pairs.index(pair) for pair in video if pair in pairs] for video in phrases]
    found = [align_progressively(tokens, cost), *(align_sequences(tokens, cost, starts=n) for n in (1, 3))]
    return dict(zip(COLUMNS[3:], (one.value for one in found), strict=True))


def meaning(name: str) -> tuple[str, str]:
    """Return which verb and thing of the toy world a discovered name says."""
    verb, thing = name.split()
    verbs = [key for key, words in VERBS.items() if verb in {w.replace("let ", "").split()[0] for w in words}]
    things = [key for key, words in OBJECTS.items() if thing in words]
    return (verbs[0] if verbs else verb, things[0] if things else thing)
