"""Scenes: pictures of several things, with tags for what they show, and boxes nobody should learn from.

OUT/train/images/0000.png ..., OUT/train/instances.json     COCO's format: tags and true boxes
OUT/test/...                                                other pictures of the same things

Every scene is another place with another light; things differ in size, colour, pattern and turn, and
may reach over each other a little. Colours say nothing: a class is an outline.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.device import cores
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.toyworld.draw import Canvas, Pose, paint, pixels_of, to_bytes, visible_part
from sayso.toyworld.scene import Frames
from sayso.toyworld.shapes import OUTLINES
from sayso.toyworld.styles import PALETTE, draw_style, draw_surface, surface_colours

THINGS = tuple(OUTLINES)[:10]
_ATTEMPTS, _FREE = 40, 0.15  # share of the smaller of two things that may be hidden


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in a scene: its class and what it covers, pixels; edges x0, y0, x1, y1."""

    label: int
    edges: tuple[float, float, float, float]


def draw_scene(
    rng: np.random.Generator, size: int, *, most: int = 4, radius: tuple[float, float] = (0.12, 0.4)
) -> tuple[Frames, list[Thing]]:
    """Return a picture (size, size, 3) uint8 of 1 to ``most`` things, and where they are.

    Args:
        rng: of all that is random.
        size: side, pixels.
        most: things.
        radius: smallest and largest of a thing, in half sides of the picture.
    """
    style = draw_style(rng, size)
    m = style.margin
    canvas = style.backdrop[None, m : m + size, m : m + size].copy()
    things: list[Thing] = []
    circles: list[tuple[float, float, float]] = []
    for _ in range(int(rng.integers(1, most + 1))):
        circle = free_circle(rng, circles, radius)
        if circle is None:
            break
        circles.append(circle)
        label = int(rng.integers(len(THINGS)))
        things.append(Thing(label, put_thing(rng, canvas, circle, THINGS[label])))
    return to_bytes(canvas * np.float32(style.light))[0], things


def write_scenes(
    out: Path,
    *,
    train: int = 600,
    test: int = 200,
    size: int = 160,
    seed: int = 0,
    radius: tuple[float, float] = (0.12, 0.4),
    progress: Progress | None = None,
) -> Path:
    """Draw scenes into a new folder; the same arguments give the same files.

    Args:
        out: a new folder.
        train: pictures to learn from.
        test: pictures to measure with.
        size: side, pixels.
        seed: of all that is random.
        radius: smallest and largest of a thing, in half sides of the picture.
        progress: updated with the number drawn.

    Returns:
        ``out``.

    Raises:
        SaysoError: if the folder is there already, or a number makes no sense.
    """
    if train < 1 or test < 0 or size < 16 or seed < 0 or not 0 < radius[0] <= radius[1] <= 1:
        raise SaysoError(
            f"scenes need train >= 1, test >= 0, size >= 16, seed >= 0; got {train}, {test}, {size}, {seed}"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SaysoError(f"{out} is there already; name a new folder")
    progress = progress or Silent()
    for part_, (folder, count) in enumerate((("train", train), ("test", test))):
        (out / folder / "images").mkdir(parents=True, exist_ok=True)

        def draw(n: int, folder: str = folder, stream: int = part_) -> list[Thing]:
            pixels, things = draw_scene(np.random.default_rng([seed, stream, n]), size, radius=radius)
            _save(pixels, out / folder / "images" / _name(n))
            return things

        scenes: list[list[Thing]] = []
        with ThreadPoolExecutor(cores()) as pool:
            for things in pool.map(draw, range(count)):
                scenes.append(things)
                progress.update(part_ * train + len(scenes), train + test)
        coco = json.dumps(_coco(scenes, size)) + "\n"
        (out / folder / "instances.json").write_text(coco, encoding="utf-8")
    return out


def free_circle(
    rng: np.random.Generator, taken: Sequence[tuple[float, float, float]], radius: tuple[float, float]
) -> tuple[float, float, float] | None:
    """Return x, y and radius of a thing that hides little of the others; None if there is no room.

    Args:
        rng: of all that is random.
        taken: x, y and radius of the others, -1 to 1 across the picture.
        radius: the smallest and the largest.
    """
    for _ in range(_ATTEMPTS):
        r = float(np.exp(rng.uniform(*np.log(radius))))
        x, y = (float(value) for value in rng.uniform(-1 + r, 1 - r, 2))
        if all(np.hypot(x - a, y - b) > (r + c) * (1 - _FREE) for a, b, c in taken):
            return x, y, r
    return None


def put_thing(
    rng: np.random.Generator,
    canvas: Canvas,
    circle: tuple[float, float, float],
    thing: str,
    colour: str | None = None,
) -> tuple[float, float, float, float]:
    """Draw a thing onto the canvas (1, H, W, 3); return what it covers, pixels: edges x0, y0, x1, y1.

    Args:
        rng: of its pose and its surface.
        canvas: changed.
        circle: x, y and radius, as ``free_circle`` gives them.
        thing: a key of ``OUTLINES``.
        colour: a key of ``PALETTE``; any of them unless given.
    """
    x, y, r = circle
    pose = Pose.still(1, x, y, r * float(rng.choice([-1, 1])), r, float(rng.uniform(-0.6, 0.6)))
    surface = draw_surface(rng, colour or str(rng.choice(list(PALETTE))))
    view, across, down = visible_part(canvas, pose)
    distance = OUTLINES[thing](across, down)
    paint(view, distance, pixels_of(canvas, pose), surface_colours(surface, across, down, None))
    cover = np.zeros(canvas.shape[:3], np.float32)[..., None]
    seen, across, down = visible_part(cover, pose)
    seen[OUTLINES[thing](across, down) < 0] = 1
    rows, columns = np.nonzero(cover[0, :, :, 0])
    edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3])


def _coco(scenes: Sequence[Sequence[Thing]], size: int) -> dict[str, Any]:
    """Return scenes in COCO's format."""
    images = [{"id": n, "file_name": _name(n), "width": size, "height": size} for n in range(len(scenes))]
    annotations = [
        {"image_id": n, "category_id": thing.label, "bbox": _bbox(thing), "iscrowd": 0}
        for n, things in enumerate(scenes)
        for thing in things
    ]
    categories = [{"id": k, "name": name} for k, name in enumerate(THINGS)]
    numbered = [{"id": number, **row} for number, row in enumerate(annotations)]
    return {"images": images, "annotations": numbered, "categories": categories}


def _bbox(thing: Thing) -> list[float]:
    x0, y0, x1, y1 = thing.edges
    return [x0, y0, x1 - x0, y1 - y0]


def _name(n: int) -> str:
    return f"{n:04}.png"


def _save(pixels: Frames, path: Path) -> None:
    from PIL import Image

    Image.fromarray(pixels).save(path)
