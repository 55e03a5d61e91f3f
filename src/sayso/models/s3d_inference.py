"""S3D for inference, faster: the same numbers up to rounding, from fewer passes over memory.

Batch norm is part of the convolution before it. Activations lie as (B, T, H, W, C) throughout, so
that a 1 x 1 x 1 convolution is a matrix product and a separable one two planar convolutions, without
copies. Gates write their branch where the block's output will be. In bfloat16, CPUs and GPUs use
their matrix units; gates and the last layer stay float32.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sayso.models.convolution import convolve, fuses
from sayso.models.s3d import BLOCKS, S3D, Conv, Gating, Inception, MaxPool, to_depth

Layer = Callable[[Tensor], Tensor]  # (B, T, H, W, C) -> (B, T', H', W', C')


class FastS3D:
    """A copy of an S3D that only infers.

    Args:
        net: the network; later changes of it do not reach the copy.
        dtype: of convolutions and activations: float32 or bfloat16.
    """

    def __init__(self, net: S3D, dtype: torch.dtype = torch.float32) -> None:
        self.dim, self.feature_dim, self.dtype = net.dim, net.feature_dim, dtype
        with torch.no_grad():
            self._stem = (
                _depth_stem(net.conv1, dtype) if net.space_to_depth else _plain_stem(net.conv1, dtype)
            )
            self._layers = self._body(net)
            self._weight, self._bias = net.fc.weight.float().clone(), net.fc.bias.float().clone()

    def __call__(self, video: Tensor) -> Tensor:
        """Return embeddings (B, D) float32 of (B, 3, T, H, W) RGB in [0, 1]; see ``S3D.forward``."""
        with torch.inference_mode():
            return F.linear(self.features(video), self._weight, self._bias)

    def features(self, video: Tensor) -> Tensor:
        """Return (B, F) float32; see ``S3D.features``.

        Raises:
            ValueError: if the shape is another.
        """
        if video.ndim != 5 or video.shape[1] != 3:
            raise ValueError(f"S3D needs clips of (B, 3, T, H, W); got {tuple(video.shape)}")
        with torch.inference_mode():
            x = self._stem(video.to(self.dtype))
            for layer in self._layers:
                x = layer(x)
            return _means(x)

    def _body(self, net: S3D) -> list[Layer]:
        d = self.dtype
        blocks: list[Layer] = [_block(net.get_submodule(name), d) for name in BLOCKS]
        gate: list[Layer] = [_gated(net.gating)] if isinstance(net.gating, Gating) else []
        return [
            _pool(net.maxpool_2a),
            _conv(net.conv_2b, d),
            _conv(net.conv_2c, d),
            *gate,
            _pool(net.maxpool_3a),
            *blocks[:2],
            _pool(net.maxpool_4a),
            *blocks[2:7],
            _pool(net.maxpool_5a),
            *blocks[7:],
        ]


def fold_batch_norm_3d(conv: nn.Conv3d, norm: nn.BatchNorm3d) -> tuple[Tensor, Tensor]:
    """Return weight and bias, float32, of a convolution that does what both do at inference."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise ValueError("only a batch norm with running statistics can be folded")
    scale = norm.weight.float() * (variance.float() + norm.eps).rsqrt()
    return conv.weight.float() * scale[:, None, None, None, None], norm.bias.float() - mean.float() * scale


def _conv(conv: Conv, dtype: torch.dtype) -> Layer:
    weight, bias = fold_batch_norm_3d(conv.conv1, conv.bn1)
    if conv.conv2 is None:
        point = _rectified(weight[:, :, 0], bias, dtype)
        return lambda x: _planes(x.flatten(0, 1), point).reshape(*x.shape[:4], -1)
    later, later_bias = fold_batch_norm_3d(conv.conv2, conv.bn2)
    space = _rectified(weight[:, :, 0], bias, dtype, (1, 1))
    time = _rectified(later[..., 0], later_bias, dtype, (1, 0))

    def separable(x: Tensor) -> Tensor:
        B, T, H, W, _ = x.shape
        x = _planes(x.flatten(0, 1), space)
        return _planes(x.reshape(B, T, H * W, -1), time).reshape(B, T, H, W, -1)

    return separable


def _rectified(weight: Tensor, bias: Tensor, dtype: torch.dtype, padding: tuple[int, int] = (0, 0)) -> Layer:
    """Return a convolution of planes with ReLU behind it: (N, C, H, W) -> (N, D, H', W').

    Args:
        weight: (D, C, k, l) float32.
        bias: (D,) float32, which it stays where ``convolve`` works.
        dtype: of the planes.
        padding: rows and columns of zeros on each side.
    """
    kernel = weight.to(dtype).contiguous(memory_format=torch.channels_last)
    if fuses(kernel.device, dtype):
        return lambda planes: convolve(planes, kernel, bias, "relu", padding)
    rounded = bias.to(dtype)
    return lambda planes: F.conv2d(planes, kernel, rounded, padding=padding).relu_()


