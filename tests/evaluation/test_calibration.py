"""Calibration of a small episode: bins add up to all answers, and the summaries to a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.episodes import LINES, write_episode
from sayso.evaluation.calibration import CALIBRATION, reliability_rows
from sayso.evaluation.evaluator import Count


def test_rows_of_bins_add_up():
    draws = np.random.default_rng(0)
    sure, right = draws.random(300), draws.random(300) < 0.5
    rows = reliability_rows("x", sure, right, 5)
    bins = [row for name, row in rows.items() if name != "x"]
    assert sum(row["answers"] for row in bins) == rows["x"]["answers"] == 300
    error = sum(row["answers"] / 300 * abs(row["confidence"] - row["accuracy"]) for row in bins)
    assert rows["x"]["ECE"] == pytest.approx(error)
    squares = [(s - r) ** 2 for s, r in zip(sure, right, strict=True)]
    assert rows["x"]["Brier"] == pytest.approx(np.mean(squares))
    assert list(rows)[1] == "x, 0.0 to 0.2"


def test_a_small_episode(tmp_path):
    found = CALIBRATION(None, write_episode(tmp_path))
    assert found.counts == {"episodes": Count(1, 1)}
    assert (found.primary.key, found.primary.greater_is_better) == ("ECE", False)
    for what in ("speakers", "names", "names, faces"):
        assert found.rows[what]["answers"] == LINES
    assert found.rows["speakers"]["accuracy"] == 1
    assert found.rows["names, faces"]["confidence"] > found.rows["names"]["confidence"] + 0.05
    mean = np.mean([found.rows[what]["ECE"] for what in ("speakers", "names", "names, faces")])
    assert found.primary.value == pytest.approx(mean)
