"""InfoNCE is its formula, pair by pair, and its temperature can be learned."""

from __future__ import annotations

import math

import pytest
import torch

from sayso.losses import info_nce


def naive(visual, text, scale):
    visual, text = visual.detach(), text.detach()
    B, total = len(visual), 0.0
    for i in range(B):
        right = scale * float(visual[i] @ text[i])
        total += math.log(sum(math.exp(scale * float(visual[i] @ text[j])) for j in range(B))) - right
        total += math.log(sum(math.exp(scale * float(visual[j] @ text[i])) for j in range(B))) - right
    return total / (2 * B)


def draw(count):
    generator = torch.Generator().manual_seed(count)
    return (torch.randn(count, 4, generator=generator, dtype=torch.float64).requires_grad_() for _ in "vt")


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("scale", [1.0, 0.3, 5.0])
def test_is_the_formula_pair_by_pair(count, scale):
    visual, text = draw(count)
    assert info_nce(visual, text, scale).item() == pytest.approx(naive(visual, text, scale), abs=1e-12)


def test_gradients_match_finite_differences_that_of_the_temperature_too():
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(info_nce, (*draw(5), scale))


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(B, D\) .*; got \[\(2, 3\), \(3, 3\)\]"):
        info_nce(torch.zeros(2, 3), torch.zeros(3, 3))
