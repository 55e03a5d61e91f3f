"""Steps of a small toy task: text and video beat either alone, and the simple ways are what they are."""

from __future__ import annotations

import pytest

from sayso.evaluation.evaluator import EvaluationOptions
from sayso.evaluation.step_discovery import BEST, StepDiscovery


@pytest.mark.slow
def test_a_small_task():
    evaluator = StepDiscovery(noises=(1,), tasks=1, videos=10)
    found = evaluator(None, None, EvaluationOptions(seeds=(0,)))
    f1 = {way: row["F1, noise 1"] for way, row in found.rows.items()}
    assert f1[BEST] == found.primary.value == pytest.approx(f1["text and video, as published"], abs=0.1)
    assert f1[BEST] > f1["text only: when it is said"] and f1[BEST] > f1["video only: ordered clustering"]
    assert f1["uniform in time"] < 0.5 < f1[BEST]
    assert found.columns == ("F1, noise 1", "± 1")
    assert {row["± 1"] for row in found.rows.values()} == {None}  # of one seed
    assert "10 other videos, silent" in f1
