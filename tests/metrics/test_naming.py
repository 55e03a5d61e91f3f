from __future__ import annotations

import numpy as np
import pytest

from sayso.metrics.naming import (
    class_precision,
    most_likely,
    naming_scores,
    precision_curve,
    reliability,
)


def test_class_precision_is_the_mean_precision_at_each_right_item():
    r = np.random.default_rng(0)
    scores, truth = r.random((40, 3)), r.integers(0, 3, 40)
    for k, value in enumerate(class_precision(scores, truth)):
        order = np.argsort(-scores[:, k])
        right = [truth[n] == k for n in order]
        plain = [sum(right[: n + 1]) / (n + 1) for n in range(40) if right[n]]
        assert value == pytest.approx(np.mean(plain))


def test_the_curve_ends_at_the_accuracy_and_extremes_are_0_and_1():
    scores, truth = np.eye(3), np.arange(3)
    assert naming_scores(scores, truth) == {"accuracy": 1, "AP": 1, "mAP": 1}
    wrong = naming_scores(np.roll(scores, 1, 1), truth)
    assert wrong["accuracy"] == wrong["AP"] == 0
    named, precision = precision_curve([[0.9, 0.1], [0.3, 0.7]], [0, 0])
    assert named.tolist() == [0.5, 1] and precision.tolist() == [1, 0.5]


def test_what_is_no_naming_is_said():
    with pytest.raises(ValueError, match="within 0 to 1"):
        naming_scores([[0.1, 0.2]], [2])
    with pytest.raises(ValueError, match="got"):
        naming_scores([0.1], [0])


def test_the_likeliest_class_is_right_or_not_and_that_is_compared_with_its_probability():
    probabilities, truth = [[0.8, 0.2], [0.3, 0.7], [0.9, 0.1]], [0, 1, 1]
    confidence, right = most_likely(probabilities, truth)
    assert (confidence.tolist(), right.tolist()) == ([0.8, 0.7, 0.9], [True, True, False])
    found = reliability(probabilities, truth, bins=1)
    assert found["accuracy"] == pytest.approx(2 / 3) and found["confidence"] == pytest.approx(0.8)
    assert found["error"] == pytest.approx(0.8 - 2 / 3)


def test_the_mean_leaves_out_the_background_and_classes_that_are_nowhere():
    scores, truth = np.array([[0.9, 0.1, 0.2], [0.3, 0.7, 0.1], [0.8, 0.6, 0.5]]), [0, 1, 1]
    each = class_precision(scores, truth)
    assert each.tolist()[:2] == [1, 1] and np.isnan(each[2])
    scores[1] = [0.95, 0.05, 0.1]
    each = class_precision(scores, truth)
    assert each[0] == 0.5 and each[1] == pytest.approx((1 + 2 / 3) / 2)
    assert naming_scores(scores, truth)["mAP"] == pytest.approx(each[:2].mean())
    assert naming_scores(scores, truth, ignore=0)["mAP"] == pytest.approx(each[1])
    assert np.isnan(naming_scores(scores[:1], [0], ignore=0)["mAP"])
    for wrong in ([[np.nan, 1]], [[np.inf, 1]]):
        with pytest.raises(ValueError, match="within 0 to 1"):
            naming_scores(wrong, [0])
    for scores, truth in (([[0.1, 0.2]], [-1]), ([[0.1, 0.2]], [[0]]), ([[0.1, 0.2]], [0.0]), ([], [])):
        with pytest.raises(ValueError, match=r"within 0 to 1|expected scores \(N, C\)"):
            naming_scores(scores, truth)
