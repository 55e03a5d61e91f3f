"""Pictures of any shape in frames of one: letterboxed, and which grid cells of the frame show picture.

A letterboxed picture has four channels: RGB, and alpha, 255 where the picture is. What is around it has the
colour that becomes 0 for the backbone, and has no say in what a picture shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from sayso.core.arrays import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.backbones import Colours

HALF = 0.5  # of a cell must be picture, or it is padding


def resize_longest(picture: Image, longest: int) -> Pixels:
    """Return a picture whose longer side is ``longest`` pixels, (h, w, 3) uint8."""
    from PIL.Image import Resampling

    factor = longest / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return np.asarray(picture.resize((width, height), Resampling.BICUBIC, reducing_gap=3.0))


def letterbox(
    pixels: Pixels, height: int, width: int, colour: Colours, at: tuple[int, int] = (0, 0)
) -> Pixels:
    """Return a frame, RGBA, around a picture.

    Args:
        pixels: (H, W, 3) the picture, uint8.
        height: of the frame, pixels.
        width: of the frame, pixels.
        colour: of what is around the picture.
        at: row and column of the picture's corner.
    """
    frame = np.empty((height, width, 4), np.uint8)
    frame[...] = (*(round(value) for value in colour), 0)
    (top, left), (h, w) = at, pixels.shape[:2]
    frame[top : top + h, left : left + w, :3] = pixels
    frame[top : top + h, left : left + w, 3] = 255
    return frame


def pad_to_stride(pixels: Pixels, stride: int, colour: Colours) -> Pixels:
    """Return the smallest frame (H, W, 4) whose sides are multiples of ``stride``, with the picture.

    Args:
        pixels: (H, W, 3) uint8.
        stride: pixels a cell.
        colour: of the margin.
    """
    h, w = pixels.shape[:2]
    return letterbox(pixels, -(-h // stride) * stride, -(-w // stride) * stride, colour)


def cell_mask(alpha: Tensor, stride: int) -> Tensor:
    """Tell which cells (B, H / stride, W / stride) of frames show picture; at least one of each does.

    Args:
        alpha: (B, H, W) their fourth channel, 0 to 255.
        stride: pixels a cell.
    """
    share = F.avg_pool2d(alpha[:, None].float() / 255, stride)[:, 0]
    most = share.flatten(1).amax(1)[:, None, None]
    return share >= most.clamp(max=HALF)
