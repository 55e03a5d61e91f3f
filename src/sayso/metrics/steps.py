"""Step localisation: is the one second predicted for a step inside the step?

    recall(task) = steps whose predicted second lies inside the annotation / annotated steps

counted over all videos of the task, then averaged over the tasks with equal weight.

Source
    Zhukov et al., CVPR 2019, section 5 (CrossTask). https://arxiv.org/abs/1903.08225
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike


def step_recall(tasks: Mapping[str, Sequence[tuple[ArrayLike, ArrayLike]]]) -> dict[str, float]:
    """Return the recall of each task, by its name.

    Args:
        tasks: for each task its videos, each a pair: ``truth``, (T, K) booleans, where each
            step is annotated (a step annotated twice counts once); and ``times``, (K,)
            integers in [0, T), the second predicted for each step.

    Raises:
        ValueError: if shapes disagree, a time is out of range, or a task has no annotated step.
    """
    return {task: _task_recall(task, videos) for task, videos in tasks.items()}


def mean_recall(recalls: Mapping[str, float]) -> float:
    """Return the average over tasks, each with the same weight.

    Raises:
        ValueError: if there is no task.
    """
    if not recalls:
        raise ValueError("there is no task to average over")
    return float(np.mean(list(recalls.values())))


def _task_recall(task: str, videos: Sequence[tuple[ArrayLike, ArrayLike]]) -> float:
    hits = annotated = 0
    for number, (truth, times) in enumerate(videos):
        inside, where = np.asarray(truth), np.asarray(times)
        if inside.ndim != 2 or inside.dtype != bool or where.shape != inside.shape[1:]:
            raise ValueError(
                f"task {task}, video {number}: expected truth (T, K) of booleans and times (K,);"
                f" got {inside.shape} {inside.dtype} and {where.shape}"
            )
        if where.dtype.kind not in "iu" or (where.size and not 0 <= where.min() <= where.max() < len(inside)):
            raise ValueError(
                f"task {task}, video {number}: times must be integers from 0 to {len(inside) - 1}"
            )
        hits += int(np.count_nonzero(inside[where, np.arange(where.size)]))
        annotated += int(np.count_nonzero(inside.any(axis=0)))
    if not annotated:
        raise ValueError(f"task {task} has no annotated step; leave it out")
    return hits / annotated
