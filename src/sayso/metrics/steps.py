"""Step localisation: is the one second predicted for a step inside the step?

    recall(task) = steps whose predicted second lies inside the annotation / annotated steps

counted over all videos of the task, then averaged over the tasks with equal weight [1].

Steps that were discovered have no annotated name. They are matched to the annotated steps one to one, over
the whole task, so that most predictions are right; then [2]

    precision = right / (videos x steps discovered)
    recall    = right / (steps annotated, summed over videos)
    F1        = 2 precision recall / (precision + recall)

Sources
    [1] Zhukov et al., CVPR 2019, section 5 (CrossTask). https://arxiv.org/abs/1903.08225
    [2] Alayrac et al., CVPR 2016, section 6. https://arxiv.org/abs/1506.09215
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class StepScore:
    """How well discovered steps are found.

    Args:
        f1: harmonic mean of precision and recall.
        precision: share of the predictions that are right.
        recall: share of the annotated steps that are found.
        matching: for each discovered step the annotated one it stands for, or None.
    """

    f1: float
    precision: float
    recall: float
    matching: tuple[int | None, ...]


def step_f1(videos: Sequence[tuple[ArrayLike, ArrayLike]]) -> StepScore:
    """Score the discovered steps of one task.

    Args:
        videos: each a pair: ``truth``, (T, C) booleans, where each annotated step is; and
            ``times``, (K,) integers in [0, T), the time predicted for each discovered step, or -1
            where it is said to be absent (counted as predicted and wrong, as published).

    Raises:
        ValueError: if there is no video, shapes disagree, a time is out of range, or no step is annotated.

    Examples:
        >>> truth = [[True, False], [False, False], [False, True]]  # two steps, in seconds 0 and 2
        >>> step_f1([(truth, [0, 1])]).f1
        0.5
    """
    if not videos:
        raise ValueError("there is no video to score")
    hits: NDArray[np.float64] | None = None
    annotated = 0
    for number, (truth, times) in enumerate(videos):
        inside, where = _checked(f"video {number}", truth, times)
        if hits is None:
            hits = np.zeros((len(where), inside.shape[1]))
        if hits.shape != (len(where), inside.shape[1]):
            raise ValueError(f"video {number} has other steps than video 0")
        hits += inside[where] & (where >= 0)[:, None]
        annotated += int(np.count_nonzero(inside.any(axis=0)))
    if hits is None or not annotated:
        raise ValueError("no step is annotated in any video")
    matching = best_matching(hits)
    right = sum(hits[k, c] for k, c in enumerate(matching) if c is not None)
    precision, recall = right / max(1, len(videos) * len(hits)), right / annotated
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return StepScore(float(f1), float(precision), float(recall), tuple(matching))


def best_matching(gain: ArrayLike) -> list[int | None]:
    """Return for each row the column it is matched to, one to one, so that the gains sum to most.

    Shortest augmenting paths with potentials (the Hungarian method), O(R^2 C).

    Args:
        gain: (R, C), finite. Where R > C some rows have None.

    Examples:
        >>> best_matching([[2, 3], [1, 3]])
        [0, 1]
    """
    gains = np.asarray(gain, dtype=np.float64)
    if len(gains) > gains.shape[1]:
        found: list[int | None] = [None] * len(gains)
        for column, row in enumerate(best_matching(gains.T)):
            if row is not None:
                found[row] = column
        return found
    rows, columns = gains.shape
    dual_row, dual_column = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.zeros(columns + 1, dtype=np.int64)  # row of each column, from 1; 0 is none
    for row in range(1, rows + 1):
        owner[0], at = row, 0
        least = np.full(columns + 1, np.inf)
        came, visited = np.zeros(columns + 1, dtype=np.int64), np.zeros(columns + 1, dtype=bool)
        while owner[at]:
            visited[at] = True
            left = -gains[owner[at] - 1] - dual_row[owner[at]] - dual_column[1:]
            closer = np.flatnonzero(~visited[1:] & (left < least[1:])) + 1
            least[closer], came[closer] = left[closer - 1], at
            step = np.where(visited, np.inf, least)
            step[0] = np.inf
            nearest = int(step.argmin())
            dual_row[owner[visited]] += step[nearest]
            dual_column[visited] -= step[nearest]
            least[~visited] -= step[nearest]
            at = nearest
        while at:
            owner[at] = owner[came[at]]
            at = int(came[at])
    matched: list[int | None] = [None] * rows
    for column, row in enumerate(owner[1:]):
        if row:
            matched[row - 1] = column
    return matched


def step_recall(tasks: Mapping[str, Sequence[tuple[ArrayLike, ArrayLike]]]) -> dict[str, float]:
    """Return the recall of each task, by its name.

    Args:
        tasks: for each task its videos, each a pair: ``truth``, (T, K) booleans, where each
            step is annotated (a step annotated twice counts once); and ``times``, (K,)
            integers in [0, T), the second predicted for each step.

    Raises:
        ValueError: if shapes disagree, a time is out of range, or a task has no annotated step.

    Examples:
        >>> truth = [[True, False], [False, False], [False, True]]
        >>> step_recall({"make coffee": [(truth, [0, 1])]})
        {'make coffee': 0.5}
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


def _checked(name: str, truth: ArrayLike, times: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    inside, where = np.asarray(truth), np.asarray(times)
    if inside.ndim != 2 or inside.dtype != bool or where.ndim != 1:
        raise ValueError(f"{name}: expected truth (T, C) of booleans and times (K,); got {inside.shape}")
    if where.dtype.kind not in "iu" or (where.size and not -1 <= where.min() <= where.max() < len(inside)):
        raise ValueError(f"{name}: times must be integers from -1 to {len(inside) - 1}")
    return inside, where.astype(np.int64)
