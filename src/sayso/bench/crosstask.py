"""CrossTask: the release's files, and the recall of one predicted second for each step.

Zero-shot, every second of a video is compared with the name of every step of its task, and the steps are
placed in order, each in one second, where that adds up to most. DIR is the release (``tasks_primary.txt``,
``videos_val.csv``, ``annotations/``) with the videos at any depth below, named by their ids.

Source
    Zhukov et al., CVPR 2019. https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.bench.protocols import videos_by_id
from sayso.core.errors import SaysoError
from sayso.engine.features import extract_features
from sayso.metrics.steps import mean_recall, step_recall
from sayso.solvers.ordered_path import ordered_path

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.base import Encoder

PROTOCOL = "CrossTask, zero-shot step localisation"
PUBLISHED = [
    {"model": "Alayrac et al., trained on it", "recall": 0.133, "source": "CVPR 2019"},
    {"model": "Zhukov et al., trained on it", "recall": 0.224, "source": "CVPR 2019"},
    {"model": "Zhukov et al., supervised", "recall": 0.316, "source": "CVPR 2019"},
    {"model": "HowTo100M, zero-shot", "recall": 0.336, "source": "ICCV 2019"},
    {"model": "MIL-NCE, S3D, zero-shot", "recall": 0.405, "source": "CVPR 2020"},
]
LINES_PER_TASK = 5  # id, name, address, number of steps, steps


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its ``name`` and its ``steps``, in order."""

    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """An annotated step: its index from 0, start and end in seconds."""

    step: int
    start: float
    end: float


