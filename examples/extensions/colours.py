"""A dual encoder that learned nothing: pictures by the colours in them, texts by the names of colours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.encoders import ClipSpec, Embeddings, Pixels, as_square, as_texts, pool_clips, unit_norm

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = {
    "black": (20, 20, 20), "grey": (128, 128, 128), "white": (240, 240, 240), "red": (200, 30, 40),
    "orange": (240, 140, 30), "yellow": (240, 220, 50), "green": (50, 150, 60), "blue": (40, 80, 190),
    "purple": (120, 50, 150), "pink": (240, 150, 190), "brown": (110, 70, 40),
}  # fmt: skip
RGB = np.array(list(COLOURS.values()), np.float32)


class ColourNames:
    """The share of each of eleven colours; a picture is as near to a colour as there is of it."""

    name = "colour-names"
    sha256 = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()  # all that decides the embeddings
    dim = len(COLOURS)
    similarity = "cosine"
    clip = ClipSpec(frames=4, fps=1.0, size=32)

    def __init__(self, device: str = "auto") -> None:
        self.device = device

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, 11)."""
        words = [text.lower().split() for text in as_texts(texts)]
        return unit_norm(np.array([[own.count(name) for name in COLOURS] for own in words], np.float32))

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures: (B, 11)."""
        return unit_norm(
            np.array([self._shares(image) for image in images], np.float32).reshape(-1, self.dim)
        )

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips (B, T, H, W, 3): (B, 11)."""
        return pool_clips(self.encode_images, frames)

    def _shares(self, image: Image | Pixels) -> Embeddings:
        pixels = as_square(image, self.clip.size, "squash").reshape(-1, 1, 3)
        nearest = np.square(pixels - RGB).sum(-1).argmin(1)  # (1024,)
        return np.bincount(nearest, minlength=self.dim).astype(np.float32)
