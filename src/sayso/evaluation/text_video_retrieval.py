"""Published protocols of clip retrieval, as ``protocols.toml`` writes them down.

DIR holds the protocol's list of clips and, at any depth, the videos, named by their ids
(``xHr8X2Wpmno.mp4``). Videos vanish from the web, so those that are missing are counted, and
the rest is measured.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.evaluation.clip_retrieval import CaptionedClip, clip_retrieval

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How clips of a benchmark are retrieved.

    Args:
        title: which benchmark, which part of it.
        annotations: name of the file that lists the clips.
        clips: how many it lists, as published.
        columns: where ``video``, ``text`` and, unless clips are whole files, ``start`` and ``end`` (seconds)
            are: names of the header, or numbers from 0 if there is none.
        windows: windows a clip, whose embeddings are averaged.
        published: what others measured: ``model``, ``source``, and numbers as of ``sayso.metrics.retrieval``.
        sha256: of the file that lists the clips, if it is known.
        delimiter: between its columns.
    """

    title: str
    annotations: str
    clips: int
    columns: dict[str, str | int]
    windows: int
    published: list[dict[str, Any]]
    sha256: str | None = None
    delimiter: str = ","


def protocols() -> dict[str, Protocol]:
    """Return the protocols by name."""
    text = (resources.files("sayso.evaluation") / "text_video_retrieval.toml").read_text(encoding="utf-8")
    return {name: Protocol(**parts) for name, parts in tomllib.loads(text).items()}


def run_protocol(
    encoder: Encoder,
    protocol: Protocol,
    data: Path,
    *,
    windows: int | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure an encoder by a protocol.

    Args:
        encoder: any dual encoder.
        protocol: one of ``protocols()``.
        data: folder of the list of clips and, at any depth, of the videos.
        windows: instead of the protocol's.
        cache: folder of what was embedded before; see ``embed_windows``.
        progress: told how many clips are done.

    Returns:
        What ``clip_retrieval`` returns, with ``clips`` as listed, the ids of the videos that are
        ``missing``, the ``published`` numbers, and the ``definition`` of the protocol with the
        ``sha256`` of the list that was read and whether that is the published one (``as_published``).

    Raises:
        SaysoError: if the list cannot be read, or none of its videos.
    """
    path = data / protocol.annotations
    listed = list(_listed(path, protocol))
    videos = videos_by_id(data)
    there = [CaptionedClip(videos[video], span, text) for video, span, text in listed if video in videos]
    missing = sorted({video for video, _, _ in listed} - set(videos))
    if not listed:
        raise SaysoError(f"{path} lists no clip")
    if not there:
        raise SaysoError(
            f"none of the {len(listed):,} clips of {path} is in {data}:"
            f" videos go by their ids, such as {missing[0]}.mp4"
        )
    windows = windows or protocol.windows
    found = clip_retrieval(encoder, there, windows=windows, cache=cache, progress=progress)
    read = hashlib.sha256(path.read_bytes()).hexdigest()
    definition = {**asdict(protocol), "sha256": read, "as_published": read == protocol.sha256}
    published = definition.pop("published")
    return {
        **found,
        "protocol": protocol.title,
        "clips": len(listed),
        "missing": missing,
        "definition": {**definition, "windows": windows, "window": asdict(encoder.clip)},
        "published": published,
    }


def _listed(path: Path, protocol: Protocol) -> Iterator[tuple[str, Span | None, str]]:
    """Yield id, span and caption of each clip.

    Raises:
        SaysoError: if there is no such file, or a row lacks something.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SaysoError(
            f"{path} cannot be read: put the list of clips there, and the videos beside or below it"
        ) from error
    named = any(isinstance(column, str) for column in protocol.columns.values())
    rows: Any = (
        csv.DictReader(lines, delimiter=protocol.delimiter)
        if named
        else csv.reader(lines, delimiter=protocol.delimiter)
    )
    for number, row in enumerate(rows, start=2 if named else 1):
        try:
            found = {part: row[column] for part, column in protocol.columns.items()}
            span = Span(float(found["start"]), float(found["end"])) if "start" in found else None
            yield found["video"], span, found["text"]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise SaysoError(
                f"{path}, line {number}: expected {', '.join(protocol.columns)} in columns"
                f" {', '.join(map(str, protocol.columns.values()))}"
            ) from error


def videos_by_id(folder: Path) -> dict[str, str]:
    """Return the videos below a folder by id; of several copies the first by path."""
    from sayso.media.kinds import VIDEO_SUFFIXES

    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    return {path.stem: str(path) for path in reversed(found)}
