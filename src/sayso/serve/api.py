"""The routes that answer with JSON."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, UploadFile

from sayso.core.errors import MediaError, QueryError
from sayso.index import Hit, Media
from sayso.index.sql import sql_string
from sayso.serve.about import about
from sayso.serve.answers import CaptionAnswer, IndexAnswer, MediaAnswer, Problem, SearchAnswer
from sayso.serve.budget import Spent
from sayso.serve.collections import Collections, Placed, no_such, similar_in
from sayso.serve.holdings import Holdings
from sayso.serve.options import IN_COLLECTION, MAX_LIMIT, ImageSearch, Name, Similar, TextSearch, Within
from sayso.serve.playable import facts_of, playable

if TYPE_CHECKING:
    from PIL.Image import Image

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request cannot be understood."},
    401: {"model": Problem, "description": "The token is missing."},
    404: {"model": Problem, "description": "There is no such clip or file."},
    429: {"model": Problem, "description": "Too many ask at once; Retry-After says when to try again."},
    503: {"model": Problem, "description": "It took too long, or something is not at hand."},
}
router = APIRouter(prefix="/api", responses=PROBLEMS)
Id = Annotated[str, Path(max_length=200)]


def shared(request: Request) -> Collections:
    """Return the collections that this server holds."""
    collections: Collections = request.app.state.collections
    return collections


Shared = Annotated[Collections, Depends(shared)]


def placed_clip(held: Shared, clip_id: Id) -> Placed:
    """Return where the id of a clip leads, or answer 404."""
    return held.place(clip_id, "clip")


def placed_media(held: Shared, media_id: Id) -> Placed:
    """Return where the id of a file leads, or answer 404."""
    return held.place(media_id, "file")


PlacedClip = Annotated[Placed, Depends(placed_clip)]
PlacedMedia = Annotated[Placed, Depends(placed_media)]


@router.get("/index")
def index_info(
    held: Shared,
    request: Request,
    spent: Spent,
    collection: Annotated[Name, Query(description=IN_COLLECTION)] = "",
) -> IndexAnswer:
    """Say what the index holds, or all collections together."""
    with spent.searches.turn():
        return about(held, collection, local=request.app.state.local)


@router.get("/search")
def search_by_words(held: Shared, spent: Spent, wanted: Annotated[TextSearch, Query()]) -> SearchAnswer:
    """Search by words, best first."""
    with spent.searches.turn():
        return _search(held, wanted)


@router.post("/search/image")
def search_by_picture(
    held: Shared, spent: Spent, wanted: Annotated[ImageSearch, Query()], picture: UploadFile
) -> SearchAnswer:
    """Search by a picture, to which words may be added."""
    with spent.decodes.turn():
        like = read_upload(picture, spent.upload_pixels)
    with spent.searches.turn():
        return _search(held, wanted, like=like)


def _search(held: Collections, wanted: ImageSearch, like: Image | None = None) -> SearchAnswer:
    options = {"like": like, "text_weight": wanted.text_weight, "merge": wanted.merge}
    return _answer(held, wanted, lambda one, stretch: one.search(wanted.q, **options, **stretch))


@router.get("/similar/{clip_id}")
def search_similar(
    held: Shared, spent: Spent, clip: PlacedClip, wanted: Annotated[Similar, Query()]
) -> SearchAnswer:
    """Search for what looks like a clip of this index, to which words may be added."""
    try:
        with spent.searches.turn():
            return _answer(held, wanted, lambda one, stretch: similar_in(one, clip, wanted.q, **stretch))
    except KeyError as error:
        raise no_such("clip", clip.id) from error


def _answer(
    held: Collections, wanted: ImageSearch | Similar, search: Callable[[Holdings, dict[str, Any]], list[Hit]]
) -> SearchAnswer:
    """Return the moments that were asked for; one more is sought, which tells whether there are more.

    Args:
        held: what is searched.
        wanted: which moments.
        search: called with a collection and the options that say which.
    """
    began = time.perf_counter()
    if wanted.media_id:
        file = held.place(wanted.media_id, "file")
        wanted = wanted.model_copy(update={"media_id": file.id, "collection": file.name})
    options = {
        "min_score": wanted.min_score,
        "by_file": wanted.by_file,
        "sort": wanted.sort,
        "filter": wanted.together(),
    }
    hits, problems = held.search(
        wanted.collection,
        (wanted.offset, wanted.limit + 1),
        lambda one, offset, limit: search(one, {**options, "offset": offset, "limit": limit}),
        by_time=wanted.sort == "time",
    )
    weight = wanted.text_weight if isinstance(wanted, ImageSearch) else None
    hints = held.hints(wanted.collection, wanted.q, weight)
    more, hits = len(hits) > wanted.limit, hits[: wanted.limit]
    return SearchAnswer(
        query=wanted.q,
        hits=hits,
        hints=hints,
        found=sum(hit.likely for hit in hits),
        next=str(wanted.offset + wanted.limit) if more else None,
        took_ms=round((time.perf_counter() - began) * 1000, 1),
        problems=problems,
    )


@router.get("/media/{media_id}")
def media_info(
    held: Shared, spent: Spent, file: PlacedMedia, within: Annotated[Within, Query()]
) -> MediaAnswer:
    """Describe one file: facts, transcript, and its moments in time order, scored if a query is given."""
    with spent.searches.turn():
        return _described(held, file, within)


def _described(held: Collections, file: Placed, within: Within) -> MediaAnswer:
    media = find_media(file)
    exists = os.path.isfile(media.path)  # noqa: PTH113
    facts = facts_of(media) if exists else None
    told = {name: getattr(media, name) for name in Media.__slots__}
    return MediaAnswer(
        **told | {"id": f"{file.name}:{media.id}" if file.name else media.id},
        fps=facts.fps if facts else None,
        exists=exists,
        playable=playable(media, facts.origin if facts else 0.0),
        transcript=[
            CaptionAnswer(start_s=c.span.start, end_s=c.span.end, text=c.text, speaker=c.speaker)
            for c in file.holdings.index.transcript(media.id)
        ],
        moments=held.label(file.name, _moments(held, file.holdings, media, within)),
    )


def _moments(held: Collections, holdings: Holdings, media: Media, within: Within) -> list[Hit]:
    """Return the clips of a file in time order, with their scores if there is something to score."""
    only: dict[str, Any] = {
        "limit": max(1, min(MAX_LIMIT, media.clips)),
        "filter": f"media_id = {sql_string(media.id)}",
    }
    if within.q.strip():
        hits = holdings.search(within.q, text_weight=within.text_weight, merge=False, **only)
    elif within.similar:
        clip = held.place(within.similar, "clip")
        try:
            hits = similar_in(holdings, clip, "", **only)
        except KeyError as error:
            raise no_such("clip", within.similar) from error
    else:
        return holdings.index.moments(media.id)
    return sorted(hits, key=lambda hit: hit.start_s)


def find_media(file: Placed) -> Media:
    """Return a file of a collection, or answer 404."""
    try:
        return file.holdings.index.media(file.id)
    except KeyError as error:
        raise no_such("file", file.id) from error


def read_upload(upload: UploadFile, max_pixels: int) -> Image:
    """Return an uploaded picture, upright and in RGB.

    Args:
        upload: its file.
        max_pixels: width times height above which it is refused.

    Raises:
        QueryError: if it is no picture, or too large to unpack.
    """
    from sayso.media import read_image

    with tempfile.NamedTemporaryFile(prefix="sayso-") as file:
        shutil.copyfileobj(upload.file, file)
        file.flush()
        try:
            picture: Image = read_image(file.name, size=1024, max_pixels=max_pixels)
        except MediaError as error:
            raise QueryError(str(error).replace(file.name, "the upload")) from error
    return picture
