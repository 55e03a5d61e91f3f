"""Searching one index again and again: what its similarities mean, and the last rankings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.index.background import load_calibration, measure_background
from sayso.index.calibration import Calibration
from sayso.index.hit import Hit
from sayso.index.live import filter_out
from sayso.index.moments import Likeness
from sayso.index.ranking import Ranking, Scope, Wanted
from sayso.index.schema import BACKGROUND_TABLE
from sayso.index.search import load_hits
from sayso.index.store import Store

KEPT_RANKINGS = 4
Versions: TypeAlias = tuple[int, int | None]
"""Of the clips, and of the table that keeps the calibration; None: there is none."""


def newest_first(hits: list[Hit]) -> list[Hit]:
    """Return hits by when they were taken, the last first; those without a date come last."""
    in_file = sorted(hits, key=lambda hit: (hit.path, hit.start_s))
    return sorted(in_file, key=lambda hit: hit.taken or "", reverse=True)


class Searcher:
    """Ranks the moments of an index; may be used from several threads.

    Args:
        store: the index.
        background: embeds what is unlike any query; called only for an index that keeps no background.
    """

    def __init__(self, store: Store, background: Callable[[], NDArray[np.float32]]) -> None:
        self.store, self._background = store, background
        self._turn = threading.Lock()
        self._kept_in: Any = None  # the table that keeps the calibration
        self._calibration: tuple[Versions, Calibration] | None = None
        self._rankings: dict[Any, Ranking] = {}

    @property
    def calibration(self) -> Calibration:
        """What similarities in the index mean; measured here if an older sayso made it."""
        return self._calibration_of(self.store.clips.version)[1]

    def _calibration_of(self, clips: int) -> tuple[Versions, Calibration]:
        """Return what was measured of a version of the clips, and of which versions it is.

        A run commits clips first and measures them a moment later.
        """
        versions, known = (clips, self._kept_version()), self._calibration
        if known is None or known[0] != versions:
            held = load_calibration(self.store)
            found = held[0] if held else measure_background(self.store, self._background())
            known = self._calibration = versions, found
        return known

    def _kept_version(self) -> int | None:
        """Return the version of the table that keeps the calibration; None if there is none, or no more."""
        try:
            if self._kept_in is None:  # a table with no rows is false
                self._kept_in = self.store.table(self.store.named(BACKGROUND_TABLE))
            return None if self._kept_in is None else int(self._kept_in.version)
        except (OSError, RuntimeError, SaysoError, ValueError):  # it is damaged, or a repair took it away
            self._kept_in = None
            return None

    def search(
        self,
        vector: NDArray[np.float32] | None,
        scope: Scope,
        *,
        words: str = "",
        weight: float = 0.0,
        pictured: bool = False,
        span: tuple[int, int] = (0, 20),
    ) -> list[Hit]:
        """Return a stretch of a ranking, best first.

        Args:
            vector: (D,) float32 to which pictures are similar; None to rank by words alone.
            scope: which moments count.
            words: that are said, or that a model wrote.
            weight: of the words, in [0, 1].
            pictured: whether the vector is that of a picture or a clip, and not of words alone.
            span: how many of the best are left out, and how many come then.
        """
        seen, offset = self.store.live.seen(), span[0]
        measured, calibration = self._calibration_of(seen[0][1])
        wanted = Wanted(
            vector=vector,
            relevance=calibration.of_pictures
            if pictured or vector is None
            else partial(calibration.of_words, query=vector),
            likeness=Likeness(calibration.same_shot, calibration.same_content),
            words=words,
            weight=weight,
            scope=scope,
        )
        with self._taken(wanted, pictured, seen, measured) as ranking:
            found = ranking.found() if scope.sort == "time" else []
            moments = found or ranking.first(offset + span[1])[offset:]
        hits = load_hits(self.store, moments)
        return newest_first(hits)[offset : offset + span[1]] if found else hits

    @contextmanager
    def _taken(self, wanted: Wanted, pictured: bool, seen: Any, measured: Versions) -> Iterator[Ranking]:
        """Give the ranking for what is wanted: one of the last few, to go on in it, or a new one.

        It is nobody else's meanwhile: who asks for the same at the same time makes another.
        """
        vector = None if wanted.vector is None else wanted.vector.tobytes()
        key = (seen, measured, vector, pictured, wanted.words, wanted.weight, wanted.scope)
        with self._turn:
            ranking = self._rankings.pop(key, None)
        ranking = ranking or Ranking(self.store, wanted, filter_out(seen[1]))
        yield ranking
        with self._turn:
            self._rankings[key] = ranking
            if len(self._rankings) > KEPT_RANKINGS:
                del self._rankings[next(iter(self._rankings))]
