"""Moments one after another on one line of time, to the frame: what EDL, FCPXML and OTIO files say."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from sayso.core.errors import MediaError, SaysoError
from sayso.export.frame_rates import edit_rate, frame_after, frame_at

Row = Mapping[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """A video as an editing program sees it.

    Args:
        path: absolute.
        rate: frames a second.
        frames: how many it has.
        width: pixels; None if unknown.
        height: pixels; None if unknown.
        has_audio: whether there is sound.
    """

    path: str
    rate: Fraction
    frames: int
    width: int | None
    height: int | None
    has_audio: bool

    @property
    def url(self) -> str:
        """Its address, as files for editing programs write it."""
        return Path(self.path).as_uri()


@dataclass(frozen=True, slots=True)
class Shot:
    """A moment on the reel.

    Args:
        source: the video.
        name: of the moment: the video's title.
        first: frame of the source, at the source's rate.
        at: frame of the reel, at the reel's rate.
        frames: how long it is, at the reel's rate.
        note: what is said or seen meanwhile.
    """

    source: Source
    name: str
    first: int
    at: int
    frames: int
    note: str


@dataclass(frozen=True, slots=True)
class Reel:
    """Shots one after another; ``rate`` is that of most of them."""

    name: str
    rate: Fraction
    shots: tuple[Shot, ...]

    @property
    def frames(self) -> int:
        """How long it is."""
        return sum(shot.frames for shot in self.shots)


def read_sources(rows: Iterable[Row]) -> dict[str, Source]:
    """Return, by path, what the videos among the rows are now; one that cannot be read is taken at 25 fps.

    Args:
        rows: with ``path``, ``kind`` and ``duration_s``.
    """
    found: dict[str, Source] = {}
    for row in rows:
        if row["kind"] == "video" and row["path"] not in found:
            found[row["path"]] = _source(row["path"], row.get("duration_s"))
    return found


def _source(path: str, duration_s: float | None) -> Source:
    from sayso.media import probe

    place = os.path.abspath(path)  # noqa: PTH100  the name as it is, no links followed
    try:
        known = probe(path)
    except MediaError:
        rate = edit_rate(None)
        return Source(place, rate, frame_after(duration_s or 0.0, rate), None, None, has_audio=True)
    rate = edit_rate(known.fps)
    frames = frame_after(known.length or duration_s or 0.0, rate)
    return Source(place, rate, frames, known.width, known.height, known.has_audio)


def lay_out(rows: Sequence[Row], sources: Mapping[str, Source], name: str) -> Reel:
    """Put the moments of videos one after another; pictures are left out, and that is logged.

    Args:
        rows: with ``path``, ``kind``, ``title``, ``start_s``, ``end_s``, ``text`` and ``seen``.
        sources: by path, from ``read_sources``.
        name: of the reel.

    Raises:
        SaysoError: if there is no moment of a video.
    """
    videos = [row for row in rows if row["kind"] == "video"]
    if not videos:
        raise SaysoError("there is no moment of a video to put on a line of time; pictures have none")
    if len(videos) < len(rows):
        _log.warning("left out, since pictures have no time: %d", len(rows) - len(videos))
    rate = Counter(sources[row["path"]].rate for row in videos).most_common(1)[0][0]
    shots: list[Shot] = []
    at = 0
    for row in videos:
        source = sources[row["path"]]
        first = frame_at(row["start_s"], source.rate)
        start_s = Fraction(first) / source.rate
        frames = max(1, frame_after(float(row["end_s"] - start_s), rate))
        note = " ".join((row.get("text") or row.get("seen") or "").split())
        shots.append(Shot(source, row["title"], first, at, frames, note))
        at += frames
    return Reel(" ".join(name.split()) or "sayso", rate, tuple(shots))
