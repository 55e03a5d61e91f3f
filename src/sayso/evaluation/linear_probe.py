"""Linear probe: logistic regression on frozen embeddings, its penalty chosen on a validation part.

DIR holds ``train`` and ``test`` (or ``val``), each a folder of class folders; with all three, ``val`` is
what the penalty is chosen on. Otherwise a fifth of each training class is. The weights are then learned once
more from both parts together, and measured on the test part.

Source
    Radford et al. 2021, CLIP, appendix A.3: L-BFGS, at most 1,000 iterations; the penalty over 96 logarithmic
    steps between 1e-6 and 1e6, found by halving steps. https://arxiv.org/abs/2103.00020
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.arrays import Bools, Floats, Ints
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.core.progress import Progress
from sayso.data.datasets.class_folders import LabelledPictures, read_class_folders, subfolders
from sayso.evaluation.evaluator import EvaluationOptions, EvaluationResult, FunctionEvaluator, Primary
from sayso.evaluation.picture_features import PictureFeatures, embed_pictures
from sayso.metrics.classification import accuracy_from_ranks, class_ranks

if TYPE_CHECKING:
    from sayso.encoders.interface import Embeddings, Encoder

STEPS = 96
PENALTIES = np.logspace(-6, 6, STEPS + 1)
ITERATIONS = 1000
HELD_OUT = 5  # one in so many of each training class chooses the penalty
COLUMNS = ("pictures", "top-1", "top-5", "mean_class_recall")
_TESTS, _VALIDATIONS = ("test", "val", "validation"), ("val", "validation")


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A linear classifier of embeddings, and how it was found.

    Args:
        scores: (N, D) embeddings -> (N, C) scores.
        penalty: lambda, of which scikit-learn's C is the inverse.
        validation: top-1 on the validation part with it.
        stopped: how many fits ended at the largest number of iterations.
    """

    scores: Callable[[Embeddings], Floats]
    penalty: float
    validation: float
    stopped: int


def linear_probe(
    train: Embeddings, labels: Ints, validation: Embeddings, validation_labels: Ints, classes: int
) -> LinearProbe:
    """Choose the penalty on the validation part, then learn from both parts.

    Args:
        train: (N, D) embeddings.
        labels: (N,) their classes, two different ones at least.
        validation: (M, D) embeddings.
        validation_labels: (M,) their classes.
        classes: C, how many there are.

    Raises:
        SaysoError: if there are too few classes or pictures.
        MissingExtra: if scikit-learn is not installed.
    """
    if len(np.unique(labels)) < 2 or not len(validation):
        raise SaysoError(
            f"a linear probe needs two classes to learn and pictures to choose the penalty on; there are"
            f" {len(np.unique(labels))} and {len(validation)}"
        )
    stopped = 0

    def fitted(x: Embeddings, y: Ints, penalty: float) -> Callable[[Embeddings], Floats]:
        nonlocal stopped
        scores, at_limit = _fit(x, y, penalty, classes)
        stopped += at_limit
        return scores

    def accuracy(step: int) -> float:
        scores = fitted(train, labels, PENALTIES[step])(validation)
        return float(np.mean(class_ranks(scores, validation_labels) == 1))

    best, reached = best_step(accuracy, STEPS)
    both = np.concatenate([train, validation]), np.concatenate([labels, validation_labels])
    return LinearProbe(fitted(*both, PENALTIES[best]), float(PENALTIES[best]), reached, stopped)


def best_step(score: Callable[[int], float], steps: int) -> tuple[int, float]:
    """Return the step, 0 to ``steps``, with the best score, and the score; found by halving.

    Seven steps are tried first, then those beside the best at half the distance, down to neighbours. A
    function with one peak is solved exactly if the first seven show it.

    Args:
        score: of a step; each is asked for once.
        steps: a multiple of 6, so that the first seven are evenly apart.
    """
    known: dict[int, float] = {}

    def tried(step: int) -> float:
        if step not in known:
            known[step] = score(step)
        return known[step]

    apart = steps // 6
    best = max(range(0, steps + 1, apart), key=tried)
    while apart > 1:
        apart = (apart + 1) // 2
        near = [best, max(0, best - apart), min(steps, best + apart)]
        best = max(near, key=tried)
    return best, known[best]


