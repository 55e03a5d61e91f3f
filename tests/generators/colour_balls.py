"""Captioned pictures of four colours, a tiny language model and a tower, for methods that train on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from generators import lms

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "small": (30, 200, 30), "two": (240, 240, 20)}


def save_parts(root: Path) -> list[str]:
    """Write 32 pictures, ``pairs.jsonl``, ``lm`` and ``tower``; return each picture's word."""
    rng = np.random.default_rng(0)
    words, rows = [], []
    for n in range(32):
        words.append(list(COLOURS)[n % 4])
        pixels = np.clip(np.array(COLOURS[words[n]]) + rng.integers(-25, 25, (20, 20, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(root / f"{n}.png")
        rows.append({"path": f"{n}.png", "text": f"a {words[n]} ball"})
    (root / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lms.save_lm(root / "lm", "llama")
    lms.save_tower(root / "tower")
    return words
