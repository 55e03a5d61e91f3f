"""CrossTask's release: tasks with ordered steps, lists of videos, annotated steps, narration windows.

tasks_primary.txt, tasks_related.txt   five lines a task: id, name, address, number of steps, steps
videos.csv, videos_val.csv             task id, video id, address
annotations/TASK_VIDEO.csv             step from 1, start, end in seconds
constraints/TASK_VIDEO.csv             step from 1, start, end: where it may be, as the narration tells

Source
    Zhukov et al., CVPR 2019. https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

LINES_PER_TASK = 5  # id, name, address, number of steps, steps
TRAINED = 30  # videos of a task that the authors draw to train on
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class InstructionTask:
    """A task: its ``name`` and its ``steps``, in order."""

    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """An annotated step: its index from 0, start and end in seconds."""

    step: int
    start: float
    end: float


def read_tasks(path: Path) -> dict[str, InstructionTask]:
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
        tasks[block[0]] = InstructionTask(block[1], steps)
    return tasks


def listed_videos(path: Path, tasks: Mapping[str, InstructionTask]) -> list[tuple[str, str]]:
    """Return task and id of the videos in a list of the release, of these tasks.

    Raises:
        SaysoError: if it cannot be read, or lists none.
    """
    try:
        rows = [line.split(",")[:2] for line in path.read_text(encoding="utf-8").split()]
    except OSError as error:
        raise SaysoError(f"{path} cannot be read: it lists the videos of CrossTask's release") from error
    listed = [(row[0], row[1]) for row in rows if len(row) == 2 and row[0] in tasks]
    if not listed:
        raise SaysoError(f"{path} lists no video of the tasks (task id,video id,address)")
    return listed


def drawn_to_train(listed: Sequence[tuple[str, str]], seed: int) -> set[tuple[str, str]]:
    """Return the videos that a draw of the authors' split trains on: ``TRAINED`` of each task.

    Drawn with the generator of ``random_split`` in the public code, task by task; a task that has no more
    than ``TRAINED`` videos is all trained on.

    Args:
        listed: task and id of videos of primary tasks, without those of the validation list.
        seed: of the draw.
    """
    rng = np.random.RandomState(seed)
    of_task: dict[str, list[str]] = {}
    for task, video in listed:
        of_task.setdefault(task, []).append(video)
    trained: set[tuple[str, str]] = set()
    for task, videos in of_task.items():
        some = rng.choice(videos, TRAINED, replace=False).tolist() if len(videos) > TRAINED else videos
        trained |= {(task, video) for video in some}
    return trained


def read_segments(path: Path, steps: int) -> list[Segment]:
    """Read the annotated steps, or the narration windows, of a video (``<task id>_<video id>.csv``).

    Raises:
        SaysoError: with the line, if it is not ``step,start,end`` with a step from 1 to ``steps``.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SaysoError(f"{path} cannot be read: it holds the steps of a listed video") from error
    segments = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            step, start, end = line.split(",")
            segment = Segment(int(step) - 1, float(start), float(end))
        except ValueError as error:
            raise SaysoError(f"{path}, line {number}: expected step,start,end; got {line!r}") from error
        if not (0 <= segment.step < steps and 0 <= segment.start <= segment.end < math.inf):
            raise SaysoError(f"{path}, line {number}: no step from 1 to {steps} with its interval: {line!r}")
        segments.append(segment)
    return segments


def truth(segments: Sequence[Segment], seconds: int, steps: int) -> Bools:
    """Return (seconds, steps): whether a step is annotated in any part of a second.

    Args:
        segments: of the annotation.
        seconds: T, rows.
        steps: C, columns.
    """
    inside = np.zeros((seconds, steps), dtype=bool)
    for segment in segments:
        inside[math.floor(segment.start) : math.ceil(segment.end), segment.step] = True
    return inside


def read_windows(path: Path, seconds: int, steps: int) -> Bools:
    """Read when narration lets each step be (``<task id>_<video id>.csv``), (seconds, steps).

    It has a row ``step,start,end`` for each window; a step without one is not narrated.

    Args:
        path: the file.
        seconds: T, rows.
        steps: C, columns.

    Raises:
        SaysoError: as ``read_segments``.
    """
    return truth(read_segments(path, steps), seconds, steps)
