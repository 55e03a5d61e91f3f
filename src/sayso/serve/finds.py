"""The routes by which a find is taken away: picked moments looked up, saved in a format, cut out as a clip.

A client names moments by the ids of clips and their spans, never by a path.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from sayso.core.errors import QueryError
from sayso.index import Hit
from sayso.index.hit import LIKELY
from sayso.index.picks import Pick, find_picks, parse_pick
from sayso.media.cut_forms import CONTENT_TYPES, Form
from sayso.serve.api import PROBLEMS, PlacedClip, Shared
from sayso.serve.body import OnDemand
from sayso.serve.budget import Spent
from sayso.serve.collections import Collections, Placed
from sayso.serve.files import CHUNK
from sayso.serve.media import vanished
from sayso.serve.options import Seconds, Text

MOST_PICKS = 500
LONGEST_CLIP_S = 120.0

Saved = Literal["json", "csv", "srt", "edl", "fcpxml", "otio", "sheet"]
Score = Annotated[float, Field(allow_inf_nan=False)]
ScoreName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,30}$")]
router = APIRouter(responses=PROBLEMS)


class PickedMoment(BaseModel):
    """A moment to save: the id of a hit and its span; its scores, as the search said them, are optional."""

    id: Annotated[str, Field(max_length=200)]
    start_s: Seconds
    end_s: Seconds
    scores: Annotated[dict[ScoreName, Score | None], Field(max_length=10)] = Field(default_factory=dict)


class ToSave(BaseModel):
    """Moments to save in one file."""

    name: Text = Field("", description="What was looked for.")
    moments: Annotated[list[PickedMoment], Field(min_length=1, max_length=MOST_PICKS)]


class PicksAnswer(BaseModel):
    """Picked moments; their scores say nothing."""

    hits: list[Hit]


@router.get("/api/moments")
def picked_moments(
    held: Shared,
    spent: Spent,
    pick: Annotated[
        list[Annotated[str, Field(max_length=300)]],
        Query(max_length=MOST_PICKS, description="ID, or ID@START-END in seconds; may be repeated."),
    ],
) -> PicksAnswer:
    """Look up picked moments, in their order; those that the index does not hold (any more) are left out."""
    with spent.searches.turn():
        return PicksAnswer(hits=_find(held, [parse_pick(text) for text in pick], strict=False))


def _find(held: Collections, picks: list[Pick], *, strict: bool = True) -> list[Hit]:
    """Look up picks, each in its own collection; the order is theirs."""
    placed: dict[str, list[tuple[int, Placed]]] = {}
    for number, pick in enumerate(picks):
        try:
            clip = held.place(pick.id, "clip")
        except HTTPException:
            if strict:
                raise
            continue
        placed.setdefault(clip.name, []).append((number, clip))
    found: dict[int, Hit] = {}
    for name, clips in placed.items():
        wanted = [replace(picks[number], id=clip.id) for number, clip in clips]
        hits = deque(find_picks(clips[0][1].holdings.index, wanted, strict=strict))
        for (number, _), pick in zip(clips, wanted, strict=True):
            if hits and hits[0].id == pick.id:  # unknown ones are left out
                (found[number],) = held.label(name, [hits.popleft()])
    return [found[k] for k in sorted(found)]


@router.post("/api/save/{form}", response_class=Response)
def save_moments(held: Shared, spent: Spent, form: Saved, wanted: ToSave) -> Response:
    """Return moments as a file: a table, subtitles, an edit list, or a contact sheet."""
    with spent.searches.turn():
        return _saved(held, form, wanted)


def _saved(held: Collections, form: Saved, wanted: ToSave) -> Response:
    hits = _find(held, [Pick(one.id, one.start_s, one.end_s) for one in wanted.moments])
    rows = [_row(hit, one.scores) for hit, one in zip(hits, wanted.moments, strict=True)]
    if form == "sheet":
        from sayso.export.contact_sheet import contact_sheet

        clips = [held.place(hit.id, "clip") for hit in hits]
        thumbs = [clip.holdings.index.thumbnail(clip.id) for clip in clips]
        return _attached(contact_sheet(rows, thumbs), "image/png", "sayso.png")
    from sayso.export.moment_files import FORMATS, moments_as

    return _attached(moments_as(form, rows, wanted.name).encode(), FORMATS[form], f"sayso.{form}")


def _row(hit: Hit, scores: dict[str, float | None]) -> dict[str, Any]:
    row = hit.to_dict()
    unsaid = (name for name in row if name.endswith("score") or name in scores)
    score = scores.get("score")
    return {**row, **dict.fromkeys(unsaid), **scores, "likely": score is None or score >= LIKELY}


def _attached(content: bytes, kind: str, name: str) -> Response:
    return Response(
        content, headers={"content-type": kind, "content-disposition": f'attachment; filename="{name}"'}
    )


@router.get("/clip/{clip_id}", response_class=Response)
def save_clip(
    clip: PlacedClip,
    spent: Spent,
    start_s: Annotated[Seconds | None, Query(description="First second; by default the clip's.")] = None,
    end_s: Annotated[Seconds | None, Query(description="Its end, exclusive, seconds.")] = None,
    form: Annotated[Form, Query(description="What is made of it.")] = "mp4",
) -> Response:
    """Cut a moment out of its video, to the frame; at most two minutes."""
    (hit,) = find_picks(clip.holdings.index, [Pick(clip.id, start_s, end_s)])
    if hit.kind == "picture":
        raise QueryError(f"{hit.title} is a picture; there is nothing to cut out of it")
    if (length_s := hit.end_s - hit.start_s) > LONGEST_CLIP_S:
        says = f"the moment is {length_s:.0f} s long, and at most {LONGEST_CLIP_S:.0f} s are cut here"
        raise QueryError(f"{says}; cut it with: sayso clip")
    if not os.path.isfile(hit.path):  # noqa: PTH113
        raise vanished(clip.holdings.index.media(hit.media_id))
    with spent.cuts.turn():
        cut = _Cut(hit, form)
    name = f"{Path(hit.path).stem}_{hit.start_s:.2f}-{hit.end_s:.2f}.{form}"
    headers = {
        "content-type": CONTENT_TYPES[form],
        "content-length": str(cut.size),
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "cache-control": "no-store",
    }
    return OnDemand(cut, headers=headers)


class _Cut:
    """The bytes of a cut, in a file without a name that goes when it is closed."""

    def __init__(self, hit: Hit, form: Form) -> None:
        from sayso.media.cut_out import cut_out

        self._stack = ExitStack()
        cut = cut_out(hit.path, hit.start_s, hit.end_s, form=form)
        self._file: IO[bytes] = self._stack.enter_context(cut)[1]
        self.size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._file.read(CHUNK)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Close the file."""
        self._stack.close()
