"""Finding clips: by what is seen, by what is said, or by both.

Both lists are fused by reciprocal rank (Cormack, Clarke & Buettcher, SIGIR 2009):
a clip at rank r of a list gains w / (60 + r). Candidates carry only what ranking
and merging need, because every further column costs milliseconds at a million
clips; what a hit shows is read for the few that are answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import QueryError
from sayso.index.hit import Hit
from sayso.index.store import Store, quoted, title_of

RRF = 60
"""The constant of reciprocal rank fusion in the paper; large enough that no single rank decides alone."""

PROBES = 20
"""Partitions of the approximate index that are looked at."""

RESCORED = 200
"""At least so many of the best are scored exactly: recall@10 >= 0.95 at a million (benchmarks/search.py)."""

HYBRID_WEIGHT = 0.5
"""Weight of what is said where an index holds words and nobody chose."""

RANKED = ["id", "start_s", "end_s"]
SHOWN = ["path", "shown"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that may be answered, or several neighbouring ones.

    Args:
        id: of the (best) clip.
        members: id and stored row of every clip it stands for, in time order.
        start_s: seconds.
        end_s: seconds.
        best_s: the middle of the best clip.
        score: what candidates are ranked by.
        seen: similarity to the query.
        said: relevance of the words.
    """

    id: str
    members: tuple[tuple[str, int], ...]
    start_s: float
    end_s: float
    best_s: float
    score: float
    seen: float | None = None
    said: float | None = None

    @property
    def media_id(self) -> str:
        """The file it belongs to."""
        return media_of(self.id)


def media_of(clip_id: str) -> str:
    """Return the medium of a clip: its id is the medium's, a dash, and a number."""
    return clip_id.rpartition("-")[0]


