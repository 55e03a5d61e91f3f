"""Calibration equals a plain loop over bins, and knows what is perfect and what is worst."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sayso.metrics.calibration import calibration


@pytest.mark.parametrize("bins", [1, 4, 10])
def test_equals_a_plain_loop(bins):
    draws = np.random.default_rng(bins)
    sure, right = draws.random(200), draws.random(200) < 0.6
    sure[:2] = 0, 1
    found = calibration(sure, right, bins=bins)
    error = 0.0
    for b, own in enumerate(found.bins):
        low, high = b / bins, (b + 1) / bins
        inside = [n for n in range(200) if low <= sure[n] < high or (b == bins - 1 and sure[n] == 1)]
        assert (own.low, own.high, own.count) == (low, high, len(inside))
        confidence = sum(sure[n] for n in inside) / len(inside)
        accuracy = sum(bool(right[n]) for n in inside) / len(inside)
        assert (own.confidence, own.accuracy) == (pytest.approx(confidence), pytest.approx(accuracy))
        error += len(inside) / 200 * abs(confidence - accuracy)
    assert found.error == pytest.approx(error)
    assert found.brier == pytest.approx(sum((sure[n] - right[n]) ** 2 for n in range(200)) / 200)


def test_what_is_perfect_and_what_is_worst():
    perfect = calibration([0.75] * 4 + [0.25] * 4, [1, 1, 1, 0, 1, 0, 0, 0])
    assert (perfect.error, perfect.brier) == (0, pytest.approx(0.1875))
    worst = calibration([1, 1, 0], [0, 0, 1])
    assert (worst.error, worst.brier) == (1, 1)
    assert math.isnan(worst.bins[5].accuracy) and worst.bins[5].count == 0


@pytest.mark.parametrize(("sure", "right"), [([], []), ([0.1], [1, 0]), ([1.1], [1]), ([-0.1], [1])])
def test_what_is_no_confidence_is_said(sure, right):
    with pytest.raises(ValueError, match=r"expected confidences|within 0 and 1"):
        calibration(sure, right)


def test_what_rounding_puts_above_one_counts_as_one():
    assert calibration([1 + 1e-9, 0], [True, False]).bins[-1].count == 1
