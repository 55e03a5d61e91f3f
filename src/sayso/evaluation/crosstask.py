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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import listed_videos, read_segments, read_tasks, truth
from sayso.engine.features import extract_features
from sayso.evaluation.text_video_retrieval import videos_by_id
from sayso.metrics.steps import mean_recall, step_recall
from sayso.solvers.ordered_path import ordered_paths
from sayso.systems.crosstask import StepClassifier

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder

PROTOCOL = "CrossTask, step localisation"
PUBLISHED = [
    {"model": "Alayrac et al., trained on it", "recall": 0.133, "source": "CVPR 2019"},
    {"model": "Zhukov et al., trained on it", "recall": 0.224, "source": "CVPR 2019"},
    {"model": "Zhukov et al., supervised", "recall": 0.316, "source": "CVPR 2019"},
    {"model": "HowTo100M, zero-shot", "recall": 0.336, "source": "ICCV 2019"},
    {"model": "MIL-NCE, S3D, zero-shot", "recall": 0.405, "source": "CVPR 2020"},
]


def ordered_recall(
    videos: Mapping[str, list[tuple[NDArray[np.bool_], ArrayLike]]],
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


def localise_steps(
    model: Encoder | StepClassifier,
    data: Path,
    *,
    features: Path | None = None,
    cache: Path,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Localise the steps of the 18 primary tasks in the validation videos.

    Args:
        model: any dual encoder, zero-shot: each second is seen for as long as its clips last; or what
            ``sayso train crosstask`` learned.
        data: the release, with the videos below.
        features: folder of ``<video id>.npy``, (T, D), this encoder's embeddings of each second, or what
            the classifiers learned from; no video is needed then.
        cache: folder of what was embedded before, by encoder.
        progress: told how many videos are done.

    Returns:
        ``protocol``, ``videos``, ``videos_used``, the ids that are ``missing``, the paths ``unreadable``,
        ``recalls`` of tasks by name, their mean ``recall``, and as ``published`` that of steps which stand
        evenly, and what others measured.

    Raises:
        SaysoError: if the release cannot be read, or nothing of its videos is there.
    """
    tasks = read_tasks(data / "tasks_primary.txt")
    listed = listed_videos(data / "videos_val.csv", tasks)
    unreadable: list[str] = []
    if features is None:
        features, unreadable = _embedded(model, data, [video for _, video in listed], cache, progress)
    found: dict[str, list[tuple[NDArray[np.bool_], ArrayLike]]] = {}
    missing = []
    for task, video in listed:
        path = features / f"{video}.npy"
        if not path.exists():
            missing.append(video)
            continue
        steps = tasks[task].steps
        scores = _scores(model, path, task, steps)
        annotated = read_segments(data / "annotations" / f"{task}_{video}.csv", len(steps))
        found.setdefault(task, []).append((truth(annotated, len(scores), len(steps)), scores))
    if not found:
        raise SaysoError(
            f"none of the {len(listed)} videos is there: they go by ids, such as {missing[0]}.mp4"
        )
    recalls = ordered_recall(found)
    even = {
        task: [(inside, uniform(*inside.shape)) for inside, _ in videos] for task, videos in found.items()
    }
    spread = {"model": "steps that stand evenly", "recall": mean_recall(step_recall(even)), "source": "here"}
    return {
        "protocol": PROTOCOL,
        "videos": len(listed),
        "videos_used": sum(map(len, found.values())),
        "tasks": len(found),
        "missing": missing,
        "unreadable": unreadable,
        "recalls": {tasks[task].name: recall for task, recall in recalls.items()},
        "recall": mean_recall(recalls),
        "published": [spread, *PUBLISHED],
    }


def _embedded(
    model: Encoder | StepClassifier, data: Path, wanted: Sequence[str], cache: Path, progress: Progress | None
) -> tuple[Path, list[str]]:
    """Embed each second of the videos; return the folder, and the paths that cannot be read.

    Raises:
        SaysoError: if the model does not see videos.
    """
    if isinstance(model, StepClassifier):
        raise SaysoError(f"{model.name} learned from features; name a folder of the same with --features")
    there = videos_by_id(data)
    folder = cache / model.sha256[:16]
    window_s = max(1.0, model.clip.duration)
    files = {video: there[video] for video in wanted if video in there}
    lost = extract_features(files, model, folder, window_s=window_s, progress=progress)
    return folder, [failure.path for failure in lost]


def _scores(
    model: Encoder | StepClassifier, path: Path, task: str, steps: Sequence[str]
) -> NDArray[np.float64]:
    """Return (T, K): each second against each step; a video shorter than its steps stands still at its end.

    Raises:
        SaysoError: if the features are no (T, D) of the model.
    """
    seconds = np.load(path, allow_pickle=False)
    dim = len(model.mean) if isinstance(model, StepClassifier) else model.dim
    if seconds.ndim != 2 or seconds.shape[1] != dim or not len(seconds):
        raise SaysoError(f"{path} holds {seconds.shape}, expected (T, {dim}), a row a second")
    still = max(0, len(steps) - len(seconds))
    seconds = np.concatenate([seconds, np.repeat(seconds[-1:], still, axis=0)])
    if isinstance(model, StepClassifier):
        return np.asarray(model.scores(seconds, task, steps), np.float64)
    names: NDArray[np.float64] = model.encode_text(list(steps)).astype(np.float64)
    return seconds.astype(np.float64) @ names.T
