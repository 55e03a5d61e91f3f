"""The routes that answer with JSON."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, UploadFile

from sayso.core.errors import MediaError, QueryError
from sayso.index import Hit, Media
from sayso.index.sql import sql_string
from sayso.serve.answers import CaptionAnswer, IndexAnswer, MediaAnswer, Problem, SearchAnswer
from sayso.serve.holdings import Holdings
from sayso.serve.options import MAX_LIMIT, ImageSearch, Page, Similar, TextSearch, Within
from sayso.serve.playable import facts_of, playable
from sayso.version import __version__

if TYPE_CHECKING:
    from PIL.Image import Image

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request cannot be understood."},
    401: {"model": Problem, "description": "The token is missing."},
    404: {"model": Problem, "description": "There is no such clip or file."},
}
router = APIRouter(prefix="/api", responses=PROBLEMS)
Id = Annotated[str, Path(max_length=200)]


def shared(request: Request) -> Holdings:
    """Return the index that this server serves."""
    holdings: Holdings = request.app.state.holdings
    return holdings


Shared = Annotated[Holdings, Depends(shared)]


@router.get("/index")
def index_info(holdings: Shared) -> IndexAnswer:
    """Say what the index holds."""
    info, summary = holdings.summary()
    return IndexAnswer(
        **info,
        videos=summary.videos,
        pictures=summary.pictures,
        duration_s=summary.duration_s,
        version=__version__,
        sample=list(summary.sample),
    )


@router.get("/search")
def search_by_words(holdings: Shared, wanted: Annotated[TextSearch, Query()]) -> SearchAnswer:
    """Search by words, best first."""
    return _search(holdings, wanted)


@router.post("/search/image")
def search_by_picture(
    holdings: Shared, wanted: Annotated[ImageSearch, Query()], picture: UploadFile
) -> SearchAnswer:
    """Search by a picture, to which words may be added."""
    return _search(holdings, wanted, like=read_upload(picture))


def _search(holdings: Holdings, wanted: ImageSearch, like: Image | None = None) -> SearchAnswer:
    began = time.perf_counter()
    hits = holdings.search(
        wanted.q,
        like=like,
        text_weight=wanted.text_weight,
        merge=wanted.merge,
        **_stretch(wanted),
    )
    return _answer(wanted.q, hits, wanted, began)


def _stretch(wanted: Page) -> dict[str, Any]:
    """Return which moments are asked for, and one more, which tells whether there are more."""
    return {
        "limit": wanted.limit + 1,
        "offset": wanted.offset,
        "min_score": wanted.min_score,
        "by_file": wanted.by_file,
        "sort": wanted.sort,
        "filter": wanted.sql(),
    }


@router.get("/similar/{clip_id}")
def search_similar(holdings: Shared, clip_id: Id, wanted: Annotated[Similar, Query()]) -> SearchAnswer:
    """Search for what looks like a clip of this index, to which words may be added."""
    began = time.perf_counter()
    try:
        if wanted.q.strip():
            hits = holdings.search_like(clip_id, wanted.q, **_stretch(wanted))
        else:
            hits = holdings.index.similar(clip_id, **_stretch(wanted))
    except KeyError as error:
        raise no_such("clip", clip_id) from error
    return _answer(wanted.q, hits, wanted, began)


def _answer(query: str, hits: list[Hit], wanted: Page, began: float) -> SearchAnswer:
    """Return the moments that were asked for.

    Args:
        query: words.
        hits: those moments, and one more if there is one.
        wanted: which.
        began: when, by ``time.perf_counter``.
    """
    more, hits = len(hits) > wanted.limit, hits[: wanted.limit]
    return SearchAnswer(
        query=query,
        hits=hits,
        found=sum(hit.likely for hit in hits),
        next=str(wanted.offset + wanted.limit) if more else None,
        took_ms=round((time.perf_counter() - began) * 1000, 1),
    )


@router.get("/media/{media_id}")
def media_info(holdings: Shared, media_id: Id, within: Annotated[Within, Query()]) -> MediaAnswer:
    """Describe one file: facts, transcript, and its moments in time order, scored if a query is given."""
    media = find_media(holdings, media_id)
    exists = os.path.isfile(media.path)  # noqa: PTH113
    facts = facts_of(media) if exists else None
    return MediaAnswer(
        **{name: getattr(media, name) for name in Media.__slots__},
        fps=facts.fps if facts else None,
        exists=exists,
        playable=playable(media, facts.origin if facts else 0.0),
        transcript=[
            CaptionAnswer(start_s=c.span.start, end_s=c.span.end, text=c.text, speaker=c.speaker)
            for c in holdings.index.transcript(media_id)
        ],
        moments=_moments(holdings, media, within),
    )


def _moments(holdings: Holdings, media: Media, within: Within) -> list[Hit]:
    """Return the clips of a file in time order, with their scores if there is something to score."""
    this_file = f"media_id = {sql_string(media.id)}"
    clips = max(1, min(MAX_LIMIT, media.clips))
    if within.q.strip():
        hits = holdings.search(
            within.q, limit=clips, filter=this_file, text_weight=within.text_weight, merge=False
        )
    elif within.similar:
        try:
            hits = holdings.index.similar(within.similar, limit=clips, filter=this_file)
        except KeyError as error:
            raise no_such("clip", within.similar) from error
    else:
        return holdings.index.moments(media.id)
    return sorted(hits, key=lambda hit: hit.start_s)


def find_media(holdings: Holdings, media_id: str) -> Media:
    """Return a file of the index, or answer 404."""
    try:
        return holdings.index.media(media_id)
    except KeyError as error:
        raise no_such("file", media_id) from error


def no_such(what: str, id_: str) -> HTTPException:
    """Return the 404 for an id that is not in the index."""
    return HTTPException(404, f"the index holds no {what} {id_[:60]!r}")


def read_upload(upload: UploadFile) -> Image:
    """Return an uploaded picture, upright and in RGB.

    Raises:
        QueryError: if it is no picture, or too large to unpack.
    """
    from sayso.media import read_image

    with tempfile.NamedTemporaryFile(prefix="sayso-") as file:
        shutil.copyfileobj(upload.file, file)
        file.flush()
        try:
            picture: Image = read_image(file.name, size=1024)
        except MediaError as error:
            raise QueryError(str(error).replace(file.name, "the upload")) from error
    return picture
