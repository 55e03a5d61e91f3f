"""Pictures, embedded once: read by several threads, a batch in memory at a time, kept in the cache."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache as memoize
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.device import cores
from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Amount, Progress, Silent
from sayso.core.types import Box
from sayso.evaluation.embedding_cache import Arrays, cached, file_state
from sayso.evaluation.evaluator import Count

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.interface import Embeddings, Encoder

BATCH = 64  # pictures in memory at once
KEPT = 4  # batches in one file of the cache
ROOM = 1.1  # side of the square around a box, by the longer side of the box


@dataclass(frozen=True, slots=True)
class PictureCut:
    """A picture, and which part of it is looked at.

    Args:
        path: the file.
        border: pixels that are cut off on each side.
        box: what is cut out, in pixels; None: all of it.
    """

    path: Path
    border: int = 0
    box: Box | None = None

    def edges(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in a picture of a width and a height, pixels."""
        if self.box is None:
            border = self.border if min(width, height) > 2 * self.border else 0
            return border, border, width - border, height - border
        x, y = (self.box.x0 + self.box.x1) / 2, (self.box.y0 + self.box.y1) / 2
        half = ROOM / 2 * max(self.box.x1 - self.box.x0, self.box.y1 - self.box.y0)
        left, top = max(0, math.floor(x - half)), max(0, math.floor(y - half))
        return left, top, min(width, math.ceil(x + half)), min(height, math.ceil(y + half))


@dataclass(frozen=True, eq=False)
class PictureFeatures:
    """The embeddings of the N pictures that could be read, of L listed.

    Args:
        used: which pictures, by number.
        embeddings: (N, D) float32.
        missing: paths of pictures that are not there.
        unreadable: a sentence for each that is there and cannot be read.
        listed: L.
    """

    used: list[int]
    embeddings: Embeddings
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    listed: int

    @property
    def count(self) -> Count:
        """How many were used, of how many listed."""
        return Count(len(self.used), self.listed)


def embed_pictures(
    encoder: Encoder,
    paths: Sequence[Path],
    *,
    border: int = 0,
    boxes: Sequence[Box] = (),
    cache: Path | None = None,
    progress: Progress | None = None,
) -> PictureFeatures:
    """Embed pictures.

    Args:
        encoder: any dual encoder; its own preprocessing is all that is done.
        paths: of L pictures.
        border: pixels that are cut off on each side first.
        boxes: of each picture, what is cut out of it, in pixels: a square around it, where there is room.
        cache: folder where embeddings are kept. They go by the model, and size and time of the files.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if none of them can be read.
    """
    used: list[int] = []
    found: list[Embeddings] = []
    missing: list[str] = []
    wrong: list[str] = []
    for start in range(0, len(paths), BATCH * KEPT):
        some = paths[start : start + BATCH * KEPT]
        decides = {
            "model": [encoder.name, encoder.sha256],
            "pictures": [(os.fspath(path), file_state(path)) for path in some],
            "readers": _readers(),
            "border": border,
            "boxes": [(box.x0, box.y0, box.x1, box.y1) for box in boxes[start : start + len(some)]],
        }
        reporter = _From(progress or Silent(), start, len(paths))
        cuts = [PictureCut(path, border, boxes[start + k] if boxes else None) for k, path in enumerate(some)]
        part = cached(cache, decides, partial(_embed, encoder, cuts, reporter))
        reporter.update(len(some))
        used += [start + int(number) for number in part["used"]]
        missing += [str(some[number]) for number in part["missing"]]
        wrong += [str(sentence) for sentence in part["wrong"]]
        found.append(part["embeddings"])
    if not used:
        reason = f": {wrong[0]}" if wrong else f", such as {paths[0]}" if paths else ""
        raise SaysoError(f"none of the {len(paths):,} pictures can be read{reason}")
    embeddings = np.concatenate(found)
    return PictureFeatures(used, embeddings, tuple(missing), tuple(wrong), len(paths))


@dataclass(frozen=True)
class _From:
    """Progress of a part: it begins at ``start`` of ``total``."""

    progress: Progress
    start: int
    total: int

    def update(
        self,
        done: float,
        total: float | None = None,  # noqa: ARG002
        note: str = "",
        amount: Amount | None = None,
    ) -> None:
        """Report how much of the whole is done.

        Args:
            done: so many of the part.
            total: of the part.
            note: what is being worked on.
            amount: how much media that is.
        """
        self.progress.update(self.start + done, self.total, note, amount)


@memoize
def _readers() -> list[str]:
    """Return the packages that read pictures, with versions: another may read what could not be read."""
    found = []
    for name in ("pillow", "pillow-heif"):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return found


def _embed(encoder: Encoder, paths: Sequence[PictureCut], progress: Progress) -> Arrays:
    """Return which pictures can be read, their embeddings, which are missing, what is wrong with others."""
    used: list[int] = []
    missing: list[int] = []
    wrong: list[str] = []
    found: list[Embeddings] = [np.empty((0, encoder.dim), np.float32)]
    for start in range(0, len(paths), BATCH):
        pictures = []
        for number, picture in enumerate(_read(paths[start : start + BATCH]), start):
            if picture is None:
                missing.append(number)
            elif isinstance(picture, str):
                wrong.append(picture)
            else:
                pictures.append(picture)
                used.append(number)
        if pictures:
            found.append(encoder.encode_images(pictures))
        if start + BATCH < len(paths):  # the end is reported by the caller, which may have it from the cache
            progress.update(start + BATCH)
    return {
        "used": np.array(used, np.intp),
        "embeddings": np.concatenate(found),
        "missing": np.array(missing, np.intp),
        "wrong": np.array(wrong, np.str_),
    }


def _read(cuts: Sequence[PictureCut]) -> list[Image | str | None]:
    """Return each picture; None where there is none, and what is wrong where it cannot be read."""
    from sayso.media import read_image

    def read(cut: PictureCut) -> Image | str | None:
        if file_state(cut.path) is None:
            return None
        try:
            picture = read_image(cut.path)
        except MediaError as error:
            return str(error)
        return picture.crop(cut.edges(*picture.size))

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(read, cuts))
