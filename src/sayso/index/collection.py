"""The searchable collection: what ``sayso.Index`` is."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sayso.core.errors import IndexMismatch, QueryError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Caption
from sayso.data.sources import list_sources
from sayso.index.background import calibrate_index
from sayso.index.calibration import Calibration
from sayso.index.fingerprint import Segmentation
from sayso.index.hints import Hints
from sayso.index.hit import Hit, Media
from sayso.index.moments import group_by_file, merge_neighbours
from sayso.index.query import embed_query, parse_query, people_filter, split_people, text_of
from sayso.index.ranking import Scope, choose_text_weight
from sayso.index.rows import read_media, read_thumbnail, read_transcript
from sayso.index.schema import SCHEMA_VERSION, Identity
from sayso.index.search import clip_vectors, clips_of, load_hits, search_all
from sayso.index.searcher import Searcher
from sayso.index.sound import can_be_found
from sayso.index.sql import sql_string
from sayso.index.store import Store
from sayso.index.update import AddReport, Update

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder


class Index:
    """A searchable collection of moments and pictures, kept in a folder or an object store.

    Example:
        >>> index = sayso.Index.open("my.index")
        >>> index.add("~/Videos")
        >>> for hit in index.search("hold a wine glass", limit=20):
        ...     print(hit.path, hit.span, hit.score, hit.text)
    """

    def __init__(self, store: Store, encoder: Encoder | str | None = None, *, device: str = "auto") -> None:
        self.store = store
        self.device = device
        self._encoder = encoder
        self._hints = Hints(store)
        self._searcher = Searcher(store, lambda: self.encoder)

    @classmethod
    def open(
        cls,
        address: str | os.PathLike[str],
        encoder: Encoder | str | None = None,
        *,
        create: bool = True,
        device: str = "auto",
    ) -> Index:
        """Open an index, or get ready to make one with the first ``add``.

        Args:
            address: a folder, or an address such as ``s3://bucket/my.index``.
            encoder: an encoder or what ``sayso.load`` takes; by default the one the
                index was made with, or ``auto`` for a new index.
            create: False to refuse when there is no index.
            device: for the encoder, if it is loaded here.

        Raises:
            SaysoError: if there is no index and ``create`` is False.
            IndexMismatch: if the index was made by another model.
        """
        index = cls(Store(address), encoder, device=device)
        if not create or index.store.exists:
            index._check_name()
        return index

    def _check_name(self) -> None:
        identity = self.store.identity
        if isinstance(self._encoder, str):
            if self._encoder not in ("auto", identity.model):
                self._refuse(self._encoder)
        elif self._encoder is not None and self._encoder.sha256 != identity.model_sha256:
            self._refuse(self._encoder.name)

    def _refuse(self, other: str) -> None:
        model = self.store.identity.model
        if other == model:
            raise IndexMismatch(
                f"the index {self.store.address} was made by another version of the model {model}, whose "
                "vectors do not compare with those of today; index again into a new folder"
            )
        raise IndexMismatch(
            f"the index {self.store.address} was made by the model {model}, not by {other}; "
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
            "path": self.store.address,
            "clips": self.store.clips.count_rows(),
            "media": self.store.media.count_rows(),
            "has_text": self.store.has_text,
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
        are recognised. A file that cannot be read is reported, not fatal. No index is made of nothing.

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
        progress, named = progress or Silent(), [os.fspath(path) for path in paths]
        self.store.check_free()
        listing = list_sources(named, skip=self.store.address).with_sound(can_be_found)
        if not self.store.exists:
            if not listing.files and listing.failures:
                return AddReport(failures=list(listing.failures), skipped=len(listing.skipped))
            self._create()
        self._check_name()
        with self.store.writing():
            update = Update(self.store, named, listing, Segmentation(window_s, by_caption), progress)
            report = update.run(lambda: self.encoder, workers=workers, prune=prune)
            if report.clips or report.removed:
                calibrate_index(self.store, lambda: self.encoder)
            return report

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
        offset: int = 0,
        min_score: float | None = None,
        filter: str | None = None,  # noqa: A002  what the command and the HTTP API call it
        text_weight: float | None = None,
        merge: bool = True,
        by_file: bool = False,
        files: bool = True,
    ) -> list[Hit]:
        """Return the moments that fit best, best first; without a query, all that pass the filter.

        ``hit.likely`` says which are no mere guesses.

        Args:
            query: words; also sums such as ``2:dog + ./pool.jpg - night``, and ``who:ilsa`` for people.
            like: a picture or a clip to look for: a path, ``talk.mp4@12.5``, or a PIL image.
            limit: how many.
            offset: how many of the best are left out, because they were given before.
            min_score: leave out what scores lower, from 0 to 1.
            filter: SQL over path, title, kind, duration_s, start_s, end_s, text, seen.
            text_weight: of the words: 0 ranks by pictures alone, 1 by words alone; by default both count.
            merge: whether neighbouring clips of a shot become one moment, and copies one hit.
            by_file: whether to return only the best moment of each file.
            files: whether terms of the query may name files of this machine.

        Raises:
            QueryError: if the query or the filter cannot be understood.
        """
        people, query = split_people(query)
        sql = people_filter(filter, people)
        terms = parse_query(query, files=files) if query.strip() else []
        if not terms and like is None and not people and not (filter or "").strip():
            says = "say what to look for, give a picture with --like, or list by --filter"
            raise QueryError(f"the query is empty; {says}")
        if limit < 1 or offset < 0:
            raise QueryError(f"the limit must be at least 1 and the offset 0; got {limit} and {offset}")
        self._hints.about_people(people)
        if not terms and like is None:
            moments = search_all(self.store, sql)
            moments = merge_neighbours(moments) if merge else moments
            moments = group_by_file(moments) if by_file else moments
            return load_hits(self.store, moments[offset : offset + limit])
        weight = choose_text_weight(text_weight, text_of(terms))
        vector = None
        if weight < 1:
            vector = embed_query(terms, self.encoder, like)
            self._hints.about_words(self.encoder, [term.text for term in terms if term.text])
        pictured = like is not None or any(term.file for term in terms)
        scope = Scope(sql, min_score, merge, by_file)
        return self._searcher.search(
            vector, scope, words=text_of(terms), weight=weight, pictured=pictured, span=(offset, limit)
        )

    def similar(
        self,
        clip_id: str,
        *,
        limit: int = 20,
        offset: int = 0,
        min_score: float | None = None,
        filter: str | None = None,  # noqa: A002
        by_file: bool = False,
    ) -> list[Hit]:
        """Return the moments that look like a clip of this index, without the clip itself.

        Args:
            clip_id: of a hit.
            limit: how many.
            offset: how many of the best are left out.
            min_score: as for ``search``.
            filter: as for ``search``.
            by_file: as for ``search``.

        Raises:
            KeyError: if there is no such clip.
        """
        vector = clip_vectors(self.store, [clip_id])[clip_id]
        sql = f"id != {sql_string(clip_id)}" + (f" AND ({filter})" if filter else "")
        scope = Scope(sql, min_score, by_file=by_file)
        return self._searcher.search(vector, scope, pictured=True, span=(offset, limit))

    @property
    def calibration(self) -> Calibration:
        """What similarities in this index mean."""
        return self._searcher.calibration

    def media(self, media_id: str) -> Media:
        """Return one file of the index.

        Raises:
            KeyError: if there is no such file.
        """
        return read_media(self.store, media_id)

    def transcript(self, media_id: str) -> list[Caption]:
        """Return what is said in a file, in order.

        Raises:
            KeyError: if there is no such file.
        """
        return read_transcript(self.store, media_id)

    def moments(self, media_id: str) -> list[Hit]:
        """Return all clips of a file in time order, unscored (``score`` is 0)."""
        return clips_of(self.store, media_id)

    def thumbnail(self, clip_id: str) -> bytes:
        """Return the JPEG of a clip's middle frame.

        Raises:
            KeyError: if there is no such clip.
        """
        return read_thumbnail(self.store, clip_id)
