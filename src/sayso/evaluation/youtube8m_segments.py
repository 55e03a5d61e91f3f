"""YouTube-8M Segments: for each class, a ranking of five-second windows, of which some were rated.

The ratings that are public are those of one part, so videos are split in two halves by their ids and the
seed: one logistic regression a class learns from the rated windows of a half and ranks all windows of the
other, and the mean of both directions is the result. The features are the mean of a window's five seconds:
the release's own (rgb and audio), or ``--features`` by the ids of the records, which are anonymous: those of
raw videos need the release's mapping. DIR holds the records (see ``data/datasets/youtube8m``).

Source
    https://research.google.com/youtube8m (segment-rated, 2019); Miech et al., CVPR 2020, section 4.2
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.arrays import Float32s, Floats, Ints
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.core.progress import Progress
from sayso.data.datasets.youtube8m import SEGMENT_S, RatedVideo, read_rated_videos
from sayso.data.features import NpyFeatures
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    mean_row,
)
from sayso.evaluation.second_features import mean_length
from sayso.metrics.segments import mean_of_classes, segment_average_precision

TOP_N = 100_000  # of a ranking are looked at, as in the challenge
PENALTY = 1.0  # scikit-learn's C, for features whose mean length is 1
UNRATED = -1
COLUMNS = ("mAP", "mAP_random", "classes", "windows")


@dataclass
class _Windows:
    """Rated windows: their videos, features, and for each class which windows were rated how."""

    videos: list[str] = field(default_factory=list)
    features: list[Float32s] = field(default_factory=list)
    ratings: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)

    def add(self, video: RatedVideo, seconds: Float32s) -> None:
        """Add a video's windows.

        Args:
            video: with its ratings.
            seconds: (T, D) features of each second.
        """
        numbers: dict[int, int] = {}
        for rating in video.ratings:
            rows = seconds[rating.start_s : rating.start_s + SEGMENT_S]
            if not len(rows):
                continue
            if rating.start_s not in numbers:
                numbers[rating.start_s] = len(self.videos)
                self.videos.append(video.id)
                self.features.append(rows.mean(0))
            self.ratings.setdefault(rating.label, []).append((numbers[rating.start_s], rating.right))


def _youtube8m(
    _model: object, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Rank the windows of each half by what the other teaches; see ``Evaluator``."""
    linear: Any = need("sklearn.linear_model", "evaluate")
    problems: list[str] = []
    windows, missing, listed = _read(data, options.features, problems, progress)
    if not windows.videos:
        raise SaysoError(
            f"no rated window of {data} has features; {(*problems, *missing, 'none is rated')[0]}"
        )
    x = np.stack(windows.features)
    x /= mean_length(x)
    rows = {}
    for seed in options.seeds or (0,):
        half = np.array([_half(video, seed) for video in windows.videos])
        for tested in (0, 1):
            rows[f"seed {seed}, half {tested + 1}"] = _measure(linear, x, windows, half == tested, seed)
    mean = mean_row(rows, COLUMNS)
    return EvaluationResult(
        protocol="YouTube-8M Segments, a linear classifier of each class",
        primary=Primary("mAP", mean["mAP"]),
        columns=COLUMNS,
        rows={**rows, "mean": mean},
        counts={"videos": Count(len(set(windows.videos)), listed)},
        missing=tuple(missing),
        unreadable=tuple(problems),
        definition={
            "features": "the release's" if options.features is None else "of a folder",
            "C": PENALTY,
            "top_n": TOP_N,
            "seeds": list(options.seeds or (0,)),
        },
    )


YOUTUBE8M_SEGMENTS = FunctionEvaluator(
    name="youtube8m-segments",
    title="YouTube-8M Segments, the rated part in two halves",
    measures="mean average precision of rated five-second windows",
    data="the segment-rated records (validate*.tfrecord)",
    measure=_youtube8m,
    needs=(),
    takes=("features", "seeds"),
)


def _read(
    data: Path, folder: Path | None, problems: list[str], progress: Progress
) -> tuple[_Windows, list[str], int]:
    """Return the rated windows, the videos without features, and how many videos have ratings.

    Args:
        data: with the records.
        folder: of features to use instead of the records' own.
        problems: what cannot be read is added to it.
        progress: updated with how many videos are read.
    """
    source = None if folder is None else NpyFeatures(folder, 1.0)
    windows, missing, listed = _Windows(), list[str](), 0
    for video in read_rated_videos(data, problems):
        listed += 1
        progress.update(listed, None, video.id)
        if source is None:
            windows.add(video, video.features)
        elif video.id in source:
            try:
                windows.add(video, source.read(video.id).astype(np.float32))
            except SaysoError as error:
                problems.append(str(error))
        else:
            missing.append(video.id)
    return windows, missing, listed


def _half(video: str, seed: int) -> int:
    """Return in which half a video is, 0 or 1."""
    return hashlib.sha256(f"{seed} {video}".encode()).digest()[0] & 1


def _measure(linear: Any, x: Float32s, windows: _Windows, tested: Any, seed: int) -> dict[str, float | int]:
    """Return the mean average precision over the classes with a positive among the tested windows.

    Args:
        linear: scikit-learn's module.
        x: (N, D) windows.
        windows: their ratings.
        tested: (N,) bool, which are ranked; the others teach.
        seed: of the random ranking beside.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {"mAP": [], "mAP_random": []}
    number = np.cumsum(tested) - 1  # of a tested window among those
    for _, rated in sorted(windows.ratings.items()):
        at, right = np.array([n for n, _ in rated]), np.array([r for _, r in rated], np.int64)
        ratings = np.full(int(tested.sum()), UNRATED)
        inside = tested[at]
        ratings[number[at[inside]]] = right[inside]
        scores = _scores(linear, x[at[~inside]], right[~inside], x[tested])
        found["mAP"].append(segment_average_precision(scores, ratings, top_n=TOP_N))
        chance = segment_average_precision(rng.random(len(ratings)), ratings, top_n=TOP_N)
        found["mAP_random"].append(chance)
    means: dict[str, float | int] = {name: mean_of_classes(values) for name, values in found.items()}
    known = sum(not np.isnan(value) for value in found["mAP"])
    return {**means, "classes": known, "windows": int(tested.sum())}


def _scores(linear: Any, x: Float32s, right: Ints, tests: Float32s) -> Floats | Sequence[float]:
    """Return (M,) scores of a class; all equal where it was rated one way only."""
    if len(np.unique(right)) < 2:
        return np.zeros(len(tests))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier = linear.LogisticRegression(C=PENALTY, max_iter=100).fit(x, right)
    scores: Floats = classifier.decision_function(tests)
    return scores
