"""Micro-batches give the gradient of the whole batch, whatever dropout and statistics do."""

from __future__ import annotations

import copy
import weakref

import pytest
import torch
from torch import nn

from sayso.engine.gradient_cache import cached_backward


class Towers(nn.Module):
    """Two towers with dropout: pictures (B, 6), texts (B, 4) -> two embeddings (B, 5)."""

    def __init__(self, dropout: float = 0.0, norm: bool = False) -> None:
        super().__init__()
        self.left = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8) if norm else nn.Tanh(), nn.Linear(8, 5))
        self.right = nn.Linear(4, 5)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pictures: torch.Tensor, texts: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.left(self.dropout(pictures)), self.right(self.dropout(texts))


def info_nce(embeddings: tuple[torch.Tensor, ...]) -> torch.Tensor:
    left, right = embeddings
    return nn.functional.cross_entropy(left @ right.T, torch.arange(len(left)))


def batch(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(rows, 6, generator=generator).double(), torch.randn(
        rows, 4, generator=generator
    ).double()


def cached(model, inputs, loss, size):
    """Run ``cached_backward`` in micro-batches of ``size`` rows."""
    parts = list(zip(*(tensor.split(size) for tensor in inputs), strict=True))
    return cached_backward(lambda n: model(*parts[n]), len(parts), loss, model=model)


@pytest.mark.parametrize("size", [1, 3, 4, 12, 50])
def test_is_the_gradient_of_the_whole_batch(size):
    torch.manual_seed(0)
    model = Towers().double()
    other = copy.deepcopy(model)
    inputs = batch(12)
    value = cached(model, inputs, info_nce, size)
    whole = info_nce(other(*inputs))
    whole.backward()
    assert value.item() == pytest.approx(whole.item(), rel=1e-14)
    assert not value.requires_grad
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("size", [1, 5])
def test_what_the_loss_learns_gets_its_gradient_once(size):
    torch.manual_seed(0)
    model, log_scale = Towers().double(), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    other, other_scale = copy.deepcopy(model), log_scale.detach().clone().requires_grad_()
    inputs = batch(12)
    cached(model, inputs, lambda e: info_nce((log_scale.exp() * e[0], e[1])), size)
    left, right = other(*inputs)
    info_nce((other_scale.exp() * left, right)).backward()
    torch.testing.assert_close(log_scale.grad, other_scale.grad, rtol=1e-12, atol=0)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-12, atol=1e-15)


def test_embeddings_may_have_more_rows_than_the_batch_and_may_be_frozen():
    """Three texts a picture, as in a bag laid flat; the pictures' tower does not learn."""
    torch.manual_seed(0)
    model = Towers().double()
    for parameter in model.left.parameters():
        parameter.requires_grad_(False)
    other = copy.deepcopy(model)
    pictures, texts = batch(6)[0], batch(18)[1]

    def loss(embeddings):
        left, right = embeddings
        return (left[:, None] * right.view(len(left), 3, -1)).sum().square()

    parts = list(zip(pictures.split(4), texts.split(12), strict=True))
    cached_backward(lambda n: model(*parts[n]), 2, loss, model=model)
    loss(other(pictures, texts)).backward()
    torch.testing.assert_close(model.right.weight.grad, other.right.weight.grad, rtol=1e-12, atol=0)
    assert model.left[0].weight.grad is None


def test_dropout_falls_the_same_way_in_both_passes():
    """The gradient matches finite differences of the loss whose masks are drawn a micro-batch at a time."""
    torch.manual_seed(0)
    model = Towers(dropout=0.5).double()
    inputs = batch(6)
    torch.manual_seed(7)
    cached(model, inputs, info_nce, 2)
    after = torch.rand(1)

    def loss() -> float:
        torch.manual_seed(7)
        parts = [model(*part) for part in zip(*(tensor.split(2) for tensor in inputs), strict=True)]
        return float(info_nce(tuple(map(torch.cat, zip(*parts, strict=True)))).detach())

    weight, step = model.right.weight, 1e-6
    for position in [(0, 0), (3, 2), (4, 3)]:
        with torch.no_grad():
            weight[position] += step
            up = loss()
            weight[position] -= 2 * step
            down = loss()
            weight[position] += step
        assert weight.grad[position].item() == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-8)
    loss()
    assert torch.rand(1) == after, "random numbers go on as after a single pass"


def test_running_statistics_count_each_micro_batch_once():
    torch.manual_seed(0)
    model = Towers(norm=True).double()
    other = copy.deepcopy(model)
    inputs = batch(12)
    cached(model, inputs, info_nce, 4)
    for part in inputs[0].split(4):
        other.left(part)
    torch.testing.assert_close(model.left[1].running_mean, other.left[1].running_mean)
    torch.testing.assert_close(model.left[1].running_var, other.left[1].running_var)
    assert model.left[1].num_batches_tracked == 3


def test_holds_the_activations_of_one_micro_batch_only():
    kept, alive = weakref.WeakSet(), []

    class Saved:
        def __init__(self, tensor: torch.Tensor) -> None:
            self.tensor = tensor
            kept.add(self)

    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
                both = (x * self.weight).sin(), x * self.weight
            alive.append(len(kept))
            return both

    cached(Wide(), (torch.randn(40, 3),), lambda e: (e[0] @ e[1].T).logsumexp(1).mean(), 4)
    assert alive == [0] * 10 + [alive[10]] * 10
    assert alive[10] > 0
