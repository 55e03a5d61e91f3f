"""What a search answers with: the same fields in Python, on the command line and over HTTP."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sayso.core.types import Span

Kind = Literal["video", "picture"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One moment of a video, or one picture.

    Args:
        id: of its best clip.
        media_id: of the file.
        path: the file.
        kind: video or picture.
        title: of the file, or of the manifest's row.
        start_s: first second of the moment; 0 for a picture.
        end_s: its end; 0 for a picture.
        best_s: the middle of the clip that matched best, seconds.
        score: what the hits are ranked by, larger is better: the similarity of what is
            seen, or with spoken words the fused rank in [0, 1].
        seen: similarity of the picture to the query (the cosine, for most models).
        said: relevance of the spoken words (BM25), if words were searched.
        text: what is said meanwhile.
        duration: of the whole file, seconds; None for a picture.
        meta: other columns of the manifest.
    """

    id: str
    media_id: str
    path: str
    kind: Kind
    title: str
    start_s: float
    end_s: float
    best_s: float
    score: float
    seen: float | None = None
    said: float | None = None
    text: str = ""
    duration: float | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def media(self) -> str:
        """The file, under the name that design and documentation use."""
        return self.path

    @property
    def span(self) -> Span:
        """Where the moment lies in the file."""
        return Span(self.start_s, self.end_s)

    @property
    def thumb(self) -> str:
        """Where the page finds the picture of this hit, relative to the server's root."""
        return f"thumb/{self.id}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and ``thumb``, ready for JSON."""
        return {**asdict(self), "thumb": self.thumb}


@dataclass(frozen=True, slots=True)
class Media:
    """One file of the index; ``duration`` in seconds, sizes in pixels, None where unknown."""

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
