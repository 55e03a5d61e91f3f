"""The steps of CrossTask's videos, each placed in one second, in order, where the scores add up to most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import InstructionTask, Segment, read_segments, truth
from sayso.evaluation.evaluator import EvaluationOptions
from sayso.evaluation.second_features import features_of_seconds
from sayso.metrics.steps import mean_recall, step_recall
from sayso.solvers.ordered_path import ordered_paths
from sayso.systems.crosstask import StepClassifier

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder

ScoredVideo = tuple[NDArray[np.bool_], ArrayLike]  # where each step is (T, K), and its scores (T, K)
PlacedVideo = tuple[NDArray[np.bool_], NDArray[np.int64]]  # where each step is (T, K), and its second (K,)
Video = tuple[str, str]  # task and id


def uniform(T: int, K: int) -> NDArray[np.int64]:
    """Return the seconds (K,) of steps that stand evenly in a video: the middle of the k-th of K parts."""
    return (2 * np.arange(K) + 1) * T // (2 * K)


@dataclass(frozen=True)
class PlacedSteps:
    """Where steps are, and where they were placed.

    Args:
        placed: of each task and video id, truth (T, K) and the second of each step (K,).
        missing: videos that are not there.
        unreadable: videos, features or annotations that cannot be read.
    """

    placed: dict[Video, PlacedVideo]
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]


def place_steps(
    model: Encoder | StepClassifier,
    data: Path,
    tasks: Mapping[str, InstructionTask],
    listed: Sequence[Video],
    options: EvaluationOptions,
    progress: Progress | None,
) -> PlacedSteps:
    """Place the steps of videos, in order.

    Args:
        model: an encoder, zero-shot, or step classifiers.
        data: the release.
        tasks: by id.
        listed: task and id of each video.
        options: ``features`` and ``cache``.
        progress: updated with how many videos are done.

    Raises:
        SaysoError: if there is nothing to place.
    """
    encoder = None if isinstance(model, StepClassifier) else model
    if encoder is None and options.features is None:
        raise SaysoError(f"{model.name} learned from features; name a folder of the same with --features")
    ids = [video for _, video in listed]
    features, lost = features_of_seconds(encoder, data, ids, "crosstask", options, progress)
    unreadable = list(lost)
    found: dict[Video, ScoredVideo] = {}
    for task, video in listed:
        if video in features:
            try:
                seconds = features.read(video)
                table = data / "annotations" / f"{task}_{video}.csv"
                segments = read_segments(table, len(tasks[task].steps))
            except SaysoError as error:
                unreadable.append(str(error))
                continue
            found[task, video] = _scored(model, seconds, segments, tasks[task], f"{task}_{video}")
    if not found:
        why = f": {unreadable[0]}" if unreadable else ""
        raise SaysoError(f"no features of the {len(listed)} videos can be read{why}")
    times = ordered_paths([-np.asarray(scores, dtype=np.float64) for _, scores in found.values()])
    placed = {key: (found[key][0], where) for key, where in zip(found, times, strict=True)}
    return PlacedSteps(placed, tuple(v for v in ids if v not in features), tuple(unreadable))


def recall_of_tasks(placed: Mapping[Video, PlacedVideo], tested: Iterable[Video]) -> dict[str, float]:
    """Return the recall of each task that has an annotated step in the tested videos."""
    tasks: dict[str, list[PlacedVideo]] = {}
    for task, video in tested:
        if (task, video) in placed:
            tasks.setdefault(task, []).append(placed[task, video])
    return step_recall({t: pairs for t, pairs in tasks.items() if any(inside.any() for inside, _ in pairs)})


def evenly(placed: Mapping[Video, PlacedVideo]) -> dict[str, Any]:
    """Return the recall of steps that stand evenly in each video."""
    even = {key: (inside, uniform(*inside.shape)) for key, (inside, _) in placed.items()}
    return {
        "model": "steps that stand evenly",
        "recall": mean_recall(recall_of_tasks(even, even)),
        "source": "here",
    }


def _scored(
    model: Encoder | StepClassifier,
    seconds: NDArray[np.floating[Any]],
    segments: list[Segment],
    task: InstructionTask,
    name: str,
) -> ScoredVideo:
    """Return where each step is annotated, and how much each second is like it.

    Args:
        model: an encoder, zero-shot, or step classifiers.
        seconds: (T, D) features.
        segments: where its steps are.
        task: of the video.
        name: ``TASK_VIDEO``.

    Raises:
        SaysoError: if the features are no (T, D) of the model.
    """
    number, _, video = name.partition("_")
    scores = _scores(model, seconds, video, number, task.steps)
    return truth(segments, len(scores), len(task.steps)), scores


def _scores(
    model: Encoder | StepClassifier,
    seconds: NDArray[np.floating[Any]],
    video: str,
    task: str,
    steps: Sequence[str],
) -> NDArray[np.float64]:
    """Return (T, K): each second against each step; a video shorter than its steps stands still at its end.

    Raises:
        SaysoError: if the features are no (T, D) of the model.
    """
    dim = len(model.mean) if isinstance(model, StepClassifier) else model.dim
    if seconds.shape[1] != dim or not len(seconds):
        raise SaysoError(f"{video}.npy holds {seconds.shape}, expected (T, {dim}), a row a second")
    still = max(0, len(steps) - len(seconds))
    seconds = np.concatenate([seconds, np.repeat(seconds[-1:], still, axis=0)])
    if isinstance(model, StepClassifier):
        return np.asarray(model.scores(seconds, task, steps), np.float64)
    names: NDArray[np.float64] = model.encode_text(list(steps)).astype(np.float64)
    return seconds.astype(np.float64) @ names.T
