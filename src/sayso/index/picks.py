"""Moments that somebody picked, by the ids that a search gave: looked up, never ranked.

A pick is written ``ID`` or ``ID@START-END``, seconds: the id of a hit, and its
span where that is not the clip's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sayso.core.errors import QueryError, SaysoError
from sayso.index.hit import Hit
from sayso.index.sql import sql_in
from sayso.index.store import title_of
from sayso.index.timed import read_rows
from sayso.text.captions.transcript import join_spans

if TYPE_CHECKING:
    from sayso.index.collection import Index

_SPAN = re.compile(r"(?P<what>.+)@(?P<start>\d+(?:\.\d+)?)-(?P<end>\d+(?:\.\d+)?)", re.DOTALL)
_COLUMNS = ["id", "media_id", "path", "kind", "title", "duration_s", "start_s", "end_s", "text", "seen"]


@dataclass(frozen=True, slots=True)
class Pick:
    """A picked moment: the id of a hit, and its span in seconds; None for that of the clip."""

    id: str
    start_s: float | None = None
    end_s: float | None = None

    @classmethod
    def of(cls, hit: Mapping[str, Any]) -> Pick:
        """Return the pick of a hit as ``sayso search --json`` prints it.

        Raises:
            QueryError: if it is no hit.
        """
        try:
            return cls(str(hit["id"]), float(hit["start_s"]), float(hit["end_s"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise QueryError("a hit has id, start_s and end_s; give what search --json prints") from error


def split_span(text: str) -> tuple[str, float | None, float | None]:
    """Split ``WHAT@START-END`` into its parts; without a span, both seconds are None.

    Raises:
        QueryError: if the span ends before it starts.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        return text, None, None
    start_s, end_s = float(match["start"]), float(match["end"])
    if end_s < start_s:
        raise QueryError(f"{text!r} ends before it starts; write it like talk.mp4@12.5-20, in seconds")
    return match["what"], start_s, end_s


def parse_pick(text: str) -> Pick:
    """Return the pick that a text names: ``ID`` or ``ID@START-END``.

    Raises:
        QueryError: if the span makes no sense.
    """
    return Pick(*split_span(text))


def find_picks(index: Index, picks: Sequence[Pick], *, strict: bool = True) -> list[Hit]:
    """Return picked moments as hits, in their order; ``score`` is 0, and the text is what is said meanwhile.

    Args:
        index: that gave the ids.
        picks: at most some thousand.
        strict: whether an unknown id is an error; otherwise it is left out.

    Raises:
        SaysoError: if ``strict``, and the index holds no clip of an id.
    """
    clips = {row["id"]: row for row in _rows(index, "id", {pick.id for pick in picks})}
    for pick in picks if strict else ():
        if pick.id not in clips:
            raise SaysoError(f"the index holds no clip {pick.id[:60]!r}; take one of search --json")
    picks = [pick for pick in picks if pick.id in clips]
    wider = {clips[pick.id]["media_id"] for pick in picks if pick.start_s is not None}
    by_file: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(_rows(index, "media_id", wider), key=lambda row: (row["start_s"], row["end_s"])):
        by_file.setdefault(row["media_id"], []).append(row)
    return [_hit(pick, clips[pick.id], by_file.get(clips[pick.id]["media_id"], [])) for pick in picks]


def _rows(index: Index, column: str, values: Iterable[str]) -> list[dict[str, Any]]:
    wanted = sorted(values)
    if not wanted:
        return []
    live = index.store.live.scope(sql_in(column, wanted))
    query = index.store.clips.search().where(live).select(_COLUMNS)
    rows: list[dict[str, Any]] = read_rows(query).to_pylist()
    return rows


def _hit(pick: Pick, clip: dict[str, Any], others: list[dict[str, Any]]) -> Hit:
    start_s = clip["start_s"] if pick.start_s is None else pick.start_s
    end_s = clip["end_s"] if pick.end_s is None else pick.end_s
    within = [row for row in others if row["start_s"] < end_s and row["end_s"] > start_s] or [clip]
    return Hit(
        id=clip["id"],
        media_id=clip["media_id"],
        start_s=start_s,
        end_s=end_s,
        best_s=(clip["start_s"] + clip["end_s"]) / 2,
        score=0.0,
        path=clip["path"],
        kind=clip["kind"],
        title=clip["title"] or title_of(clip["path"]),
        text=join_spans(row["text"] for row in within),
        seen=join_spans(row["seen"] for row in within),
        duration_s=clip["duration_s"],
    )
