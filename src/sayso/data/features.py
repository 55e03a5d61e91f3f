"""Features of videos, extracted beforehand, in the place of frames.

A source of features has an array (seconds * rate, D) for each video: a ``.npy`` file named by the
video's id, or a row of a Lance table. A clip's feature is the maximum over its caption's seconds,
L2-normalised; those of several sources stand side by side. HowTo100M: 2D features at 1 a
second, 3D features at 1.5 a second, 2048 numbers each.

Source
    Miech et al., ICCV 2019, section 4; ``_get_video`` in youtube_dataloader.py (2dce76c),
    https://github.com/antoine77340/howto100m, which gives zeros where the features end before
    the caption: that is an error here, and the loader draws another example.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import read_array
from sayso.core.errors import MediaError, SaysoError
from sayso.core.types import Span
from sayso.data.bags import joined_captions
from sayso.data.batch import Example
from sayso.data.corpus import Corpus
from sayso.data.narrated import NarratedDataset, widen


class Features(Protocol):
    """Where the features of videos are; ``rate`` is rows a second."""

    rate: float

    def read(self, video: str) -> NDArray[np.floating[Any]]:
        """Return a video's features, (T, D).

        Raises:
            MediaError: if there are none, or they cannot be read.
        """


class NpyFeatures:
    """One ``.npy`` file a video, anywhere below a folder, found by the video's id.

    Args:
        folder: the folder.
        rate: rows a second.

    Raises:
        SaysoError: if it holds no ``.npy`` file.
    """

    def __init__(self, folder: str | os.PathLike[str], rate: float) -> None:
        self.folder, self.rate = Path(folder), _checked(rate)
        self._files = {path.stem: str(path) for path in sorted(self.folder.rglob("*.npy"))}
        if not self._files:
            raise SaysoError(f"{folder} holds no features; they must be .npy files named by the videos' ids")

    def __contains__(self, video: object) -> bool:
        return video in self._files

    def read(self, video: str) -> NDArray[np.floating[Any]]:
        """Return a video's features, (T, D); they stay on disk until they are used.

        Raises:
            MediaError: if there are none, or they are no (T, D) array of numbers.
        """
        file = self._files.get(video)
        if file is None:
            raise MediaError(f"{self.folder} holds no features of {video}")
        try:
            found = read_array(file, "the features", mapped=True)
        except SaysoError as error:
            raise MediaError(str(error)) from error
        if found.ndim != 2 or found.dtype.kind not in "fiu":
            raise MediaError(f"{file}: expected numbers (T, D), found {found.dtype} {found.shape}")
        return found if found.dtype.kind == "f" else found.astype(np.float32)


class LanceFeatures:
    """One row a video in a Lance table: a column of ids and one of lists of T vectors of D numbers.

    Args:
        path: the table, ``folder/name.lance``; an object store's address does as well.
        rate: rows a second.
        id_column: name of the column of ids.
        column: name of the column of features.

    Raises:
        SaysoError: if there is no such table or column.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        rate: float,
        *,
        id_column: str = "id",
        column: str = "features",
    ) -> None:
        import lancedb

        self.path, self.rate, self.column = os.fspath(path).rstrip("/"), _checked(rate), column
        folder, _, name = self.path.rpartition("/")
        try:
            self._table = lancedb.connect(folder or ".").open_table(name.removesuffix(".lance"))
            rows = self._table.search().select([id_column]).with_row_id(True)
            ids = rows.limit(max(1, self._table.count_rows())).to_arrow()
        except Exception as error:
            raise SaysoError(f"{self.path} is no table of features that can be opened ({error})") from error
        if column not in self._table.schema.names:
            raise SaysoError(f"{self.path} has no column {column!r}; it has {self._table.schema.names}")
        self._rows = dict(zip(ids[id_column].to_pylist(), ids["_rowid"].to_pylist(), strict=True))

    def read(self, video: str) -> NDArray[np.floating[Any]]:
        """Return a video's features, (T, D).

        Raises:
            MediaError: if there are none, or they are no lists of vectors.
        """
        if video not in self._rows:
            raise MediaError(f"{self.path} holds no features of {video}")
        try:
            found = self._table.take_row_ids([self._rows[video]]).select([self.column]).to_arrow()
        except Exception as error:
            raise MediaError(f"the features of {video} in {self.path} cannot be read: {error}") from error
        vectors = found[self.column].combine_chunks().flatten()
        length = getattr(vectors.type, "list_size", None)
        if not length:
            raise MediaError(f"{self.path}: expected a list of vectors of one length, found {vectors.type}")
        flat: NDArray[np.floating[Any]] = vectors.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(-1, length)


