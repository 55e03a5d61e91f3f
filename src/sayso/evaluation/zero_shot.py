"""Zero-shot classification of published sets: ImageNet, and those made to test its robustness.

A class's weight is the mean of its sentences' vectors (``sayso.classifier``), and a picture is of the class
that is nearest. Top-1, top-5 and mean per-class recall are printed twice: with ties as published numbers
have them (the lowest index wins), and strictly (a wrong class that ties is above the right one). They differ
where names are the same, as two pairs of ImageNet's are.

* ImageNet-A and -R: only their 200 classes compete. V2: three variants. Sketch: all 1,000 classes.
* ObjectNet: two pixels are cut off on each side, which have a red border. Asked in both ways: by its own
  113 names, and by the names of the classes of ImageNet that they are mapped to, where any of those
  that are mapped to the right object is right.

Sources
    [1] Radford et al. 2021, CLIP, appendix A.  https://arxiv.org/abs/2103.00020
    [2] the protocols of clip_benchmark (ObjectNet's own names) and imagenet-testbed (ImageNet's)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.arrays import Ints
from sayso.core.progress import Progress
from sayso.encoders.classifier import Classifier
from sayso.evaluation.class_words import ClassWords, imagenet_words, words_classifier
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    Row,
)
from sayso.evaluation.picture_features import PictureFeatures, embed_pictures
from sayso.evaluation.picture_sets import (
    ClassQuestion,
    PictureSet,
    find_set,
    picture_sets,
    published_rows,
    read_parts,
)
from sayso.metrics.classification import Ties, accuracy_from_ranks, class_ranks

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

COLUMNS = ("pictures", "top-1", "top-5", "mean_class_recall")
STRICT = ", ties strict"
MEASURES = "top-1, top-5 and mean per-class recall of a classifier made of words"
_TIES: dict[str, Ties] = {"": "first", STRICT: "strict"}
_BLOCK = 4096  # pictures whose scores are in memory at once


@dataclass(frozen=True, eq=False)
class SetResult:
    """What was measured on one set.

    Args:
        rows: by question, with ties as published; and the same with ``STRICT`` after its name.
        count: how many pictures were used, of how many published.
        missing: what is not there.
        unreadable: what cannot be read.
        definition: of the words, and of what else decides the numbers.
    """

    rows: dict[str, Row]
    count: Count
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    definition: dict[str, Any]


def measure_set(
    by_words: Classifier,
    words: ClassWords,
    folder: Path,
    how: PictureSet,
    cache: Path | None,
    progress: Progress,
) -> SetResult:
    """Measure a classifier made of words on a published set.

    Args:
        by_words: the classifier of ImageNet's 1,000 classes.
        words: that it was made of.
        folder: of the set.
        how: what is published of it.
        cache: folder of what was embedded before, or None.
        progress: updated with how much is done.

    Raises:
        SaysoError: if the set is not there, or none of its pictures can be read.
    """
    parts, gone = read_parts(folder, how)
    rows: dict[str, Row] = {}
    missing: list[str] = gone
    unreadable: list[str] = []
    used, equal = 0, set()
    for part in parts.values():
        found = embed_pictures(
            by_words.encoder, part.pictures, border=how.border, cache=cache, progress=progress
        )
        for question in part.questions:
            asked = _asked(by_words, words, question, cache, progress)
            rows |= answer(found, asked, question)
            equal |= {tuple(asked.names[k] for k in numbers) for numbers in asked.equal}
        used += len(found.used)
        missing += [*found.missing, *_fewer(found, how)]
        unreadable += found.unreadable
    listed = max(how.pictures * max(1, len(how.parts)), sum(len(part.pictures) for part in parts.values()))
    definition = {
        **words.definition,
        "classes": how.classes,
        "border": how.border,
        "equal_names": sorted(map(list, equal)),
        "ties": "the lowest index wins; strict: the right class loses",
    }
    return SetResult(rows, Count(used, listed), tuple(missing), tuple(unreadable), definition)


def answer(found: PictureFeatures, asked: Classifier, question: ClassQuestion) -> dict[str, Row]:
    """Return the rows of a question: ties as published, and strict.

    Args:
        found: the pictures.
        asked: the classifier of the C classes that compete.
        question: what is asked about all listed pictures.
    """
    labels = question.labels[found.used]
    ranks: dict[str, list[Ints]] = {ending: [] for ending in _TIES}
    for start in range(0, len(labels), _BLOCK):
        block = slice(start, start + _BLOCK)
        scores = asked.scores(found.embeddings[block])
        for ending, ties in _TIES.items():
            ranks[ending].append(class_ranks(scores, question.right[labels[block]], ties=ties))
    rows: dict[str, Row] = {}
    for ending, blocks in ranks.items():
        accuracy = accuracy_from_ranks(np.concatenate(blocks), labels, count=len(asked.names))
        rows[question.row + ending] = {"pictures": len(labels), **accuracy}
    return rows


def _asked(
    by_words: Classifier, words: ClassWords, question: ClassQuestion, cache: Path | None, progress: Progress
) -> Classifier:
    """Return the classifier of the classes that compete."""
    if question.columns is None:
        own = ClassWords(question.names, words.templates, words.source)
        return words_classifier(by_words.encoder, own, cache, progress)
    place = {int(number): k for k, number in enumerate(question.columns)}
    groups = (tuple(place[k] for k in numbers if k in place) for numbers in by_words.equal)
    return Classifier(
        by_words.encoder,
        tuple(by_words.names[k] for k in question.columns),
        by_words.weights[question.columns],
        tuple(group for group in groups if len(group) > 1),
    )


def _fewer(found: PictureFeatures, how: PictureSet) -> list[str]:
    lacking = how.pictures - found.listed
    return [f"{lacking:,} of the {how.pictures:,} pictures of {how.title}"] if lacking > 0 else []


def _published_set(
    name: str, model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Measure on one of the published sets; see ``Evaluator``."""
    how = picture_sets()[name]
    folder, words = find_set(data, how) or data, imagenet_words(options)
    by_words = words_classifier(model, words, options.cache, progress)
    found = measure_set(by_words, words, folder, how, options.cache, progress)
    first = next(iter(found.rows.values()))
    return EvaluationResult(
        protocol=f"{how.title}; {words.title}",
        primary=Primary("top-1", first["top-1"]),
        columns=COLUMNS,
        rows=found.rows,
        counts={"pictures": found.count},
        missing=found.missing,
        unreadable=found.unreadable,
        definition=found.definition,
        published=published_rows(name),
    )


def _evaluator(name: str, how: PictureSet) -> FunctionEvaluator:
    """Return the evaluator of a published set."""
    there = {
        "wnids": "its folders by wnid (ImageNet: or flat, with a list)",
        "numbers": "the folders of its variants, in each 0 to 999",
        "objectnet": "images and mappings, as released",
    }
    return FunctionEvaluator(
        name=name,
        title=how.title,
        measures=MEASURES,
        data=f"the folder of {how.title.partition(',')[0]}: {there[how.layout]}",
        measure=partial(_published_set, name),
        takes=("names", "templates"),
    )


PUBLISHED: Mapping[str, FunctionEvaluator] = {
    name: _evaluator(name, how) for name, how in picture_sets().items()
}


def __getattr__(name: str) -> FunctionEvaluator:
    """Return the evaluator of a set of ``zero_shot.toml`` by its name."""
    if name not in PUBLISHED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return PUBLISHED[name]
