"""What the API answers with: one schema, the same keys as ``Hit.to_dict()``.

The OpenAPI document at /openapi.json is made from these classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field

from sayso.index.hit import Hit, Kind


class HitAnswer(BaseModel):
    """One moment of a video, or one picture."""

    id: str
    media_id: str
    path: str
    kind: Kind
    title: str
    start_s: float = Field(description="First second of the moment; 0 for a picture.")
    end_s: float
    best_s: float = Field(description="Middle of the clip that matched best, seconds.")
    score: float = Field(description="What the hits are ranked by; larger is better.")
    seen: float | None = Field(description="Similarity of the picture to the query.")
    said: float | None = Field(description="Relevance of the spoken words (BM25).")
    text: str = Field(description="What is said meanwhile.")
    duration: float | None = Field(description="Of the whole file, seconds.")
    meta: dict[str, Any] = Field(description="Other columns of the manifest.")
    thumb: str = Field(description="Where the thumbnail is, relative to the server's root.")


class SearchAnswer(BaseModel):
    """The moments that fit best, best first."""

    query: str
    hits: list[HitAnswer]
    took_ms: float


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
    duration: float | None
    width: int | None
    height: int | None
    video_codec: str | None
    audio_codec: str | None
    container: str | None
    clips: int
    fps: float | None = Field(description="Frames a second; null for a picture or where unknown.")
    there: bool = Field(description="Whether the file still is where it was when it was indexed.")
    playable: Literal["direct", "stream"] = Field(
        description="direct: browsers play /media/{id}. stream: they need /play/{id}?t=, made on the fly."
    )
    transcript: list[CaptionAnswer]
    moments: list[HitAnswer] = Field(description="Scored if the request holds a query, else score is 0.")


class IndexAnswer(BaseModel):
    """What the index says of itself and how much it holds."""

    model_config = {"protected_namespaces": ()}

    model: str
    model_sha256: str
    dim: int
    normalised: bool
    created: str
    clips: int
    media: int
    videos: int
    pictures: int
    seconds: float = Field(description="Length of all videos together.")
    words: bool = Field(description="Whether anything is said in any clip.")
    version: str = Field(description="Of sayso.")
    sample: list[HitAnswer] = Field(description="A few moments from all over the index, unscored.")


class Problem(BaseModel):
    """Why a request failed, in one sentence."""

    error: str


def hits_answer(hits: Iterable[Hit]) -> list[HitAnswer]:
    """Return hits as they are sent."""
    return [HitAnswer.model_validate(hit.to_dict()) for hit in hits]
