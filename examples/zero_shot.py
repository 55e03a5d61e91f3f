"""Zero-shot classification: pictures told apart by names alone, and how often that is right.

    python examples/zero_shot.py FOLDER

Draws a folder of class folders (things of the toy world, one a picture), classifies them by the folders'
names, and measures it as ``sayso evaluate zero-shot`` does, with one sentence and with three. The offline
encoder knows photographs, and drawings like these little: compare with chance.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import sayso
from sayso.evaluation import EvaluationOptions, evaluate
from sayso.systems import zero_shot
from sayso.toyworld.scenes import THINGS, draw_scene

EACH = 3


def main() -> None:
    """Run the example in a new folder."""
    folder = Path(sys.argv[1])
    draw_classes(folder / "things")
    encoder = sayso.load_encoder("offline")

    result = zero_shot.run([folder / "things"], THINGS, encoder=encoder)
    print("\n".join(result.table()[:5]))

    (folder / "templates.txt").write_text("a photo of a {c}.\na drawing of a {c}.\na colourful {c}\n")
    for title, templates in (("one sentence", None), ("three sentences", folder / "templates.txt")):
        found = evaluate("zero-shot", encoder, folder / "things", EvaluationOptions(templates=templates))
        print(title, found.rows["zero-shot"], "chance", round(1 / len(THINGS), 3))


def draw_classes(folder: Path) -> None:
    """Draw pictures of one thing each, in a folder of its name."""
    rng = np.random.default_rng(0)
    drawn = dict.fromkeys(THINGS, 0)
    while min(drawn.values()) < EACH:
        picture, things = draw_scene(rng, 96, most=1, radius=(0.6, 0.8))
        name = THINGS[things[0].label] if things else ""
        if name and drawn[name] < EACH:
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(folder / name / f"{drawn[name]}.png")
            drawn[name] += 1


if __name__ == "__main__":
    main()
