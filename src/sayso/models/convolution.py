"""Convolutions of networks that see pictures, each with the batch normalisation behind it folded in.

In bfloat16 they take half the time where the processor computes in it. Most of what that loses is kept at no
cost. Biases, the largest part, stay float32: oneDNN's kernel takes them beside bfloat16 weights, though
``torch.nn.functional`` does not. And rounded weights W' shift an output by (W' - W) x, whose mean is taken
off the bias [1]: b' = b + (W - W') E[x]. Nothing is measured for E[x]: a batch normalisation gives values of
mean beta and deviation gamma.

Source
    [1] Nagel et al. 2019, Data-free quantization through weight equalization and bias correction,
        section 4.2. https://arxiv.org/abs/1906.04721
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from sayso.core.device import native_bfloat16

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Rectifier = Literal["none", "relu", "relu6"]
STRIP = 2**22
"""Numbers in the widest map of a strip: 16 MB, which malloc keeps; above 32 MB it never does."""


class Convolution(NamedTuple):
    """A convolution with its batch normalisation folded in: each its own channel, or all by all.

    In bfloat16 it works in torch's inference mode alone; see ``computes_bfloat16``.
    """

    weight: Tensor  # (D_out, D_in / groups, k, k)
    bias: Tensor  # (D_out), float32
    stride: int
    groups: int  # 1 or D_in
    relu6: bool

    def __call__(self, x: Tensor) -> Tensor:
        """(B, D_in, H, W) -> (B, D_out, H / stride, W / stride)."""
        import torch
        from torch.nn.functional import conv2d

        padding = self.weight.shape[-1] // 2
        if torch.is_inference_mode_enabled() and fuses(x.device, x.dtype):
            rectifier: Rectifier = "relu6" if self.relu6 else "none"
            return convolve(
                x, self.weight, self.bias, rectifier, (padding, padding), self.stride, self.groups
            )
        x = conv2d(x, self.weight, self.bias, self.stride, padding, 1, self.groups)
        return x.clamp_(0, 6) if self.relu6 else x

    def in_bfloat16(self, means: Tensor) -> Convolution:
        """Return the same with rounded weights, whose mean shift is taken off the bias.

        Args:
            means: (D_in,), what each input is on average.
        """
        rounded = self.weight.bfloat16()
        lost = (self.weight - rounded).sum((2, 3))  # (D_out, D_in / groups)
        shift = lost[:, 0] * means if self.groups > 1 else lost @ means
        return self._replace(weight=rounded, bias=self.bias + shift)


def in_strips(layers: Sequence[Convolution], x: Tensor) -> Tensor:
    """Go through layers, some rows after the others where maps are large; without gradients.

    The memory of large maps is mapped and cleared anew at every layer; malloc keeps that of strips. Rows near
    the edge of a strip are computed twice.

    Args:
        layers: one after the other; sides of all maps are divided by their strides without rest.
        x: (B, D_in, H, W), channels last.

    Returns:
        (B, D_out, H / stride, W / stride), stride the product of the layers', the same but for rounding.
    """
    stride, reach, widest = 1, 0, 1.0
    for layer in reversed(layers):
        stride, reach = stride * layer.stride, reach * layer.stride + layer.weight.shape[-1] // 2
    down = 1
    for layer in layers:
        down *= layer.stride
        widest = max(widest, x.shape[0] * len(layer.weight) * x.shape[3] / down**2)  # of one row of x
    rows = max(1, int(STRIP / widest) // stride)
    height, width = x.shape[2] // stride, x.shape[3] // stride
    made: Tensor | None = None
    for start in range(0, height, rows):
        stop, margin = min(start + rows, height), -(-reach // stride)
        first = max(0, start - margin)
        y = x[:, :, first * stride : (stop + margin) * stride]
        for layer in layers:
            y = layer(y)
        if made is None:
            if stop == height:
                return y
            made = y.new_empty(len(x), height, width, y.shape[1]).permute(0, 3, 1, 2)
        made[:, :, start:stop] = y[:, :, start - first : stop - first]
    return x if made is None else made


def fuses(device: torch.device, dtype: torch.dtype) -> bool:
    """Tell whether ``convolve`` works on a device, with values of a type."""
    import torch

    known = dtype == torch.float32 or (dtype == torch.bfloat16 and native_bfloat16(device))
    return device.type == "cpu" and known and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether ``convolve`` works in bfloat16 on a device, and is faster than in float32 there."""
    import torch

    return fuses(device, torch.bfloat16)


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    rectifier: Rectifier,
    padding: tuple[int, int],
    stride: int = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve, add a float32 bias and rectify, in one pass over memory; without gradients.

    Args:
        x: (B, D_in, H, W) float32 or bfloat16.
        weight: (D_out, D_in / groups, k, l), of the same type.
        bias: (D_out,) float32.
        rectifier: what the sums go through.
        padding: rows and columns of zeros on each side.
        stride: of both directions.
        groups: into which the channels are split.

    Returns:
        (B, D_out, H', W') of that type; in bfloat16 rounded once, at the end.
    """
    import torch

    name, limits = {"none": ("none", []), "relu": ("relu", []), "relu6": ("hardtanh", [0.0, 6.0])}[rectifier]
    y: Tensor = torch.ops.mkldnn._convolution_pointwise(
        x, weight, bias, padding, (stride, stride), (1, 1), groups, name, limits, ""
    )
    return y


def rectified_mean(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the mean of normal values that are cut off below 0 and above 6.

    Args:
        mean: of the values, any shape.
        deviation: of the values, of the same shape; its sign does not count.
    """
    import torch

    deviation = deviation.abs().clamp(min=1e-6)
    low, high = -mean / deviation, (6 - mean) / deviation
    density = ((-(low**2) / 2).exp() - (-(high**2) / 2).exp()) / math.sqrt(2 * math.pi)
    below, above = torch.special.ndtr(low), torch.special.ndtr(-high)
    cut: Tensor = mean * (1 - below - above) + deviation * density + 6 * above
    return cut


def fold_batch_norm(state: dict[str, Tensor], conv: str, norm: str, epsilon: float) -> tuple[Tensor, Tensor]:
    """Return the kernel and bias of gamma (Wx - mean) / sqrt(var + epsilon) + beta.

    Args:
        state: the network's weights by name.
        conv: name of a convolution, whose kernel is (D, C, H, W).
        norm: name of the batch norm behind it, (D,).
        epsilon: of the batch norm.
    """
    gain = state[norm + ".weight"] * (state[norm + ".running_var"] + epsilon).rsqrt()
    bias = state[norm + ".bias"] - state[norm + ".running_mean"] * gain
    return state[conv + ".weight"] * gain[:, None, None, None], bias
