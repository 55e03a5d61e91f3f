"""Outlines of the things in the toy world, as signed distances.

A shape is a function of coordinates (x, y), arrays of one form, y down, the thing within
the unit circle. It is negative inside, positive outside, and near the outline about the
distance to it in units of the thing's radius, which is what anti-aliasing needs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Shape = Callable[[Field, Field], Field]


def disc(x: Field, y: Field, radius: float = 0.85) -> Field:
    """Return a filled circle.

    Args:
        x: coordinates, of any shape.
        y: the same, down.
        radius: in the same units.
    """
    return np.sqrt(x * x + y * y) - np.float32(radius)


def bar(x: Field, y: Field, half_width: float, half_height: float) -> Field:
    """Return a rectangle about the origin.

    Args:
        x: coordinates, of any shape.
        y: the same, down.
        half_width: in the same units.
        half_height: in the same units.
    """
    return np.maximum(np.abs(x) - np.float32(half_width), np.abs(y) - np.float32(half_height))


def convex(x: Field, y: Field, *corners: tuple[float, float]) -> Field:
    """Return a convex polygon; its corners go round clockwise as seen (y down)."""
    edges = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = float(np.hypot(bx - ax, by - ay))
        nx, ny = np.float32((by - ay) / length), np.float32((ax - bx) / length)
        edges.append(nx * x + ny * y - np.float32(nx * ax + ny * ay))
    return reduce(np.maximum, edges)


def hoop(x: Field, y: Field, radius: float = 0.62, half_width: float = 0.24) -> Field:
    """Return a circular band.

    Args:
        x: coordinates, of any shape.
        y: the same, down.
        radius: of the middle of the band, in the same units.
        half_width: of the band.
    """
    return np.abs(np.sqrt(x * x + y * y) - np.float32(radius)) - np.float32(half_width)


def _star(x: Field, y: Field) -> Field:
    half = np.pi / 5
    angle = np.abs(np.mod(np.arctan2(x, -y) + half, 2 * half) - half).astype(np.float32)
    radius = np.sqrt(x * x + y * y)
    tip, inner = 1.0, 0.45
    ex, ey = inner * np.cos(half) - tip, inner * np.sin(half)  # from a tip to the next inner corner
    length = float(np.hypot(ex, ey))
    along, up = radius * np.cos(angle) - np.float32(tip), radius * np.sin(angle)
    return (np.float32(ey / length) * along - np.float32(ex / length) * up).astype(np.float32)


def _heart(x: Field, y: Field) -> Field:
    lobes = disc(np.abs(x) - np.float32(0.42), y + np.float32(0.3), 0.5)
    return np.minimum(lobes, convex(x, y, (-0.88, -0.1), (0.88, -0.1), (0.0, 0.95)))


def _cup(x: Field, y: Field) -> Field:
    handle = hoop(x - np.float32(0.5), y, 0.34, 0.11)
    return np.minimum(bar(x + np.float32(0.2), y, 0.55, 0.7), handle)


def _bottle(x: Field, y: Field) -> Field:
    neck = bar(x, y + np.float32(0.55), 0.16, 0.4)
    return np.minimum(bar(x, y - np.float32(0.3), 0.42, 0.62), neck)


def _moon(x: Field, y: Field) -> Field:
    return np.maximum(disc(x, y, 0.92), -disc(x - np.float32(0.45), y + np.float32(0.15), 0.72))


def _fish(x: Field, y: Field) -> Field:
    body = disc((x - np.float32(0.2)) * np.float32(0.65), y, 0.45)
    return np.minimum(body, convex(x, y, (-1.0, -0.5), (-0.3, 0.0), (-1.0, 0.5)))


def _mushroom(x: Field, y: Field) -> Field:
    cap: Field = np.maximum(disc(x, y - np.float32(0.1), 0.9), y - np.float32(0.1))
    whole: Field = np.minimum(cap, bar(x, y - np.float32(0.45), 0.22, 0.4))
    return whole


def _tree(x: Field, y: Field) -> Field:
    crown = convex(x, y, (0.0, -0.98), (0.75, 0.45), (-0.75, 0.45))
    return np.minimum(crown, bar(x, y - np.float32(0.65), 0.17, 0.28))


def _key(x: Field, y: Field) -> Field:
    shaft = bar(x, y - np.float32(0.3), 0.12, 0.65)
    teeth = bar(x - np.float32(0.25), y - np.float32(0.68), 0.28, 0.12)
    return np.minimum(np.minimum(shaft, teeth), hoop(x, y + np.float32(0.55), 0.3, 0.14))


def hammer(x: Field, y: Field) -> Field:
    """Return a hammer, head up."""
    return np.minimum(bar(x, y + np.float32(0.7), 0.5, 0.25), bar(x, y - np.float32(0.2), 0.12, 0.8))


def bin_front(x: Field, y: Field) -> Field:
    """Return the front of a bin, wider above."""
    return convex(x, y, (-1.0, -0.6), (1.0, -0.6), (0.8, 0.6), (-0.8, 0.6))


def sheet(x: Field, y: Field) -> Field:
    """Return a square cloth."""
    return bar(x, y, 1.0, 1.0)


def blade(x: Field, y: Field) -> Field:
    """Return a thin upright blade."""
    return bar(x, y, 0.07, 1.0)


OUTLINES: dict[str, Shape] = {
    "ball": disc,
    "brick": lambda x, y: bar(x, y, 0.95, 0.52),
    "ring": hoop,
    "star": _star,
    "heart": _heart,
    "cup": _cup,
    "bottle": _bottle,
    "moon": _moon,
    "fish": _fish,
    "mushroom": _mushroom,
    "cross": lambda x, y: np.minimum(bar(x, y, 0.92, 0.27), bar(x, y, 0.27, 0.92)),
    "kite": lambda x, y: convex(x, y, (0.0, -0.98), (0.62, -0.2), (0.0, 0.98), (-0.62, -0.2)),
    "tree": _tree,
    "key": _key,
}
