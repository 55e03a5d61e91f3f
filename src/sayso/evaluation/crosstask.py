"""CrossTask: the recall of one predicted second for each step.

Every second of a video is scored for every step of its task, and the steps are placed in order, each in
one second, where that adds up to most. Zero-shot, a score is the likeness of the second and the step's
name; step classifiers (``sayso train crosstask``) have their own. DIR is the release (``tasks_primary.txt``,
``videos_val.csv``, ``annotations/``) with the videos at any depth below, named by their ids.

Source
    Zhukov et al., CVPR 2019. https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import (
    InstructionTask,
    Segment,
    listed_videos,
    read_segments,
    read_tasks,
    truth,
)
from sayso.evaluation.evaluator import (
    DEFAULTS,
    Count,
    EvaluationOptions,
    EvaluationResult,
    Primary,
    Row,
)
from sayso.evaluation.second_features import features_of_seconds
from sayso.metrics.steps import mean_recall, step_recall
from sayso.solvers.ordered_path import ordered_paths
from sayso.systems.crosstask import StepClassifier

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder

ScoredVideo = tuple[NDArray[np.bool_], ArrayLike]  # where each step is (T, K), and its scores (T, K)
PUBLISHED = (
    {"model": "Alayrac et al., trained on it", "recall": 0.133, "source": "CVPR 2019"},
    {"model": "Zhukov et al., trained on it", "recall": 0.224, "source": "CVPR 2019"},
    {"model": "Zhukov et al., supervised", "recall": 0.316, "source": "CVPR 2019"},
    {"model": "HowTo100M, zero-shot", "recall": 0.336, "source": "ICCV 2019"},
    {"model": "MIL-NCE, S3D, zero-shot", "recall": 0.405, "source": "CVPR 2020"},
)


def ordered_recall(
    videos: Mapping[str, list[ScoredVideo]],
) -> dict[str, float]:
    """Return the recall of each task when its steps are placed in order.

    Args:
        videos: for each task, its videos: truth (T, K) and the similarity (T, K) of
            each second to each step name.

    Raises:
        ValueError: as ``ordered_paths`` and ``step_recall`` do.
    """
    placed = {}
    for task, pairs in videos.items():
        times = ordered_paths([-np.asarray(scores, dtype=np.float64) for _, scores in pairs])
        placed[task] = [(inside, where) for (inside, _), where in zip(pairs, times, strict=True)]
    return step_recall(placed)


def uniform(T: int, K: int) -> NDArray[np.int64]:
    """Return the seconds (K,) of steps that stand evenly in a video: the middle of the k-th of K parts."""
    return (2 * np.arange(K) + 1) * T // (2 * K)


@dataclass(frozen=True)
class CrossTaskSteps:
    """One second for each step of the 18 primary tasks, in the validation videos.

    A model is any dual encoder, zero-shot: each second is seen for as long as its clips last; or what
    ``sayso train crosstask`` learned. With ``features`` (this encoder's embeddings of each second, or what
    the classifiers learned from) no video is needed.
    """

    name = "crosstask"
    title = "CrossTask, 18 primary tasks, validation videos"
    measures = "recall of the one second predicted for each step"
    needs = ("encoder", "step classifier")
    data = "the release's folder (tasks_primary.txt, videos_val.csv, annotations/), with the videos below it"
    takes = ("features",)

    def __call__(
        self,
        model: Encoder | StepClassifier,
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Localise the steps of the validation videos; see ``Evaluator``."""
        tasks = read_tasks(data / "tasks_primary.txt")
        listed = listed_videos(data / "videos_val.csv", tasks)
        encoder = None if isinstance(model, StepClassifier) else model
        if encoder is None and options.features is None:
            raise SaysoError(f"{model.name} learned from features; name a folder of the same with --features")
        ids = [video for _, video in listed]
        features, unreadable = features_of_seconds(encoder, data, ids, "crosstask", options, progress)
        missing = [video for video in ids if video not in features]
        found: dict[str, list[ScoredVideo]] = {}
        for task, video in listed:
            if video in features:
                try:
                    seconds = features.read(video)
                    table = data / "annotations" / f"{task}_{video}.csv"
                    segments = read_segments(table, len(tasks[task].steps))
                except SaysoError as error:
                    unreadable.append(str(error))
                    continue
                scored = _scored(model, seconds, segments, tasks[task], f"{task}_{video}")
                found.setdefault(task, []).append(scored)
        if not found:
            raise SaysoError(f"no features of the {len(listed)} videos can be read: {unreadable[0]}")
        recalls = ordered_recall(found)
        rows: dict[str, Row] = {tasks[task].name: {"recall": recall} for task, recall in recalls.items()}
        recall = mean_recall(recalls)
        return EvaluationResult(
            protocol="CrossTask, step localisation",
            primary=Primary("recall", recall),
            columns=("recall",),
            rows={**rows, f"mean of {len(recalls)} tasks": {"recall": recall}},
            counts={"videos": Count(sum(map(len, found.values())), len(listed))},
            missing=tuple(missing),
            unreadable=tuple(unreadable),
            published=(_evenly(found), *PUBLISHED),
        )


CROSSTASK = CrossTaskSteps()


def _evenly(found: Mapping[str, list[ScoredVideo]]) -> dict[str, Any]:
    """Return the recall of steps that stand evenly in each video."""
    even = {
        task: [(inside, uniform(*inside.shape)) for inside, _ in videos] for task, videos in found.items()
    }
    return {"model": "steps that stand evenly", "recall": mean_recall(step_recall(even)), "source": "here"}


def _scored(
    model: Encoder | StepClassifier,
    seconds: NDArray[np.floating[Any]],
    segments: list[Segment],
    task: InstructionTask,
    name: str,
) -> ScoredVideo:
    """Return where each step is annotated, and how much each second is like it.

    Args:
        model: as of ``CrossTaskSteps``.
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