def validation_part(labels: Ints, one_in: int = HELD_OUT) -> Bools:
    """Return which training pictures (N,) choose the penalty: every so-many-th of each class of two or more.

    Args:
        labels: (N,) classes.
        one_in: of how many.
    """
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        chosen[own[1::one_in]] = True
    return chosen


def _fit(x: Embeddings, y: Ints, penalty: float, classes: int) -> tuple[Callable[[Embeddings], Floats], bool]:
    """Return a classifier of all classes, and whether it ended at the largest number of iterations."""
    linear: Any = need("sklearn.linear_model", "evaluate")
    model = linear.LogisticRegression(C=1 / penalty, max_iter=ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it was stopped is reported
        model.fit(x, y)

    def scores(tests: Embeddings) -> Floats:
        found = np.full((len(tests), classes), -np.inf)
        decided = model.decision_function(tests)
        if decided.ndim == 1:
            decided = np.stack([-decided, decided], 1)
        found[:, model.classes_] = decided
        return found

    return scores, bool(np.max(model.n_iter_) >= ITERATIONS)


def _linear_probe(
    model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Learn from a folder's training part and measure on its test part; see ``Evaluator``."""
    need("sklearn", "evaluate")
    names = _parts(data)
    classes = read_class_folders(data / names["train"]).classes
    read = {part: read_class_folders(data / name, classes) for part, name in names.items()}
    inside = [path for name in names.values() for path in subfolders(data / name)]
    strange = [path for path in inside if path.name not in classes]
    found = {
        part: embed_pictures(model, one.pictures, cache=options.cache, progress=progress)
        for part, one in read.items()
    }
    x, y = _used(found["train"], read["train"])
    if "validation" in found:
        validation, validation_labels = _used(found["validation"], read["validation"])
    else:
        chosen = validation_part(y)
        validation, validation_labels, x, y = x[chosen], y[chosen], x[~chosen], y[~chosen]
    probe = linear_probe(x, y, validation, validation_labels, len(classes))
    tests, labels = _used(found["test"], read["test"])
    accuracy = accuracy_from_ranks(
        class_ranks(probe.scores(tests), labels, ties="strict"), labels, count=len(classes)
    )
    return EvaluationResult(
        protocol=f"linear probe, {len(classes):,} classes, C = {1 / probe.penalty:.3g}",
        primary=Primary("top-1", accuracy["top-1"]),
        columns=COLUMNS,
        rows={
            "test": {"pictures": len(labels), **accuracy},
            "validation, while choosing": {"pictures": len(validation), "top-1": probe.validation},
        },
        counts={f"{part} pictures": one.count for part, one in found.items()},
        missing=(
            *(f"{path}: there are no such training pictures" for path in strange),
            *(name for one in found.values() for name in one.missing),
        ),
        unreadable=tuple(reason for one in found.values() for reason in one.unreadable),
        definition={
            "C": 1 / probe.penalty,
            "penalty": probe.penalty,
            "chosen_on": names.get("validation", f"one in {HELD_OUT} of each training class"),
            "fits_stopped_at_the_limit": probe.stopped,
            "classes": classes,
        },
    )


LINEAR_PROBE = FunctionEvaluator(
    name="linear-probe",
    title="folders of class folders, train and test",
    measures="accuracy of logistic regression on frozen embeddings",
    data="a folder with train and test (and val, to choose the penalty on), each of class folders",
    measure=_linear_probe,
)


def _parts(data: Path) -> dict[str, str]:
    """Return the folders of training, test and, if there is one, validation.

    Raises:
        SaysoError: if there is none to learn from, or none to test on.
    """
    test = next((name for name in _TESTS if (data / name).is_dir()), None)
    if test is None or not (data / "train").is_dir():
        raise SaysoError(f"{data} needs the folders train and test, each with class folders")
    parts = {"train": "train", "test": test}
    validation = next((name for name in _VALIDATIONS if name != test and (data / name).is_dir()), None)
    return parts if validation is None else {**parts, "validation": validation}


def _used(found: PictureFeatures, read: LabelledPictures) -> tuple[Embeddings, Ints]:
    """Return the embeddings of what could be read, and its classes."""
    return found.embeddings, read.labels[found.used]
