"""Clip retrieval: find the clip for a caption, in any manifest of clips with captions.

The manifest's rows name a file, a span and a text (``path, start_s, end_s, text``). Of each
span, some windows as long as the encoder likes are embedded and averaged, spread evenly from its
beginning to its end, a single one in its middle. Every text is a query among all clips.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.device import cores
from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.data.manifest import Failure, read_manifest

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    encoder: Encoder,
    clips: Sequence[CaptionedClip],
    *,
    windows: int = 1,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Embed clips and captions, and rank the clips for each caption.

    Args:
        encoder: any dual encoder.
        clips: what to rank; clips that are missing or cannot be read are left out and counted.
        windows: how many are embedded of a clip, and averaged.
        cache: folder where embeddings are kept, so that what was cut off goes on; they go by model, windows
            and files.
        progress: told how many clips are done.

    Returns:
        ``protocol``, ``windows``, ``clips``, ``clips_used``, the paths ``unreadable``, and what
        ``sayso.metrics.retrieval`` returns under ``text_to_clip`` and ``clip_to_text``.

    Raises:
        SaysoError: if no clip can be read.
    """
    from sayso.metrics.retrieval import retrieval_from_embeddings

    used: list[int] = []
    embedded: list[Embeddings] = []
    for start in range(0, len(clips), BATCH):
        some = clips[start : start + BATCH]
        there, vectors = _kept(encoder, some, windows, cache)
        used += [start + int(number) for number in there]
        embedded.append(vectors)
        (progress or Silent()).update(start + len(some), len(clips))
    if not used:
        raise SaysoError(f"none of the {len(clips)} clips can be read, such as {clips[0].path}")
    texts, seen = encoder.encode_text([clips[number].text for number in used]), np.concatenate(embedded)
    return {
        "protocol": PROTOCOL,
        "windows": windows,
        "clips": len(clips),
        "clips_used": len(used),
        "unreadable": sorted({clip.path for k, clip in enumerate(clips) if k not in set(used)}),
        "text_to_clip": retrieval_from_embeddings(texts, seen),
        "clip_to_text": retrieval_from_embeddings(seen, texts),
    }


def window_starts(span: Span, duration_s: float, windows: int) -> list[float]:
    """Return when windows of ``duration_s`` begin, seconds: spread over the span, one in its middle."""
    room = max(0.0, span.duration - duration_s)
    if windows == 1:
        return [max(0.0, span.start + (span.duration - duration_s) / 2)]
    return [span.start + room * k / (windows - 1) for k in range(windows)]


def _kept(
    encoder: Encoder, clips: Sequence[CaptionedClip], windows: int, cache: Path | None
) -> tuple[NDArray[np.intp], Embeddings]:
    """Return what ``_embed`` returns, from the cache if it is there; what is not readable is not kept."""
    if cache is None:
        return _embed(encoder, clips, windows)
    path = cache / f"{_identity(encoder, clips, windows)}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return kept["there"], kept["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        there, vectors = _embed(encoder, clips, windows)
    cache.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(f".{os.getpid()}.tmp")
    with waiting.open("wb") as new:
        np.savez(new, there=there, vectors=vectors)
    waiting.replace(path)
    return there, vectors


def _identity(encoder: Encoder, clips: Sequence[CaptionedClip], windows: int) -> str:
    """Return a digest of all that decides the embeddings of clips: the model, the cut, the files."""

    def state(path: str) -> tuple[int, int] | None:
        try:
            found = Path(path).stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns

    cut = [(clip.path, clip.span and (clip.span.start, clip.span.end), state(clip.path)) for clip in clips]
    decides = [encoder.name, encoder.sha256, asdict(encoder.clip), windows, cut]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _embed(
    encoder: Encoder, clips: Sequence[CaptionedClip], windows: int
) -> tuple[NDArray[np.intp], Embeddings]:
    """Return which of the clips can be read, (b,), and the means of their windows' embeddings, (b, D)."""
    read = list(_read(clips, encoder.clip, windows))
    there = np.array([k for k, pixels in enumerate(read) if pixels is not None], np.intp)
    if not len(there):
        return there, np.empty((0, encoder.dim), np.float32)
    vectors = encoder.encode_video(np.concatenate([pixels for pixels in read if pixels is not None]))
    return there, vectors.reshape(len(there), windows, -1).mean(1)


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
