"""The CrossTask release's format, and the published recall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import read_segments, read_tasks, truth
from sayso.evaluation.crosstask import CROSSTASK, ordered_recall, uniform
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.metrics.steps import mean_recall, step_recall


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Two tasks whose steps are colours; of five listed videos one is lost, one task is not primary."""
    one, two, three = sorted(toy.COLOURS)[:3]
    tasks = f"7\nMake Tea\nx\n2\n{one},{two}\n\n8\nMix\nx\n3\n{two},{three},{one}\n"
    (tmp_path / "tasks_primary.txt").write_text(tasks)
    (tmp_path / "videos_val.csv").write_text("7,aa,x\n7,lost,x\n8,cc,x\n8,short,x\n9,aa,x\n")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "videos").mkdir()
    toy.make_video(tmp_path / "videos" / "aa.mp4", [three, one, two], 4)
    (tmp_path / "annotations" / "7_aa.csv").write_text("1,4,8\n2,8,12\n")
    toy.make_video(tmp_path / "videos" / "cc.mp4", [two, three, one], 4)
    (tmp_path / "annotations" / "8_cc.csv").write_text("1,0,4\n2,8,12\n")  # the second is elsewhere
    toy.make_video(tmp_path / "videos" / "short.mp4", [two], 2)
    (tmp_path / "annotations" / "8_short.csv").write_text("1,0,1\n")
    return tmp_path


def test_steps_that_score_where_they_are_have_a_recall_of_one() -> None:
    inside = np.zeros((6, 2), dtype=bool)
    inside[[0, 1, 3], [0, 0, 1]] = True
    assert ordered_recall({"7": [(inside, inside.astype(float))]}) == {"7": 1.0}
    assert ordered_recall({"7": [(inside, -inside.astype(float))]}) == {"7": 0.0}


def test_zero_shot_finds_steps_that_are_seen(release: Path) -> None:
    encoder = toy.ColourEncoder()
    result = CROSSTASK(encoder, release, EvaluationOptions(cache=release / "cache"))
    assert result.counts == {"videos": Count(3, 4)}
    assert (result.missing, result.unreadable) == (("lost",), ())
    recalls = {name: row["recall"] for name, row in result.rows.items()}
    mean = pytest.approx((1 + 2 / 3) / 2)
    assert recalls == {"Make Tea": 1.0, "Mix": pytest.approx(2 / 3), "mean of 2 tasks": mean}
    assert result.primary.value == mean
    (kept,) = (release / "cache" / "crosstask").iterdir()
    for video in (release / "videos").iterdir():
        video.unlink()
    assert CROSSTASK(encoder, release, EvaluationOptions(features=kept)) == result
    (kept / "aa.npy").write_bytes(b"no array")
    with_one_less = CROSSTASK(encoder, release, EvaluationOptions(features=kept))
    assert with_one_less.counts == {"videos": Count(2, 4)}
    assert "aa.npy cannot be read" in with_one_less.unreadable[0]


def test_zero_shot_says_what_is_wrong(release: Path) -> None:
    encoder = toy.ColourEncoder()

    def run(features=None):
        return CROSSTASK(encoder, release, EvaluationOptions(features=features, cache=release / "cache"))

    (release / "features").mkdir()
    with pytest.raises(SaysoError, match=r"none of the 4 videos is there: .* aa.mp4"):
        run(features=release / "features")
    np.save(release / "features" / "aa.npy", np.ones((5, 2)))
    with pytest.raises(SaysoError, match=r"aa.npy holds \(5, 2\), expected \(T, "):
        run(features=release / "features")
    (release / "annotations" / "7_aa.csv").unlink()
    with_one_less = run()
    assert with_one_less.counts == {"videos": Count(2, 4)}
    assert "7_aa.csv cannot be read" in with_one_less.unreadable[0]
    (release / "videos_val.csv").write_text("9,aa,x\n")
    with pytest.raises(SaysoError, match="lists no video of the tasks"):
        run()
    (release / "videos_val.csv").unlink()
    with pytest.raises(SaysoError, match=r"videos_val\.csv cannot be read"):
        run()


def test_the_real_release(shared_data: Path) -> None:
    release = shared_data / "crosstask_release"
    tasks = read_tasks(release / "tasks_primary.txt")
    assert len(tasks) == 18
    oracle: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {task: [] for task in tasks}
    even: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {task: [] for task in tasks}
    for path in sorted((release / "annotations").glob("*.csv")):
        task = path.stem.partition("_")[0]
        if task not in tasks:
            continue
        steps = len(tasks[task].steps)
        segments = read_segments(path, steps)
        seconds = max([steps, *(int(np.ceil(segment.end)) for segment in segments)])
        inside = truth(segments, seconds, steps)
        oracle[task].append((inside, inside.argmax(axis=0)))
        even[task].append((inside, uniform(seconds, steps)))
    assert mean_recall(step_recall(oracle)) == 1.0
    recall = mean_recall(step_recall(even))
    print(sum(map(len, oracle.values())), "videos, uniform", recall)
    assert 0.02 < recall < 0.35
