"""CrossTask: the recall of one predicted second for each step.

Every second of a video is scored for every step of its task, and the steps are placed in order, each in
one second, where that adds up to most. Zero-shot, a score is the likeness of the second and the step's
name; step classifiers (``sayso train crosstask``) have their own. DIR is the release (``tasks_primary.txt``,
``videos_val.csv``, ``annotations/``) with the videos at any depth below, named by their ids.

``crosstask`` measures on the 360 validation videos. ``crosstask-splits`` measures on the published ones [1]:
of each task 30 videos are drawn to train on, those of the validation list left out, all others tested;
the recall of 20 draws is averaged. Step classifiers are tested on the draw that they learned from (``sayso
train crosstask --set draw=0``). Published rows stand beside the same videos only.

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
from sayso.data.datasets.crosstask import TRAINED, drawn_to_train, listed_videos, read_tasks
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
from sayso.systems.crosstask import StepClassifier

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder

MEASURES = "recall of the one second predicted for each step"
DRAWS = 20
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
    seeds = _draws_of(model, options.seeds)
    if isinstance(model, StepClassifier):
        annotated = [one for one in left_to_test(listed, seeds[0]) if one in set(annotated)]
    found = place_steps(model, data, tasks, annotated, options, progress)
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
    ("encoder", "step classifier"),
    ("features", "seeds"),
)


def left_to_test(listed: Sequence[Video], seed: int) -> list[Video]:
    """Return the videos that a draw leaves to test: all but ``TRAINED`` of each task.

    Args:
        listed: task and id, without those of the validation list.
        seed: of the draw.
    """
    trained = drawn_to_train(listed, seed)
    return [one for one in listed if one not in trained]


def _draws_of(model: Encoder | StepClassifier, asked: Sequence[int] | None) -> Sequence[int]:
    """Return the draws that a model may be tested on: one that learned from videos, on its own alone.

    Raises:
        SaysoError: if it learned from all videos, or from another draw than is asked for.
    """
    if not isinstance(model, StepClassifier):
        return asked or range(DRAWS)
    if model.draw is None:
        raise SaysoError(
            f"{model.name} learned from all videos but those of the validation list, which crosstask-splits"
            " tests; train it on one draw (--set draw=0), or take crosstask"
        )
    if asked and list(asked) != [model.draw]:
        raise SaysoError(f"{model.name} learned from draw {model.draw} and can be tested on that one alone")
    return [model.draw]


def _spread(recalls: Sequence[float]) -> Row:
    """Return the mean over draws, and their standard deviation."""
    return {
        "recall": float(np.mean(recalls)),
        "sd": float(np.std(recalls, ddof=1)) if len(recalls) > 1 else None,
    }
