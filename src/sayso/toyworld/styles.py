"""How things and places look: colours, patterns, backgrounds, light, an unsteady camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.toyworld.draw import Canvas, Colour
from sayso.toyworld.shapes import Field

PALETTE: dict[str, Colour] = {
    "red": (0.85, 0.1, 0.1),
    "orange": (0.97, 0.5, 0.05),
    "yellow": (0.96, 0.9, 0.12),
    "green": (0.1, 0.65, 0.18),
    "blue": (0.1, 0.22, 0.85),
    "purple": (0.58, 0.12, 0.72),
    "white": (0.97, 0.97, 0.97),
    "black": (0.06, 0.06, 0.06),
}
PATTERNS = ("shaded", "striped", "dotted", "two halves")


@dataclass(frozen=True, slots=True)
class Surface:
    """The surface of one thing.

    Args:
        colour: RGB, 0 to 1.
        pattern: one of ``PATTERNS``, in a lighter or darker tone of the colour.
        turn: radians by which the pattern is turned.
        dye: the colour that it gets if it is painted.
    """

    colour: Colour
    pattern: str
    turn: float
    dye: Colour


@dataclass(frozen=True, slots=True)
class Style:
    """The place where a step is filmed, and how.

    Args:
        backdrop: (H + 2 m, W + 2 m, 3) float32, with a margin of m pixels for the camera to move in.
        margin: m.
        light: factor on all colours.
        unsteady: pixels, standard deviation of the camera's position.
    """

    backdrop: Canvas
    margin: int
    light: float
    unsteady: float


def draw_surface(rng: np.random.Generator, colour: str) -> Surface:
    """Return a surface of a named colour."""
    others = [name for name in PALETTE if name != colour]
    return Surface(
        _tone(rng, PALETTE[colour]),
        str(rng.choice(PATTERNS)),
        float(rng.uniform(0, np.pi)),
        _tone(rng, PALETTE[str(rng.choice(others))]),
    )


def surface_colours(surface: Surface, x: Field, y: Field, dyed: Field | None) -> Canvas:
    """Return the colours (T, H, W, 3) of a thing at its own coordinates (T, H, W).

    Args:
        surface: of the thing.
        x: coordinates in units of the thing.
        y: the same, down.
        dyed: (T,) up to which x it has been painted, or None.
    """
    tone = _pattern(surface, x, y)[..., None]
    first, step = _tones(surface.colour)
    if dyed is None:
        return first + tone * step
    painted = (x < dyed[:, None, None])[..., None]
    dyed_first, dyed_step = _tones(surface.dye)
    return np.where(painted, dyed_first, first) + tone * np.where(painted, dyed_step, step)


def draw_style(rng: np.random.Generator, size: int) -> Style:
    """Return a place of no strong colour, its light, and how steady the camera is."""
    margin = max(2, size // 16)
    side = size + 2 * margin
    first, second = (_grey(rng) for _ in range(2))
    across, down = np.meshgrid(*(np.linspace(0, 1, side, dtype=np.float32),) * 2)
    turn, waves, phase = rng.uniform((0, 1.5, 0), (np.pi, 5, 2 * np.pi))
    along = np.cos(turn) * across + np.sin(turn) * down
    kinds: tuple[NDArray[np.generic], ...] = (
        along - along.min(),
        0.5 + 0.5 * np.sin(2 * np.pi * waves * along + phase),
        (np.sin(2 * np.pi * waves * across) * np.sin(2 * np.pi * waves * down) > 0),
        (down > rng.uniform(0.45, 0.7)),
    )
    mix = np.asarray(kinds[rng.integers(len(kinds))], np.float32)[..., None]
    grain = rng.normal(0, rng.uniform(0, 0.03), (side, side, 1)).astype(np.float32)
    backdrop = (first + mix * (second - first) + grain).astype(np.float32)
    return Style(backdrop, margin, float(rng.uniform(0.85, 1.1)), float(rng.choice([0, 0.4, 0.8])))


def _pattern(surface: Surface, x: Field, y: Field) -> Field:
    """Return how much of the second tone is where, 0 to 1."""
    along = np.float32(np.cos(surface.turn)) * x + np.float32(np.sin(surface.turn)) * y
    if surface.pattern == "shaded":
        shade: Field = np.clip(along * np.float32(0.5) + np.float32(0.5), 0, 1)
        return shade
    if surface.pattern == "striped":
        return (np.sin(np.float32(9) * along) > 0).astype(np.float32)
    if surface.pattern == "dotted":
        dots: Field = (np.sin(np.float32(8) * x) * np.sin(np.float32(8) * y) > 0.3).astype(np.float32)
        return dots
    return (along > 0).astype(np.float32)


def _tones(colour: Colour) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a colour and what must be added for its second tone: darker, or lighter than black."""
    first = np.asarray(colour, np.float32)
    return first, np.full(3, 0.24, np.float32) if first.max() < 0.2 else np.float32(-0.4) * first


def _tone(rng: np.random.Generator, colour: Colour) -> Colour:
    red, green, blue = np.clip(np.asarray(colour) + rng.uniform(-0.06, 0.06, 3), 0, 1)
    return float(red), float(green), float(blue)


def _grey(rng: np.random.Generator) -> NDArray[np.float32]:
    return (rng.uniform(0.3, 0.7) + rng.uniform(-0.05, 0.05, 3)).astype(np.float32)
