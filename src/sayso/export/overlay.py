"""A picture with a heat map, a point, boxes and a label drawn over it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.export.lettering import lettering

if TYPE_CHECKING:
    from PIL.Image import Image

LONGER_SIDE = 640  # pixels of the drawn picture
LETTER = 12  # pixels
COLD, HOT = np.array([30.0, 20.0, 70.0]), np.array([255.0, 120.0, 20.0])
WEIGHT = 0.6  # of the heat where it is hottest
CONTRAST = 2  # cells of middling score stay cold
Edges = tuple[float, float, float, float]


def overlay_png(
    picture: Image,
    heat: NDArray[np.floating],
    point: tuple[float, float],
    boxes: Sequence[Edges] = (),
    label: str = "",
) -> bytes:
    """Return a PNG of a picture with a map over it.

    Args:
        picture: (H, W, 3) uint8 RGB.
        heat: (H, W) of 0 to 1, on a grid over the whole picture.
        point: x and y, pixels of the picture.
        boxes: x0, y0, x1, y1 each, pixels of the picture.
        label: written into the corner.
    """
    from PIL.Image import Resampling, fromarray
    from PIL.ImageDraw import Draw

    factor = min(1.0, LONGER_SIDE / max(picture.size))
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    grey = np.clip(np.asarray(heat, np.float64), 0, 1)
    over = fromarray((grey * 255).astype(np.uint8)).resize(size, Resampling.BICUBIC)
    share = (np.asarray(over, np.float64)[..., None] / 255) ** CONTRAST
    pixels = np.asarray(picture.resize(size, Resampling.BICUBIC), np.float64)
    weight = 0.25 + (WEIGHT - 0.25) * share
    drawn = fromarray((pixels * (1 - weight) + (COLD + (HOT - COLD) * share) * weight).astype(np.uint8))
    pen = Draw(drawn)
    for x0, y0, x1, y1 in boxes:
        pen.rectangle([v * factor for v in (x0, y0, x1, y1)], outline="#40ff90", width=2)
    x, y = point[0] * factor, point[1] * factor
    pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill="#ffffff", outline="#000000", width=2)
    if label:
        label, font = lettering(label, LETTER)
        pen.rectangle(pen.textbbox((5, 4), label, font=font), fill="#000000")
        pen.text((5, 4), label, fill="#ffffff", font=font)
    out = io.BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()
