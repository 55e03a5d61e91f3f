"""Picture sets in their published layouts, each picture planted with the name that a model sees in it.

A picture is one plain colour that stands for a number: the index of a name in ``NAMES``. ``Planted`` turns it
into that name's vector, so every answer follows from the vectors alone, by a loop.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sayso.encoders.conse import imagenet_classes
from sayso.encoders.interface import ClipSpec

WNIDS = [wnid for wnid, _, _ in imagenet_classes()]
NAMES = [f"thing {k}" for k in range(1000)]
NAMES[744], NAMES[837] = NAMES[657], NAMES[836]  # as ImageNet's names have two pairs
TEMPLATES = ["a photo of a {c}.", "many {c}"]
D = 24


def vector(text: str) -> np.ndarray:
    """Return a unit vector of a text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    made = np.random.default_rng(seed).normal(size=D)
    return made / np.linalg.norm(made)


def weight(name: str) -> np.ndarray:
    """Return the weight of a class, in float64."""
    mean = sum(vector(template.replace("{c}", name)) for template in TEMPLATES)
    return mean / np.linalg.norm(mean)


class Planted:
    """Sees in a picture what its colour says; a red border is seen as another thing."""

    name, sha256, dim, similarity, clip = "planted", "9" * 64, D, "cosine", ClipSpec(1, 1.0, 8)
    log_scale, bias = 2.0, None

    def __init__(self):
        self.pictures = self.texts = 0

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += len(texts)
        return np.array([vector(text) for text in texts], np.float32).reshape(-1, D)

    def encode_images(self, images) -> np.ndarray:
        self.pictures += len(images)
        rows = []
        for image in images:
            red, green, _ = np.asarray(image)[0, 0].tolist()
            rows.append(weight(NAMES[red * 200 + green] if red < 5 else "a border"))
        return np.array(rows, np.float32).reshape(-1, D)


def plant(path: Path, seen: int, *, border: bool = False) -> None:
    """Write a picture in which the name number ``seen`` is seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((9, 11, 3), np.uint8)
    pixels[...] = (seen // 200, seen % 200, 0)
    if border:
        pixels[[0, -1]] = pixels[:, [0, -1]] = (255, 0, 0)
    Image.fromarray(pixels).save(path, "PNG")


def write_words(folder: Path) -> tuple[Path, Path]:
    """Write names and templates in clip_benchmark's form."""
    folder.mkdir(parents=True, exist_ok=True)
    names, templates = folder / "names.json", folder / "templates.json"
    names.write_text(json.dumps({"pets": ["cat"], "imagenet1k": NAMES}))
    templates.write_text(json.dumps({"pets": ["a {c}"], "imagenet1k": TEMPLATES}))
    return names, templates


def write_folders(folder: Path, classes: Sequence[str], planted: Sequence[tuple[str, int]]) -> Path:
    """Write class folders; ``planted`` are pairs of folder and the number that is seen."""
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, (name, seen) in enumerate(planted):
        plant(folder / name / f"{number:04}.JPEG", seen)
    return folder


def by_hand(pairs: Sequence[tuple[set[int], int]], columns: Sequence[int], *, strict: bool) -> list[int]:
    """Return the rank of the best right class of each picture, by sorting.

    Args:
        pairs: the numbers of the right classes, and of what is seen.
        columns: the classes that compete.
        strict: whether the right ones lose ties.
    """
    ranks = []
    for right, seen in pairs:
        score = {c: round(float(weight(NAMES[c]) @ weight(NAMES[seen])), 6) for c in columns}
        best = max(score[c] for c in right)
        first = min(c for c in right if score[c] == best)
        above = [
            c
            for c in columns
            if c not in right and (score[c] > best or (score[c] == best and (strict or c < first)))
        ]
        ranks.append(1 + len(above))
    return ranks
