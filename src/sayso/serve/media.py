"""The routes that answer with bytes: thumbnails, files of the index, and streams made from them.

A client names clips and files by their ids only; which path that is, the index decides.
"""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from sayso.core.errors import MediaError
from sayso.index import Media
from sayso.index.picks import Pick, find_picks
from sayso.index.thumbs import grey_thumbnail
from sayso.media.files import printable_path
from sayso.serve.api import PROBLEMS, PlacedClip, PlacedMedia, find_media
from sayso.serve.body import OnDemand
from sayso.serve.budget import Spent
from sayso.serve.collections import no_such
from sayso.serve.files import send_file
from sayso.serve.options import Seconds
from sayso.serve.people import face_in
from sayso.serve.playable import OTHER, content_type, facts_of, playable
from sayso.serve.yielding import YieldingThreads

PICTURE_SIDE = 2560
KEPT = {"cache-control": "private, max-age=604800, immutable"}
_streams = YieldingThreads(max(2, os.cpu_count() or 2))
"""How many streams are worked on at the same time; the others wait for their turn, piece by piece."""

router = APIRouter(responses=PROBLEMS)


@router.head("/thumb/{clip_id}", include_in_schema=False)
@router.get("/thumb/{clip_id}", response_class=Response)
def thumb(clip: PlacedClip, spent: Spent) -> Response:
    """Send the JPEG of a clip's middle frame."""
    try:
        with spent.thumbs.turn():
            jpeg = clip.holdings.index.thumbnail(clip.id)
    except KeyError as error:
        raise no_such("clip", clip.id) from error
    kept = {"cache-control": "no-store"} if jpeg == grey_thumbnail() else KEPT  # the file may come back
    return Response(jpeg, media_type="image/jpeg", headers=kept)


@router.get("/face/{clip_id}", response_class=Response)
def face(clip: PlacedClip, spent: Spent) -> Response:
    """Send the JPEG of the face that a clip shows in its middle; without the extra faces, the whole frame."""
    (moment,) = find_picks(clip.holdings.index, [Pick(clip.id)], strict=False) or (None,)
    if moment is None:
        raise no_such("clip", clip.id)
    with spent.decodes.turn():
        jpeg = face_in(moment.path, moment.best_s) if moment.kind == "video" else None
    return thumb(clip, spent) if jpeg is None else Response(jpeg, media_type="image/jpeg", headers=KEPT)


@router.head("/media/{media_id}", include_in_schema=False)
@router.get("/media/{media_id}", response_class=Response)
def original(file: PlacedMedia, request: Request) -> Response:
    """Send a file of the index, or the range of it that was asked for.

    The answer to HEAD says in the header ``sayso-playable`` whether browsers play it as it is.
    """
    media = find_media(file)
    kind = content_type(media)
    try:
        answer = send_file(media.path, kind, request.headers, attachment=kind == OTHER)
    except MediaError as error:
        raise vanished(media, str(error)) from error
    if request.method == "HEAD":
        facts = facts_of(media)
        answer.headers["sayso-playable"] = playable(media, facts.origin if facts else 0.0)
    return answer


@router.get("/play/{media_id}", response_class=Response)
def stream(
    file: PlacedMedia, spent: Spent, t: Annotated[Seconds, Query(description="Second to start at.")] = 0.0
) -> Response:
    """Send a form of the file that every browser plays: MP4 from a second on, or a JPEG of a picture.

    The header ``sayso-start`` says at which second of the file the clock of the MP4 shows 0.
    """
    from sayso.serve.stream import start_stream

    media = find_media(file)
    if not os.path.isfile(media.path):  # noqa: PTH113
        raise vanished(media)
    if media.kind == "picture":
        with spent.decodes.turn():
            return _as_jpeg(media)
    spent.streams.enter()
    try:
        started = start_stream(media.path, t)
    except BaseException:
        spent.streams.leave()
        raise
    headers = {
        "content-type": started.content_type,
        "cache-control": "no-store",
        "accept-ranges": "none",
        "sayso-start": f"{started.start_s:.6f}",
    }
    return OnDemand(started.chunks, headers=headers, threads=_streams, closed=spent.streams.leave)


def _as_jpeg(media: Media) -> Response:
    from sayso.media import read_image, thumbnail

    try:
        jpeg = thumbnail(read_image(media.path, size=PICTURE_SIDE), side=PICTURE_SIDE)
    except MediaError as error:
        raise HTTPException(404, str(error)) from error
    return Response(jpeg, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})


def vanished(media: Media, why: str = "") -> HTTPException:
    """Return the 404 for a file that was indexed and cannot be opened any more.

    Args:
        media: the file.
        why: a sentence; by default, that it is gone.
    """
    sentence = why or f"{printable_path(media.path)}: there is nothing at this path"
    return HTTPException(404, f"{sentence} (it was indexed: put it back, or run sayso index again)")
