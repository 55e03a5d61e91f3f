"""Finding clips by their pictures or by their words, and reading what a hit shows.

Candidates carry only what ranking and merging need, because every further column costs
milliseconds at a million clips; what a hit shows is read for the few that are answered, or with
the candidates if these are few.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.index.background import vectors_of
from sayso.index.hit import Copy, Hit, Moment
from sayso.index.sql import sql_in, sql_string
from sayso.index.store import Store, title_of
from sayso.index.taken import TAKEN_COLUMNS, shown_taken
from sayso.index.timed import read_rows
from sayso.text.captions.transcript import join_spans

LARGE = 1_000_000
"""Above so many clips the two numbers below grow with the fourth root of how many there are."""

PROBES = 20
"""Partitions of the approximate index that are looked at."""

RESCORED = 200
"""At least so many of the best are scored exactly: recall@10 >= 0.95 at millions (benchmarks/search.py)."""

FEW = 25
"""Up to so many clips are read with what a hit shows; for a hundred of a million it costs 10 ms, later 4."""

RANK_COLUMNS = ["id", "kind", "start_s", "end_s"]
HIT_COLUMNS = ["path", "shown"]
FEW_COLUMNS = ["start_s", "end_s", *HIT_COLUMNS]
"""Of a few clips; ``shown`` tells the others too."""


class Member(NamedTuple):
    """A clip that a candidate stands for: its id, its stored row, and what it shows if that has been read."""

    id: str
    row: int
    shown: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Moment):
    """A clip that may be answered, or several neighbouring ones.

    Args:
        members: the clips it stands for, in time order.
        is_seen: whether it has a picture; sound has none.
        vector: (D,) float32 of its best clip.
        folded: moments that show the same.
    """

    members: tuple[Member, ...]
    is_seen: bool = True
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    folded: tuple[Candidate, ...] = ()


def search_visual(
    store: Store,
    vector: NDArray[np.float32],
    limit: int,
    sql: str | None,
    live: str | None,
    *,
    vectors: bool = True,
) -> list[Candidate]:
    """Return the clips nearest to a vector, best first, with their similarity.

    Args:
        store: the index.
        vector: (D,) float32, of the query.
        limit: how many.
        sql: a filter that they pass, if any.
        live: another, of those that count (``live.filter_out``).
        vectors: whether their vectors are read too.
    """
    probes, rescored = effort(store.live.clips())
    query = store.clips.search(vector, vector_column_name="vector").distance_type(store.identity.metric)
    query = query.nprobes(probes).refine_factor(max(1, -(-rescored // limit)))
    columns = FEW_COLUMNS if limit <= FEW else RANK_COLUMNS
    read = [*columns, *(["vector"] if vectors else []), "_distance"]
    rows = _run(query.select(read), limit, sql, live)
    return [_candidate(row, similarity=1.0 - row["_distance"]) for row in rows]


def effort(clips: int) -> tuple[int, int]:
    """Return how many partitions are looked at in an index of so many clips, and how many clips are rescored.

    Partitions have one size, so that a fixed number of both costs the same in a collection of any size, and
    finds less the larger it is: at five million 0.980 of the true ten, and 0.993 with half as much again.
    """
    growth = max(1.0, clips / LARGE) ** 0.25
    return round(PROBES * growth), round(RESCORED * growth)


def search_words(
    store: Store,
    words: str,
    column: str,
    limit: int,
    sql: str | None,
    live: str | None,
    *,
    vectors: bool = True,
) -> list[Candidate]:
    """Return the clips one of whose columns holds any of the words, best first, with BM25.

    Args:
        store: the index.
        words: what to look for; stemmed, and without stop words.
        column: ``text`` or ``seen``.
        limit: how many.
        sql: a filter that they pass, if any.
        live: another, of those that count (``live.filter_out``).
        vectors: whether their vectors are read too.
    """
    from lancedb.query import MatchQuery

    query = store.clips.search(MatchQuery(words, column), query_type="fts")
    read = [*RANK_COLUMNS, *(["vector"] if vectors else []), "_score"]
    return [_candidate(row, bm25=row["_score"]) for row in _run(query.select(read), limit, sql, live)]


def search_all(store: Store, sql: str | None) -> list[Candidate]:
    """Return all clips that a filter lets pass, the newest file first, in time order; each scores 1."""
    return [clip for clip, _ in dated_clips(store, sql)]


def dated_clips(store: Store, sql: str | None) -> list[tuple[Candidate, str | None]]:
    """Return the same, each with when it was taken.

    Raises:
        QueryError: if the filter cannot be used.
    """
    dated = [name for name in ("taken",) if name in store.clips.schema.names]
    rows = _run(store.clips.search().select([*RANK_COLUMNS, *dated]), None, sql, store.live.scope())
    rows.sort(key=lambda row: (row["id"].rpartition("-")[0], row["start_s"], row["end_s"]))
    rows.sort(key=lambda row: row.get("taken") or "", reverse=True)
    return [(_candidate(row, score=1.0), row.get("taken")) for row in rows]


def clip_vectors(store: Store, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors (D,) of some clips by id."""
    query = store.clips.search().where(sql_in("id", ids))
    rows = read_rows(query.select(["id", "vector"])).to_pylist()
    return {row["id"]: np.asarray(row["vector"], np.float32) for row in rows}


