"""Frame accuracy, counted second by second."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sayso.metrics.frames import frame_accuracy


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("outside", [0, 2])
def test_it_is_counted_over_the_seconds_of_all_videos(seed, outside):
    draws = np.random.default_rng(seed)
    truth = [draws.integers(0, 4, n) for n in (1, 30, 7, 0)]
    predicted = [np.where(draws.random(len(t)) < 0.5, t, draws.integers(0, 4, len(t))) for t in truth]
    seconds = [(t, p) for one in zip(truth, predicted, strict=True) for t, p in zip(*one, strict=True)]
    inside = [t == p for t, p in seconds if t != outside]
    recalls = [np.mean([t == p for t, p in seconds if t == k]) for k in {t for t, _ in seconds}]
    found = frame_accuracy(truth, predicted, outside=outside)
    assert found == {
        "accuracy": pytest.approx(sum(t == p for t, p in seconds) / len(seconds)),
        "inside": pytest.approx(sum(inside) / len(inside)),
        "mean_class_recall": pytest.approx(sum(recalls) / len(recalls)),
    }


def test_without_a_step_nothing_is_inside():
    found = frame_accuracy([[0, 0, 0, 0]], [[0, 0, 0, 1]])
    assert math.isnan(found["inside"]) and found["accuracy"] == found["mean_class_recall"] == 0.75


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        ([], []),
        ([[]], [[]]),
        ([[1, 2]], [[1]]),
        ([[[1, 2]]], [[[1, 2]]]),
        ([[1, 2], [1, 2]], [[1, 2], [1]]),
    ],
)
def test_what_is_no_second_is_said(truth, predicted):
    with pytest.raises(ValueError, match="of one second at least"):
        frame_accuracy(truth, predicted)
