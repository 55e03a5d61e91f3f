"""Where in the picture: PASCAL VOC 2007 and 2012 (objects, actions) and COCO, for models that saw tags alone.

Of every class, the pictures are ranked by its score (classification), and once more where a
picture is right only if the model's point lies inside a box of the class grown by 18 pixels
(pointing). Boxes are read here, after the model has answered, and nowhere before.

Source
    Oquab, Bottou, Laptev, Sivic, CVPR 2015, Is object localization for free?
    VOC 2012's test labels are not public; as in the paper, localisation is measured on its ``val``.
    The paper's numbers are not beside: its tables were not at hand to copy from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.arrays import Floats
from sayso.data.tags import TaggedBox, Task
from sayso.evaluation.evaluator import (
    DEFAULTS,
    EvaluationOptions,
    EvaluationResult,
    Primary,
    Row,
    mean_row,
)
from sayso.evaluation.localizer_answers import Answers, PictureLocalizer, answers
from sayso.metrics.average_precision import Rule
from sayso.metrics.localization import TOLERANCE, classification, pointing

if TYPE_CHECKING:
    from sayso.core.progress import Progress

COLUMNS = ("pictures", "classification", "pointing")


@dataclass(frozen=True)
class Localization:
    """Naming and pointing on a part of a data set.

    Args:
        name: of the protocol.
        title: which data set, which part.
        split: the part's name.
        rule: of the average precision.
        data: what the folder holds.
        year: VOC's folder, where DIR holds several.
        task: objects, or what people do.
    """

    name: str
    title: str
    split: str
    rule: Rule
    data: str
    year: str | None = None
    task: Task = "objects"
    measures = "average precision of naming and of pointing, of each class"
    needs = ("localizer",)
    takes = ()

    def __call__(
        self,
        model: PictureLocalizer,
        data: Path,
        options: EvaluationOptions = DEFAULTS,  # noqa: ARG002  it takes none
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Measure how well a model names and points; see ``Evaluator``."""
        place = self._folder(data)
        answered = answers(model, place, split=self.split, task=self.task, progress=progress)
        found, boxes = answered.with_boxes(place, split=self.split, task=self.task)
        rows = class_rows(
            found,
            {
                "classification": classification(found.scores, found.labels, rule=self.rule),
                "pointing": pointing(found.scores, found.points, found.labels, boxes, rule=self.rule),
            },
        )
        mean = mean_row(rows, COLUMNS[1:])
        definition = {"split": self.split, "rule": self.rule, "task": self.task, "tolerance": TOLERANCE}
        return EvaluationResult(
            protocol=f"{self.title}, from tags alone",
            primary=Primary("pointing", mean["pointing"]),
            columns=COLUMNS,
            rows={**rows, "mean": mean},
            counts=found.counts,
            missing=found.tagged.missing,
            unreadable=found.unreadable,
            definition=definition,
            published=(always_the_middle(found, boxes, self.rule),),
        )

    def _folder(self, data: Path) -> Path:
        """Return the protocol's year below DIR, where it is there."""
        if self.year is not None:
            for folder in (data / self.year, data / "VOCdevkit" / self.year):
                if folder.is_dir():
                    return folder
        return data


_VOC = "the folder of {0}, or one above it, with the pictures beside or below its lists"
VOC2007 = Localization(
    "voc2007", "PASCAL VOC 2007 test", "test", "11-point", _VOC.format("VOC2007"), "VOC2007"
)
VOC2012 = Localization("voc2012", "PASCAL VOC 2012 val", "val", "area", _VOC.format("VOC2012"), "VOC2012")
VOC2012_ACTIONS = Localization(
    "voc2012-actions",
    "PASCAL VOC 2012 val, actions",
    "val",
    "area",
    _VOC.format("VOC2012"),
    "VOC2012",
    "actions",
)
COCO = Localization(
    "coco-localization",
    "COCO val",
    "val",
    "area",
    "COCO's folder or a file of instances, with the pictures beside or below it",
)


def class_rows(found: Answers, values: dict[str, Floats]) -> dict[str, Row]:
    """Return a row a class: how many pictures have it, and its values, None where it has none.

    Args:
        found: the answers, which name the C classes.
        values: column -> (C,).
    """
    return {
        name: {
            "pictures": int(found.pictures[k]),
            **{column: _number(of[k]) for column, of in values.items()},
        }
        for k, name in enumerate(found.tagged.names)
    }


def always_the_middle(found: Answers, boxes: Sequence[Sequence[TaggedBox]], rule: Rule) -> dict[str, Any]:
    """Return how right the middle of the picture is, with the model's scores: what pointing must beat.

    Args:
        found: the model's scores, (N, C).
        boxes: the true ones of each of the N pictures.
        rule: when a point is right.
    """
    middles = np.array([one.size for one in found.located], dtype=np.float64) / 2
    points = np.repeat(middles[:, None], len(found.columns), axis=1)
    values = pointing(found.scores, points, found.labels, boxes, rule=rule)
    mean = mean_row(class_rows(found, {"pointing": values}), ("pointing",))
    return {"model": "always the middle of the picture", "source": "here", **mean}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
