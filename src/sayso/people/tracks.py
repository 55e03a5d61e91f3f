"""Tracks: one face through consecutive frames, with what is known of it, as JSON.

A file of tracks is a JSON list, one object a track: ``start_s`` and ``end_s``; and where
known ``box`` (x0, y0, x1, y1: in the middle of the track, pixels), ``lip_motion`` (one number for each
frame, null where the mouth was not seen), ``boxes`` (where the face is over time, uniformly spread),
``descriptor`` (numbers, the same count for every track) and ``track``, its number. Other fields
are kept out of the way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import write_atomic
from sayso.core.types import Box, Span


def _empty() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Track:
    """One face, or head and shoulders, through consecutive frames.

    Attributes:
        span: when it is on screen.
        box: where it is in the middle of the track, if known.
        lips: (T,) how far the lips move in each frame, uniformly spread over the span; NaN where the
            mouth was not seen; empty if nobody looked.
        descriptor: (D,) what the face looks like; empty if unknown.
        boxes: (T, 4) where it is, x0 y0 x1 y1, at times uniformly spread over the span; empty if unknown.
    """

    span: Span
    box: Box | None = None
    lips: Floats = field(default_factory=_empty)
    descriptor: Floats = field(default_factory=_empty)
    boxes: Floats = field(default_factory=lambda: np.zeros((0, 4)))

    def at(self, seconds: float) -> Box | None:
        """Return where the face is at a time; ``box`` where it is known for one moment only."""
        T = len(self.boxes)
        if not T:
            return self.box
        part = (seconds - self.span.start) / max(self.span.duration, 1e-9)
        return Box(*map(float, self.boxes[min(T - 1, max(0, int(part * T)))]))

    def to_dict(self) -> dict[str, object]:
        """Return the fields that are known, ready for JSON."""
        row: dict[str, object] = {"start_s": round(self.span.start, 3), "end_s": round(self.span.end, 3)}
        if self.box is not None:
            row["box"] = [round(v, 1) for v in (self.box.x0, self.box.y0, self.box.x1, self.box.y1)]
        if len(self.boxes):
            row["boxes"] = self.boxes.round().astype(int).tolist()
        if len(self.lips):
            row["lip_motion"] = [None if np.isnan(v) else round(float(v), 5) for v in self.lips]
        if len(self.descriptor):
            row["descriptor"] = [round(float(v), 5) for v in self.descriptor]
        return row


@dataclass(frozen=True, eq=False)
class FilmTracks:
    """The face tracks of a film.

    Attributes:
        tracks: in order of their starts, shot by shot; boxes in the video's own pixels.
        problems: damage in the middle of the film, after which nothing was read.
    """

    tracks: tuple[Track, ...]
    problems: tuple[MediaError, ...] = ()


def write_tracks(path: str | Path, tracks: Sequence[Track]) -> None:
    """Write a file of tracks, whole or not at all.

    Raises:
        SaysoError: if it cannot be written.
    """
    rows = [{"track": number, **track.to_dict()} for number, track in enumerate(tracks)]
    write_atomic(path, "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def read_tracks(path: str | Path) -> list[Track]:
    """Return the tracks of a file, in its order.

    Raises:
        SaysoError: if the file is not a list of tracks, saying which entry is wrong and how.
    """
    path = Path(path)
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaysoError(f"{path} is no file of tracks that can be read: {error}") from error
    if not isinstance(rows, list):
        raise SaysoError(f"{path}: expected a JSON list with one object a track")
    tracks = [_parsed(row, number, path) for number, row in enumerate(rows)]
    sizes = {len(track.descriptor) for track in tracks}
    if len(sizes) > 1:
        raise SaysoError(f"{path}: descriptors have {sorted(sizes)} numbers; give each track as many")
    return tracks


def parse_track(row: Mapping[str, Any]) -> Track:
    """Return the track of one object of a file of tracks.

    Raises:
        ValueError: or KeyError, TypeError, AttributeError, if it is none.
    """
    box = Box(*map(float, row["box"])) if row.get("box") is not None else None
    lips = [np.nan if value is None else float(value) for value in row.get("lip_motion") or ()]
    descriptor = np.array(row.get("descriptor") or (), dtype=np.float64)
    span = Span(float(row["start_s"]), float(row["end_s"]))
    boxes = np.array(row.get("boxes") or np.zeros((0, 4)), dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError("its boxes are not four numbers each")
    if (
        descriptor.ndim != 1
        or not np.isfinite(descriptor).all()
        or not np.isfinite([span.start, span.end]).all()
    ):
        raise ValueError("it holds a number that is not finite")
    return Track(span, box, np.array(lips, dtype=np.float64), descriptor, boxes)


def _parsed(row: Mapping[str, Any], number: int, path: Path) -> Track:
    try:
        return parse_track(row)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = str(error)
        if isinstance(error, KeyError):
            key = str(error.args[0])
            short = key.removesuffix("_s")
            why = f"it lacks {key!r}" + (
                f", but has {short!r}: rename it, in seconds" if short in row else ""
            )
        raise SaysoError(
            f"{path}: entry {number} is no track ({why}); it needs start_s and end_s in seconds"
        ) from error
