"""Pictures of any size as the square of pixels that an encoder takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from PIL.Image import Image


def as_rgb(image: Image | Pixels) -> Pixels:
    """Return a picture as (H, W, 3) uint8 RGB.

    Raises:
        SaysoError: if it is neither a PIL image nor such an array.
    """
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise SaysoError(f"a picture must be (H, W, 3) uint8; got {tuple(image.shape)} {image.dtype}")
        return image
    if not hasattr(image, "convert"):
        raise SaysoError(f"a picture must be a PIL image or an array; got {type(image).__name__}")
    return np.asarray(image.convert("RGB"))


def as_square(image: Image | Pixels, size: int, crop: Literal["center", "squash"]) -> Pixels:
    """Return a picture as (size, size, 3) uint8; one of that size already is left as it is.

    Args:
        image: a PIL image or (H, W, 3) uint8, of any size.
        size: side of the square, pixels.
        crop: ``center`` scales the short side and cuts the middle out, ``squash`` scales both sides.

    Raises:
        SaysoError: if it is not a picture.
    """
    from PIL import Image as PILImage

    if isinstance(image, np.ndarray) or not hasattr(image, "resize"):
        pixels = as_rgb(image)
        if pixels.shape == (size, size, 3):
            return pixels
        image = PILImage.fromarray(pixels)
    width, height = image.size
    if image.mode != "RGB":
        image = image.convert("RGB")
    if (width, height) == (size, size):
        return np.asarray(image)
    cut_x, cut_y = (
        ((width - min(width, height)) / 2, (height - min(width, height)) / 2) if crop == "center" else (0, 0)
    )
    box = (cut_x, cut_y, width - cut_x, height - cut_y)
    return np.asarray(image.resize((size, size), PILImage.Resampling.BICUBIC, box=box, reducing_gap=3.0))
