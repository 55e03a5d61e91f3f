"""Which tags other pictures have: classification mAP of tagged pictures. No box is read.

This is what ``sayso train localize --test`` chooses the best checkpoint by.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.data.tags import Task
from sayso.evaluation.evaluator import (
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    mean_row,
)
from sayso.evaluation.localization import class_rows
from sayso.evaluation.localizer_answers import Answers, PictureLocalizer, answers
from sayso.metrics.localization import classification

if TYPE_CHECKING:
    from sayso.core.progress import Progress

_TASKS: tuple[Task, ...] = ("objects", "actions")


def _image_tagging(
    model: PictureLocalizer, data: Path, _: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Measure how well a model names what is in pictures; see ``Evaluator``."""
    found = _answers(model, data, progress)
    rows = class_rows(found, {"classification": classification(found.scores, found.labels)})
    mean = mean_row(rows, ("classification",))
    return EvaluationResult(
        protocol="tagged pictures, classification",
        primary=Primary("classification", mean["classification"]),
        columns=("pictures", "classification"),
        rows={**rows, "mean": mean},
        counts=found.counts,
        missing=found.tagged.missing,
        unreadable=found.unreadable,
        definition={"rule": "area"},
    )


IMAGE_TAGGING = FunctionEvaluator(
    name="image-tagging",
    title="tagged pictures: VOC, COCO, a CSV, folders of tags",
    measures="average precision of naming, of each tag",
    needs=("localizer",),
    data="tagged pictures: the folder of VOC or COCO, a .json, a .csv, or folders of pictures, one a tag",
    measure=_image_tagging,
)


def _answers(model: PictureLocalizer, data: Path, progress: Progress) -> Answers:
    """Return the answers on objects; on actions, where the model knows those alone.

    Raises:
        SaysoError: if the model lacks a class.
    """
    first: SaysoError | None = None
    for task in _TASKS:
        try:
            return answers(model, data, task=task, progress=progress)
        except SaysoError as error:
            first = first or error
    raise first or SaysoError(f"{data} holds no tagged pictures")
