"""Filming: a step, or an empty place, as frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sayso.toyworld.draw import Canvas, draw_shape, paint, pixels_of, to_bytes, visible_part
from sayso.toyworld.motions import Motion, motion
from sayso.toyworld.shapes import OUTLINES, Shape
from sayso.toyworld.styles import Style, Surface, draw_surface, surface_colours

Frames = NDArray[np.uint8]


def film_step(
    rng: np.random.Generator, style: Style, verb: str, colour: str, thing: str, frames: int, size: int
) -> Frames:
    """Return a step, (T, size, size, 3) uint8 RGB.

    Args:
        rng: of all that is random.
        style: the place, its light and the camera.
        verb: a key of ``VERBS``.
        colour: a key of ``COLOURS``.
        thing: a key of ``OBJECTS``.
        frames: T.
        size: pixels of the square frames.
    """
    canvas, shift = _place(rng, style, frames, size)
    surface, how = draw_surface(rng, colour), motion(verb, frames, rng)
    how = _seen_by(how, shift * np.float32(2 / size))
    _put(canvas, OUTLINES[thing], surface, how)
    for prop in how.props:
        dx, dy = (shift * np.float32(2 / size)).T
        draw_shape(canvas, prop.shape, prop.pose.moved(dx, dy), prop.colour)
    return to_bytes(canvas * np.float32(style.light))


def film_place(rng: np.random.Generator, style: Style, frames: int, size: int) -> Frames:
    """Return the place with nothing in it, (T, size, size, 3) uint8 RGB.

    Args:
        rng: of the camera's position.
        style: the place, its light and the camera.
        frames: T.
        size: pixels of the square frames.
    """
    canvas, _ = _place(rng, style, frames, size)
    return to_bytes(canvas * np.float32(style.light))


def _place(rng: np.random.Generator, style: Style, frames: int, size: int) -> tuple[Canvas, NDArray[np.int_]]:
    """Return the background (T, H, W, 3) and by how many pixels (T, 2) the camera moved it, x and y."""
    drift = np.rint(rng.normal(0, style.unsteady, (frames, 2))).astype(int)
    shift = np.clip(drift, -style.margin, style.margin)
    canvas = np.empty((frames, size, size, 3), np.float32)
    for frame, (dx, dy) in zip(canvas, shift, strict=True):
        top, left = style.margin - dy, style.margin - dx
        frame[...] = style.backdrop[top : top + size, left : left + size]
    return canvas, shift


def _seen_by(how: Motion, shift: NDArray[np.floating]) -> Motion:
    dx, dy = shift.T.astype(np.float32)
    return Motion(how.pose.moved(dx, dy), how.apart, how.dyed, how.props)


def _put(canvas: Canvas, shape: Shape, surface: Surface, how: Motion) -> None:
    """Draw the thing, in two halves where it has been cut."""
    pixels = pixels_of(canvas, how.pose)
    if how.apart is None:
        view, x, y = visible_part(canvas, how.pose)
        paint(view, shape(x, y), pixels, surface_colours(surface, x, y, how.dyed))
        return
    view, x, y = visible_part(canvas, how.pose, reach=1.45 + float(how.apart.max()))
    for side in (-1, 1):
        own = x - np.float32(side) * how.apart[:, None, None]
        half = np.maximum(shape(own, y), np.float32(-side) * own)
        paint(view, half, pixels, surface_colours(surface, own, y, how.dyed))