def _planes(x: Tensor, what: Layer) -> Tensor:
    """Do something to (N, C, H, W) that lies in memory as the (N, H, W, C) given."""
    return what(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def _depth_stem(conv: Conv, dtype: torch.dtype) -> Layer:
    """Return the space-to-depth stem: a frame and the next are one plane of 48 channels."""
    weight, bias = fold_batch_norm_3d(conv.conv1, conv.bn1)
    plane = _rectified(torch.cat([weight[:, :, 0], weight[:, :, 1]], 1), bias, dtype)

    def stem(video: Tensor) -> Tensor:
        x = F.pad(to_depth(video).permute(0, 2, 3, 4, 1), (0, 0, 1, 2, 1, 2, 0, 1))
        B, T, H, W = len(x), x.shape[1] - 1, x.shape[2] - 3, x.shape[3] - 3
        pairs = torch.cat([x[:, :-1], x[:, 1:]], -1).flatten(0, 1)
        return _planes(pairs, plane).reshape(B, T, H, W, -1)

    return stem


def _plain_stem(conv: Conv, dtype: torch.dtype) -> Layer:
    weight, bias = (x.to(dtype) for x in fold_batch_norm_3d(conv.conv1, conv.bn1))
    kernel = weight.contiguous(memory_format=torch.channels_last_3d)

    def stem(video: Tensor) -> Tensor:
        x = video.contiguous(memory_format=torch.channels_last_3d)
        y = F.conv3d(x, kernel, bias, stride=2, padding=(1, 3, 3)).relu_()
        return y.permute(0, 2, 3, 4, 1).contiguous()

    return stem


def _pool(pool: MaxPool) -> Layer:
    """Return the pooling of activations >= 0, for which zeros around are as good as none."""
    (t, side, _), (along, stride, _) = pool.kernel, pool.stride
    before = max(side - stride, 0) // 2

    def layer(x: Tensor) -> Tensor:
        x = _pool_time(x, t, along)
        B, T, H, W, C = x.shape
        if before == 0 and side > stride and (H % 2 or W % 2):  # a window reaches beyond the last row
            x = F.pad(x, (0, 0, 0, W % 2, 0, H % 2))
        y = _planes(x.flatten(0, 1), lambda p: F.max_pool2d(p, side, stride, before, ceil_mode=True))
        return y.reshape(B, T, y.shape[1], y.shape[2], C)

    return layer


def _pool_time(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Return the maximum over ``kernel`` frames: around each frame, or from every second one on."""
    if kernel == 1:
        return x
    if stride == 1:
        y = x.clone()
        torch.maximum(y[:, 1:], x[:, :-1], out=y[:, 1:])
        torch.maximum(y[:, :-1], x[:, 1:], out=y[:, :-1])
        return y
    y = x[:, ::2].clone()
    for offset in range(1, kernel):
        later = x[:, offset::2]
        torch.maximum(y[:, : later.shape[1]], later, out=y[:, : later.shape[1]])
    return y


def _block(block: nn.Module, dtype: torch.dtype) -> Layer:
    if not isinstance(block, Inception):
        raise TypeError(f"expected an inception block; got {type(block).__name__}")
    chains: list[list[Layer]] = [
        [_conv(block.conv_b0, dtype)],
        [_conv(block.conv_b1_a, dtype), _conv(block.conv_b1_b, dtype)],
        [_conv(block.conv_b2_a, dtype), _conv(block.conv_b2_b, dtype)],
        [_pool(block.maxpool_b3), _conv(block.conv_b3_b, dtype)],
    ]
    gates = [_gate(block.get_submodule(f"gating_b{number}")) for number in range(4)]

    def layer(x: Tensor) -> Tensor:
        y = x.new_empty(*x.shape[:4], block.outputs)
        start = 0
        for chain, gate in zip(chains, gates, strict=True):
            branch = x
            for step in chain:
                branch = step(branch)
            part = y[..., start : start + branch.shape[-1]]
            torch.mul(branch, gate(branch), out=part)
            start += branch.shape[-1]
        return y

    return layer


def _gated(gating: Gating) -> Layer:
    gate = _gate(gating)
    return lambda x: x.mul_(gate(x))


def _gate(gating: nn.Module) -> Layer:
    """Return the function that gives a branch its gate, (B, 1, 1, 1, C)."""
    if not isinstance(gating, Gating):
        return lambda x: x.new_ones(())
    weight, bias = gating.fc.weight.float().clone(), gating.fc.bias.float().clone()

    def gate(x: Tensor) -> Tensor:
        return F.linear(_means(x), weight, bias).sigmoid().to(x.dtype)[:, None, None, None]

    return gate


def _means(x: Tensor) -> Tensor:
    """Return the means over T, H, W: (B, C) float32.

    By frame first: pooling sums in float32 as it reads bfloat16, where ``mean`` would write a copy of all.
    """
    B, T, H, W, C = x.shape
    frames = F.avg_pool2d(x.flatten(0, 1).permute(0, 3, 1, 2), (H, W))  # (B T, C, 1, 1)
    return frames.reshape(B, T, C).mean(1, dtype=torch.float32)
