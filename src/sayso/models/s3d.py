"""S3D with feature gating: a clip of pixels to an embedding.

Inception blocks whose 3 x 3 x 3 convolutions are a spatial one and a temporal one; each branch is
scaled, channel by channel, by what the whole clip shows. Modules carry the names of the published
checkpoints, so that those load key by key.

Sources
    [1] Xie et al., ECCV 2018, S3D-G. https://arxiv.org/abs/1712.04851
    [2] Miech, Alayrac et al., CVPR 2020, which trains it on narration. https://arxiv.org/abs/1912.06430
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

Widths = tuple[int, int, int, int, int, int]  # a; b1, b2; c1, c2; e of an inception block
Size = tuple[int, int, int]  # along T, H, W

BLOCKS: dict[str, Widths] = {
    "mixed_3b": (64, 96, 128, 16, 32, 32),
    "mixed_3c": (128, 128, 192, 32, 96, 64),
    "mixed_4b": (192, 96, 208, 16, 48, 64),
    "mixed_4c": (160, 112, 224, 24, 64, 64),
    "mixed_4d": (128, 128, 256, 24, 64, 64),
    "mixed_4e": (112, 144, 288, 32, 64, 64),
    "mixed_4f": (256, 160, 320, 32, 128, 128),
    "mixed_5b": (256, 160, 320, 32, 128, 128),
    "mixed_5c": (384, 192, 384, 48, 128, 128),
}


class Conv(nn.Module):
    """A convolution without bias, batch norm and ReLU; one of 3 x 3 x 3 is 1 x 3 x 3, then 3 x 1 x 1.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: of the whole; ``separable`` cuts it into space and time.
        stride: of the whole, where it is not separable.
        padding: zeros on both sides; None: as many as keep the size ("same", odd kernels).
        separable: two convolutions, each with batch norm and ReLU.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Size = (1, 1, 1),
        *,
        stride: int = 1,
        padding: Size | None = None,
        separable: bool = False,
    ) -> None:
        super().__init__()
        t, h, w = kernel
        first = (1, h, w) if separable else kernel
        around = padding or (first[0] // 2, h // 2, w // 2)
        self.conv1 = nn.Conv3d(inputs, outputs, first, stride=stride, padding=around, bias=False)
        self.bn1 = nn.BatchNorm3d(outputs)
        self.conv2: nn.Conv3d | None = None
        if separable:
            self.conv2 = nn.Conv3d(outputs, outputs, (t, 1, 1), padding=(t // 2, 0, 0), bias=False)
            self.bn2 = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, T', H', W') of (B, inputs, T, H, W)."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return x if self.conv2 is None else F.relu(self.bn2(self.conv2(x)), inplace=True)


class Gating(nn.Module):
    """Scale each channel by a number between 0 and 1 that follows from the means of all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, T, H, W) of the same."""
        gate: Tensor = torch.sigmoid(self.fc(x.mean((2, 3, 4))))
        return x * gate[:, :, None, None, None]


class MaxPool(nn.Module):
    """Max pooling with the zeros of TensorFlow's SAME: half before, rounded down, the rest after."""

    def __init__(self, kernel: Size, stride: Size) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        extra = [max(k - s, 0) for k, s in zip(kernel, stride, strict=True)]
        self.padding = [side for e in reversed(extra) for side in (e // 2, e - e // 2)]  # W, H, T

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, T', H', W') of (B, C, T, H, W)."""
        return F.max_pool3d(F.pad(x, self.padding), self.kernel, self.stride, ceil_mode=True)


class Inception(nn.Module):
    """Four branches over the same input, side by side.

    Args:
        inputs: channels in.
        widths: channels of the branches, (a; b1, b2; c1, c2; e).
        gating: whether each branch is gated.
    """

    def __init__(self, inputs: int, widths: Widths, gating: bool) -> None:
        super().__init__()
        a, b1, b2, c1, c2, e = widths
        self.conv_b0 = Conv(inputs, a)
        self.conv_b1_a = Conv(inputs, b1)
        self.conv_b1_b = Conv(b1, b2, (3, 3, 3), separable=True)
        self.conv_b2_a = Conv(inputs, c1)
        self.conv_b2_b = Conv(c1, c2, (3, 3, 3), separable=True)
        self.maxpool_b3 = MaxPool((3, 3, 3), (1, 1, 1))
        self.conv_b3_b = Conv(inputs, e)
        self.outputs = a + b2 + c2 + e
        for number, channels in enumerate((a, b2, c2, e)):
            gate = Gating(channels) if gating else nn.Identity()
            self.add_module(f"gating_b{number}", gate)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, T, H, W) of (B, inputs, T, H, W)."""
        branches = (
            self.conv_b0(x),
            self.conv_b1_b(self.conv_b1_a(x)),
            self.conv_b2_b(self.conv_b2_a(x)),
            self.conv_b3_b(self.maxpool_b3(x)),
        )
        gates = (self.get_submodule(f"gating_b{number}") for number in range(4))
        return torch.cat([gate(branch) for gate, branch in zip(gates, branches, strict=True)], 1)


class S3D(nn.Module):
    """The video network of MIL-NCE.

    Args:
        dim: D, length of an embedding.
        space_to_depth: the stem of the published model: 2 x 2 x 2 neighbours become channels first.
            Without it, the stem is 3 x 7 x 7 with stride 2, as in the open training code.
        gating: whether channels are gated; plain S3D without.
        width: all channel counts are scaled by it, for training on little. 1 is as published.
    """

    def __init__(
        self, dim: int = 512, *, space_to_depth: bool = True, gating: bool = True, width: float = 1.0
    ) -> None:
        super().__init__()
        self.dim, self.space_to_depth = dim, space_to_depth
        self.options = {"dim": dim, "space_to_depth": space_to_depth, "gating": gating, "width": width}
        stem, middle = _scaled(64, width), _scaled(192, width)
        if space_to_depth:
            self.conv1 = Conv(24, stem, (2, 4, 4), padding=(1, 2, 2))
        else:
            self.conv1 = Conv(3, stem, (3, 7, 7), stride=2, padding=(1, 3, 3))
        self.maxpool_2a = MaxPool((1, 3, 3), (1, 2, 2))
        self.conv_2b = Conv(stem, stem)
        self.conv_2c = Conv(stem, middle, (3, 3, 3), separable=True)
        self.gating = Gating(middle) if gating else nn.Identity()
        self.maxpool_3a = MaxPool((1, 3, 3), (1, 2, 2))
        self.maxpool_4a = MaxPool((3, 3, 3), (2, 2, 2))
        self.maxpool_5a = MaxPool((2, 2, 2), (2, 2, 2))
        channels = middle
        for name, (a, b1, b2, c1, c2, e) in BLOCKS.items():
            block = Inception(channels, tuple(_scaled(c, width) for c in (a, b1, b2, c1, c2, e)), gating)  # type: ignore[arg-type]
            self.add_module(name, block)
            channels = block.outputs
        self.feature_dim = channels
        self.fc = nn.Linear(channels, dim)

    def forward(self, video: Tensor) -> Tensor:
        """Return embeddings (B, D), not normalised.

        Args:
            video: (B, 3, T, H, W) RGB in [0, 1], floating point; T, H and W even with the
                space-to-depth stem. The published models saw 32 frames at 10 a second, of 200 or 224 pixels.

        Raises:
            ValueError: if the shape is another.
        """
        embedding: Tensor = self.fc(self.features(video))
        return embedding

    def features(self, video: Tensor) -> Tensor:
        """Return what a classifier is trained on, (B, 1024) at width 1: mixed_5c, averaged over the clip.

        Args:
            video: as for ``forward``.

        Raises:
            ValueError: if the shape is another.
        """
        x = self.maxpool_2a(self._stem(video))
        x = self.maxpool_3a(self.gating(self.conv_2c(self.conv_2b(x))))
        pools = {"mixed_4b": self.maxpool_4a, "mixed_5b": self.maxpool_5a}  # before these blocks
        for name in BLOCKS:
            x = pools[name](x) if name in pools else x
            x = self.get_submodule(name)(x)
        features: Tensor = x.mean((2, 3, 4))
        return features

    def _stem(self, video: Tensor) -> Tensor:
        if video.ndim != 5 or video.shape[1] != 3:
            raise ValueError(f"S3D needs clips of (B, 3, T, H, W); got {tuple(video.shape)}")
        if not self.space_to_depth:
            stem: Tensor = self.conv1(video)
            return stem
        return cut_first(self.conv1(to_depth(video)))


def to_depth(video: Tensor) -> Tensor:
    """Return (B, 24, T/2, H/2, W/2) of (B, 3, T, H, W): channels in the order (dt, dh, dw, c).

    Raises:
        ValueError: if T, H or W is odd.
    """
    B, C, T, H, W = video.shape
    if T % 2 or H % 2 or W % 2:
        raise ValueError(f"the space-to-depth stem needs T, H and W even; got {T}, {H}, {W}")
    x = video.view(B, C, T // 2, 2, H // 2, 2, W // 2, 2).permute(0, 3, 5, 7, 1, 2, 4, 6)
    return x.reshape(B, 8 * C, T // 2, H // 2, W // 2)


def cut_first(x: Tensor) -> Tensor:
    """Return x without the first index of T, H and W, which an even kernel adds."""
    return x[:, :, 1:, 1:, 1:]


def _scaled(channels: int, width: float) -> int:
    return max(1, round(channels * width))
