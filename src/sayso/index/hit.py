"""What a search answers with: one definition for Python, the command line, the HTTP API and the page."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from sayso.core.types import Span
from sayso.media.dates import TakenFrom
from sayso.media.kinds import Kind

Orientation = Literal["landscape", "portrait", "square"]

LIKELY = 0.5
"""The score from which on a hit is likely, and counts as found; what lies below is a guess."""


def description(text: str) -> dict[str, str]:
    """Return the metadata of a field, from which the HTTP API's schema takes its description."""
    return {"description": text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where something is that fits a query, and how well."""

    id: str = field(metadata=description("Of its best clip."))
    media_id: str = field(metadata=description("Of the file."))
    start_s: float = field(metadata=description("First second of the moment; 0 for a picture."))
    end_s: float = field(metadata=description("Its end, seconds; 0 for a picture."))
    best_s: float = field(metadata=description("Middle of the clip that matched best, seconds."))
    score: float = field(
        metadata=description(
            "How relevant it is, from 0 to 1: as if half of all queries asked for something that is there. "
            "1 - (1 - visual)(1 - words), where words is the larger of spoken and described."
        )
    )
    visual: float | None = field(
        default=None, metadata=description("Relevance of the picture, from 0 to 1; null if not searched.")
    )
    spoken: float | None = field(
        default=None, metadata=description("Relevance of what is said, from 0 to 1; null if nothing fits.")
    )
    described: float | None = field(
        default=None,
        metadata=description(
            "Relevance of what a model wrote that it saw, from 0 to 1; null if nothing fits."
        ),
    )
    similarity: float | None = field(
        default=None,
        metadata=description("Raw similarity of the picture to the query: the cosine, for most models."),
    )
    bm25: float | None = field(default=None, metadata=description("Raw BM25 of the words."))
    moments: int = field(
        default=1, metadata=description("Moments of the file for which it stands, if grouped by file.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A moment that shows the same as a hit; times in seconds."""

    id: str
    media_id: str
    path: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Moment):
    """One moment of a video, or one picture."""

    path: str = field(metadata=description("The file."))
    kind: Kind = field(metadata=description("Of the file."))
    title: str = field(metadata=description("Of the file, or of the manifest's row."))
    text: str = field(default="", metadata=description("What is said meanwhile."))
    seen: str = field(default="", metadata=description("What a model wrote that it saw: machine-made."))
    duration_s: float | None = field(
        default=None, metadata=description("Of the whole file, seconds; null for a picture.")
    )
    taken: str | None = field(
        default=None,
        metadata=description(
            "When it was taken, the wall time of the place (ISO 8601 without a zone); only the day where no "
            "more is known."
        ),
    )
    utc_offset_min: int | None = field(
        default=None, metadata=description("Of that clock from UTC, minutes; null where it is not known.")
    )
    taken_from: TakenFrom | None = field(
        default=None,
        metadata=description(
            "Where that was read: exif (or XMP), container, name (of the file), mtime (when it was written)."
        ),
    )
    camera: str | None = field(default=None, metadata=description("Make and model."))
    latitude: float | None = field(default=None, metadata=description("Of the place, degrees north."))
    longitude: float | None = field(default=None, metadata=description("Of the place, degrees east."))
    orientation: Orientation | None = field(default=None, metadata=description("As it is shown."))
    meta: dict[str, Any] = field(default_factory=dict, metadata=description("Other columns of the manifest."))
    copies: tuple[Copy, ...] = field(
        default=(), metadata=description("Moments of other files that show the same and rank lower.")
    )
    likely: bool = field(
        init=False,
        default=True,
        metadata=description(
            "Whether it counts as found: a score of 0.5 or more. False: a guess, less likely than not. "
            "True for what was listed or picked, and not searched."
        ),
    )
    thumb: str = field(
        init=False,
        default="",
        metadata=description("Where the server has the thumbnail, relative to its root."),
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "thumb", f"thumb/{self.id}")
        object.__setattr__(self, "likely", self.score >= LIKELY or not self.is_searched)

    @property
    def span(self) -> Span:
        """Where the moment lies in the file."""
        return Span(self.start_s, self.end_s)

    @property
    def is_searched(self) -> bool:
        """Whether it was searched, and not listed or picked: then it has a relevance."""
        return any(part is not None for part in (self.visual, self.spoken, self.described))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {**asdict(self), "copies": [asdict(copy) for copy in self.copies]}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Self:
        """Return the hit of which ``to_dict`` gave the fields."""
        given = {field.name: row[field.name] for field in fields(cls) if field.init}
        return cls(**{**given, "copies": tuple(Copy(**copy) for copy in row["copies"])})


@dataclass(frozen=True, slots=True)
class Media:
    """One file of the index; ``duration_s`` in seconds, sizes in pixels, None where unknown."""

    id: str
    path: str
    kind: Kind
    title: str
    duration_s: float | None
    width: int | None
    height: int | None
    video_codec: str | None
    audio_codec: str | None
    container: str | None
    clips: int
    taken: str | None = None
    utc_offset_min: int | None = None
    taken_from: TakenFrom | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
