"""What actions look like: how a thing moves, turns, grows, splits or is hidden over time.

A motion is drawn at random for each step: place, size, speed, direction and tools vary. Most
actions pass through pictures that another action passes through too (lifting and
dropping, growing and shrinking), so that one frame does not tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sayso.toyworld.draw import Colour, Pose
from sayso.toyworld.shapes import Field, Shape, bin_front, blade, disc, hammer, sheet

GREYS: tuple[Colour, ...] = ((0.45, 0.4, 0.36), (0.6, 0.58, 0.55), (0.3, 0.32, 0.36), (0.75, 0.72, 0.66))


@dataclass(frozen=True, slots=True)
class Prop:
    """A tool or a cover, drawn in front of the thing."""

    shape: Shape
    pose: Pose
    colour: Colour


@dataclass(frozen=True, slots=True)
class Motion:
    """How a thing and what is used on it move; arrays (T,).

    Args:
        pose: of the thing.
        apart: how far each half has moved from the cut, in units of the thing; None if it is whole.
        dyed: up to which of its own x coordinates it has its new colour; None if it is not painted.
        props: what is in front of it.
    """

    pose: Pose
    apart: Field | None = None
    dyed: Field | None = None
    props: tuple[Prop, ...] = ()


def motion(verb: str, frames: int, rng: np.random.Generator) -> Motion:
    """Return how a verb is done, at a random place, size and speed.

    Args:
        verb: a key of ``VERBS``.
        frames: T.
        rng: of all that is random.
    """
    begins, ends = rng.uniform(0.02, 0.15), rng.uniform(0.75, 0.95)
    time = np.linspace(0, 1, frames, dtype=np.float32)
    progress = np.clip((time - begins) / (ends - begins), 0, 1).astype(np.float32)
    size = rng.uniform(0.36, 0.5)
    aspect = rng.uniform(0.88, 1.14)
    x, y = rng.uniform(-0.3, 0.3, 2)
    rest = Pose.still(frames, x, y, size * aspect, size / aspect, rng.uniform(-0.2, 0.2))
    return _ACTIONS[verb](rest, progress, rng)


def _ease(progress: Field) -> Field:
    return progress * progress * (3 - 2 * progress)


def _slide(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    side = rng.choice([-1, 1])
    path = side * (2 * _ease(progress) - 1) * rng.uniform(0.5, 0.65)
    return Motion(replace(rest, x=path.astype(np.float32)))


def _lift(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    path = (1 - 2 * _ease(progress)) * rng.uniform(0.42, 0.55)
    return Motion(replace(rest, y=path.astype(np.float32)))


def _drop(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    floor, height = rng.uniform(0.42, 0.55), rng.uniform(0.9, 1.05)
    waits = rng.uniform(0.2, 0.4)  # held, then it falls and bounces once
    fall = np.clip((progress - waits) / 0.25, 0, 1) ** 2
    bounce = np.clip((progress - waits - 0.25) / 0.25, 0, 1)
    path = floor - height * (1 - fall) - 0.25 * height * 4 * bounce * (1 - bounce)
    return Motion(replace(rest, y=path.astype(np.float32)))


def _rotate(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    turn = rng.choice([-1, 1]) * rng.uniform(1.2, 2.0) * np.pi
    return Motion(replace(rest, angle=rest.angle + np.float32(turn) * progress))


def _flip(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    turns = rng.choice([1, 2])
    return Motion(replace(rest, height=rest.height * np.cos(np.pi * turns * progress).astype(np.float32)))


def _inflate(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    return _grown(rest, _ease(progress), rng)


def _shrink(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    return _grown(rest, 1 - _ease(progress), rng)


def _grown(rest: Pose, share: Field, rng: np.random.Generator) -> Motion:
    small, large = rng.uniform(0.4, 0.5), rng.uniform(1.3, 1.6)
    factor = (small + (large - small) * share).astype(np.float32)
    return Motion(replace(rest, width=rest.width * factor, height=rest.height * factor))


def _shake(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    swings, reach = rng.uniform(5, 8), rng.uniform(0.12, 0.2)
    sway = reach * np.sin(2 * np.pi * swings * progress)
    tilt = 0.35 * np.sin(2 * np.pi * swings * progress + 0.7)
    moved = rest.moved(sway.astype(np.float32), np.zeros_like(progress))
    return Motion(replace(moved, angle=rest.angle + tilt.astype(np.float32)))


def _cut(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    down = np.clip(progress / 0.4, 0, 1)
    gone = np.clip((progress - 0.55) / 0.2, 0, 1)
    apart = rng.uniform(0.35, 0.6) * np.clip((progress - 0.4) / 0.5, 0, 1)
    knife = replace(
        Pose.still(len(progress), 0, 0, 0.55, 0.55),
        x=rest.x,
        y=(rest.y - 1.3 * (1 - down) - 2 * gone).astype(np.float32),
        angle=rest.angle,
    )
    return Motion(rest, apart=apart.astype(np.float32), props=(Prop(blade, knife, (0.8, 0.82, 0.85)),))


def _paint(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    margin = rng.uniform(1.0, 1.3)
    return Motion(rest, dyed=((2 * progress - 1) * margin).astype(np.float32))


def _cover(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    cloth = replace(
        Pose.still(len(progress), 0, 0, 0.62, 0.62),
        x=rest.x,
        y=(rest.y - (1.9 - 0.25) * (1 - _ease(progress)) - 0.25).astype(np.float32),
    )
    return Motion(rest, props=(Prop(sheet, cloth, GREYS[rng.integers(len(GREYS))]),))


def _hit(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    blows = rng.integers(2, 5)
    swing = np.abs(np.cos(np.pi * blows * progress))  # 0 when the hammer lands
    side = rng.choice([-1, 1])
    tool = replace(
        Pose.still(len(progress), 0, 0, 0.42, 0.42),
        x=rest.x + np.float32(side * 0.35),
        y=(rest.y - rest.height - 0.05 - 0.55 * swing).astype(np.float32),
        angle=(-side * (1.5 - 0.9 * swing)).astype(np.float32),
    )
    dent = (1 - 0.3 * np.clip(1 - 2.5 * swing, 0, 1)).astype(np.float32)
    squashed = replace(rest, height=rest.height * dent, y=rest.y + rest.height * (1 - dent))
    return Motion(squashed, props=(Prop(hammer, tool, (0.5, 0.36, 0.25)),))


def _wash(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    bubbles = []
    for _ in range(7):
        x, phase, pace, radius = rng.uniform((-0.5, 0, 1.0, 0.06), (0.5, 1, 2.0, 0.12))
        rise = np.mod(pace * progress + phase, 1)
        there = (progress > 0) & (progress < 1)
        still = Pose.still(len(progress), 0, 0, radius, radius)
        pose = replace(
            still,
            x=(rest.x + x + 0.05 * np.sin(9 * rise)).astype(np.float32),
            y=np.where(there, rest.y + 0.55 - 1.1 * rise, 9).astype(np.float32),
        )
        bubbles.append(Prop(disc, pose, (0.8, 0.92, 0.97)))
    return Motion(rest, props=tuple(bubbles))


def _pack(rest: Pose, progress: Field, rng: np.random.Generator) -> Motion:
    sunk = _ease(progress)
    path = (-0.45 + 1.17 * sunk).astype(np.float32)
    box = replace(Pose.still(len(progress), 0, 0.75, 0.7, 0.9), x=rest.x)
    return Motion(replace(rest, y=path), props=(Prop(bin_front, box, GREYS[rng.integers(len(GREYS))]),))


_ACTIONS: dict[str, Callable[[Pose, Field, np.random.Generator], Motion]] = {
    "slide": _slide,
    "cut": _cut,
    "lift": _lift,
    "rotate": _rotate,
    "drop": _drop,
    "paint": _paint,
    "inflate": _inflate,
    "cover": _cover,
    "shake": _shake,
    "flip": _flip,
    "shrink": _shrink,
    "hit": _hit,
    "wash": _wash,
    "pack": _pack,
}
