"""An index that is open: its tables and its model, also after another process has given it another model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sayso.index.background import embed_background
from sayso.index.belonging import check_model
from sayso.index.hints import Hints
from sayso.index.hit import Media
from sayso.index.kept import Kept
from sayso.index.searcher import Searcher
from sayso.index.store import Store

if TYPE_CHECKING:
    from sayso.encoders.interface import Embeddings, Encoder

KEPT_QUERIES = 512
KEPT_ROWS = 1024
"""Of files, and of clips with their pictures: 10 kB each."""


class OpenIndex:
    """The tables of an index and what they are searched with; several threads may use it.

    ``model_turn`` is held while the model works, and over no query: models need not be safe to use at once.

    Args:
        store: the tables.
        encoder: the model, or its name; None: the one that made the index.
        device: where it runs, if it is loaded here.
        load: loads a model by name, in the place of ``sayso.load_encoder``.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder | str | None = None,
        *,
        device: str = "auto",
        load: Callable[[str], Encoder] | None = None,
    ) -> None:
        self.device, self._load, self._given = device, load, encoder
        self.model_turn = threading.RLock()
        self._begin(store, encoder)

    def _begin(self, store: Store, encoder: Encoder | str | None) -> None:
        self._store, self._encoder = store, encoder
        self._hints = Hints(store)
        self._searcher = Searcher(store, self._embedded_background)
        self._vectors: Kept[Embeddings] = Kept(KEPT_QUERIES)
        self._files: Kept[Media] = Kept(KEPT_ROWS)
        self._thumbs: Kept[dict[str, Any]] = Kept(KEPT_ROWS)

    def _embedded_background(self) -> Embeddings:
        with self.model_turn:
            return embed_background(self.encoder)

    @property
    def store(self) -> Store:
        """The tables; those of another model, once the index has been given one."""
        if self._store.is_superseded:
            self._begin(Store(self._store.address), None if isinstance(self._given, str) else self._given)
            check_model(self._store, self._given)
        return self._store

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
            encoder = self._load(name) if self._load else load_encoder(name, device=self.device)
            if exists:
                check_model(self._store, encoder)
            self._encoder = encoder
        return self._encoder

    @property
    def model(self) -> str | None:
        """The name of the model that made the index; None if there is none yet."""
        return self.store.identity.model if self.store.exists else None

    def __len__(self) -> int:
        """Return the number of clips."""
        return int(self.store.clips.count_rows(self.store.live.scope())) if self.store.exists else 0

    def info(self) -> dict[str, Any]:
        """Return what the index says of itself and how many clips and files it holds."""
        return {
            **asdict(self.store.identity),
            "path": self.store.address,
            "clips": len(self),
            "media": self.store.media.count_rows(),
            "has_text": self.store.has_text,
        }