def load_hits(store: Store, clips: list[Candidate]) -> list[Hit]:
    """Read what the candidates show, and return them as hits."""
    read = [*clips, *(copy for clip in clips for copy in clip.folded)]
    shown = _read_shown(store, [member for clip in read for member in clip.members])
    dead = store.live.dead()  # what another process has begun or replaced meanwhile
    return [_hit(clip, shown) for clip in clips if clip.id in shown and clip.media_id not in dead]


def clips_of(store: Store, media_id: str) -> list[Hit]:
    """Return all clips of a file in time order, unscored."""
    rows = _run(store.clips.search().select(RANK_COLUMNS), None, f"media_id = {sql_string(media_id)}")
    clips = [_candidate(row) for row in rows]
    return load_hits(store, sorted(clips, key=lambda clip: (clip.start_s, clip.end_s)))


def _read_shown(store: Store, members: list[Member]) -> dict[str, dict[str, Any]]:
    """Read by row, and by id what another process has moved or removed since, unless it has been read."""
    shown = {member.id: member.shown for member in members if member.shown is not None}
    wanted = {member.id: member.row for member in members if member.shown is None}
    if wanted:
        with suppress(RuntimeError):
            shown |= _by_id(store.clips.take_row_ids(list(wanted.values())).select(HIT_COLUMNS).to_arrow())
    lost = wanted.keys() - shown.keys()
    if lost:
        query = store.clips.search().where(sql_in("id", lost))
        shown |= _by_id(read_rows(query.select(HIT_COLUMNS)))
    return shown


def _by_id(table: Any) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in map(_shown, table.to_pylist())}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {"path": row["path"], **json.loads(row["shown"])}


def _hit(clip: Candidate, shown: dict[str, dict[str, Any]]) -> Hit:
    best = shown[clip.id]
    said, seen = (
        [shown[member.id][of] for member in clip.members if member.id in shown] for of in ("text", "seen")
    )
    moment = {field.name: getattr(clip, field.name) for field in fields(Moment)}
    return Hit(
        **moment,
        path=best["path"],
        kind=best["kind"],
        title=best["title"] or title_of(best["path"]),
        text=join_spans(said),
        seen=join_spans(seen),
        duration_s=best["duration_s"],
        meta=best["meta"],
        **shown_taken(best),
        copies=tuple(_copy(copy, shown) for copy in clip.folded if copy.id in shown),
    )


def _copy(clip: Candidate, shown: dict[str, dict[str, Any]]) -> Copy:
    path = shown[clip.id]["path"]
    return Copy(id=clip.id, media_id=clip.media_id, path=path, start_s=clip.start_s, end_s=clip.end_s)


def _run(query: Any, limit: int | None, sql: str | None, live: str | None = None) -> list[dict[str, Any]]:
    limited = query.limit(limit) if limit is not None else query
    both = " AND ".join(f"({one})" for one in (sql, live) if one)
    try:
        filtered = limited.where(both, prefilter=True) if both else limited
        table = read_rows(filtered.with_row_id(True))
    except (RuntimeError, ValueError, OSError) as error:
        unknown = re.search(r"[Nn]o field named \"?([\w.]+)", str(error))
        if unknown and unknown[1].rstrip(".") in TAKEN_COLUMNS:
            raise SaysoError(
                f"this index was made before {unknown[1].rstrip('.')} was noted; to note it, run sayso index "
                "on it again: nothing is decoded anew"
            ) from error
        raise
    if "vector" not in table.column_names:
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows
    vectors = vectors_of(table.column("vector"))
    plain = table.drop_columns(["vector"]).to_pylist()
    return [{**row, "vector": vector} for row, vector in zip(plain, vectors, strict=True)]


def _candidate(
    row: dict[str, Any], *, score: float = 0.0, similarity: float | None = None, bm25: float | None = None
) -> Candidate:
    shown = _shown(row) if "shown" in row else None
    told = row if shown is None else shown
    id_, start_s, end_s = told["id"], row["start_s"], row["end_s"]
    return Candidate(
        id=id_,
        media_id=id_.rpartition("-")[0],
        start_s=start_s,
        end_s=end_s,
        best_s=(start_s + end_s) / 2,
        score=score,
        similarity=similarity,
        bm25=bm25,
        members=(Member(id_, row["_rowid"], shown),),
        is_seen=told["kind"] != "sound",
        vector=row.get("vector"),
    )
