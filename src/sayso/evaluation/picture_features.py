"""Pictures, embedded once: read by several threads, a batch in memory at a time, kept in the cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.device import cores
from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Progress, Silent
from sayso.evaluation.embedding_cache import Arrays, cached, file_state
from sayso.evaluation.evaluator import Count

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.interface import Embeddings, Encoder

BATCH = 64  # pictures in memory at once
KEPT = 4  # batches in one file of the cache


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
    cache: Path | None = None,
    progress: Progress | None = None,
) -> PictureFeatures:
    """Embed pictures.

    Args:
        encoder: any dual encoder; its own preprocessing is all that is done.
        paths: of L pictures.
        border: pixels that are cut off on each side first.
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
            "border": border,
        }
        reporter = _From(progress or Silent(), start, len(paths))
        part = cached(cache, decides, partial(_embed, encoder, some, border, reporter))
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

    def update(self, done: float, total: float | None = None, note: str = "") -> None:  # noqa: ARG002
        """Report how much of the whole is done.

        Args:
            done: so many of the part.
            total: of the part.
            note: what is being worked on.
        """
        self.progress.update(self.start + done, self.total, note)


def _embed(encoder: Encoder, paths: Sequence[Path], border: int, progress: Progress) -> Arrays:
    """Return which pictures can be read, their embeddings, which are missing, what is wrong with others."""
    used: list[int] = []
    missing: list[int] = []
    wrong: list[str] = []
    found: list[Embeddings] = [np.empty((0, encoder.dim), np.float32)]
    for start in range(0, len(paths), BATCH):
        pictures = []
        for number, picture in enumerate(_read(paths[start : start + BATCH], border), start):
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


def _read(paths: Sequence[Path], border: int) -> list[Image | str | None]:
    """Return each picture; None where there is none, and what is wrong where it cannot be read."""
    from sayso.media import read_image

    def read(path: Path) -> Image | str | None:
        if file_state(path) is None:
            return None
        try:
            picture = read_image(path)
        except MediaError as error:
            return str(error)
        width, height = picture.size
        if border and min(width, height) > 2 * border:
            return picture.crop((border, border, width - border, height - border))
        return picture

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(read, paths))
