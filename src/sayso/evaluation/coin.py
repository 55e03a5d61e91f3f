"""COIN: the step, or none, of every second of a how-to video.

Two ways, each on frozen features of every second. ``linear`` learns multinomial logistic regression from the
training part; the paper's own classifier is not published, so this one is ours. ``zero-shot`` answers with
the step whose name is most alike, of all steps of all tasks, and with none unless it is more alike than any
two different names are to each other. DIR is the release's folder (see ``data/datasets/coin``) with the
videos at any depth below, named by their ids. The row of a constant answer belongs to every table.

Source
    Tang et al., CVPR 2019; Miech et al., CVPR 2020, section 4.2. https://arxiv.org/abs/1912.06430
    The zero-shot rule: MMPT, https://github.com/facebookresearch/fairseq (examples/MMPT).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.arrays import Floats, Ints
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.data.datasets.coin import OUTSIDE, CoinVideo, label_seconds, read_coin
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    Row,
    mean_row,
)
from sayso.evaluation.second_features import features_of_seconds, mean_length
from sayso.metrics.frames import frame_accuracy

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.features import NpyFeatures
    from sayso.encoders.interface import Encoder

PENALTY = 100.0  # scikit-learn's C, for features whose mean length is 1
ITERATIONS = 100
SECONDS = 200_000  # of the training part, drawn by the seed, are learned from
COLUMNS = ("accuracy", "inside", "mean_class_recall")
PUBLISHED = ({"model": "MIL-NCE, S3D, linear", "accuracy": 0.610, "source": "CVPR 2020"},)
Classify = Callable[[Floats], Ints]  # (T, D) seconds -> (T,) classes


def linear_classifier(features: Floats, labels: Ints, C: float = PENALTY) -> tuple[Classify, bool]:
    """Learn multinomial logistic regression of seconds.

    Args:
        features: (N, D); divided by their mean length, so that C means the same for every model.
        labels: (N,) classes.
        C: the inverse of the penalty.

    Returns:
        What classifies seconds, and whether learning ended at the largest number of iterations.

    Raises:
        MissingExtra: if scikit-learn is not installed.
        SaysoError: if there are not two classes.
    """
    linear: Any = need("sklearn.linear_model", "evaluate")
    if len(np.unique(labels)) < 2:
        raise SaysoError("a linear classifier needs training videos with seconds of two classes at least")
    scale = 1 / mean_length(features)
    classifier = linear.LogisticRegression(C=C, max_iter=ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it was stopped is reported
        classifier.fit(features * scale, labels)

    def classify(seconds: Floats) -> Ints:
        return np.asarray(classifier.predict(seconds * scale), np.int64)

    return classify, bool(np.max(classifier.n_iter_) >= ITERATIONS)


def zero_shot_classifier(model: Encoder, names: Mapping[int, str]) -> Classify:
    """Return what answers with the step whose name is most alike, or with none.

    Args:
        model: any encoder.
        names: the steps' names by class; of equal names, the first class is answered.
    """
    first: dict[str, int] = {}
    for step, name in names.items():
        first.setdefault(name, step)
    steps = np.array([*first.values()])
    vectors = model.encode_text([*first]).astype(np.float64)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    least = float(alike.max()) if len(steps) > 1 else -np.inf

    def classify(seconds: Floats) -> Ints:
        scores = seconds @ vectors.T
        return np.where(scores.max(1) > least, steps[scores.argmax(1)], OUTSIDE)

    return classify


def _coin(model: Encoder, data: Path, options: EvaluationOptions, progress: Progress) -> EvaluationResult:
    """Classify the seconds of the test videos; see ``Evaluator``."""
    need("sklearn", "evaluate")
    release, seeds = read_coin(data), options.seeds or (0,)
    wanted = [*release.testing, *release.training]
    features, unreadable = features_of_seconds(model, data, wanted, "coin", options, progress)
    tests = _labelled(release.testing, features, unreadable)
    learned = _labelled(release.training, features, unreadable)
    if not tests:
        raise SaysoError(f"no features of the {len(release.testing)} test videos of {data} can be read")
    rows: dict[str, Row] = {"always outside": _measure(tests, _constant)}
    stopped: list[int] = []
    for seed in seeds if learned else ():
        classify, at_limit = linear_classifier(*_drawn(learned, seed))
        rows[f"linear, seed {seed}"] = _measure(tests, classify)
        stopped += [seed] * at_limit
    main = "always outside"
    if learned:
        main = "linear, mean of seeds"
        rows[main] = mean_row({k: row for k, row in rows.items() if k.startswith("linear")}, COLUMNS)
    own = tests[0].dim == model.dim
    if own:
        rows["zero-shot, names of steps"] = _measure(tests, zero_shot_classifier(model, release.names))
        main = main if learned else "zero-shot, names of steps"
    return EvaluationResult(
        protocol="COIN, step of each second",
        primary=Primary("accuracy", rows[main]["accuracy"]),
        columns=COLUMNS,
        rows=rows,
        counts={
            "test videos": Count(len(tests), len(release.testing)),
            "training videos": Count(len(learned), len(release.training)),
        },
        missing=tuple(video for video in wanted if video not in features),
        unreadable=(*unreadable, *release.problems),
        definition={
            "classifier": f"scikit-learn's LogisticRegression, C = {PENALTY:g}, {ITERATIONS} iterations",
            "training_seconds": SECONDS,
            "seeds": list(seeds),
            "stopped_at_the_limit": stopped,
            "zero_shot": own or "the features are not the model's own",
        },
        published=PUBLISHED,
    )


COIN = FunctionEvaluator(
    name="coin",
    title="COIN, test videos",
    measures="accuracy of the step of each second, linear and zero-shot",
    data="the release's folder (COIN.json), with the videos below it",
    measure=_coin,
    takes=("features", "seeds"),
)


@dataclass(frozen=True)
class _Seconds:
    """A video's seconds: their classes (T,), and where their features (T, D) are; read when they are used."""

    video: str
    labels: Ints
    dim: int
    source: NpyFeatures

    def read(self) -> Floats:
        return np.asarray(self.source.read(self.video), np.float64)