def open_features(path: str | os.PathLike[str], rate: float = 1.0) -> Features:
    """Return the features at a place: a Lance table if its name ends in ``.lance``, else ``.npy`` files.

    Args:
        path: the table or the folder.
        rate: rows a second.

    Raises:
        SaysoError: if there are none.
    """
    is_table = os.fspath(path).rstrip("/").endswith(".lance")
    return LanceFeatures(path, rate) if is_table else NpyFeatures(path, rate)


def pool_span(
    features: NDArray[np.floating[Any]], rate: float, start_s: float, end_s: float
) -> NDArray[np.float32]:
    """Return the feature of a stretch of time: the maximum over its rows, of length 1.

    Args:
        features: (T, D), row i of the second i / rate.
        rate: rows a second.
        start_s: seconds; the row of this moment is the first.
        end_s: seconds; the row of this moment is the last; infinity is the end of the video.

    Returns:
        (D,) float32; zeros if all the rows are zero.

    Raises:
        MediaError: if the features end a row or more before the stretch begins: a video's last part,
            shorter than a row, may have none of its own.
    """
    first = int(start_s * rate)
    last = len(features) if math.isinf(end_s) else int(end_s * rate) + 1
    if first > len(features) or not len(features):
        raise MediaError(f"the features end at {len(features) / rate:.1f} s, before {start_s:.1f} s")
    strongest = np.asarray(features[min(first, len(features) - 1) : last], np.float32).max(axis=0)
    return np.asarray(strongest / max(float(np.linalg.norm(strongest)), 1e-12), np.float32)


class FeatureClips(NarratedDataset):
    """Training examples made of features; the videos themselves are not needed.

    Args:
        corpus: captions; its ids find the features.
        sources: one or more kinds of features, which stand side by side: D is the sum of theirs.
        bag_size: K, captions an example: its own and the nearest in time.
        per_video: captions sampled of a video; None makes every caption an item. See ``NarratedDataset``.
        min_s: captions shorter than this are widened, seconds.
        join_s: captions shorter than this are joined with their neighbours, seconds; a bag is then of one.

    Raises:
        SaysoError: if the corpus is empty or a number makes no sense.
    """

    def __init__(
        self,
        corpus: Corpus,
        sources: Sequence[Features],
        *,
        bag_size: int = 1,
        per_video: int | None = 1,
        min_s: float = 0.0,
        join_s: float = 0.0,
    ) -> None:
        super().__init__(corpus, bag_size, per_video, min_s)
        self.sources, self.join_s = tuple(sources), join_s
        if join_s and bag_size > 1:
            raise SaysoError(f"captions that are joined make bags of one; got join_s and bag_size {bag_size}")

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return the item's examples: ``features`` (D,) float32 and the entries of ``example``.

        Raises:
            MediaError: if features are missing or end before a caption begins.
        """
        name = self.corpus.ids[self.video_of(item)]
        read = [(source.read(name), source.rate) for source in self.sources]
        captions = self.choose(item, rng)
        examples = []
        for caption in captions:
            span, text = self._joined(caption)
            example = self.example(caption) | ({"texts": (text,)} if self.join_s else {})
            examples.append({"features": self._pooled(span, read), **example})
        return examples

    def _joined(self, caption: int) -> tuple[Span, str]:
        """Return a caption's span and text, those of the neighbours that it is joined with among them."""
        own = self.corpus.captions_of(self.corpus.video_of(caption))
        spans = self.corpus.spans[own.start : own.stop]
        some = joined_captions(spans, caption - own.start, self.join_s)
        text = " ".join(self.corpus.texts[own.start + i] for i in some)
        return Span(float(spans[some[0], 0]), float(spans[some[-1], 1])), text

    def _pooled(
        self, span: Span, read: Sequence[tuple[NDArray[np.floating[Any]], float]]
    ) -> NDArray[np.float32]:
        span = widen(span, self.min_s)
        return np.concatenate([pool_span(features, rate, span.start, span.end) for features, rate in read])


def _checked(rate: float) -> float:
    if not 0 < rate < float("inf"):
        raise SaysoError(f"the rate must be a positive number of rows a second; got {rate}")
    return rate
