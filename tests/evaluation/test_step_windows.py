"""Estimated windows beside fixed ones: what is planted, and which window wins where."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.datasets.crosstask import InstructionTask, Segment, truth
from sayso.evaluation import step_windows
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.step_windows import (
    BEST,
    ESTIMATED,
    FIXED,
    LOSS,
    STEP_WINDOWS,
    habit_of,
    planted_features,
    planted_script,
    window_row,
)

STEPS = ("cut lemon", "pour water", "add sugar", "stir drink")
TASK = InstructionTask("Lemonade", STEPS)


def segments(video: int) -> list[Segment]:
    starts = np.sort(np.random.default_rng(video).choice(9, 4, replace=False)) * 20.0 + 30
    return [Segment(k, start, start + 6) for k, start in enumerate(starts.tolist())]


def test_a_step_is_seen_where_it_is_annotated(monkeypatch):
    monkeypatch.setattr(step_windows, "NOISE", 0.0)
    inside = [truth(segments(n), 220, 4) for n in range(3)]
    for X, where in zip(planted_features(np.random.default_rng(0), inside), inside, strict=True):
        assert X.shape == (220, step_windows.DIM)
        looks = np.stack([X[where[:, k]][0] for k in range(4)])
        for k in range(4):
            assert (X[where[:, k]] == looks[k]).all() and not (X[~where[:, k]] == looks[k]).all(1).any()


@pytest.mark.parametrize("lag", [6.0, -5.0])
def test_steps_are_told_of_so_long_before_the_deed(lag):
    many = [segments(n) for n in range(200)]
    script = planted_script(np.random.default_rng(1), TASK, many, (lag, 2.0, 0.5))
    assert [step.name for step in script] == list(STEPS)
    shares = [len(step.mentions) / 200 for step in script]
    assert all(0.4 < share < 0.6 for share in shares)
    before = [
        many[video][k].start - mention.span.start
        for k, step in enumerate(script)
        for video, mention in step.mentions.items()
    ]
    assert np.median(before) == pytest.approx(lag, abs=0.7)
    assert np.percentile(np.abs(np.array(before) - lag), 95) > 10, "one in seven is at any time"


def test_each_task_has_a_habit():
    habits = [habit_of(number) for number in range(40)]
    assert habits == [habit_of(number) for number in range(40)]
    assert {(lag, spread) for lag, spread, _ in habits} == set(step_windows.LAGS)
    assert all(0.3 <= share <= 0.9 for _, _, share in habits)


def test_windows_are_compared_and_the_best_fixed_one_is_by_the_mean(monkeypatch, tmp_path):
    monkeypatch.setattr(step_windows, "NOISE", 0.5)
    monkeypatch.setattr(step_windows, "ITERATIONS", 60)
    monkeypatch.setattr(step_windows, "habit_of", lambda number: (-8.0, 1.0, 0.9))
    row = window_row(7, TASK, [segments(n) for n in range(12)], (0, 1))
    assert min(FIXED, key=lambda name: row[name]) == "0 to 10"
    assert row[BEST] == max(row[name] for name in FIXED) > row["0 to 10"] + 0.1
    assert row[LOSS] == pytest.approx(row[BEST] - row[ESTIMATED]) and row[ESTIMATED] > row["0 to 10"]
    assert (row["lag"], row["told"]) == (-8.0, 0.9)
    (tmp_path / "tasks_primary.txt").write_text("7\nLemonade\nx\n4\n" + ",".join(STEPS) + "\n")
    (tmp_path / "annotations").mkdir()
    with pytest.raises(SaysoError, match="no annotated video of the 1 tasks"):
        STEP_WINDOWS(None, tmp_path)
    for n in range(12):
        rows = "".join(f"{s.step + 1},{s.start},{s.end}\n" for s in segments(n))
        (tmp_path / "annotations" / f"7_v{n:02}.csv").write_text(rows)
    found = STEP_WINDOWS(None, tmp_path, EvaluationOptions(seeds=(0, 1)))
    assert found.rows["Lemonade"] == row and found.rows["largest"] == {LOSS: row[LOSS]}
    assert (found.primary.value, found.counts) == (row[ESTIMATED], {"tasks": Count(1, 1)})