def _labelled(
    videos: Mapping[str, CoinVideo], features: NpyFeatures, unreadable: list[str]
) -> list[_Seconds]:
    """Return the videos that have features; the others' reasons are added to a list."""
    found: list[_Seconds] = []
    for id_, video in videos.items():
        if id_ not in features:
            continue
        try:
            T, D = features.read(id_).shape
        except SaysoError as error:
            unreadable.append(str(error))
            continue
        expected = found[0].dim if found else D
        if not T or expected != D:
            unreadable.append(f"{id_}.npy holds ({T}, {D}), expected (T, {expected}), a row a second")
            continue
        found.append(_Seconds(id_, label_seconds(video.steps, T), D, features))
    return found


def _drawn(videos: Sequence[_Seconds], seed: int) -> tuple[Floats, Ints]:
    """Return seconds of the training part: all, or ``SECONDS`` of them drawn by the seed."""
    total = sum(len(video.labels) for video in videos)
    chosen = np.ones(total, dtype=bool)
    if total > SECONDS:
        chosen[np.random.default_rng(seed).permutation(total)[SECONDS:]] = False
    ends = np.cumsum([len(video.labels) for video in videos])[:-1]
    pairs = [*zip(videos, np.split(chosen, ends), strict=True)]
    x = np.concatenate([video.read()[rows] for video, rows in pairs if rows.any()])
    return x, np.concatenate([video.labels[rows] for video, rows in pairs])


def _constant(seconds: Floats) -> Ints:
    return np.full(len(seconds), OUTSIDE, np.int64)


def _measure(tests: Sequence[_Seconds], classify: Classify) -> dict[str, float]:
    answers = [classify(video.read()) for video in tests]
    return frame_accuracy([video.labels for video in tests], answers, outside=OUTSIDE)
