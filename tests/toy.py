"""An encoder whose space is colour, and media in plain colours: what a search must find is known.

Also run as a program: ``python toy.py INDEX PATH...`` adds to an index in a process of
its own, and ``python toy.py --upgrade INDEX`` gives it another model, for tests that kill it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from sayso.encoders.interface import ClipSpec

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 40, 220),
    "yellow": (230, 220, 30),
    "white": (250, 250, 250),
    "black": (8, 8, 8),
    "cyan": (30, 210, 220),
    "magenta": (220, 30, 210),
}


def direction(rgb) -> np.ndarray:
    """Return the unit vector (D,) of colours (..., 3): offset from grey, and brightness."""
    rgb = np.asarray(rgb, np.float32) / 255
    grey = rgb.mean(-1, keepdims=True)
    vector = np.concatenate([2 * (rgb - grey), 1.2 * (grey - 0.5), np.full_like(grey, 0.05)], -1)
    return (vector / np.linalg.norm(vector, axis=-1, keepdims=True)).astype(np.float32)


class ColourEncoder:
    """Looks at the mean colour of what it is shown."""

    name = "colour"
    sha256 = "c0" * 32
    dim = 5
    similarity = "cosine"
    clip = ClipSpec(frames=4, fps=1, size=32)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        found = [[COLOURS[word] for word in text.lower().split() if word in COLOURS] for text in texts]
        return direction([np.mean(colours or [(128, 128, 100)], axis=0) for colours in found]).reshape(-1, 5)

    def encode_images(self, images) -> np.ndarray:
        return direction([np.asarray(image).reshape(-1, 3).mean(0) for image in images])

    def encode_video(self, frames: np.ndarray) -> np.ndarray:
        assert frames.ndim == 5 and frames.dtype == np.uint8
        return direction(frames.reshape(len(frames), -1, 3).astype(np.float64).mean(1))


class HueEncoder(ColourEncoder):
    """Another model: the same colours in a space of six dimensions."""

    name = "hue"
    sha256 = "4e" * 32
    dim = 6

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        return _turned(super().encode_text(texts))

    def encode_images(self, images) -> np.ndarray:
        return _turned(super().encode_images(images))

    def encode_video(self, frames: np.ndarray) -> np.ndarray:
        return _turned(super().encode_video(frames))


def _turned(vectors: np.ndarray) -> np.ndarray:
    return np.concatenate([vectors[:, ::-1], np.zeros((len(vectors), 1), np.float32)], axis=1)


def make_picture(path: Path, colour: str, size: tuple[int, int] = (64, 48)) -> Path:
    Image.new("RGB", size, COLOURS[colour]).save(path)
    return path


def make_video(path: Path, colours: Sequence[str], seconds_each: float = 4.0, fps: int = 5) -> Path:
    """Write a video that shows one plain colour after the other."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for colour in colours:
            image = np.broadcast_to(np.uint8(COLOURS[colour]), (48, 64, 3))
            for _ in range(round(seconds_each * fps)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")))
        container.mux(stream.encode())
    return path


def main() -> None:
    """Add to an index, or upgrade it."""
    from sayso import Index
    from sayso.index import writer

    writer.FLUSH_ROWS = 6  # many small commits, so that kills fall between them
    if sys.argv[1] == "--upgrade":
        print(Index.open(sys.argv[2]).upgrade(HueEncoder(), workers=2).clips)
        sys.exit()
    report = Index.open(sys.argv[1], ColourEncoder()).add(*sys.argv[2:], workers=2)
    print(report.added, report.replaced, report.unchanged, report.moved, len(report.failures))


if __name__ == "__main__":
    from sayso.core.leaving import run_and_leave

    run_and_leave(main)
