"""The route that tells where in a picture a query is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from sayso.core.errors import MediaError, QueryError
from sayso.generators.media_part import MediaPart
from sayso.serve.api import PROBLEMS, PlacedMedia, find_media
from sayso.serve.budget import Spent
from sayso.serve.options import MAX_QUERY, Seconds

if TYPE_CHECKING:
    from PIL import Image

    from sayso.index import Media

SIDE = 1024  # pixels; larger pictures are made smaller first
router = APIRouter(prefix="/api", responses=PROBLEMS)
Words = Annotated[
    str, Query(min_length=1, max_length=MAX_QUERY, description="Words; also sums, as when searching.")
]


Second = Annotated[
    Seconds | None, Query(description="Of a video: its second, by the clock that players show.")
]


class WhereAnswer(BaseModel):
    """How much each grid cell of a picture is like a query."""

    query: str
    model: str = Field(description="Which model made the map: the localizer of --where, or the search's.")
    note: str = Field(description="A sentence that a person should read beside the map; mostly empty.")
    heat: list[list[float]] = Field(
        description="Rows from top to bottom, grid cells from left to right, which tile the picture; 0 at the"
        " least similar cell, 1 at the most."
    )
    x: float = Field(description="Middle of the most similar cell, as a fraction of the picture's width.")
    y: float = Field(description="The same of its height.")


@router.get("/where/{media_id}")
def where(file: PlacedMedia, spent: Spent, q: Words, t: Second = None) -> WhereAnswer:
    """Say where in a picture, or in a frame of a video, a query is. It is found anew each time."""
    from sayso.encoders.dense import peak
    from sayso.metrics.score_maps import min_max

    media = find_media(file)
    with spent.decodes.turn():
        found = file.holdings.heat_maps.make(_pixels(media, t), q)
    x, y = peak(found.scores)
    heat: list[list[float]] = min_max(found.scores).round(3).tolist()
    return WhereAnswer(query=q, model=found.model, note=found.note, heat=heat, x=x, y=y)


def _pixels(media: Media, second: float | None) -> Image.Image:
    """Return a picture, or the frame of a video that players show at a second; or answer 404.

    Raises:
        QueryError: if a video is asked for without its second, or something else with one.
    """
    from PIL import Image

    from sayso.media import read_image

    if (media.kind == "video") != (second is not None):
        says = "say at which second: t=" if second is None else "only a video has a second"
        raise QueryError(f"{media.title} is a {media.kind}; {says}")
    try:
        if second is None:
            picture: Image.Image = read_image(media.path, size=SIDE)
            return picture
        frame = Image.fromarray(MediaPart(Path(media.path), second).read())
    except MediaError as error:
        raise HTTPException(404, str(error)) from error
    frame.thumbnail((SIDE, SIDE))
    return frame
