"""Small corpora of captioned pictures for tests of curation."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image


def encoded(colour=(90, 120, 30), size=(300, 240), kind="JPEG", **options) -> bytes:
    """The bytes of a picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, tuple(colour)).save(buffer, kind, **options)
    return buffer.getvalue()


def write_pairs(folder: Path, pairs: list[tuple[str, bytes, str | list[str]]]) -> Path:
    """Write pictures with a .json beside each: name, content, captions."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content, captions in pairs:
        (folder / name).write_bytes(content)
        (folder / name).with_suffix(".json").write_text(json.dumps({"captions": captions}))
    return folder


def rows_of(path: Path) -> list[dict]:
    """What curation wrote, row by row."""
    return pq.read_table(path).to_pylist()


def rules_of(path: Path) -> dict[str, str | None]:
    """The rule that dropped each text."""
    return {row["text"] or row["path"].rpartition("/")[2]: row["dropped_by"] for row in rows_of(path)}


class ToyEncoder:
    """Scores a pair by how red the picture is, and whether the text says so."""

    name, sha256, dim, similarity = "toy", "0" * 64, 2, "cosine"

    class clip:
        size = 32

    def encode_images(self, images):
        red = np.array([np.asarray(one, float)[..., 0].mean() / 255 for one in images])
        return np.stack([red, 1 - red], 1).astype(np.float32)

    def encode_text(self, texts):
        said = np.array(["red" in text for text in texts], float)
        return np.stack([said, 1 - said], 1).astype(np.float32)
