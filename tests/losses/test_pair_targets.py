"""Which texts are right for which pictures, against the matrix written out."""

from __future__ import annotations

import pytest
import torch

from sayso.losses import pair_targets
from sayso.losses.pair_targets import PairTargets, inner

LABELS = torch.tensor([4, 1, 4, 2, 1, 4])


def draw(B, G, D=3):
    generator = torch.Generator().manual_seed(B)
    return [torch.randn(n, D, generator=generator, dtype=torch.float64).requires_grad_() for n in (B, G)]


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("labels", [LABELS, None])
def test_each_process_has_its_rows_of_the_matrix(monkeypatch, rank, mean, smoothing, labels):
    """Three processes of two rows each."""
    monkeypatch.setattr(pair_targets, "rank", lambda: rank)
    monkeypatch.setattr(pair_targets, "processes", lambda: 3)
    monkeypatch.setattr(pair_targets, "gather", lambda own: labels)
    image, text = draw(2, 6)
    own = slice(2 * rank, 2 * rank + 2)
    given = None if labels is None else labels[own]
    targets = PairTargets.of(given, 2, text, mean=mean, smoothing=smoothing)
    every = torch.arange(6) if labels is None else labels
    right = (every[own, None] == every).double()
    share = right / right.sum(1, keepdim=True) if mean else right
    P = (1 - smoothing) * share + smoothing / 6
    score = (P * (image @ text.T)).sum()
    torch.testing.assert_close(targets.score(image, text), score)
    assert int(targets.pairs(2)) == int(right.sum())
    found = torch.zeros_like(image), torch.zeros_like(text)
    targets.add_gradients(*found, image, text, -2.0)
    slopes = torch.zeros(2, 6, dtype=torch.float64)
    targets.subtract_own(slopes, 0, -2.0)
    assert not slopes.any(), "labels are not a diagonal"
    for ours, theirs in zip(found, torch.autograd.grad(score, (image, text)), strict=True):
        torch.testing.assert_close(ours, -2 * theirs)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_one_process_without_labels_has_a_diagonal(smoothing):
    _, text = draw(6, 6)
    targets = PairTargets.of(None, 6, text, mean=True, smoothing=smoothing)
    assert targets.rows is targets.columns is targets.weights is None
    assert targets.pairs(6) == 6
    slopes = torch.ones(2, 6, dtype=torch.float64)
    targets.subtract_own(slopes, 3, 2.0)
    expected = torch.ones(2, 6, dtype=torch.float64)
    expected[0, 3] = expected[1, 4] = 1 - 2 * (1 - smoothing)
    torch.testing.assert_close(slopes, expected)


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 700])
def test_the_inner_product_is_over_all_rows(rows):
    one, two = draw(rows, rows)
    torch.testing.assert_close(inner(one, two), (one * two).sum())
