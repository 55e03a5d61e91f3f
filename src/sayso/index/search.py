"""Finding clips by their pictures, by the text said in them, or by both; merging them into moments.

Both lists are fused by reciprocal rank (Cormack, Clarke & Buettcher, SIGIR 2009):
a clip at rank r of a list gains w / (60 + r). Candidates carry only what ranking
and merging need, because every further column costs milliseconds at a million
clips; what a hit shows is read for the few that are answered. Neighbouring clips of a
video are merged into the moment they show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import QueryError
from sayso.index.hit import Hit, Moment
from sayso.index.sql import sql_in, sql_string
from sayso.index.store import Store, title_of

RRF = 60
"""The constant of reciprocal rank fusion in the paper; large enough that no single rank decides alone."""

PROBES = 20
"""Partitions of the approximate index that are looked at."""

RESCORED = 200
"""At least so many of the best are scored exactly: recall@10 >= 0.95 at a million (benchmarks/search.py)."""

TEXT_WEIGHT = 0.5
"""Weight of the text score where an index holds text and nobody chose."""

TOUCHING_S = 0.5
"""Clips this close, in seconds, are neighbours."""

RANK_COLUMNS = ["id", "start_s", "end_s"]
HIT_COLUMNS = ["path", "shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Moment):
    """A clip that may be answered, or several neighbouring ones.

    Args:
        members: id and stored row of every clip it stands for, in time order.
    """

    members: tuple[tuple[str, int], ...]


def search_visual(store: Store, vector: NDArray[np.float32], limit: int, sql: str | None) -> list[Candidate]:
    """Return the clips nearest to a vector, best first, with their visual score.

    Args:
        store: the index.
        vector: (D,) float32, of the query.
        limit: how many.
        sql: a filter that they pass, if any.
    """
    query = store.clips.search(vector, vector_column_name="vector").distance_type(store.identity.metric)
    query = query.nprobes(PROBES).refine_factor(max(1, -(-RESCORED // limit)))
    rows = _run(query.select([*RANK_COLUMNS, "_distance"]), limit, sql)
    return [_candidate(row, score, visual=score) for row in rows for score in [1.0 - row["_distance"]]]


def search_text(store: Store, words: str, limit: int, sql: str | None) -> list[Candidate]:
    """Return the clips in which the words are said, or a model saw them, best first, with BM25.

    The text score of a clip that has them in both is the larger one.

    Args:
        store: the index.
        words: what to look for; stemmed, and without stop words.
        limit: how many.
        sql: a filter that they pass, if any.
    """
    from lancedb.query import MatchQuery

    found: dict[str, dict[str, Any]] = {}
    for column in store.text_columns if words.strip() else ():
        query = store.clips.search(MatchQuery(words, column), query_type="fts")
        for row in _run(query.select([*RANK_COLUMNS, "_score"]), limit, sql):
            if row["id"] not in found or found[row["id"]]["_score"] < row["_score"]:
                found[row["id"]] = row
    rows = sorted(found.values(), key=lambda row: -row["_score"])[:limit]
    return [_candidate(row, row["_score"], text=row["_score"]) for row in rows]


def search_all(store: Store, sql: str | None) -> list[Candidate]:
    """Return all clips that a filter lets pass, file by file in time order; each scores 1."""
    clips = [_candidate(row, 1.0) for row in _run(store.clips.search().select(RANK_COLUMNS), None, sql)]
    return sorted(clips, key=lambda clip: (clip.media_id, clip.start_s, clip.end_s))


def choose_text_weight(store: Store, chosen: float | None, words: str) -> float:
    """Return the weight of the text score in a query.

    Args:
        store: the index; without text in it the weight is 0.
        chosen: what somebody set, in [0, 1].
        words: of the query; without any the weight is 0.

    Raises:
        QueryError: if it does not lie in 0 to 1.
    """
    if chosen is not None and not 0 <= chosen <= 1:
        raise QueryError(f"the weight of the text must lie in 0 to 1; got {chosen}")
    if not words:
        return 0.0
    if chosen is None:
        return TEXT_WEIGHT if store.has_text else 0.0
    return chosen


def fuse(visual: list[Candidate], text: list[Candidate], weight: float) -> list[Candidate]:
    """Fuse two rankings; the score is 1 for a clip that leads both.

    Args:
        visual: best first.
        text: best first.
        weight: of the text, in [0, 1].
    """
    gains: dict[str, float] = {}
    clips: dict[str, Candidate] = {}
    for ranking, share in ((visual, 1.0 - weight), (text, weight)):
        for rank, clip in enumerate(ranking, start=1):
            gains[clip.id] = gains.get(clip.id, 0.0) + share * (RRF + 1) / (RRF + rank)
            other = clips.get(clip.id)
            clips[clip.id] = replace(clip, visual_score=other.visual_score) if other else clip
    fused = [replace(clips[id_], score=gain) for id_, gain in gains.items()]
    return sorted(fused, key=lambda clip: -clip.score)


def clip_vectors(store: Store, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors (D,) of some clips by id."""
    query = store.clips.search().where(sql_in("id", ids))
    rows = query.select(["id", "vector"]).to_arrow().to_pylist()
    return {row["id"]: np.asarray(row["vector"], np.float32) for row in rows}


