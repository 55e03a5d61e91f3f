"""Where an annotation of COCO's is: its box, or the box around its mask.

A mask is a list of polygons, or runs of pixels down the columns, plain or packed into text
(five bits a letter, differences to the run before last), as pycocotools writes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sayso.core.types import Box


def box_of(row: Mapping[str, Any]) -> Box:
    """Return the box of an annotation, in pixels.

    Raises:
        ValueError: if it has neither a box with an extent nor a mask.
    """
    try:
        x, y, width, height = (float(value) for value in row.get("bbox") or ())
        if width > 0 and height > 0 and all(map(math.isfinite, (x, y, width, height))):
            return Box(x, y, x + width, y + height)
    except (TypeError, ValueError, OverflowError):
        pass
    mask = row.get("segmentation")
    if not mask:
        raise ValueError("has no box (bbox: x, y, width, height) and no mask")
    try:
        box = _around_runs(mask) if isinstance(mask, dict) else _around_polygons(mask)
    except (KeyError, TypeError, IndexError, OverflowError, ValueError) as error:
        raise ValueError("has no box, and a mask that cannot be read") from error
    if not (box.x0 < box.x1 and box.y0 < box.y1 and all(map(math.isfinite, (*_edges(box),)))):
        raise ValueError("has no box, and a mask without extent")
    return box


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


def _around_polygons(polygons: Sequence[Any]) -> Box:
    flat = polygons if isinstance(polygons[0], int | float) else [v for part in polygons for v in part]
    xs, ys = [float(x) for x in flat[::2]], [float(y) for y in flat[1::2]]
    if len(xs) != len(ys):
        raise ValueError("a polygon has an odd number of coordinates")
    return Box(min(xs), min(ys), max(xs), max(ys))


def _around_runs(mask: Mapping[str, Any]) -> Box:
    """Return the box around runs of zeros and ones in turn, of a mask of (height, width)."""
    height, width = (int(side) for side in mask["size"])
    counts = mask["counts"]
    runs = _unpacked(counts) if isinstance(counts, str) else [int(count) for count in counts]
    if height < 1 or min(runs) < 0 or sum(runs) > height * width:
        raise ValueError("the runs are no mask of this size")
    columns, rows, at = [], [], 0
    for number, run in enumerate(runs):
        if number % 2 and run:
            (x0, y0), (x1, y1) = divmod(at, height), divmod(at + run - 1, height)
            columns += [x0, x1]
            rows += [y0, y1] if x0 == x1 else [0, height - 1]
        at += run
    return Box(min(columns), min(rows), max(columns) + 1, max(rows) + 1)


def _unpacked(text: str) -> list[int]:
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"the runs hold {letter!r}")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts
