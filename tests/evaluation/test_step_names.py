"""Names of steps that are told of in order, and sentences made of the steps' names."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sayso.data.datasets.crosstask import InstructionTask, Segment
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.step_names import STEP_NAMES_BY_RULES, made_narration, name_row, sentence

STEPS = ("cut lemon", "pour water", "add sugar", "brake on")


def segments(video: int) -> list[Segment]:
    return [Segment(k, 20.0 * k + video, 20.0 * k + video + 8) for k in range(4)]


def test_sentences():
    assert sentence("pour milk", "next") == "next pour the milk."
    assert sentence("stir") == "now stir."


def test_narrations_are_in_order_and_leave_some_out():
    rng = np.random.default_rng(0)
    lines = [made_narration(rng, segments(0), STEPS) for _ in range(200)]
    assert all(a.span.start <= b.span.start for video in lines for a, b in pairwise(video))
    told = sum("cut the lemon" in line.text for video in lines for line in video)
    assert 120 < told < 160, "seven in ten"


def test_steps_told_in_order_are_found_by_name(tmp_path):
    row = name_row(7, InstructionTask("Lemonade", STEPS), [segments(n) for n in range(20)], seeds=(0, 1))
    assert row["nameable"] == 3, "brake on is no verb with an object"
    assert (row["videos"], row["steps"]) == (20, 4)
    assert row["precision"] == row["recall"] == 1
    (tmp_path / "tasks_primary.txt").write_text("7\nLemonade\nx\n4\n" + ",".join(STEPS) + "\n")
    (tmp_path / "annotations").mkdir()
    for n in range(20):
        rows = "".join(f"{s.step + 1},{s.start},{s.end}\n" for s in segments(n))
        (tmp_path / "annotations" / f"7_v{n}.csv").write_text(rows)
    found = STEP_NAMES_BY_RULES(None, tmp_path, EvaluationOptions(seeds=(0, 1)))
    assert found.rows["Lemonade"] == row and found.primary.value == 1
    assert found.counts == {"tasks": Count(1, 1)}


@pytest.mark.slow
def test_real_orders(shared_data):
    found = STEP_NAMES_BY_RULES(None, shared_data / "crosstask_release", EvaluationOptions(seeds=(0,)))
    assert found.primary.value > 0.8
