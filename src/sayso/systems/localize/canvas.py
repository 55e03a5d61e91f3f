"""Pictures of any shape as canvases that lie side by side: scaled, mirrored, padded.

A canvas has four channels: RGB, and 255 where the picture is. What is around it has the colour that
becomes 0 for the backbone, and has no say in what a picture shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.backbones import Colours

Pixels = NDArray[np.uint8]
HALF = 0.5  # of a cell must be picture, or it is padding


def scaled(picture: Image, longest: int) -> Pixels:
    """Return a picture whose longer side is ``longest`` pixels, (h, w, 3) uint8."""
    from PIL.Image import Resampling

    factor = longest / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return np.asarray(picture.resize((width, height), Resampling.BICUBIC, reducing_gap=3.0))


def laid(pixels: Pixels, height: int, width: int, colour: Colours, at: tuple[int, int] = (0, 0)) -> Pixels:
    """Return a canvas (height, width, 4) with a picture (h, w, 3) on it, its corner ``at`` row and column."""
    canvas = np.empty((height, width, 4), np.uint8)
    canvas[...] = (*(round(value) for value in colour), 0)
    (top, left), (h, w) = at, pixels.shape[:2]
    canvas[top : top + h, left : left + w, :3] = pixels
    canvas[top : top + h, left : left + w, 3] = 255
    return canvas


def fitted(pixels: Pixels, stride: int, colour: Colours) -> Pixels:
    """Return the smallest canvas whose sides are multiples of ``stride``, the picture in its corner."""
    h, w = pixels.shape[:2]
    return laid(pixels, -(-h // stride) * stride, -(-w // stride) * stride, colour)


def inside(alpha: Tensor, stride: int) -> Tensor:
    """Tell which cells (B, H / stride, W / stride) of canvases show picture; at least one a picture does.

    Args:
        alpha: (B, H, W) their fourth channel.
        stride: pixels a cell.
    """
    share = F.avg_pool2d(alpha[:, None].float() / 255, stride)[:, 0]
    most = share.flatten(1).amax(1)[:, None, None]
    return share >= most.clamp(max=HALF)
