"""The searchable collection: what ``sayso.Index`` is."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sayso.core.errors import IndexMismatch, QueryError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Caption, Span
from sayso.index import search as found
from sayso.index.build import Adding, AddReport
from sayso.index.hit import Hit, Media
from sayso.index.moments import merge_neighbours
from sayso.index.people import split_people, with_people
from sayso.index.plan import Cutting
from sayso.index.query import embed_query, parse_query, spoken
from sayso.index.schema import SCHEMA_VERSION, Identity
from sayso.index.store import Store, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sayso.encoders.interface import Encoder

_MEDIA_COLUMNS = list(Media.__slots__[1:])


class Index:
    """A searchable collection of moments and pictures, kept in a folder or an object store.

    Example:
        >>> index = sayso.Index.open("my.index")
        >>> index.add("~/Videos")
        >>> for hit in index.search("hold a wine glass", limit=20):
        ...     print(hit.media, hit.span, hit.score, hit.text)
    """

    def __init__(self, store: Store, encoder: Encoder | str | None = None, *, device: str = "auto") -> None:
        self.store = store
        self.device = device
        self._encoder = encoder

    @classmethod
    def open(
        cls,
        where: str | os.PathLike[str],
        encoder: Encoder | str | None = None,
        *,
        create: bool = True,
        device: str = "auto",
    ) -> Index:
        """Open an index, or get ready to make one with the first ``add``.

        Args:
            where: a folder, or an address such as ``s3://bucket/my.index``.
            encoder: an encoder or what ``sayso.load`` takes; by default the one the
                index was made with, or ``auto`` for a new index.
            create: False to refuse when there is no index.
            device: for the encoder, if it is loaded here.

        Raises:
            SaysoError: if there is no index and ``create`` is False.
            IndexMismatch: if the index was made by another model.
        """
        index = cls(Store(where), encoder, device=device)
        if not create or index.store.exists:
            index._check_name()
        return index

    def _check_name(self) -> None:
        identity = self.store.identity
        if self._encoder is None:
            return
        if isinstance(self._encoder, str):
            if self._encoder not in ("auto", identity.model):
                self._refuse(self._encoder)
        elif self._encoder.sha256 != identity.model_sha256:
            self._refuse(self._encoder.name)

    def _refuse(self, other: str) -> None:
        model = self.store.identity.model
        raise IndexMismatch(
            f"the index {self.store.where} was made by the model {model}, not by {other}; "
            f"leave --model away, or index again into a new folder"
        )

    @property
    def encoder(self) -> Encoder:
        """The model of this index, loaded when first needed.

        Raises:
            IndexMismatch: if the model of that name is not the one that made the index.
        """
        if self._encoder is None or isinstance(self._encoder, str):
            from sayso.encoders import load_encoder

            exists = self.store.exists
            name = self.store.identity.model if exists else self._encoder or "auto"
            self._encoder = load_encoder(name, device=self.device)
            if exists:
                self._check_name()
        return self._encoder

    def __len__(self) -> int:
        """Return the number of clips."""
        return int(self.store.clips.count_rows()) if self.store.exists else 0

    def info(self) -> dict[str, Any]:
        """Return what the index says of itself and how much it holds."""
        return {
            **asdict(self.store.identity),
            "path": self.store.where,
            "clips": self.store.clips.count_rows(),
            "media": self.store.media.count_rows(),
            "words": self.store.words,
        }

    def add(
        self,
        *paths: str | os.PathLike[str],
        window_s: float = 4.0,
        by_caption: bool = False,
        prune: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> AddReport:
        """Add files; safe to repeat and to interrupt.

        Unchanged files are not read again, changed ones are replaced, moved ones
        are recognised. A file that cannot be read is reported, not fatal.

        Args:
            paths: files, folders, manifests (CSV, JSONL, Parquet), ``-`` for a list on stdin.
            window_s: length of the clips a video is cut into, seconds.
            by_caption: cut one clip a caption where a video has captions.
            prune: remove files that have vanished from the given folders.
            workers: decoding threads; by default one a core.
            progress: what to report to.
        """
        if not window_s > 0:
            raise QueryError(f"the window must be longer than 0 seconds; got {window_s}")
        progress = progress or Silent()
        if not self.store.exists:
            self._create()
        self._check_name()
        with self.store.writing(progress.message):
            named = [os.fspath(path) for path in paths]
            adding = Adding(self.store, named, Cutting(window_s, by_caption), progress)
            return adding.run(lambda: self.encoder, workers=workers, prune=prune)

    def _create(self) -> None:
        encoder = self.encoder
        self.store.create(
            Identity(
                schema=SCHEMA_VERSION,
                model=encoder.name,
                model_sha256=encoder.sha256,
                dim=encoder.dim,
                normalised=encoder.similarity == "cosine",
                created=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        )

    def search(
        self,
        query: str = "",
        *,
        like: Any = None,
        limit: int = 20,
        min_score: float | None = None,
        where: str | None = None,
        said: float | None = None,
        merge: bool = True,
        files: bool = True,
    ) -> list[Hit]:
        """Return the moments that fit best, best first.

        Args:
            query: words; also sums such as ``2:dog + ./pool.jpg - night``, and ``who:ilsa`` for people.
            like: a picture or a clip to look for: a path, ``talk.mp4@12.5``, or a PIL image.
            limit: how many.
            min_score: leave out what scores lower.
            where: a SQL filter over path, title, kind, duration, start_s, end_s, text.
            said: weight of the spoken words in [0, 1]; 0 looks at the picture alone, 1 at
                the words alone; by default one half if the index holds words.
            merge: whether neighbouring clips of a video become one moment.
            files: whether terms of the query may name files of this machine.

        Raises:
            QueryError: if the query or the filter cannot be understood.
        """
        people, query = split_people(query)
        where = with_people(where, people)
        terms = parse_query(query, files=files) if query.strip() else []
        if not terms and like is None and not people:
            raise QueryError("the query is empty; say what to look for, or give a picture with --like")
        if limit < 1:
            raise QueryError(f"the limit must be at least 1; got {limit}")
        if not terms and like is None:
            clips = found.search_all(self.store, where)
            return found.show(self.store, (merge_neighbours(clips) if merge else clips)[:limit])
        words = spoken(terms)
        weight = found.said_weight(self.store, said, words)
        vector = embed_query(terms, self.encoder, like) if weight < 1 else None
        return self._ranked(vector, words, weight, limit=limit, min_score=min_score, where=where, merge=merge)

    def similar(self, clip_id: str, *, limit: int = 20, where: str | None = None) -> list[Hit]:
        """Return the moments that look like a clip of this index, without the clip itself.

        Raises:
            KeyError: if there is no such clip.
        """
        vector = found.clip_vectors(self.store, [clip_id])[clip_id]
        other = f"id != {quoted(clip_id)}"
        where = f"({where}) AND {other}" if where else other
        return self._ranked(vector, "", 0.0, limit=limit, min_score=None, where=where, merge=True)

    def _ranked(
        self,
        vector: NDArray[np.float32] | None,
        words: str,
        weight: float,
        *,
        limit: int,
        min_score: float | None,
        where: str | None,
        merge: bool,
    ) -> list[Hit]:
        """Look at more and more clips until they merge into enough moments."""
        fused = 0 < weight < 1  # a clip that is second in both rankings may well be the first of all
        reach = max(100, 4 * limit) if merge or fused else limit
        while True:
            seen = found.search_seen(self.store, vector, reach, where) if vector is not None else []
            said = found.search_said(self.store, words, reach, where) if weight > 0 else []
            clips = found.fuse(seen, said, weight) if fused else said if vector is None else seen
            moments = merge_neighbours(clips) if merge else clips
            if min_score is not None:
                moments = [moment for moment in moments if moment.score >= min_score]
            below = min_score is not None and bool(clips) and clips[-1].score < min_score
            if len(moments) >= limit or below or max(len(seen), len(said)) < reach:
                break
            reach *= 4
        if vector is not None:
            moments = found.fill_seen(self.store, moments[:limit], vector)
        return found.show(self.store, moments[:limit])

    def media(self, media_id: str) -> Media:
        """Return one file of the index.

        Raises:
            KeyError: if there is no such file.
        """
        row = self._media_row(media_id, ["media_id", *_MEDIA_COLUMNS])
        return Media(id=row.pop("media_id"), **row)

    def transcript(self, media_id: str) -> list[Caption]:
        """Return what is said in a file, in order.

        Raises:
            KeyError: if there is no such file.
        """
        said = self._media_row(media_id, ["captions"])["captions"] or []
        return [Caption(Span(c["start_s"], c["end_s"]), c["text"], c["speaker"]) for c in said]

    def _media_row(self, media_id: str, columns: list[str]) -> dict[str, Any]:
        query = self.store.media.search().where(f"media_id = {quoted(media_id)}").select(columns).limit(1)
        rows: list[dict[str, Any]] = query.to_arrow().to_pylist()
        if not rows:
            raise KeyError(media_id)
        return rows[0]

    def moments(self, media_id: str) -> list[Hit]:
        """Return all clips of a file in time order, unscored (``score`` is 0)."""
        return found.clips_of(self.store, media_id)

    def thumbnail(self, clip_id: str) -> bytes:
        """Return the JPEG of a clip's middle frame.

        Raises:
            KeyError: if there is no such clip.
        """
        rows = (
            self.store.clips.search().where(f"id = {quoted(clip_id)}").select(["thumb"]).limit(1).to_arrow()
        )
        if not rows.num_rows:
            raise KeyError(clip_id)
        thumb: bytes = rows.column("thumb")[0].as_py()
        return thumb