def fill_visual_scores(store: Store, clips: list[Candidate], vector: NDArray[np.float32]) -> list[Candidate]:
    """Give clips that have only a text score their visual score too.

    Args:
        store: the index.
        clips: any candidates.
        vector: (D,) float32, of the query.
    """
    lacking = [clip.id for clip in clips if clip.visual_score is None]
    vectors = clip_vectors(store, lacking) if lacking else {}
    return [
        replace(clip, visual_score=_similarity(vectors[clip.id], vector, store))
        if clip.id in vectors
        else clip
        for clip in clips
    ]


def load_hits(store: Store, clips: list[Candidate]) -> list[Hit]:
    """Read what the candidates show, and return them as hits."""
    shown = _read_shown(store, dict(member for clip in clips for member in clip.members))
    return [_hit(clip, shown) for clip in clips if clip.id in shown]


def clips_of(store: Store, media_id: str) -> list[Hit]:
    """Return all clips of a file in time order, unscored."""
    rows = _run(store.clips.search().select(RANK_COLUMNS), None, f"media_id = {sql_string(media_id)}")
    clips = [_candidate(row, 0.0) for row in rows]
    return load_hits(store, sorted(clips, key=lambda clip: (clip.start_s, clip.end_s)))


def _read_shown(store: Store, wanted: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Read by row, and by id what another process has moved or removed since."""
    if not wanted:
        return {}
    try:
        table = store.clips.take_row_ids(list(wanted.values())).select(HIT_COLUMNS).to_arrow()
    except RuntimeError:
        shown = {}
    else:
        shown = _by_id(table)
    lost = wanted.keys() - shown.keys()
    if lost:
        query = store.clips.search().where(sql_in("id", lost))
        shown.update(_by_id(query.select(HIT_COLUMNS).to_arrow()))
    return shown


def _by_id(table: Any) -> dict[str, dict[str, Any]]:
    rows = [{"path": row["path"], **json.loads(row["shown"])} for row in table.to_pylist()]
    return {row["id"]: row for row in rows}


def _hit(clip: Candidate, shown: dict[str, dict[str, Any]]) -> Hit:
    best = shown[clip.id]
    said, seen = ([shown[key][of] for key, _ in clip.members if key in shown] for of in ("text", "seen"))
    moment = {field.name: getattr(clip, field.name) for field in fields(Moment)}
    return Hit(
        **moment,
        path=best["path"],
        kind=best["kind"],
        title=best["title"] or title_of(best["path"]),
        text=_joined(said),
        seen=_joined(seen),
        duration_s=best["duration_s"],
        meta=best["meta"],
    )


def _joined(texts: Iterable[str]) -> str:
    return " ".join(text for text in dict.fromkeys(texts) if text)


def _run(query: Any, limit: int | None, sql: str | None) -> list[dict[str, Any]]:
    limited = query.limit(limit) if limit is not None else query
    try:
        filtered = limited.where(sql, prefilter=True) if sql else limited
        rows: list[dict[str, Any]] = filtered.with_row_id(True).to_arrow().to_pylist()
    except (RuntimeError, ValueError, OSError) as error:
        if sql is None:
            raise
        unknown = re.search(r"[Nn]o field named \"?([\w.]+)", str(error))
        why = f"there is no column {unknown[1].rstrip('.')}" if unknown else "it is no condition"
        raise QueryError(
            f"the filter {sql!r} cannot be used: {why}; write it like: kind = 'video' and duration_s > 60, "
            "of the columns path, title, kind, duration_s, start_s, end_s, text, seen"
        ) from error
    return rows


def _candidate(
    row: dict[str, Any], score: float, *, visual: float | None = None, text: float | None = None
) -> Candidate:
    id_, start_s, end_s = row["id"], row["start_s"], row["end_s"]
    return Candidate(
        id=id_,
        media_id=id_.rpartition("-")[0],
        start_s=start_s,
        end_s=end_s,
        best_s=(start_s + end_s) / 2,
        score=score,
        visual_score=visual,
        text_score=text,
        members=((id_, row["_rowid"]),),
    )


def _similarity(vector: NDArray[np.float32], query: NDArray[np.float32], store: Store) -> float:
    norm = np.linalg.norm(vector) * np.linalg.norm(query) if store.identity.normalised else 1.0
    return float(vector @ query / max(float(norm), 1e-12))


def merge_neighbours(clips: list[Candidate]) -> list[Candidate]:
    """Merge clips that touch into one moment, from each best clip outwards; best first.

    A neighbour joins while its score is nearer to the best clip's than to the median of all
    candidates, so that a moment ends where the match does, also when every clip of a video was found.
    """
    if not clips:
        return []
    median = float(np.median([clip.score for clip in clips]))
    positions = _timelines(clips)
    taken: set[str] = set()
    moments = []
    for best in clips:
        if best.id in taken:
            continue
        timeline, k = positions[best.id]
        floor = (best.score + median) / 2
        first, last = (_reach(timeline, k, step, floor, taken) for step in (-1, +1))
        members = timeline[first : last + 1]
        taken.update(clip.id for clip in members)
        moments.append(_moment(best, members))
    return moments


def _timelines(clips: list[Candidate]) -> dict[str, tuple[list[Candidate], int]]:
    """Return, for each clip, the candidates of its file in time order, and its position among them."""
    by_file: dict[str, list[Candidate]] = {}
    for clip in clips:
        by_file.setdefault(clip.media_id, []).append(clip)
    for timeline in by_file.values():
        timeline.sort(key=lambda clip: (clip.start_s, clip.end_s))
    return {clip.id: (timeline, k) for timeline in by_file.values() for k, clip in enumerate(timeline)}


def _reach(timeline: list[Candidate], k: int, step: int, floor: float, taken: set[str]) -> int:
    """Walk from clip ``k`` while the next one touches, is free and scores at least ``floor``."""
    while 0 <= k + step < len(timeline):
        clip, other = timeline[k], timeline[k + step]
        gap = other.start_s - clip.end_s if step > 0 else clip.start_s - other.end_s
        if gap > TOUCHING_S or other.id in taken or other.score < floor:
            break
        k += step
    return k


def _moment(best: Candidate, members: list[Candidate]) -> Candidate:
    return replace(
        best,
        members=tuple(member for clip in members for member in clip.members),
        start_s=min(clip.start_s for clip in members),
        end_s=max(clip.end_s for clip in members),
    )
