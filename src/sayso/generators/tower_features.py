"""What a frozen picture tower sees, made once: a Lance table of the visual tokens of pictures and clips.

Each has several views: the first shows it whole, the others a part of it, at random but always the same.
A run that is interrupted goes on where it was.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import make_folder
from sayso.data.features import LanceFeatures
from sayso.encoders.backbones import visual_tokens
from sayso.encoders.preprocess import as_rgb, as_square

if TYPE_CHECKING:
    from sayso.core.arrays import Pixels
    from sayso.core.progress import Progress
    from sayso.data.listed_media import Media
    from sayso.encoders.backbones import Backbone

Half = NDArray[np.float16]
_AT_ONCE = 16  # pictures that go through the tower together
_WRITTEN = 256  # rows a write
_IN_MEMORY = 4 << 30  # bytes of features that are kept there rather than on disk
_LEAST_SIDE = 0.75  # of a view that shows a part
log = logging.getLogger(__name__)


class TowerFeatures:
    """Visual tokens (F, V, D) float16 of pictures and clips, by their number.

    Args:
        media: the pictures and clips.
        backbone: the frozen tower.
        folder: where the table is, or will be.
        size: side of the square that the tower is shown, pixels; the whole picture, whatever its shape.
        views: of each picture.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if the table cannot be written, or no picture can be read.
    """

    def __init__(
        self, media: Media, backbone: Backbone, folder: Path, *, size: int, views: int, progress: Progress
    ) -> None:
        self.media, self.views = media, views
        name = f"tower-{_identity(media, backbone, size, views)}"
        self.cells = (size // backbone.stride) ** 2
        self.errors: dict[int, str] = {}
        table = _table(make_folder(folder), name, backbone.dim)
        there = {int(row) for row in _ids(table)}
        todo = [n for n in range(media.media) if n not in there]
        self._extract(table, todo, backbone, size, progress)
        if media.media and len(self.errors) == media.media:
            raise SaysoError(f"no picture can be read: {next(iter(self.errors.values()))}")
        row_bytes = views * self.cells * backbone.dim * 2
        self._kept = _all_rows(table, backbone.dim) if row_bytes * media.media <= _IN_MEMORY else None
        self._rows = LanceFeatures(folder / f"{name}.lance", 1.0)

    def __call__(self, number: int, rng: np.random.Generator) -> Half:
        """Return one view of a picture, chosen at random.

        Raises:
            MediaError: if it could not be read.
        """
        return self.of(number, int(rng.integers(self.views)))

    def of(self, number: int, view: int = 0) -> Half:
        """Return a view of a picture or a clip, (F, V, D) float16; view 0 shows it whole.

        Raises:
            MediaError: if it could not be read.
        """
        if number in self.errors:
            raise MediaError(self.errors[number])
        whole = self._kept[number] if self._kept is not None else self._rows.read(str(number))
        each: Half = np.asarray(whole, np.float16).reshape(self.views, -1, self.cells, whole.shape[-1])[view]
        return each

    def _extract(
        self, table: Any, todo: list[int], backbone: Backbone, size: int, progress: Progress
    ) -> None:
        """Add the rows that are missing."""
        done, waiting = 0, list[dict[str, Any]]()
        with ThreadPoolExecutor(2, "decode") as pool:
            for group in _groups(todo):
                found = list(pool.map(lambda n: self._views_of(n, size), group))
                waiting += _rows_of(
                    {n: views for n, views in zip(group, found, strict=True) if views}, backbone
                )
                done += len(group)
                progress.update(done, len(todo), "features")
                if len(waiting) >= _WRITTEN or done == len(todo):
                    _append(table, waiting, backbone.dim)
                    waiting = []

    def _views_of(self, number: int, size: int) -> list[Pixels]:
        """Return the frames of all views of a picture, view after view; none if it cannot be read."""
        try:
            frames = [as_rgb(frame) for frame in self.media.read(number, size)]
        except SaysoError as error:
            self.errors[number] = str(error)
            log.warning("%s", error)
            return []
        rng = np.random.default_rng(number)
        shown = [frames, *(_part(frames, rng) for _ in range(self.views - 1))]
        return [as_square(frame, size, "squash") for view in shown for frame in view]


def _part(frames: list[Pixels], rng: np.random.Generator) -> list[Pixels]:
    """Return a rectangle of each frame, the same of all."""
    height, width = frames[0].shape[:2]
    high, wide = (max(1, round(side * rng.uniform(_LEAST_SIDE, 1))) for side in (height, width))
    top, left = int(rng.integers(height - high + 1)), int(rng.integers(width - wide + 1))
    return [np.ascontiguousarray(frame[top : top + high, left : left + wide]) for frame in frames]


def _groups(numbers: list[int]) -> Iterator[list[int]]:
    remaining = iter(numbers)
    while group := list(islice(remaining, _AT_ONCE)):
        yield group


def _rows_of(views: dict[int, list[Pixels]], backbone: Backbone) -> list[dict[str, Any]]:
    """Return rows with the tokens of all views of pictures."""
    import torch

    if not views:
        return []
    pixels = torch.from_numpy(np.stack([frame for frames in views.values() for frame in frames]))
    tokens = visual_tokens(backbone, pixels.to(backbone.mean.device)).half().cpu().numpy()
    ends = np.cumsum([len(frames) for frames in views.values()])
    parts = np.split(tokens, ends[:-1])
    return [{"id": str(n), "features": part} for n, part in zip(views, parts, strict=True)]


def _schema(dim: int) -> Any:
    import pyarrow as pa

    vectors = pa.list_(pa.list_(pa.float16(), dim))
    return pa.schema([("id", pa.string()), ("features", vectors)])


def _table(folder: Path, name: str, dim: int) -> Any:
    """Return the table of that name, a new one if there is none."""
    import lancedb

    database = lancedb.connect(folder)
    try:
        return database.create_table(name, schema=_schema(dim), exist_ok=True)
    except Exception as error:
        raise SaysoError(f"{folder} cannot keep features ({error}); give another place") from error


def _append(table: Any, rows: list[dict[str, Any]], dim: int) -> None:
    import pyarrow as pa

    if not rows:
        return
    columns: list[Any] = [pa.array([row["id"] for row in rows])]
    flat = np.concatenate([row["features"].reshape(-1, dim) for row in rows])
    starts = np.cumsum([0, *(row["features"].size // dim for row in rows)], dtype=np.int32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), dim)
    columns.append(pa.ListArray.from_arrays(pa.array(starts), vectors))
    table.add(pa.Table.from_arrays(columns, schema=_schema(dim)))


def _ids(table: Any) -> list[str]:
    found: list[str] = (
        table.search().select(["id"]).limit(max(1, table.count_rows())).to_arrow()["id"].to_pylist()
    )
    return found


def _all_rows(table: Any, dim: int) -> dict[int, Half]:
    """Return all rows, (views F V, D) each."""
    kept: dict[int, Half] = {}
    for batch in table.to_arrow().to_batches():
        flat = batch["features"].flatten().flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
        ends = np.cumsum(batch["features"].value_lengths().to_numpy())
        kept |= dict(zip(map(int, batch["id"].to_pylist()), np.split(flat, ends[:-1]), strict=True))
    return kept


def _identity(media: Media, backbone: Backbone, size: int, views: int) -> str:
    """Return a digest of what the features follow from."""
    digest = hashlib.sha256(repr((backbone.name, backbone.dim, size, views, _LEAST_SIDE)).encode())
    for number in range(media.media):
        digest.update(f"{media.name(number)}\n".encode())
    return digest.hexdigest()[:16]
