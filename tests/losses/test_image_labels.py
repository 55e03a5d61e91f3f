"""The multi-label loss against loops in Python."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sayso.losses import image_labels


def looped(scores: list[list[float]], labels: list[list[int]]) -> float:
    rows = [
        sum(math.log1p(math.exp(-y * f)) for f, y in zip(row, told, strict=True) if y != 0)
        for row, told in zip(scores, labels, strict=True)
    ]
    return sum(rows) / len(rows)


@given(st.data(), st.integers(1, 4), st.integers(1, 5))
def test_the_loss_is_the_sum_over_classes_that_are_known(data, B, K):
    numbers = st.lists(st.floats(-20, 20), min_size=K, max_size=K)
    said = st.lists(st.sampled_from([-1, 0, 1]), min_size=K, max_size=K)
    scores = data.draw(st.lists(numbers, min_size=B, max_size=B))
    labels = data.draw(st.lists(said, min_size=B, max_size=B))
    loss = image_labels(torch.tensor(scores, dtype=torch.float64), torch.tensor(labels))
    assert float(loss) == pytest.approx(looped(scores, labels), rel=1e-9, abs=1e-12)


def test_a_class_that_is_left_out_has_no_gradient_and_large_scores_stay_finite():
    scores = torch.tensor([[300.0, -300.0, 2.0]], requires_grad=True)
    loss = image_labels(scores, torch.tensor([[-1, 1, 0]]))
    loss.backward()
    assert loss.item() == pytest.approx(600)
    assert scores.grad.tolist() == [[1.0, -1.0, 0.0]]


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(2, 4\)"):
        image_labels(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"got \(3,\) and \(3,\)"):
        image_labels(torch.zeros(3), torch.zeros(3))
