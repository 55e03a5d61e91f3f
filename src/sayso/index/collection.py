"""The searchable collection: what ``sayso.Index`` is."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sayso.core.errors import QueryError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Caption
from sayso.index.adding import Adding, add_paths
from sayso.index.belonging import check_model
from sayso.index.calibration import Calibration
from sayso.index.check import refuse_damaged
from sayso.index.cluster import Cluster, Engine, NamedEncoder
from sayso.index.conditions import read_conditions
from sayso.index.filter_language import both, filter_sql
from sayso.index.hit import Hit, Media
from sayso.index.opened import OpenIndex
from sayso.index.query import embed_query, parse_query, text_of
from sayso.index.ranking import Scope, Sort, choose_text_weight, list_moments
from sayso.index.roots import Cut
from sayso.index.rows import read_media, read_transcript
from sayso.index.search import clip_vectors, clips_of, load_hits
from sayso.index.sql import sql_string
from sayso.index.store import Store
from sayso.index.thumbs import Thumbs, read_thumbnail

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.report import AddReport


class Index(OpenIndex):
    """A searchable collection of moments and pictures, kept in a folder or an object store.

    Examples:
        >>> import sayso
        >>> index = sayso.Index.open("my.index")  # doctest: +SKIP
        >>> index.add("~/Videos")  # doctest: +SKIP
        >>> for hit in index.search("hold a wine glass", limit=20):  # doctest: +SKIP
        ...     print(hit.path, hit.span, hit.score, hit.text)
    """

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
        refuse_damaged(index._store)
        if not create or index.store.exists:
            check_model(index.store, encoder)
        return index

    def add(
        self,
        *paths: str | os.PathLike[str],
        window_s: float | None = None,
        by_caption: bool | None = None,
        keys_only: bool | None = None,
        thumbs: Thumbs | None = None,
        prune: bool = False,
        workers: int | None = None,
        engine: Engine = "here",
        cluster: str | None = None,
        progress: Progress | None = None,
    ) -> AddReport:
        """Add files, or bring up to date all that was ever named; safe to repeat and to interrupt.

        Unchanged files are not read again, changed ones are replaced, moved ones
        are recognised. A file that cannot be read is reported, not fatal. No index is made of nothing.

        Args:
            paths: files, folders, manifests (CSV, JSONL, Parquet), ``-`` for a list on stdin; they are
                remembered. Without any: all that are remembered.
            window_s: length of the clips a video is cut into, seconds; by default as the index
                remembers, at first 4.
            by_caption: cut one clip a caption where a video has captions; by default as the index remembers.
            keys_only: cut at key frames, half a window apart or more, and decode nothing else; by default as
                the index remembers.
            thumbs: whether a picture is kept of each ``clip``, of each ``video``, or ``none``, which makes
                them of the files when they are shown; of what is read from now on, by default as the index
                remembers, at first of each clip.
            prune: remove files that have vanished from the given folders.
            workers: decoding threads; by default one a core.
            engine: where files are read: ``here``, or on a ``ray`` cluster, whose machines must see them.
            cluster: the address of the cluster; by default one of this machine's cores.
            progress: what to report to.

        Raises:
            QueryError: if the window is no length.
            SaysoError: if no paths are given and the index remembers none.
        """
        if self.store.exists:
            check_model(self.store, self._encoder)
        how = Adding(Cut(window_s, by_caption, keys_only, thumbs), prune, workers, progress or Silent())
        if engine == "ray":
            given = self.encoder
            load = NamedEncoder(given.name, given.sha256, self.device)
            how = replace(how, cluster=Cluster(load, cluster))
        return add_paths(self.store, [os.fspath(path) for path in paths], lambda: self.encoder, how)

    def upgrade(
        self,
        model: Encoder | str,
        *,
        prune: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> AddReport:
        """Embed all files anew with another model; until that is done searches answer from what is there.

        Args:
            model: an encoder or what ``sayso.load`` takes.
            prune: leave out files that cannot be read any more, which otherwise prevent the change.
            workers: decoding threads; by default one a core.
            progress: what to report to.

        Raises:
            SaysoError: if there is no index, it remembers no folders, or a file of it cannot be read now.
        """
        from sayso.encoders import load_encoder
        from sayso.index.upgrading import upgrade_model

        encoder = load_encoder(model, device=self.device) if isinstance(model, str) else model
        how = Adding(prune=prune, workers=workers, progress=progress or Silent())
        report = upgrade_model(self.store, encoder, how)
        self._given = encoder
        self._begin(Store(self._store.address), encoder)
        return report

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
        after: str | None = None,
        before: str | None = None,
        sort: Sort = "score",
    ) -> list[Hit]:
        """Return the moments that fit best, best first; without a query, all that pass, the newest first.

        ``hit.likely`` says which are no mere guesses.

        Args:
            query: words; also sums such as ``2:dog + ./pool.jpg - night``, ``who:ilsa`` for people, and
                ``near:48.8577,2.295,5km`` for where it was taken.
            like: a picture or a clip to look for: a path, ``talk.mp4@12.5``, or a PIL image.
            limit: how many.
            offset: how many of the best are left out, because they were given before.
            min_score: leave out what scores lower, from 0 to 1.
            filter: conditions over the columns of ``sayso.index.sql.FILTERED``, joined by and, or, not.
            text_weight: of the words: 0 ranks by pictures alone, 1 by words alone; by default both count.
            merge: whether neighbouring clips of a shot become one moment, and copies one hit.
            by_file: whether to return only the best moment of each file.
            files: whether terms of the query may name files of this machine.
            after: taken from the beginning of this year, month, day or time on: 2019, 2019-06-30T14:05.
            before: taken before the beginning of it.
            sort: ``time`` for the newest first, of the 1,000 best that are found.

        Raises:
            QueryError: if the query or the filter cannot be understood.
        """
        store = self.store  # those that count now
        asked = read_conditions(query, filter=filter, after=after, before=before)
        terms = parse_query(asked.words, files=files) if asked.words.strip() else []
        if not terms and like is None and asked.sql is None and sort != "time":
            ways = "--like a picture, or list by --filter, --after or --sort time"
            raise QueryError(f"the query is empty; say what to look for, {ways}")
        if limit < 1 or offset < 0:
            raise QueryError(f"the limit must be at least 1 and the offset 0; got {limit} and {offset}")
        if nothing := self._hints.about_emptiness():
            self._hints.say(nothing)
            return []
        self._hints.say(self._hints.about_conditions(asked))
        scope = Scope(asked.sql, min_score, merge, by_file, sort)
        if not terms and like is None:
            listed = list_moments(store, scope)
            return load_hits(store, listed[offset : offset + limit])
        weight = choose_text_weight(text_weight, text_of(terms))
        vector = None
        if weight < 1:
            texts = [term.text for term in terms if term.text]
            with self.model_turn:
                kept = self._vectors  # first: those of another model never get vectors of this one
                vector = embed_query(terms, self.encoder, like, kept)
                told = self._hints.about_words(self.encoder, texts)
            self._hints.say(told)
        pictured = like is not None or any(term.file for term in terms)
        return self._searcher.search(
            vector, scope, words=text_of(terms), weight=weight, pictured=pictured, span=(offset, limit)
        )

    def hints(self, query: str, *, text_weight: float | None = None) -> list[str]:
        """Return why a query finds nothing, or what means little, a sentence each.

        The index is empty, or does not know the words or the people that are asked for.

        Args:
            query: as for ``search``; its terms name no files.
            text_weight: as for ``search``.
        """
        return self._hints.about(query, text_weight, lambda: self.encoder, self.model_turn)

    def similar(
        self,
        clip_id: str,
        *,
        limit: int = 20,
        offset: int = 0,
        min_score: float | None = None,
        filter: str | None = None,  # noqa: A002
        by_file: bool = False,
        sort: Sort = "score",
    ) -> list[Hit]:
        """Return the moments that look like a clip of this index, without the clip itself.

        Args:
            clip_id: of a hit.
            limit: how many.
            offset: how many of the best are left out.
            min_score: as for ``search``.
            filter: as for ``search``.
            by_file: as for ``search``.
            sort: as for ``search``.

        Raises:
            KeyError: if there is no such clip.
        """
        vector = clip_vectors(self.store, [clip_id])[clip_id]
        sql = both(f"id != {sql_string(clip_id)}", filter)
        scope = Scope(filter_sql(sql), min_score, by_file=by_file, sort=sort)
        return self._searcher.search(vector, scope, pictured=True, span=(offset, limit))

    @property
    def calibration(self) -> Calibration:
        """What similarities in this index mean."""
        return self._searcher.calibration

    def media(self, media_id: str) -> Media:
        """Return one file of the index, or raise KeyError."""
        store = self.store
        return self._files.get((store.media.version, media_id), lambda: read_media(store, media_id))

    def transcript(self, media_id: str) -> list[Caption]:
        """Return what is said in a file, in order, or raise KeyError."""
        return read_transcript(self.store, media_id)

    def moments(self, media_id: str) -> list[Hit]:
        """Return all clips of a file in time order, unscored (``score`` is 0)."""
        return clips_of(self.store, media_id)

    def thumbnail(self, clip_id: str) -> bytes:
        """Return the JPEG of a clip (see ``add``'s ``thumbs``), or raise KeyError."""
        return read_thumbnail(self.store, clip_id, self._thumbs)
