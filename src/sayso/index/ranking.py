"""One honest score: the relevance of the picture and that of the words, and the moments in its order.

    score = 1 - (1 - visual) (1 - words),    words = max(spoken, described)

A clip is as relevant as either says, and more if both do. So a clip without words loses nothing, and words
that nobody says change nothing. A weight w of the words other than one half damps one of the two: visual by
min(1, 2 - 2w), words by min(1, 2w); 0 ranks by the picture alone, 1 by the words alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import QueryError
from sayso.index.hit import LIKELY
from sayso.index.moments import Likeness, fold_copies, group_by_file, merge_neighbours
from sayso.index.search import Candidate, search_all, search_visual
from sayso.index.store import Store
from sayso.index.words import search_text

TEXT_WEIGHT = 0.5
"""Weight of the words if nobody chose: both count in full."""

SORTED = 1000
"""So many of the best are sorted by time; further ones follow nowhere."""

REACH = 100
"""At least so many clips are ranked to become moments."""

Sort = Literal["score", "time"]

Relevance = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which moments count.

    Args:
        sql: a filter that clips pass, if any.
        min_score: moments that score lower are left out.
        merge: whether neighbours become one moment and copies are folded.
        by_file: whether there is one moment a file.
        sort: whether the best come first, or the newest of those that are found; guesses stay best first.
    """

    sql: str | None = None
    min_score: float | None = None
    merge: bool = True
    by_file: bool = False
    sort: Sort = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for.

    Args:
        vector: (D,) float32 to which pictures are similar; None to rank by words alone.
        relevance: of similarities (N,), from 0 to 1.
        words: that are said, or that a model wrote.
        weight: of the words, in [0, 1].
        likeness: what one shot and what a copy is.
        scope: which moments count.
    """

    vector: NDArray[np.float32] | None
    relevance: Relevance
    words: str
    weight: float
    likeness: Likeness
    scope: Scope


def choose_text_weight(chosen: float | None, words: str) -> float:
    """Return the weight of the words of a query.

    Args:
        chosen: what somebody set, in [0, 1].
        words: of the query; without any the weight is 0.

    Raises:
        QueryError: if it does not lie in 0 to 1.
    """
    if chosen is not None and not 0 <= chosen <= 1:
        raise QueryError(f"the weight of the text must lie in 0 to 1; got {chosen}")
    if not words:
        return 0.0
    return TEXT_WEIGHT if chosen is None else chosen


def list_moments(store: Store, scope: Scope) -> list[Candidate]:
    """Return all moments that a scope lets pass, the newest file first; each scores 1."""
    moments = search_all(store, scope.sql)
    moments = merge_neighbours(moments) if scope.merge else moments
    return group_by_file(moments) if scope.by_file else moments


def combine(visual: list[Candidate], text: list[Candidate], weight: float) -> list[Candidate]:
    """Return the clips of two searches with one score each, best first.

    Args:
        visual: with their visual relevance.
        text: with the relevance of their words.
        weight: of the words, in [0, 1].
    """
    clips = {clip.id: clip for clip in text}
    for clip in visual:
        words = clips.get(clip.id)
        clips[clip.id] = (
            clip
            if words is None
            else replace(clip, spoken=words.spoken, described=words.described, bm25=words.bm25)
        )
    scored = [_scored(clip, weight) for clip in clips.values()]
    return sorted(scored, key=lambda clip: (-clip.score, -(clip.similarity or 0.0), -(clip.bm25 or 0.0)))


def _scored(clip: Candidate, weight: float) -> Candidate:
    score = _score(clip, weight)
    return clip if clip.score == score else replace(clip, score=score)


def _score(clip: Candidate, weight: float) -> float:
    words = max(clip.spoken or 0.0, clip.described or 0.0) * min(1.0, 2 * weight)
    visual = (clip.visual or 0.0) * min(1.0, 2 - 2 * weight)
    return visual if not words else 1 - (1 - visual) * (1 - words)


@dataclass(slots=True)
class Ranking:
    """The moments for one query, as many as were asked for; those that were given stay where they are.

    Args:
        store: the index.
        wanted: what is looked for.
        live: a filter that lets pass the clips that count (``live.filter_out``), if not all do.
    """

    store: Store
    wanted: Wanted
    live: str | None
    _moments: list[Candidate] = field(default_factory=list)
    _reach: int = 0
    _complete: bool = False

    def first(self, count: int) -> list[Candidate]:
        """Return the first moments, ranking more and more clips until they merge into enough."""
        while len(self._moments) < count and not self._complete:
            self._reach = self._next_reach(count)
            clips, exhausted = self._clips(self._reach)
            found = self._passing(clips)
            given = {id_ for moment in self._moments for id_ in _ids(moment)}
            self._moments += [moment for moment in found if not given & _ids(moment)]
            least = self.wanted.scope.min_score
            self._complete = exhausted or (least is not None and bool(clips) and clips[-1].score < least)
        return self._moments[:count]

    def _next_reach(self, count: int) -> int:
        """Return how many clips to rank next for so many moments: as many, if these are clips, and few."""
        scope, least = self.wanted.scope, max(4 * self._reach, 4 * count, REACH)
        alone = not (self._reach or scope.merge or scope.by_file or self.wanted.weight)
        return count if alone and least == REACH else least

    def found(self) -> list[Candidate]:
        """Return all that counts as found, of the best SORTED."""
        moments = self.first(SORTED)
        least = self.wanted.scope.min_score
        floor = LIKELY if least is None else least
        return [moment for moment in moments if moment.score >= floor]

    def _clips(self, reach: int) -> tuple[list[Candidate], bool]:
        """Return so many of the best clips by either, best first, and whether these are all."""
        store, wanted, which = self.store, self.wanted, (reach, self.wanted.scope.sql, self.live)
        visual, vectors = [], wanted.scope.merge
        if wanted.vector is not None:
            visual = search_visual(store, wanted.vector, *which, vectors=vectors)
        text = search_text(store, wanted.words, *which) if wanted.weight > 0 else []
        exhausted = max(len(visual), len(text)) < reach
        if wanted.vector is not None:
            known = {clip.id for clip in visual}
            visual += [self._compared(clip, wanted.vector) for clip in text if clip.id not in known]
            visual = self._judged([clip for clip in visual if clip.is_seen])
        return combine(visual, text, wanted.weight), exhausted

    def _compared(self, clip: Candidate, vector: NDArray[np.float32]) -> Candidate:
        """Return a clip that was found by its words as if it had been found by its picture."""
        own = vector if clip.vector is None else clip.vector
        norm = np.linalg.norm(own) * np.linalg.norm(vector) if self.store.identity.normalised else 1.0
        similarity = float(own @ vector / max(float(norm), 1e-12))
        return replace(clip, similarity=similarity, spoken=None, described=None, bm25=None)

    def _judged(self, clips: list[Candidate]) -> list[Candidate]:
        similarity = np.array([clip.similarity for clip in clips], np.float64)
        relevance = self.wanted.relevance(similarity).tolist()
        return [
            replace(clip, visual=value, score=value) for clip, value in zip(clips, relevance, strict=True)
        ]

    def _passing(self, clips: list[Candidate]) -> list[Candidate]:
        scope, likeness, moments = self.wanted.scope, self.wanted.likeness, clips
        if scope.merge:
            moments = fold_copies(merge_neighbours(moments, likeness), likeness)
        if scope.min_score is not None:
            moments = [moment for moment in moments if moment.score >= scope.min_score]
        return group_by_file(moments) if scope.by_file else moments


def _ids(moment: Candidate) -> set[str]:
    return {member.id for one in (moment, *moment.folded) for member in one.members}
