"""Convolutions in bfloat16: what they give, and what they keep of a network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from sayso.models import convolution
from sayso.models.convolution import (
    Convolution,
    computes_bfloat16,
    convolve,
    in_strips,
    rectified_mean,
)

CPU = torch.device("cpu")
needs_bfloat16 = pytest.mark.skipif(
    not computes_bfloat16(CPU), reason="this processor does not compute in bfloat16"
)


@pytest.mark.parametrize("mean", [-7.0, -0.5, 0.0, 2.0, 5.9, 11.0])
@pytest.mark.parametrize("deviation", [-3.0, 0.0, 0.4, 2.0])
def test_the_mean_of_rectified_values_is_that_of_the_integral(mean, deviation):
    if deviation:
        spread = abs(deviation)
        expected, _ = quad(lambda z: np.clip(mean + spread * z, 0, 6) * norm.pdf(z), -9, 9, limit=200)
    else:
        expected = min(max(mean, 0), 6)
    given = rectified_mean(torch.tensor(mean), torch.tensor(deviation))
    assert float(given) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("groups", [1, 24])
def test_rounded_weights_keep_the_mean_of_every_output(groups):
    g = torch.Generator().manual_seed(groups)
    weight = torch.randn(24, 24 // groups, 3, 3, generator=g)
    bias, means = torch.randn(24, generator=g), 3 + torch.rand(24, generator=g)
    layer = Convolution(weight, bias, 1, groups, relu6=False)
    rounded = layer.in_bfloat16(means)
    assert rounded.weight.dtype == torch.bfloat16
    assert rounded.bias.dtype == torch.float32
    plane = means[None, :, None, None].expand(1, 24, 5, 5).double()

    def middle(kernel, offset):
        y = torch.nn.functional.conv2d(plane, kernel.double(), offset.double(), groups=groups)
        return y[0, :, 1, 1]

    exact = middle(weight, bias)
    assert (middle(rounded.weight, rounded.bias) - exact).abs().max() < 1e-5
    assert (middle(rounded.weight, bias) - exact).abs().max() > 1e-3  # the rounding alone moves them


@needs_bfloat16
@pytest.mark.parametrize("rectifier", ["none", "relu", "relu6"])
@pytest.mark.parametrize(("groups", "stride", "padding"), [(1, 1, (1, 1)), (16, 2, (1, 1)), (1, 1, (1, 0))])
def test_a_convolution_in_bfloat16_is_rounded_once_behind_its_float32_bias(
    rectifier, groups, stride, padding
):
    g = torch.Generator().manual_seed(3)
    kernel = (3, 1) if padding[1] == 0 else (3, 3)
    x = torch.randn(2, 16, 9, 9, generator=g).bfloat16()
    weight = torch.randn(16, 16 // groups, *kernel, generator=g).bfloat16()
    bias = 100 + torch.rand(16, generator=g)  # in bfloat16 they would be wrong by up to 0.25
    weight[8:] -= 11 * (groups == 1)
    y = convolve(x, weight, bias, rectifier, padding, stride, groups)
    sums = torch.nn.functional.conv2d(
        x.double(), weight.double(), bias.double(), stride, padding, groups=groups
    )
    high = {"none": torch.inf, "relu": torch.inf, "relu6": 6.0}[rectifier]
    expected = sums if rectifier == "none" else sums.clamp(0, high)
    assert y.dtype == torch.bfloat16
    assert (y.double() - expected).abs().max() <= (expected.abs() * 2**-8 + 1e-3).max()
    small = bias.clone() / 1000  # sums near zero show the bias itself
    near = convolve(x * 0, weight, small, "none", padding, stride, groups)
    assert torch.equal(near[0, :, 0, 0], small.bfloat16())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_what_the_one_pass_does_not_know_takes_torchs_own(dtype, monkeypatch):
    """oneDNN has no float64, and on processors without AVX-512 neither of the short types."""
    monkeypatch.setattr(convolution, "native_bfloat16", lambda device: False)
    monkeypatch.setattr(convolution, "convolve", None)
    g = torch.Generator().manual_seed(1)
    x, weight, bias = (torch.randn(*size, generator=g) for size in ((2, 8, 5, 5), (4, 8, 3, 3), (4,)))
    with torch.inference_mode():
        found = Convolution(weight.to(dtype), bias.to(dtype), 1, 1, relu6=True)(x.to(dtype))
        expected = torch.nn.functional.conv2d(x, weight, bias, padding=1).clamp(0, 6)
    assert found.dtype == dtype
    assert (found.float() - expected).abs().max() < 0.1


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("height", [2, 6, 22])
@pytest.mark.parametrize("count", [1, 3])
def test_strips_give_what_the_whole_picture_gives(kernel, stride, height, count, monkeypatch):
    g = torch.Generator().manual_seed(height)
    wide, deep = torch.randn(12, 4, 1, 1, generator=g), torch.randn(12, 1, kernel, kernel, generator=g)
    last = torch.randn(6, 12, 3, 3, generator=g)
    layers = [
        Convolution(wide, torch.randn(12, generator=g), 1, 1, relu6=True),
        Convolution(deep, torch.randn(12, generator=g), stride, 12, relu6=True),
        Convolution(last, torch.randn(6, generator=g), 1, 1, relu6=False),
    ]
    x = torch.randn(count, 4, height, 8, generator=g).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = x
        for layer in layers:
            expected = layer(expected)
        for strip in (1, 4 * count * 12 * 8, 2**22):  # a row of the output at a time, four of the input, all
            monkeypatch.setattr(convolution, "STRIP", strip)
            torch.testing.assert_close(in_strips(layers, x), expected, rtol=1e-5, atol=1e-4)
