"""What few-shot evaluators share: data is read, and each number stands beside its controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.evaluation.evaluator import DEFAULTS, EvaluationOptions, EvaluationResult
from sayso.evaluation.few_shot import evaluate_few_shot
from sayso.evaluation.few_shot_data import FewShotData, FewShotTask

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.generators.base import Generator


@dataclass(frozen=True, kw_only=True)
class FewShotEvaluator:
    """A few-shot protocol; see ``Evaluator``.

    Args:
        name: what ``sayso evaluate`` calls it.
        title: on what it measures.
        measures: what it measures.
        data: what must be at the path of the data.
        task: how it is asked and scored.
        read: returns what is tested, and the examples, from that path and the folder of the pictures.
        published: what others measured.
        takes: the options that it takes.
    """

    name: str
    title: str
    measures: str
    data: str
    task: FewShotTask
    read: Callable[[Path, Path | None], FewShotData]
    published: tuple[dict[str, Any], ...]
    takes: tuple[str, ...] = ("images", "shots", "seeds", "rices", "predictions")
    needs = ("generator",)

    def __call__(
        self,
        model: Generator,
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Ask every item, with each number of examples; see ``Evaluator``."""
        return evaluate_few_shot(
            model,
            self.task,
            self.read(data, options.images),
            options,
            progress,
            protocol=f"{self.name}, few-shot",
            published=self.published,
        )
