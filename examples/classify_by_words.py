"""A classifier made of words: names in, probabilities out, and nothing is trained.

    python examples/classify_by_words.py FOLDER

The two pictures are those that scikit-learn ships. Each name is put into a few sentences, whose mean is its
weight; names of which one means the same as another are given together.
"""

from __future__ import annotations

import shutil
import sys
from importlib import resources
from pathlib import Path

import sayso
from sayso.media import read_image

NAMES = ["a flower", ["a temple", "a pagoda"], "a cat", "a street with cars"]
TEMPLATES = ["{c}", "a photo of {c}.", "a large photo of {c}."]


def main() -> None:
    """Run the example in a folder, which gets the pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for name in ("china.jpg", "flower.jpg"):
        with resources.as_file(resources.files("sklearn") / "datasets" / "images" / name) as path:
            pictures.append(Path(shutil.copy(path, folder)))

    what = sayso.classifier(sayso.load("offline"), NAMES, TEMPLATES)
    for path, probabilities in zip(pictures, what([read_image(path) for path in pictures]), strict=True):
        ranked = sorted(zip(probabilities, what.names, strict=True), reverse=True)
        print(path.name, ", ".join(f"{name}: {p:.2f}" for p, name in ranked))


if __name__ == "__main__":
    main()
