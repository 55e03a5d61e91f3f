"""CrossTask: the release's files, and the recall of one predicted second for each step.

Source
    Zhukov et al., CVPR 2019. https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError
from sayso.metrics.steps import step_recall
from sayso.solvers.ordered_path import ordered_path

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
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
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
    segments = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split(), start=1):
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
