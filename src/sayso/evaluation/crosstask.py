"""CrossTask: the recall of one predicted second for each step.

Every second of a video is scored for every step of its task, and the steps are placed in order, each in
one second, where that adds up to most. Zero-shot, a score is the likeness of the second and the step's
name; step classifiers (``sayso train crosstask``) have their own. DIR is the release (``tasks_primary.txt``,
``videos_val.csv``, ``annotations/``) with the videos at any depth below, named by their ids.

``crosstask`` measures on the 360 validation videos. ``crosstask-splits`` measures on the published ones [1]:
of each task 30 videos are drawn to train on, those of the validation list left out, all others tested;
the recall of 20 draws is averaged. Published rows stand beside the same videos only.

Sources
    [1] Zhukov et al., CVPR 2019, section 5. https://arxiv.org/abs/1903.08225; ``random_split`` in data.py
        (9e6fdcc), https://github.com/DmZhukov/CrossTask. The draws themselves are not published.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.counted import counted
from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import listed_videos, read_tasks
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    Row,
)
from sayso.evaluation.placed_steps import Video, evenly, place_steps, recall_of_tasks
from sayso.metrics.steps import mean_recall

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder
    from sayso.systems.crosstask import StepClassifier

MEASURES = "recall of the one second predicted for each step"
TRAINED, DRAWS = 30, 20  # videos of a task to train on; how often they are drawn
PUBLISHED = (
    {"model": "Alayrac et al., trained on it", "recall": 0.133, "source": "CVPR 2019"},
    {"model": "Zhukov et al., trained on it", "recall": 0.224, "source": "CVPR 2019"},
    {"model": "Zhukov et al., supervised", "recall": 0.316, "source": "CVPR 2019"},
    {"model": "HowTo100M, zero-shot", "recall": 0.336, "source": "ICCV 2019"},
    {"model": "MIL-NCE, S3D, zero-shot", "recall": 0.405, "source": "CVPR 2020"},
)


def _validation(
    model: Encoder | StepClassifier, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    tasks = read_tasks(data / "tasks_primary.txt")
    listed = listed_videos(data / "videos_val.csv", tasks)
    found = place_steps(model, data, tasks, listed, options, progress)
    recalls = recall_of_tasks(found.placed, found.placed)
    rows: dict[str, Row] = {tasks[task].name: {"recall": recall} for task, recall in recalls.items()}
    recall = mean_recall(recalls)
    return EvaluationResult(
        protocol="CrossTask, step localisation, 360 validation videos",
        primary=Primary("recall", recall),
        columns=("recall",),
        rows={**rows, f"mean of {counted(len(recalls), 'task')}": {"recall": recall}},
        counts={"videos": Count(len(found.placed), len(listed))},
        missing=found.missing,
        unreadable=found.unreadable,
        published=(evenly(found.placed),),
    )


def _splits(
    model: Encoder | StepClassifier, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    tasks = read_tasks(data / "tasks_primary.txt")
    kept = set(listed_videos(data / "videos_val.csv", tasks))
    listed = [one for one in listed_videos(data / "videos.csv", tasks) if one not in kept]
    annotated = [one for one in listed if (data / "annotations" / "{}_{}.csv".format(*one)).is_file()]
    if not annotated:
        raise SaysoError(f"{data / 'annotations'} has the steps of none of the {len(listed)} videos")
    found = place_steps(model, data, tasks, annotated, options, progress)
    seeds = options.seeds or tuple(range(DRAWS))
    draws = [recall_of_tasks(found.placed, left_to_test(listed, seed)) for seed in seeds]
    if not all(draws):
        raise SaysoError(f"no task has more than {TRAINED} videos, which are to train on; see crosstask")
    means = [mean_recall(recalls) for recalls in draws]
    rows: dict[str, Row] = {
        task.name: _spread([recalls[number] for recalls in draws if number in recalls])
        for number, task in tasks.items()
        if any(number in recalls for recalls in draws)
    }
    return EvaluationResult(
        protocol=f"CrossTask, step localisation, {len(seeds)} draws as published",
        primary=Primary("recall", float(np.mean(means))),
        columns=("recall", "sd"),
        rows={**rows, f"mean of {counted(len(rows), 'task')}": _spread(means)},
        counts={"videos": Count(len(found.placed), len(annotated))},
        missing=found.missing,
        unreadable=found.unreadable,
        definition={"seeds": list(seeds), "trained": TRAINED},
        published=(evenly(found.placed), *PUBLISHED),
    )


CROSSTASK = FunctionEvaluator(
    "crosstask",
    "CrossTask, 18 primary tasks, validation videos",
    MEASURES,
    "the release's folder (tasks_primary.txt, videos_val.csv, annotations/), with the videos below it",
    _validation,
    ("encoder", "step classifier"),
    ("features",),
)
CROSSTASK_SPLITS = FunctionEvaluator(
    "crosstask-splits",
    "CrossTask, 18 primary tasks, the published draws of test videos",
    MEASURES,
    "the release's folder (also videos.csv), with the videos below it",
    _splits,
    takes=("features", "seeds"),
)


def left_to_test(listed: Sequence[Video], seed: int) -> list[Video]:
    """Return the videos that a draw leaves to test: all but ``TRAINED`` of each task.

    Args:
        listed: task and id, without those of the validation list.
        seed: of the draw. A task that has no more than ``TRAINED`` videos is all trained on.
    """
    rng = np.random.RandomState(seed)  # the generator that the public code draws with
    of_task: dict[str, list[str]] = {}
    for task, video in listed:
        of_task.setdefault(task, []).append(video)
    tested = []
    for task, videos in of_task.items():
        if len(videos) > TRAINED:
            drawn = set(rng.choice(videos, TRAINED, replace=False).tolist())
            tested += [(task, video) for video in videos if video not in drawn]
    return tested


def _spread(recalls: Sequence[float]) -> Row:
    """Return the mean over draws, and their standard deviation."""
    return {
        "recall": float(np.mean(recalls)),
        "sd": float(np.std(recalls, ddof=1)) if len(recalls) > 1 else None,
    }
