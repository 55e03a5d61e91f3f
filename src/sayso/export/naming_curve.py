"""The curve of a naming: precision over the proportion of tracks named, highest score first, as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping

from numpy.typing import ArrayLike

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, LEGEND = 720, 420, 56, 44, 16, 230  # pixels
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#a463f2", "#97bbf5", "#9c6b4e")


def curve_png(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> bytes:
    """Return a PNG of one line for each curve, with axes from 0 to 1 and a legend.

    Args:
        curves: label -> proportion named (N,) and precision (N,), as ``metrics.naming.precision_curve``
            returns them.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(picture)
    right, floor = WIDTH - LEGEND, HEIGHT - BOTTOM
    for k in range(6):
        x, y = LEFT + (right - LEFT) * k / 5, floor - (floor - TOP) * k / 5
        pen.line([(LEFT, y), (right, y)], fill="#dddddd")
        pen.text((LEFT - 28, y - 6), f"{k / 5:.1f}", fill="black")
        pen.text((x - 8, floor + 6), f"{k / 5:.1f}", fill="black")
    pen.text((LEFT, floor + 24), "proportion of tracks named, highest score first", fill="black")
    pen.text((LEFT + 4, TOP), "precision", fill="black")
    pen.line([(LEFT, TOP), (LEFT, floor), (right, floor)], fill="black")
    for k, (label, (named, precision)) in enumerate(curves.items()):
        colour = COLOURS[k % len(COLOURS)]
        across, up = np.asarray(named, dtype=np.float64), np.asarray(precision, dtype=np.float64)
        points = np.column_stack([LEFT + (right - LEFT) * across, floor - (floor - TOP) * up])
        pen.line([(float(x), float(y)) for x, y in points], fill=colour, width=2)
        top = TOP + 20 * k
        pen.line([(right + 14, top + 6), (right + 34, top + 6)], fill=colour, width=3)
        pen.text((right + 40, top), label, fill="black")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
