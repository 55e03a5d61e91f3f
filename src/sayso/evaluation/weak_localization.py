"""How well a model that saw tags alone says where things are, by the measures of weak localisation.

Of each picture with a class: whether the best box overlaps a true one by half (CorLoc), whether some
threshold of the score map does (MaxBoxAccV2), how well the map's cells are distinguished that lie inside a
true box (pixel AP, with boxes in the place of masks), and whether the point lies inside a box (pointing),
also where everything of the class in the picture is small: at most a fifth of the picture's longer side.

Sources
    CorLoc: Deselaers, Alexe, Ferrari, IJCV 2012. MaxBoxAccV2, PxAP: Choe et al., CVPR 2020.
    Pointing: Oquab, Bottou, Laptev, Sivic, CVPR 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.data.tags import TaggedBox
from sayso.evaluation.evaluator import DEFAULTS, EvaluationOptions, EvaluationResult, Primary, mean_row
from sayso.evaluation.localization import always_the_middle, class_rows
from sayso.evaluation.localizer_answers import Answers, PictureLocalizer, answers
from sayso.metrics.localization import OVERLAP, TOLERANCE, classification, corloc, pointing
from sayso.metrics.score_maps import CUTS, OVERLAPS, max_box_accuracy, min_max, pixel_precision

if TYPE_CHECKING:
    from sayso.core.progress import Progress

SMALL = 0.2  # of the longer side
COLUMNS = ("classification", "pointing", "pointing, small", "CorLoc", "MaxBoxAccV2", "pixel AP")
Boxes = Sequence[Sequence[TaggedBox]]


@dataclass(frozen=True)
class WeakLocalization:
    """All measures of weak localisation, on tagged pictures with boxes."""

    name = "weak-localization"
    title = "tagged pictures with boxes: VOC, COCO"
    measures = "CorLoc, MaxBoxAccV2, pixel AP and pointing, of each class"
    needs = ("localizer",)
    data = "the folder of VOC or COCO, or a file of instances, with the pictures beside or below it"
    takes = ()

    def __call__(
        self,
        model: PictureLocalizer,
        data: Path,
        options: EvaluationOptions = DEFAULTS,  # noqa: ARG002  it takes none
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Measure where a model says that things are; see ``Evaluator``."""
        answered = answers(model, data, progress=progress)
        found, boxes = answered.with_boxes(data, split=None, task="objects")
        S, P, Y = found.scores, found.points, found.labels
        maps = [class_map_measures(found, boxes, k) for k in range(len(found.columns))]
        rows = class_rows(
            found,
            {
                "classification": classification(S, Y),
                "pointing": pointing(S, P, Y, boxes),
                "pointing, small": pointing(S, P, small_only(found, boxes), boxes),
                "CorLoc": corloc(_best_boxes(found), Y, boxes),
                "MaxBoxAccV2": np.array([box for box, _ in maps]),
                "pixel AP": np.array([pixel for _, pixel in maps]),
            },
        )
        mean = mean_row(rows, COLUMNS)
        definition = {
            "rule": "area",
            "tolerance": TOLERANCE,
            "CorLoc overlap": OVERLAP,
            "MaxBoxAccV2 overlaps": list(OVERLAPS),
            "thresholds": CUTS,
            "small": SMALL,
        }
        return EvaluationResult(
            protocol="weak localisation",
            primary=Primary("CorLoc", mean["CorLoc"]),
            columns=("pictures", *COLUMNS),
            rows={**rows, "mean": mean},
            counts=found.counts,
            missing=found.tagged.missing,
            unreadable=found.unreadable,
            definition=definition,
            published=(always_the_middle(found, boxes, "area"),),
        )


WEAK_LOCALIZATION = WeakLocalization()


def small_only(found: Answers, boxes: Boxes) -> NDArray[np.int64]:
    """Return the labels (N, C), without those of a picture that shows something large of the class."""
    labels = found.labels.copy()
    for n, (one, row) in enumerate(zip(found.located, boxes, strict=True)):
        for thing in row:
            side = max(thing.box.x1 - thing.box.x0, thing.box.y1 - thing.box.y0)
            if side > SMALL * max(one.size):
                labels[n, thing.label] = 0
    return labels


def class_map_measures(found: Answers, boxes: Boxes, k: int) -> tuple[float, float]:
    """Return MaxBoxAccV2 and the pixel AP of a class over the pictures that show it; NaN where none does.

    Args:
        found: the answers.
        boxes: of each of the N pictures; only those that are not difficult count.
        k: the class.
    """
    maps, edges, masks = [], [], []
    for n in np.flatnonzero(found.labels[:, k] == 1).tolist():
        scores = min_max(found.located[n].maps[found.columns[k]])
        own = [thing for thing in boxes[n] if thing.label == k]
        if not all(thing.difficult for thing in own):
            maps.append(scores)
            edges.append(_cells([t for t in own if not t.difficult], found.located[n].size, scores.shape))
            masks.append(_mask(own, found.located[n].size, scores.shape))
    if not maps:
        return float("nan"), float("nan")
    return max_box_accuracy(maps, edges)["MaxBoxAccV2"], pixel_precision(maps, masks)


def _best_boxes(found: Answers) -> Floats:
    """Return (N, C, 4) the best box of each class that a picture has; zeros for the others."""
    best = np.zeros((*found.labels.shape, 4))
    for n, k in np.argwhere(found.labels == 1):
        box = found.located[n].boxes(found.columns[k])[0]
        best[n, k] = box.x0, box.y0, box.x1, box.y1
    return best


def _cells(things: Sequence[TaggedBox], size: tuple[int, int], shape: tuple[int, ...]) -> Floats:
    """Return boxes (M, 4) in cells of a map (h, w) over a picture of (width, height)."""
    scale = np.array([shape[1] / size[0], shape[0] / size[1]] * 2)
    edges = [(t.box.x0, t.box.y0, t.box.x1, t.box.y1) for t in things]
    cells: Floats = np.array(edges, dtype=np.float64).reshape(-1, 4) * scale
    return cells


def _mask(things: Sequence[TaggedBox], size: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return (h, w): 1 where the middle of a cell lies in a box, -1 in a difficult one alone, else 0."""
    mask = np.zeros(shape, dtype=np.int64)
    y, x = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1]) + 0.5
    for thing in sorted(things, key=lambda thing: not thing.difficult):
        ((x0, y0, x1, y1),) = _cells([thing], size, shape)
        mask[(x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)] = -1 if thing.difficult else 1
    return mask
