"""What the API answers with around hits, which are ``sayso.index.Hit`` as everywhere.

The OpenAPI document at /openapi.json is made from these classes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from sayso.index.hit import Hit
from sayso.media.dates import TakenFrom
from sayso.media.kinds import Kind


class SearchAnswer(BaseModel):
    """The moments that fit best, best first."""

    query: str
    hits: list[Hit]
    found: int = Field(description="How many of these score 0.5 or more; the others are guesses.")
    hints: list[str] = Field(
        description="Why these may mean little: words the model does not know, people nobody named, or "
        "an empty index."
    )
    next: str | None = Field(description="The cursor of the moments after these; null where none are left.")
    took_ms: float
    problems: list[str] = Field(description="A sentence for each collection that could not be searched.")


class CaptionAnswer(BaseModel):
    """What is said during a span, seconds."""

    start_s: float
    end_s: float
    text: str
    speaker: str | None


class MediaAnswer(BaseModel):
    """One file of the index: facts, transcript, and its moments in time order."""

    id: str
    path: str
    kind: Kind
    title: str
    duration_s: float | None = Field(description="Of the whole file, seconds; null for a picture.")
    width: int | None
    height: int | None
    video_codec: str | None
    audio_codec: str | None
    container: str | None
    clips: int
    taken: str | None = Field(description="When it was taken: the wall time of the place, ISO 8601.")
    utc_offset_min: int | None = Field(description="Of that clock from UTC, minutes; null if not known.")
    taken_from: TakenFrom | None = Field(description="Where that was read; mtime: when it was written.")
    camera: str | None
    latitude: float | None
    longitude: float | None
    fps: float | None = Field(description="Frames a second; null for a picture or where unknown.")
    exists: bool = Field(description="Whether the file still is where it was when it was indexed.")
    playable: Literal["direct", "stream"] = Field(
        description="direct: browsers play /media/{id}. stream: they need /play/{id}?t=, made on the fly."
    )
    transcript: list[CaptionAnswer]
    moments: list[Hit] = Field(description="Scored if the request holds a query, else score is 0.")


class CollectionAnswer(BaseModel):
    """One of the collections that are served, and how much it holds."""

    name: str = Field(description="What ?collection= takes.")
    model: str
    clips: int
    media: int
    problem: str = Field(description="Why it is not served, a sentence; empty where it is.")


class PersonAnswer(BaseModel):
    """Somebody who is on screen, as sayso name says."""

    name: str = Field(description="As who: takes it.")
    clips: int = Field(description="How many clips show the person.")
    face: str = Field(description="Where the server has the face, relative to its root.")


class IndexAnswer(BaseModel):
    """What the index says of itself and how much it holds; of several, what they hold together."""

    model_config = {"protected_namespaces": ()}

    model: str = Field(description="Of several collections, all names.")
    model_sha256: str = Field(description="Empty where several models are served.")
    dim: int = Field(description="Numbers in a vector; 0 where several models are served.")
    normalised: bool
    created: str = Field(description="The earliest of all.")
    clips: int
    media: int
    videos: int
    pictures: int
    duration_s: float = Field(description="Length of all videos together, seconds.")
    has_text: bool = Field(description="Whether anything is said in any clip.")
    local: bool = Field(description="Whether POST /api/open/{id} and /api/reveal/{id} show files here.")
    version: str = Field(description="Of sayso.")
    sample: list[Hit] = Field(description="A few moments from all over the index, unscored.")
    people: list[PersonAnswer] = Field(description="Who is on screen, those in most clips first.")
    collections: list[CollectionAnswer] = Field(description="All that are served, also without ?collection=.")


class Problem(BaseModel):
    """Why a request failed, in one sentence."""

    error: str
