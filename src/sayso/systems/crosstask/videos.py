"""What step classifiers learn from: features of videos, and the narration windows of their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Bools
from sayso.core.errors import MediaError, SaysoError
from sayso.data.batch import Example
from sayso.data.datasets.crosstask import (
    drawn_to_train,
    listed_videos,
    read_segments,
    read_tasks,
    read_windows,
    truth,
)
from sayso.data.features import NpyFeatures
from sayso.data.manifest import Failure
from sayso.data.narration_windows import mention_windows
from sayso.solvers.standardize import standardization
from sayso.text import find_subtitles, read_subtitles


@dataclass(frozen=True, slots=True)
class StepVideo:
    """A video of a task: its ids, how many seconds of features it has."""

    task: str
    video: str
    seconds: int


@dataclass(frozen=True, eq=False)
class StepVideos:
    """Videos of tasks, a training set as the loader sees it.

    Args:
        tasks: names of the steps of each task.
        videos: those that have features and no fewer seconds than steps.
        allowed: for each, (T, C): the seconds in which each step may be; none where it is not mentioned.
        features: where the features are.
        missing: ids of listed videos without features.
        failures: files of videos that cannot be read.
    """

    tasks: Mapping[str, tuple[str, ...]]
    videos: tuple[StepVideo, ...]
    allowed: tuple[Bools, ...]
    features: NpyFeatures
    missing: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    group: int = 1

    def __len__(self) -> int:
        """Return how many videos there are."""
        return len(self.videos)

    def name(self, item: int) -> str:
        """Return the id of a video."""
        return self.videos[item].video

    @cached_property
    def moments(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean (D,) of the features, and (1,) what brings their mean squared length to 1."""
        mean, scale = standardization(self.features.read(video.video) for video in self.videos)
        return mean.astype(np.float32), np.array([scale], np.float32)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:  # noqa: ARG002  nothing is random
        """Return one video.

        Returns:
            ``features`` (T, D) float32, standardised; ``allowed`` (T, C) bool; ``task``, ``item``: numbers.

        Raises:
            MediaError: if the features cannot be read, or changed since they were first.
        """
        mean, scale = self.moments
        video = self.videos[item]
        rows = self.features.read(video.video)
        if rows.shape != (video.seconds, len(mean)):
            raise MediaError(f"the features of {video.video} changed: {rows.shape}")
        features = np.asarray((rows - mean) * scale, np.float32)
        task = list(self.tasks).index(video.task)
        return [{"features": features, "allowed": self.allowed[item], "task": task, "item": item}]


def read_step_videos(
    data: Path,
    features: Path,
    *,
    windows: Path | None,
    related: bool = False,
    annotated: bool = False,
    before_s: float = 0.0,
    after_s: float = 10.0,
    draw: int | None = None,
) -> StepVideos:
    """Read the training videos of a release: those listed that are not in the validation list.

    Args:
        data: the release.
        features: folder of ``<video id>.npy``, (T, D), a row a second.
        windows: folder of constraints (``<task id>_<video id>.csv``), or of captions (``<video id>``).
        related: learn the related tasks as well.
        annotated: take the annotated seconds in the place of the narration windows.
        before_s: where captions give the windows, they begin so long before a mention, seconds.
        after_s: and end so long after it.
        draw: of the authors' split: of each primary task only the videos that it trains on; None: all.

    Raises:
        SaysoError: if the release or the features cannot be read, or nothing of the videos is there.
    """
    tasks = read_tasks(data / "tasks_primary.txt")
    kept_aside = set(listed_videos(data / "videos_val.csv", tasks))
    if draw is not None:
        primary = [pair for pair in listed_videos(data / "videos.csv", tasks) if pair not in kept_aside]
        kept_aside |= set(primary) - drawn_to_train(primary, draw)
    if related:
        tasks |= read_tasks(data / "tasks_related.txt")
    listed = [pair for pair in listed_videos(data / "videos.csv", tasks) if pair not in kept_aside]
    source = NpyFeatures(features, 1.0)
    videos, allowed, missing, failures = [], [], [], []
    for task, video, steps in ((task, video, tasks[task].steps) for task, video in listed):
        try:
            T = len(source.read(video)) if video in source else 0
            if len(steps) > T:
                missing.append(video)
                continue
            how = (windows, task, video, steps, T, before_s, after_s)
            found = _annotated(data, task, video, T, len(steps)) if annotated else _windows_of(*how)
        except SaysoError as error:
            failures.append(Failure(video, "steps", str(error)))
            continue
        if found is not None:
            videos.append(StepVideo(task, video, T))
            allowed.append(found)
    if not videos:
        why = f" that can be used: {failures[0].error}" if failures else ""
        raise SaysoError(f"{features} holds features of none of the {len(listed)} videos of {data}{why}")
    names = {task: tasks[task].steps for task in dict.fromkeys(video.task for video in videos)}
    return StepVideos(names, tuple(videos), tuple(allowed), source, tuple(missing), tuple(failures))


def _annotated(data: Path, task: str, video: str, T: int, C: int) -> Bools | None:
    """Return the annotated seconds of each step, (T, C); None for a video without annotation."""
    table = data / "annotations" / f"{task}_{video}.csv"
    return truth(read_segments(table, C), T, C) if table.exists() else None


def _windows_of(
    windows: Path | None, task: str, video: str, steps: Sequence[str], T: int, before_s: float, after_s: float
) -> Bools:
    """Return the seconds in which each step may be, (T, C); none where it is not mentioned."""
    nothing = np.zeros((T, len(steps)), dtype=bool)
    if windows is None:
        return nothing
    table = windows / f"{task}_{video}.csv"
    if table.exists():
        return read_windows(table, T, len(steps))
    beside = find_subtitles(windows / f"{video}.mp4")
    if beside is None:
        return nothing
    return mention_windows(read_subtitles(beside), steps, T, before_s=before_s, after_s=after_s)
