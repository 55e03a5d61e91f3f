"""Pooling of score maps against loops, and how the rules relate."""

from __future__ import annotations

import math

import pytest
import torch

from sayso.models.score_map_head import MapHead, pool


def looped(values: list[float], how: str, r: float) -> float:
    if how == "max":
        return max(values)
    if how == "average":
        return sum(values) / len(values)
    return math.log(sum(math.exp(r * value) for value in values) / len(values)) / r


@pytest.mark.parametrize("how", ["max", "average", "lse"])
@pytest.mark.parametrize("padded", [False, True])
def test_pooling_is_what_the_formula_says(how, padded):
    chance = torch.Generator().manual_seed(3)
    maps = torch.randn(3, 2, 4, 5, generator=chance, dtype=torch.float64)
    inside = torch.rand(3, 4, 5, generator=chance) < 0.5 if padded else None
    got = pool(maps, how, inside, sharpness=2.5)
    for i in range(3):
        for k in range(2):
            places = maps[i, k] if inside is None else maps[i, k][inside[i]]
            assert float(got[i, k]) == pytest.approx(looped(places.flatten().tolist(), how, 2.5))


def test_log_sum_exp_lies_between_average_and_max_and_reaches_both():
    maps = torch.randn(4, 3, 6, 6, dtype=torch.float64)
    low, high = pool(maps, "average"), pool(maps, "max")
    between = pool(maps, "lse", sharpness=3.0)
    assert (low <= between).all() and (between <= high).all()
    assert torch.allclose(pool(maps, "lse", sharpness=1e-5), low, atol=1e-4)
    assert torch.allclose(pool(maps, "lse", sharpness=1e4), high, atol=1e-2)


@pytest.mark.parametrize("how", ["max", "average", "lse"])
def test_padding_has_no_say_and_gets_no_gradient(how):
    maps = torch.randn(2, 3, 4, 4)
    inside = torch.ones(2, 4, 4, dtype=torch.bool)
    inside[:, 2:] = False
    wild = maps.clone()
    wild[:, :, 2:] = 1e4
    wild.requires_grad_()
    assert torch.allclose(pool(wild, how, inside), pool(maps[:, :, :2], how), atol=1e-6)
    pool(wild, how, inside).sum().backward()
    assert wild.grad is not None and not wild.grad[:, :, 2:].any()


def test_only_the_best_place_learns_by_max_and_all_by_average():
    maps = torch.randn(1, 1, 3, 3, requires_grad=True)
    pool(maps, "max").sum().backward()
    assert int((maps.grad != 0).sum()) == 1
    maps.grad = None
    pool(maps, "average").sum().backward()
    assert torch.allclose(maps.grad, torch.full((1, 1, 3, 3), 1 / 9))


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="'max', 'average' or 'lse'; got 'median'"):
        pool(torch.zeros(1, 1, 2, 2), "median")


@pytest.mark.parametrize("hidden", [0, 7])
def test_a_head_scores_each_place_on_its_own(hidden):
    head = MapHead(5, 3, hidden).eval()
    features = torch.randn(2, 5, 4, 6)
    maps = head(features)
    assert maps.shape == (2, 3, 4, 6)
    assert torch.allclose(head(features[:, :, 1:2, 3:4])[..., 0, 0], maps[:, :, 1, 3], atol=1e-6)
