"""Zero-shot classification of one's own classes: folders of pictures, or things in the boxes of VOC and COCO.

Beside the accuracies stands how true the stated probabilities are: the calibration error is the mean
difference of confidence and accuracy over ten bins. The definition holds the scale at which a softmax
would make the right names likeliest, for encoders that have none.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.arrays import Ints
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.core.types import Box
from sayso.data.datasets.class_folders import read_class_folders
from sayso.data.tags_reader import read_boxes, read_tagged
from sayso.encoders.classifier import Classifier
from sayso.evaluation.class_words import ClassWords, folder_words, words_classifier
from sayso.evaluation.evaluator import EvaluationOptions, EvaluationResult, FunctionEvaluator, Primary
from sayso.evaluation.picture_features import ROOM, PictureFeatures, embed_pictures
from sayso.evaluation.picture_sets import ClassQuestion
from sayso.evaluation.zero_shot import COLUMNS, MEASURES, answer
from sayso.metrics.calibration import calibration
from sayso.metrics.classification import likeliest_scale

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

SMALLEST = 48  # pixels of the shorter side of a box


def _class_folders(
    model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Classify the pictures of a folder of class folders; see ``Evaluator``."""
    read = read_class_folders(data)
    if len(read.classes) < 2:
        raise SaysoError(f"{data} has one class folder, {read.classes[0]}; there is nothing to choose among")
    words = folder_words(read.classes, options)
    by_words = words_classifier(model, words, options.cache, progress)
    found = embed_pictures(model, read.pictures, cache=options.cache, progress=progress)
    return _result(found, by_words, words, read.labels, what="pictures")


def _boxes(model: Encoder, data: Path, options: EvaluationOptions, progress: Progress) -> EvaluationResult:
    """Classify things cut out of pictures; see ``Evaluator``."""
    tagged = read_tagged(data, images=options.images)
    paths: list[Path] = []
    boxes: list[Box] = []
    labels: list[int] = []
    read = read_boxes(data, tagged)
    for picture, things in zip(tagged.pictures, read, strict=True):
        for thing in things:
            box = thing.box
            if not thing.difficult and min(box.x1 - box.x0, box.y1 - box.y0) >= SMALLEST:
                paths.append(picture.path)
                boxes.append(box)
                labels.append(thing.label)
    if not paths:
        raise SaysoError(f"{data} has no thing whose box is {SMALLEST} pixels wide and high")
    words = folder_words(tagged.names, options, "the data set")
    by_words = words_classifier(model, words, options.cache, progress)
    found = embed_pictures(model, paths, boxes=boxes, cache=options.cache, progress=progress)
    result = _result(found, by_words, words, np.array(labels), what="things")
    wrong = (failure.error for failure in (*tagged.failures, *read.failures))
    return replace(
        result,
        missing=(*tagged.missing, *result.missing),
        unreadable=(*result.unreadable, *wrong),
        definition={**result.definition, "smallest_box": SMALLEST, "room": ROOM},
    )


def _result(
    found: PictureFeatures,
    by_words: Classifier,
    words: ClassWords,
    labels: Ints,
    *,
    what: str,
) -> EvaluationResult:
    """Return the result on pictures or things, with their classes (N,)."""
    count = len(by_words.names)
    rows: dict[str, Any] = answer(
        found, by_words, ClassQuestion("zero-shot", labels, np.eye(count, dtype=bool))
    )
    probabilities = by_words.probabilities(found.embeddings)
    chosen, used = probabilities.argmax(1), labels[found.used]
    stated = calibration(probabilities[np.arange(len(used)), chosen], chosen == used)
    rows["zero-shot"] |= {"confidence": stated.confidence, "calibration_error": stated.error}
    return EvaluationResult(
        protocol=f"{count:,} classes; {words.title}",
        primary=Primary("top-1", rows["zero-shot"]["top-1"]),
        columns=(*COLUMNS, "confidence", "calibration_error"),
        rows={**rows, "chance": {"top-1": 1 / count}},
        counts={what: found.count},
        missing=found.missing,
        unreadable=found.unreadable,
        definition={
            **words.definition,
            "names": list(by_words.names),
            "equal_names": [[by_words.names[k] for k in numbers] for numbers in by_words.equal],
            "likeliest_scale": likeliest_scale(by_words.scores(found.embeddings), used),
        },
    )


ZERO_SHOT = FunctionEvaluator(
    name="zero-shot",
    title="any folder of class folders",
    measures=f"{MEASURES}, and calibration",
    data="a folder of class folders, whose names are those of the classes",
    measure=_class_folders,
    takes=("names", "templates"),
)
ZERO_SHOT_BOXES = FunctionEvaluator(
    name="zero-shot-boxes",
    title="things in the boxes of VOC or COCO, cut out",
    measures=f"{MEASURES}, and calibration",
    data="the folder of VOC or COCO, or a file of instances",
    measure=_boxes,
    takes=("images", "names", "templates"),
)
