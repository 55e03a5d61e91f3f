"""Captioned scenes: pictures of one or two things, and what somebody wrote beside them.

OUT/train/images/0000.png ..., OUT/train/captions.json   COCO's format: captions, some wrong, some empty
OUT/test/images/..., OUT/test/captions.json              right ones, of things that training never shows
OUT/zero_shot/red cup/0000.png ...                       one thing a picture, a folder for each kind
OUT/truth.json                                           what training pictures show, whose caption is wrong

A kind is a colour and a thing. A quarter of the kinds is held out: no training picture shows them and no
training caption names them, though each colour and each thing is seen in other kinds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.device import cores
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.toyworld.draw import to_bytes
from sayso.toyworld.scene import Frames
from sayso.toyworld.scenes import free_circle, put_thing
from sayso.toyworld.styles import draw_style
from sayso.toyworld.words import COLOURS, OBJECTS

Kind = tuple[str, str]  # colour, thing
CAPTION_TEMPLATES = (
    "{}",
    "a {}",
    "the {}",
    "a photo of a {}",
    "a picture of the {}",
    "look, a {}",
    "there is a {} here",
)
_BETWEEN = ("and a", "next to a", "beside a", "with a")
_RADIUS = {1: (0.4, 0.8), 2: (0.3, 0.5)}  # of things, in half sides of the picture


@dataclass(frozen=True, slots=True)
class CaptionedScene:
    """What a picture shows, left to right, and what is written beside it."""

    kinds: tuple[Kind, ...]
    caption: str
    wrong: bool


def kinds_of_things(*, test: bool) -> list[Kind]:
    """Return the kinds of the held-out quarter, or of the rest."""
    both = [(c, colour, t, thing) for c, colour in enumerate(COLOURS) for t, thing in enumerate(OBJECTS)]
    return [(colour, thing) for c, colour, t, thing in both if ((c + t) % 4 == 0) == test]


def describe_things(rng: np.random.Generator, kinds: tuple[Kind, ...]) -> str:
    """Return a caption of things, left to right, in words at random: ``a photo of a scarlet mug``."""
    names = [f"{rng.choice(COLOURS[colour])} {rng.choice(OBJECTS[thing])}" for colour, thing in kinds]
    if len(names) == 2:
        between = "left of a" if rng.random() < 0.3 else str(rng.choice(_BETWEEN))
        if between != "left of a" and rng.random() < 0.5:
            names.reverse()
        names = [f"{names[0]} {between} {names[1]}"]
    return str(rng.choice(CAPTION_TEMPLATES)).format(names[0]).replace("a orange", "an orange")


def draw_things(rng: np.random.Generator, size: int, kinds: tuple[Kind, ...]) -> Frames:
    """Return a picture (size, size, 3) uint8 of one or two things.

    Args:
        rng: of all that is random.
        size: side, pixels.
        kinds: from left to right.
    """
    style = draw_style(rng, size)
    m = style.margin
    canvas = style.backdrop[None, m : m + size, m : m + size].copy()
    circles: list[tuple[float, float, float]] = []
    while len(circles) < len(kinds):
        circle = free_circle(rng, circles, _RADIUS[len(kinds)])
        circles = [*circles, circle] if circle else []
    for circle, (colour, thing) in zip(sorted(circles), kinds, strict=True):
        put_thing(rng, canvas, circle, thing, colour)
    drawn: Frames = to_bytes(canvas * np.float32(style.light))[0]
    return drawn


def write_captioned(
    out: Path,
    *,
    train: int = 4000,
    test: int = 500,
    size: int = 64,
    seed: int = 0,
    wrong: float = 0.0,
    empty: float = 0.0,
    progress: Progress | None = None,
) -> Path:
    """Draw captioned scenes into a new folder; the same arguments give the same files.

    Args:
        out: a new folder.
        train: pictures to learn from; they are the same whatever ``wrong`` and ``empty`` are.
        test: pictures with captions to measure with, and as many in the folders of kinds.
        size: side, pixels.
        seed: of all that is random.
        wrong: share of training captions that are about other things, 0 to 1.
        empty: share of training captions without a word, 0 to 1.
        progress: updated with the number drawn.

    Returns:
        ``out``.

    Raises:
        SaysoError: if the folder is there already, or a number makes no sense.
    """
    if train < 1 or test < 0 or size < 16 or seed < 0 or min(wrong, empty) < 0 or wrong + empty > 1:
        raise SaysoError(
            "captioned scenes need train >= 1, test >= 0, size >= 16, seed >= 0, and shares of wrong and of"
            f" empty captions that are 1 at most together; got {(train, test, size, seed, wrong, empty)}"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SaysoError(f"{out} is there already; name a new folder")
    report = _Count(progress or Silent(), train + 2 * test)
    held_out, seen = (kinds_of_things(test=part) for part in (True, False))

    def save(
        folder: str, stream: int, kinds: list[Kind], shares: tuple[float, float]
    ) -> Callable[[int], Any]:
        (out / folder / "images").mkdir(parents=True, exist_ok=True)

        def draw(n: int) -> CaptionedScene:
            scene = _captioned(np.random.default_rng([seed, stream, n, 1]), kinds, *shares)
            pixels = draw_things(np.random.default_rng([seed, stream, n, 2]), size, scene.kinds)
            _save(pixels, out / folder / "images" / f"{n:04}.png")
            return scene

        return draw

    def save_one(n: int) -> None:
        kind = held_out[n % len(held_out)]
        path = out / "zero_shot" / " ".join(kind) / f"{n // len(held_out):04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        _save(draw_things(np.random.default_rng([seed, 2, n, 2]), size, (kind,)), path)

    with ThreadPoolExecutor(cores()) as pool:
        learned = report.all(pool.map(save("train", 0, seen, (wrong, empty)), range(train)))
        asked = report.all(pool.map(save("test", 1, held_out, (0.0, 0.0)), range(test)))
        report.all(pool.map(save_one, range(test)))
    _write(out / "train" / "captions.json", _coco_captions(learned))
    _write(out / "test" / "captions.json", _coco_captions(asked))
    _write(out / "truth.json", [{"kinds": scene.kinds, "wrong": scene.wrong} for scene in learned])
    return out


def _captioned(rng: np.random.Generator, kinds: list[Kind], wrong: float, empty: float) -> CaptionedScene:
    """Return a scene; what it shows does not depend on the shares of wrong and of empty captions."""
    shown = _some(rng, kinds)
    text, other = describe_things(rng, shown), _some(rng, kinds)
    while other == shown:
        other = _some(rng, kinds)
    luck = rng.random()
    if luck < wrong:
        return CaptionedScene(shown, describe_things(rng, other), True)
    return CaptionedScene(shown, "" if luck < wrong + empty else text, False)


def _some(rng: np.random.Generator, kinds: list[Kind]) -> tuple[Kind, ...]:
    count = 1 if rng.random() < 0.5 else 2
    return tuple(kinds[int(k)] for k in rng.choice(len(kinds), count, replace=False))


class _Count:
    """Counts what is drawn."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def all(self, drawn: Any) -> list[Any]:
        found = []
        for one in drawn:
            found.append(one)
            self.done += 1
            self.progress.update(self.done, self.total)
        return found


def _coco_captions(scenes: list[CaptionedScene]) -> dict[str, Any]:
    return {
        "images": [{"id": n, "file_name": f"{n:04}.png"} for n in range(len(scenes))],
        "annotations": [{"id": n, "image_id": n, "caption": one.caption} for n, one in enumerate(scenes)],
    }


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def _save(pixels: Frames, path: Path) -> None:
    from PIL import Image

    Image.fromarray(pixels).save(path)
