"""Names of tracks: scores counted by hand, and the ways in their order on a small episode."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.episodes import LINES, write_episode
from sayso.evaluation.actor_naming import ACTOR_NAMING, name_scores
from sayso.evaluation.evaluator import Count, EvaluationOptions


def test_scores_of_four_tracks_by_hand():
    P = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.6, 0.4, 0.0], [0.5, 0.1, 0.4]])
    found = name_scores(P, ["a", "b"], ["a", "a", "a", "somebody"])
    assert found["accuracy"] == 0.5
    assert found["AP"] == pytest.approx((1 / 1 + 2 / 3) / 4)
    assert found["precision of half"] == 0.5
    assert found["ECE"] == pytest.approx((0.1 + 0.7 + 0.4 + 0.5) / 4)


def test_a_small_episode(tmp_path):
    found = ACTOR_NAMING(None, write_episode(tmp_path), EvaluationOptions(seeds=(0,)))
    assert found.counts == {"episodes": Count(1, 1), "tracks": Count(LINES, LINES)}
    assert found.rows["tiny, most frequent speaker"]["accuracy"] == pytest.approx(1 / 3)
    assert found.rows["tiny, ours, close"]["accuracy"] > 0.9
    assert found.definition["seeds"] == [0]
    usual = found.rows["tiny, ours, usual"]
    assert found.primary.value == usual["accuracy"] and found.rows["mean, ours, usual"] == usual
    assert list(found.rows["tiny, ours, far"]) == list(found.columns)
