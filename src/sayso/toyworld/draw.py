"""Drawing on arrays: shapes with poses that change from frame to frame, all frames at once.

The canvas is (T, H, W, 3) float32, 0 to 1. Its coordinates go from -1 to 1 along the
shorter side, y down, the same in all frames. Whatever moves has a ``Pose``: arrays (T,).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sayso.toyworld.shapes import Field, Shape

Canvas = NDArray[np.float32]
Colour = tuple[float, float, float]

_THINNEST = 0.08  # a thing turned edge-on stays visible


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a thing is in each frame; arrays (T,).

    Args:
        x: position of the middle, canvas units.
        y: the same, down.
        angle: radians, clockwise as seen.
        width: half width in canvas units; negative is mirrored.
        height: half height.
    """

    x: Field
    y: Field
    angle: Field
    width: Field
    height: Field

    @classmethod
    def still(cls, frames: int, x: float, y: float, width: float, height: float, angle: float = 0.0) -> Pose:
        """Return a pose that does not change.

        Args:
            frames: T.
            x: position of the middle, canvas units.
            y: the same, down.
            width: half width, canvas units.
            height: half height.
            angle: radians.
        """
        values = (x, y, angle, width, height)
        return cls(*(np.full(frames, value, np.float32) for value in values))

    def moved(self, dx: Field, dy: Field) -> Pose:
        """Return the pose, moved by (T,) canvas units."""
        return replace(self, x=self.x + dx, y=self.y + dy)


def pixel_grid(height: int, width: int) -> tuple[Field, Field]:
    """Return the coordinates of pixel centres, (1, 1, W) and (1, H, 1)."""
    half = min(height, width) / 2
    across = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2)) / np.float32(half)
    down = (np.arange(height, dtype=np.float32) + np.float32(0.5 - height / 2)) / np.float32(half)
    return across[None, None, :], down[None, :, None]


def visible_part(canvas: Canvas, pose: Pose, reach: float = 1.45) -> tuple[Canvas, Field, Field]:
    """Return the part of the canvas on which a thing can be seen, and its coordinates as the thing sees them.

    Args:
        canvas: (T, H, W, 3).
        pose: of the thing.
        reach: how far the thing extends from its middle, in units of the thing.

    Returns:
        A view (T, h, w, 3), and x and y, both (T, h, w), in units of the thing.
    """
    _, height, width, _ = canvas.shape
    across, down = pixel_grid(height, width)
    extent = np.float32(reach) * np.maximum(np.abs(pose.width), np.abs(pose.height))
    rows = _between(down.ravel(), float((pose.y - extent).min()), float((pose.y + extent).max()))
    columns = _between(across.ravel(), float((pose.x - extent).min()), float((pose.x + extent).max()))
    dx, dy = across[..., columns] - _column(pose.x), down[:, rows] - _column(pose.y)
    cos, sin = _column(np.cos(pose.angle)), _column(np.sin(pose.angle))
    wide, high = _column(_thick(pose.width)), _column(_thick(pose.height))
    return canvas[:, rows, columns], cos / wide * dx + sin / wide * dy, cos / high * dy - sin / high * dx


def paint(view: Canvas, distance: Field, pixels: Field, colour: Colour | Canvas) -> None:
    """Paint a colour over part of the canvas, in place, where it is inside an outline.

    Args:
        view: (T, h, w, 3), changed.
        distance: (T, h, w) signed distances to the outline, in units of the thing.
        pixels: (T,) how many pixels a unit of the thing is.
        colour: RGB, one or (T, h, w, 3).
    """
    cover = np.clip(np.float32(0.5) - distance * _column(pixels), 0, 1)[..., None]
    view += cover * (np.asarray(colour, np.float32) - view)


def pixels_of(canvas: Canvas, pose: Pose) -> Field:
    """Return how many pixels a unit of the thing is, (T,), the geometric mean of width and height."""
    _, height, width, _ = canvas.shape
    area = np.abs(_thick(pose.width) * _thick(pose.height))
    return np.asarray(np.sqrt(area) * np.float32(min(height, width) / 2), np.float32)


def draw_shape(canvas: Canvas, shape: Shape, pose: Pose, colour: Colour) -> None:
    """Draw a plain shape onto the canvas, in place.

    Args:
        canvas: (T, H, W, 3).
        shape: signed distance to its outline.
        pose: of the shape.
        colour: RGB, 0 to 1.
    """
    view, x, y = visible_part(canvas, pose)
    paint(view, shape(x, y), pixels_of(canvas, pose), colour)


def to_bytes(canvas: Canvas) -> NDArray[np.uint8]:
    """Return the canvas as (T, H, W, 3) uint8."""
    return (np.clip(canvas, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _between(positions: Field, low: float, high: float) -> slice:
    """Return which of the positions, in ascending order, lie between."""
    first, last = np.searchsorted(positions, (low, high))
    return slice(int(first), int(last))


def _thick(length: Field) -> Field:
    """Keep a length away from 0, with its sign."""
    return np.where(length < 0, np.minimum(length, -_THINNEST), np.maximum(length, _THINNEST)).astype(
        np.float32
    )


def _column(values: Field) -> Field:
    return np.asarray(values, np.float32)[:, None, None]
