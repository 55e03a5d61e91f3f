"""Searching an index: by what is seen, by what is said, or by both.

Both lists are fused by reciprocal rank (Cormack, Clarke & Buettcher, SIGIR 2009):
a clip at rank r of a list gains w / (60 + r). Then neighbouring clips of one
video are merged into one moment.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import QueryError
from sayso.index.hit import Hit
from sayso.index.store import Store, quoted

RRF = 60
"""The constant of reciprocal rank fusion, of the paper; large enough that no single rank decides alone."""

PROBES = 20
REFINE = 5
"""Partitions looked at and exact re-scoring of 5 k candidates: recall@10 >= 0.95 (benchmarks/search.py)."""

TOUCHING_S = 0.5
COLUMNS = [
    "id",
    "media_id",
    "path",
    "kind",
    "title",
    "duration",
    "start_s",
    "end_s",
    "text",
    "meta",
]


def search_seen(store: Store, vector: NDArray[np.float32], limit: int, where: str | None) -> list[Hit]:
    """Return the clips nearest to ``vector`` (D,), best first; ``seen`` is their similarity."""
    query = store.clips.search(vector, vector_column_name="vector").distance_type(store.identity.metric)
    query = query.select([*COLUMNS, "_distance"]).limit(limit).nprobes(PROBES).refine_factor(REFINE)
    rows = _run(query, where)
    hits = [to_hit(row, seen=1.0 - row["_distance"]) for row in rows]
    return [replace(hit, score=hit.seen or 0.0) for hit in hits]


def search_said(store: Store, words: str, limit: int, where: str | None) -> list[Hit]:
    """Return the clips in which the words are said, best first; ``said`` is their BM25 score."""
    from lancedb.query import MatchQuery

    if not words.strip() or "text" not in {index.columns[0] for index in store.clips.list_indices()}:
        return []
    query = store.clips.search(MatchQuery(words, "text"), query_type="fts")
    rows = _run(query.select([*COLUMNS, "_score"]).limit(limit), where)
    hits = [to_hit(row, said=row["_score"]) for row in rows]
    return [replace(hit, score=hit.said or 0.0) for hit in hits]


def fuse(seen: list[Hit], said: list[Hit], weight: float) -> list[Hit]:
    """Fuse two rankings; the score is 1 for a clip that leads both.

    Args:
        seen: best first.
        said: best first.
        weight: of what is said, in [0, 1].
    """
    gains: dict[str, float] = {}
    found: dict[str, Hit] = {}
    for hits, share in ((seen, 1.0 - weight), (said, weight)):
        for rank, hit in enumerate(hits, start=1):
            gains[hit.id] = gains.get(hit.id, 0.0) + share * (RRF + 1) / (RRF + rank)
            other = found.get(hit.id)
            found[hit.id] = replace(hit, seen=other.seen) if other else hit
    fused = [replace(found[key], score=gain) for key, gain in gains.items() if gain > 0]
    return sorted(fused, key=lambda hit: -hit.score)


def fill_seen(store: Store, hits: list[Hit], vector: NDArray[np.float32]) -> list[Hit]:
    """Give the hits that were found by their words alone their similarity to the query."""
    lacking = [hit.id for hit in hits if hit.seen is None]
    if not lacking:
        return hits
    vectors = clip_vectors(store, lacking)
    return [
        replace(hit, seen=_similarity(vectors[hit.id], vector, store)) if hit.seen is None else hit
        for hit in hits
    ]


def clip_vectors(store: Store, ids: list[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors (D,) of some clips by id."""
    found = store.clips.search().where(f"id IN ({', '.join(map(quoted, ids))})").select(["id", "vector"])
    rows = found.limit(len(ids)).to_arrow().to_pylist()
    return {row["id"]: np.asarray(row["vector"], np.float32) for row in rows}


def merge_neighbours(hits: list[Hit]) -> list[Hit]:
    """Merge clips that touch into one moment, from each best clip outwards.

    A neighbour joins while its score is nearer to the best clip's than to the
    ordinary (the median of all candidates), so that a moment ends where the
    match does, also when every clip of a video was found.
    """
    if not hits:
        return []
    ordinary = float(np.median([hit.score for hit in hits]))
    by_media: dict[str, list[Hit]] = {}
    for hit in hits:
        by_media.setdefault(hit.media_id, []).append(hit)
    place: dict[str, tuple[list[Hit], int]] = {}
    for clips in by_media.values():
        clips.sort(key=lambda hit: (hit.start_s, hit.end_s))
        place.update({hit.id: (clips, k) for k, hit in enumerate(clips)})
    taken: set[str] = set()
    moments = []
    for best in hits:
        if best.id in taken:
            continue
        clips, k = place[best.id]
        floor = (best.score + ordinary) / 2
        first = _reach(clips, k, -1, floor, taken)
        last = _reach(clips, k, +1, floor, taken)
        taken.update(hit.id for hit in clips[first : last + 1])
        moments.append(_moment(best, clips[first : last + 1]))
    return moments


def _reach(clips: list[Hit], k: int, step: int, floor: float, taken: set[str]) -> int:
    """Walk from clip ``k`` while the next one touches, is free and scores at least ``floor``."""
    while 0 <= k + step < len(clips):
        here, there = clips[k], clips[k + step]
        gap = there.start_s - here.end_s if step > 0 else here.start_s - there.end_s
        if gap > TOUCHING_S or there.id in taken or there.score < floor or here.kind == "picture":
            break
        k += step
    return k


def _moment(best: Hit, clips: list[Hit]) -> Hit:
    text = " ".join(dict.fromkeys(hit.text for hit in clips if hit.text))
    start, end = min(hit.start_s for hit in clips), max(hit.end_s for hit in clips)
    return replace(best, start_s=start, end_s=end, text=text)


def _run(query: Any, where: str | None) -> list[dict[str, Any]]:
    try:
        filtered = query.where(where, prefilter=True) if where else query
        rows: list[dict[str, Any]] = filtered.to_arrow().to_pylist()
    except (RuntimeError, ValueError, OSError) as error:
        if where is None:
            raise
        raise QueryError(
            f"the filter {where!r} cannot be used: {_first_line(error)}; "
            "columns are path, title, kind, duration, start_s, end_s, text"
        ) from error
    return rows


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def to_hit(row: dict[str, Any], **scores: float) -> Hit:
    """Return a row of ``clips`` as a hit, not yet scored."""
    known = {name: row[name] for name in COLUMNS if name != "meta"}
    middle = (row["start_s"] + row["end_s"]) / 2
    return Hit(**known, meta=json.loads(row["meta"]), best_s=middle, score=0.0, **scores)


def _similarity(vector: NDArray[np.float32], query: NDArray[np.float32], store: Store) -> float:
    norm = np.linalg.norm(vector) * np.linalg.norm(query) if store.identity.normalised else 1.0
    return float(vector @ query / max(float(norm), 1e-12))