def read_tasks(path: Path) -> dict[str, Task]:
    """Read a list of tasks (``tasks_primary.txt``), by task id.

    Raises:
        SaysoError: if the file is not in the release's format.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise SaysoError(f"{path} cannot be read: it lists the tasks of CrossTask's release") from error
    tasks = {}
    for first in range(0, len(lines), LINES_PER_TASK):
        block = lines[first : first + LINES_PER_TASK]
        steps = tuple(block[-1].split(","))
        if len(block) < LINES_PER_TASK or block[3] != str(len(steps)):
            raise SaysoError(f"{path}: task {block[0]!r} is not id, name, address, number of steps and steps")
        tasks[block[0]] = Task(block[1], steps)
    return tasks


def read_segments(path: Path, steps: int) -> list[Segment]:
    """Read the annotated steps of a video (``annotations/<task id>_<video id>.csv``).

    Raises:
        SaysoError: with the line, if it is not ``step,start,end`` with a step from 1 to ``steps``.
    """
    try:
        lines = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise SaysoError(f"{path} cannot be read: it holds the annotated steps of a listed video") from error
    segments = []
    for number, line in enumerate(lines, start=1):
        try:
            step, start, end = line.split(",")
            segment = Segment(int(step) - 1, float(start), float(end))
        except ValueError as error:
            raise SaysoError(f"{path}, line {number}: expected step,start,end; got {line!r}") from error
        if not (0 <= segment.step < steps and 0 <= segment.start <= segment.end < math.inf):
            raise SaysoError(f"{path}, line {number}: no step from 1 to {steps} with its interval: {line!r}")
        segments.append(segment)
    return segments


def truth(segments: list[Segment], seconds: int, steps: int) -> NDArray[np.bool_]:
    """Return (seconds, steps): whether a step is annotated in any part of a second."""
    inside = np.zeros((seconds, steps), dtype=bool)
    for segment in segments:
        inside[math.floor(segment.start) : math.ceil(segment.end), segment.step] = True
    return inside


def ordered_recall(
    videos: Mapping[str, list[tuple[NDArray[np.bool_], ArrayLike]]],
) -> dict[str, float]:
    """Return the recall of each task when its steps are placed in order.

    Args:
        videos: for each task, its videos: truth (T, K) and the similarity (T, K) of
            each second to each step name.

    Raises:
        ValueError: as ``ordered_path`` and ``step_recall`` do.
    """
    placed = {
        task: [(inside, ordered_path(-np.asarray(scores, dtype=np.float64))) for inside, scores in pairs]
        for task, pairs in videos.items()
    }
    return step_recall(placed)


def zero_shot(
    encoder: Encoder,
    data: Path,
    *,
    features: Path | None = None,
    cache: Path,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Localise the steps of the 18 primary tasks in the validation videos.

    Args:
        encoder: any dual encoder; each second is seen for as long as its clips last.
        data: the release, with the videos below.
        features: folder of ``<video id>.npy``, (T, D), this encoder's embeddings of each second; no video is
            needed then.
        cache: folder of what was embedded before, by encoder.
        progress: told how many videos are done.

    Returns:
        ``protocol``, ``videos``, ``videos_used``, the ids that are ``missing``, the paths ``unreadable``,
        ``recalls`` of tasks by name, their mean ``recall``, and the ``published`` ones.

    Raises:
        SaysoError: if the release cannot be read, or nothing of its videos is there.
    """
    tasks = read_tasks(data / "tasks_primary.txt")
    listed = _listed(data / "videos_val.csv", tasks)
    unreadable: list[str] = []
    if features is None:
        there = videos_by_id(data)
        wanted = {video: there[video] for _, video in listed if video in there}
        features = cache / encoder.sha256[:16]
        seen_s = max(1.0, encoder.clip.duration)
        lost = extract_features(wanted, encoder, features, seen_s=seen_s, progress=progress)
        unreadable = [failure.path for failure in lost]
    found: dict[str, list[tuple[NDArray[np.bool_], ArrayLike]]] = {}
    missing = []
    for task, video in listed:
        path = features / f"{video}.npy"
        if not path.exists():
            missing.append(video)
            continue
        steps = tasks[task].steps
        scores = _scores(encoder, path, steps)
        annotated = read_segments(data / "annotations" / f"{task}_{video}.csv", len(steps))
        found.setdefault(task, []).append((truth(annotated, len(scores), len(steps)), scores))
    if not found:
        raise SaysoError(
            f"none of the {len(listed)} videos is there: they go by ids, such as {missing[0]}.mp4"
        )
    recalls = ordered_recall(found)
    return {
        "protocol": PROTOCOL,
        "videos": len(listed),
        "videos_used": sum(map(len, found.values())),
        "tasks": len(found),
        "missing": missing,
        "unreadable": unreadable,
        "recalls": {tasks[task].name: recall for task, recall in recalls.items()},
        "recall": mean_recall(recalls),
        "published": PUBLISHED,
    }


def _scores(encoder: Encoder, path: Path, steps: Sequence[str]) -> NDArray[np.float64]:
    """Return (T, K): each second against each step; a video shorter than its steps stands still at its end.

    Raises:
        SaysoError: if the features are no (T, D) of the encoder.
    """
    seconds = np.load(path, allow_pickle=False)
    if seconds.ndim != 2 or seconds.shape[1] != encoder.dim or not len(seconds):
        raise SaysoError(f"{path} holds {seconds.shape}, expected (T, {encoder.dim}), a row a second")
    still = max(0, len(steps) - len(seconds))
    seconds = np.concatenate([seconds, np.repeat(seconds[-1:], still, axis=0)])
    return seconds.astype(np.float64) @ encoder.encode_text(list(steps)).T.astype(np.float64)


def _listed(path: Path, tasks: Mapping[str, Task]) -> list[tuple[str, str]]:
    """Return task and id of the videos in a list of the release, of these tasks.

    Raises:
        SaysoError: if it cannot be read, or lists none.
    """
    try:
        rows = [line.split(",")[:2] for line in path.read_text(encoding="utf-8").split()]
    except OSError as error:
        raise SaysoError(
            f"{path} cannot be read: --data is CrossTask's release, with the videos below"
        ) from error
    listed = [(row[0], row[1]) for row in rows if len(row) == 2 and row[0] in tasks]
    if not listed:
        raise SaysoError(f"{path} lists no video of the primary tasks (task id,video id,address)")
    return listed