def search_seen(store: Store, vector: NDArray[np.float32], limit: int, where: str | None) -> list[Candidate]:
    """Return the clips nearest to ``vector`` (D,), best first; ``seen`` is their similarity."""
    query = store.clips.search(vector, vector_column_name="vector").distance_type(store.identity.metric)
    query = query.nprobes(PROBES).refine_factor(max(1, -(-RESCORED // limit)))
    rows = _run(query.select([*RANKED, "_distance"]), limit, where)
    return [_candidate(row, score, seen=score) for row in rows for score in [1.0 - row["_distance"]]]


def search_said(store: Store, words: str, limit: int, where: str | None) -> list[Candidate]:
    """Return the clips in which the words are said, best first; ``said`` is their BM25 score."""
    from lancedb.query import MatchQuery

    if not words.strip() or not store.words:
        return []
    query = store.clips.search(MatchQuery(words, "text"), query_type="fts")
    rows = _run(query.select([*RANKED, "_score"]), limit, where)
    return [_candidate(row, row["_score"], said=row["_score"]) for row in rows]


def search_all(store: Store, where: str | None) -> list[Candidate]:
    """Return all clips that a filter lets pass, file by file in time order; each scores 1."""
    clips = [_candidate(row, 1.0) for row in _run(store.clips.search().select(RANKED), None, where)]
    return sorted(clips, key=lambda clip: (clip.media_id, clip.start_s, clip.end_s))


def said_weight(store: Store, said: float | None, words: str) -> float:
    """Return the weight of what is said in a query with these words; ``said`` is what somebody chose.

    Raises:
        QueryError: if it does not lie in 0 to 1.
    """
    if said is not None and not 0 <= said <= 1:
        raise QueryError(f"the weight of what is said must lie in 0 to 1; got {said}")
    if not words:
        return 0.0
    if said is None:
        return HYBRID_WEIGHT if store.words else 0.0
    return said


def fuse(seen: list[Candidate], said: list[Candidate], weight: float) -> list[Candidate]:
    """Fuse two rankings; the score is 1 for a clip that leads both.

    Args:
        seen: best first.
        said: best first.
        weight: of what is said, in [0, 1].
    """
    gains: dict[str, float] = {}
    found: dict[str, Candidate] = {}
    for ranking, share in ((seen, 1.0 - weight), (said, weight)):
        for rank, clip in enumerate(ranking, start=1):
            gains[clip.id] = gains.get(clip.id, 0.0) + share * (RRF + 1) / (RRF + rank)
            other = found.get(clip.id)
            found[clip.id] = replace(clip, seen=other.seen) if other else clip
    fused = [replace(found[key], score=gain) for key, gain in gains.items()]
    return sorted(fused, key=lambda clip: -clip.score)


def clip_vectors(store: Store, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors (D,) of some clips by id."""
    query = store.clips.search().where(f"id IN ({', '.join(map(quoted, ids))})")
    rows = query.select(["id", "vector"]).to_arrow().to_pylist()
    return {row["id"]: np.asarray(row["vector"], np.float32) for row in rows}


def fill_seen(store: Store, clips: list[Candidate], vector: NDArray[np.float32]) -> list[Candidate]:
    """Give clips that were found by their words alone their similarity to the query."""
    lacking = [clip.id for clip in clips if clip.seen is None]
    vectors = clip_vectors(store, lacking) if lacking else {}
    return [
        replace(clip, seen=_similarity(vectors[clip.id], vector, store)) if clip.id in vectors else clip
        for clip in clips
    ]


def show(store: Store, clips: list[Candidate]) -> list[Hit]:
    """Read what the candidates show, and return them as hits."""
    shown = _read_shown(store, dict(member for clip in clips for member in clip.members))
    return [_hit(clip, shown) for clip in clips if clip.id in shown]


def clips_of(store: Store, media_id: str) -> list[Hit]:
    """Return all clips of a file in time order, unscored."""
    rows = _run(store.clips.search().select(RANKED), None, f"media_id = {quoted(media_id)}")
    return show(
        store, sorted((_candidate(row, 0.0) for row in rows), key=lambda clip: (clip.start_s, clip.end_s))
    )


def _read_shown(store: Store, wanted: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Read by row, and by id what another process has moved or removed since it was found."""
    if not wanted:
        return {}
    try:
        table = store.clips.take_row_ids(list(wanted.values())).select(SHOWN).to_arrow()
    except RuntimeError:
        found = {}
    else:
        found = _by_id(table)
    lost = wanted.keys() - found.keys()
    if lost:
        query = store.clips.search().where(f"id IN ({', '.join(map(quoted, lost))})")
        found.update(_by_id(query.select(SHOWN).to_arrow()))
    return found


def _by_id(table: Any) -> dict[str, dict[str, Any]]:
    rows = [{"path": row["path"], **json.loads(row["shown"])} for row in table.to_pylist()]
    return {row["id"]: row for row in rows}


def _hit(clip: Candidate, shown: dict[str, dict[str, Any]]) -> Hit:
    best = shown[clip.id]
    texts = dict.fromkeys(shown[key]["text"] for key, _ in clip.members if key in shown)
    return Hit(
        id=clip.id,
        media_id=clip.media_id,
        path=best["path"],
        kind=best["kind"],
        title=best["title"] or title_of(best["path"]),
        start_s=clip.start_s,
        end_s=clip.end_s,
        best_s=clip.best_s,
        score=clip.score,
        seen=clip.seen,
        said=clip.said,
        text=" ".join(text for text in texts if text),
        duration=best["duration"],
        meta=best["meta"],
    )


def _run(query: Any, limit: int | None, where: str | None) -> list[dict[str, Any]]:
    limited = query.limit(limit) if limit is not None else query
    try:
        filtered = limited.where(where, prefilter=True) if where else limited
        rows: list[dict[str, Any]] = filtered.with_row_id(True).to_arrow().to_pylist()
    except (RuntimeError, ValueError, OSError) as error:
        if where is None:
            raise
        raise QueryError(
            f"the filter {where!r} cannot be used: {str(error).splitlines()[0][:200]}; "
            "columns are path, title, kind, duration, start_s, end_s, text"
        ) from error
    return rows


def _candidate(row: dict[str, Any], score: float, **scores: float) -> Candidate:
    start, end = row["start_s"], row["end_s"]
    return Candidate(row["id"], ((row["id"], row["_rowid"]),), start, end, (start + end) / 2, score, **scores)


def _similarity(vector: NDArray[np.float32], query: NDArray[np.float32], store: Store) -> float:
    norm = np.linalg.norm(vector) * np.linalg.norm(query) if store.identity.normalised else 1.0
    return float(vector @ query / max(float(norm), 1e-12))
