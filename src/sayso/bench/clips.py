"""Clip retrieval: find the clip for a caption, in any manifest of clips with captions.

The manifest's rows name a file, a span and a text (``path, start_s, end_s, text``). Of each
span, some windows as long as the encoder likes are embedded and averaged, spread evenly from its
beginning to its end, a single one in its middle. Every text is a query among all clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.device import cores
from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.data.manifest import Failure, read_manifest

if TYPE_CHECKING:
    from sayso.encoders.base import ClipSpec, Embeddings, Encoder, Pixels

PROTOCOL = "clip retrieval"
BATCH = 32  # windows in memory at once


@dataclass(frozen=True, slots=True)
class CaptionedClip:
    """A clip and what is said of it; ``span`` None is the whole file."""

    path: str
    span: Span | None
    text: str


def read_clips(manifest: Path) -> list[CaptionedClip]:
    """Read captioned clips.

    Raises:
        SaysoError: if the manifest cannot be read, a row is wrong, or no row has a text.
    """
    clips = []
    for source in read_manifest(manifest):
        if isinstance(source, Failure):
            raise SaysoError(source.error)
        clips += [CaptionedClip(source.path, row.span, row.text) for row in source.rows if row.text]
    if not clips:
        raise SaysoError(f"{manifest} has no row with a path and a text: there is nothing to retrieve")
    return clips


def clip_retrieval(
    encoder: Encoder, clips: Sequence[CaptionedClip], *, windows: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Embed clips and captions, and rank the clips for each caption.

    Args:
        encoder: any dual encoder.
        clips: what to rank; clips that are missing or cannot be read are left out and counted.
        windows: how many are embedded of a clip, and averaged.
        progress: told how many clips are done.

    Returns:
        ``protocol``, ``windows``, ``clips``, ``clips_used``, the paths ``unreadable``, and what
        ``sayso.metrics.retrieval`` returns under ``text_to_clip``.

    Raises:
        SaysoError: if no clip can be read.
    """
    from sayso.metrics import retrieval

    used: list[int] = []
    embedded: list[Embeddings] = [np.empty((0, encoder.dim), np.float32)]
    for start in range(0, len(clips), BATCH):
        read = list(_read(clips[start : start + BATCH], encoder.clip, windows))
        there = [number for number, pixels in enumerate(read) if pixels is not None]
        used += [start + number for number in there]
        if there:
            vectors = encoder.encode_video(np.concatenate([p for p in read if p is not None]))
            embedded.append(vectors.reshape(len(there), windows, -1).mean(1))
        (progress or Silent()).update(start + len(read), len(clips))
    if not used:
        raise SaysoError(f"none of the {len(clips)} clips can be read, such as {clips[0].path}")
    texts = encoder.encode_text([clips[number].text for number in used])
    return {
        "protocol": PROTOCOL,
        "windows": windows,
        "clips": len(clips),
        "clips_used": len(used),
        "unreadable": sorted({clip.path for k, clip in enumerate(clips) if k not in set(used)}),
        "text_to_clip": retrieval(texts.astype(np.float64) @ np.concatenate(embedded).T.astype(np.float64)),
    }


def window_starts(span: Span, duration_s: float, windows: int) -> list[float]:
    """Return when windows of ``duration_s`` begin, seconds: spread over the span, one in its middle."""
    room = max(0.0, span.duration - duration_s)
    if windows == 1:
        return [max(0.0, span.start + (span.duration - duration_s) / 2)]
    return [span.start + room * k / (windows - 1) for k in range(windows)]


def _read(clips: Sequence[CaptionedClip], spec: ClipSpec, windows: int) -> Iterator[Pixels | None]:
    """Yield each clip's windows, (windows, T, S, S, 3) uint8; None where it cannot be read."""

    def read(clip: CaptionedClip) -> Pixels | None:
        try:
            return _windows(clip, spec, windows)
        except MediaError:
            return None

    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(read, clips)


def _windows(clip: CaptionedClip, spec: ClipSpec, windows: int) -> Pixels:
    from sayso.media import probe, read_clip

    span = clip.span or Span(0.0, probe(clip.path).duration or spec.duration)
    read = [
        read_clip(
            clip.path, start, start + spec.duration, frames=spec.frames, size=spec.size, crop=spec.crop
        ).frames
        for start in window_starts(span, spec.duration, windows)
    ]
    return np.stack(read)
