"""The CrossTask release's format, and the published recall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sayso.bench.crosstask import ordered_recall, read_segments, read_tasks, truth
from sayso.core.errors import SaysoError
from sayso.metrics.steps import mean_recall, step_recall


def test_reads_a_miniature_release(tmp_path: Path) -> None:
    (tmp_path / "tasks.txt").write_text("7\nMake Tea\nhttp://x\n2\nboil water,add tea\n\n")
    (tmp_path / "7_a.csv").write_text("1,0.5,1.2\n2,3.0,4.0\n")
    tasks = read_tasks(tmp_path / "tasks.txt")
    assert tasks["7"].steps == ("boil water", "add tea")
    inside = truth(read_segments(tmp_path / "7_a.csv", 2), 6, 2)
    assert np.argwhere(inside).tolist() == [[0, 0], [1, 0], [3, 1]]
    assert ordered_recall({"7": [(inside, inside.astype(float))]}) == {"7": 1.0}


def test_names_the_bad_line(tmp_path: Path) -> None:
    (tmp_path / "7_a.csv").write_text("1,0,1\n3,1,2\n")
    with pytest.raises(SaysoError, match="line 2"):
        read_segments(tmp_path / "7_a.csv", 2)
    (tmp_path / "tasks.txt").write_text("7\nMake Tea\nhttp://x\n3\nboil water,add tea\n")
    with pytest.raises(SaysoError, match="task '7'"):
        read_tasks(tmp_path / "tasks.txt")


def test_the_real_release(shared_data: Path) -> None:
    release = shared_data / "crosstask_release"
    tasks = read_tasks(release / "tasks_primary.txt")
    assert len(tasks) == 18
    oracle: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {task: [] for task in tasks}
    uniform: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {task: [] for task in tasks}
    for path in sorted((release / "annotations").glob("*.csv")):
        task = path.stem.partition("_")[0]
        if task not in tasks:
            continue
        steps = len(tasks[task].steps)
        segments = read_segments(path, steps)
        seconds = max([steps, *(int(np.ceil(segment.end)) for segment in segments)])
        inside = truth(segments, seconds, steps)
        oracle[task].append((inside, inside.argmax(axis=0)))
        uniform[task].append((inside, (np.arange(steps) + 0.5) * seconds // steps))
    assert mean_recall(step_recall(oracle)) == 1.0
    even = {task: [(i, t.astype(int)) for i, t in videos] for task, videos in uniform.items()}
    recall = mean_recall(step_recall(even))
    print(sum(map(len, oracle.values())), "videos, uniform", recall)
    assert 0.02 < recall < 0.35
