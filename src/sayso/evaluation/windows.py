"""Windows of clips, embedded once: cut evenly out of each clip, and kept so that what was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.device import cores
from sayso.core.errors import MediaError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.data.manifest import ListedFile
from sayso.data.sources import find_sources
from sayso.evaluation.embedding_cache import Arrays, cached, file_state

if TYPE_CHECKING:
    from sayso.encoders.interface import ClipSpec, Embeddings, Encoder

    Cut = tuple[str, Span | None]  # a file, and which part of it; None is all
    Embed = Callable[[Pixels], Embeddings]

CLIPS = 32  # in memory at once


def embed_windows(
    encoder: Encoder,
    clips: Sequence[Cut],
    windows: int,
    *,
    embed: str = "encode_video",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> tuple[list[int], Embeddings]:
    """Embed windows of clips, each as long as the encoder's clips are.

    Args:
        encoder: any.
        clips: files, and which part of each.
        windows: W, how many of each clip.
        embed: the encoder's method that makes the vectors.
        cache: folder where vectors are kept. They go by the model, the cut, and size and time of the files.
        progress: updated with how many clips are done.

    Returns:
        Which of the clips can be read, N of them, and (N, W, D) float32.
    """
    used: list[int] = []
    found: list[Embeddings] = []
    for start in range(0, len(clips), CLIPS):
        some = clips[start : start + CLIPS]
        there, vectors = _cached(encoder, embed, some, windows, cache)
        used += [start + number for number in there]
        found.append(vectors)
        (progress or Silent()).update(start + len(some), len(clips))
    found = [vectors for vectors in found if len(vectors)]
    return used, np.concatenate(found) if found else np.empty((0, windows, encoder.dim), np.float32)


def window_starts(span: Span, duration_s: float, windows: int) -> list[float]:
    """Return when windows of ``duration_s`` begin, seconds: spread over the span, one in its middle.

    Args:
        span: of the clip, seconds.
        duration_s: length of a window, seconds.
        windows: how many.
    """
    room = max(0.0, span.duration - duration_s)
    if windows == 1:
        return [max(0.0, span.start + (span.duration - duration_s) / 2)]
    return [span.start + room * k / (windows - 1) for k in range(windows)]


def _cached(
    encoder: Encoder, embed: str, clips: Sequence[Cut], windows: int, cache: Path | None
) -> tuple[list[int], Embeddings]:
    """Return which clips can be read and their vectors, from the cache if they are there."""
    decides = {
        "model": [encoder.name, encoder.sha256, embed],
        "window": asdict(encoder.clip),
        "windows": windows,
        "clips": [(path, span and (span.start, span.end), file_state(path)) for path, span in clips],
    }

    def make() -> Arrays:
        there, vectors = _embed(encoder, embed, clips, windows)
        return {"there": np.array(there, np.intp), "vectors": vectors}

    kept = cached(cache, decides, make)
    return kept["there"].tolist(), kept["vectors"]


def _embed(encoder: Encoder, embed: str, clips: Sequence[Cut], windows: int) -> tuple[list[int], Embeddings]:
    """Return which clips can be read, b of them, and the vectors of their windows, (b, W, D)."""
    read = list(_read(clips, encoder.clip, windows))
    there = [k for k, pixels in enumerate(read) if pixels is not None]
    if not there:
        return [], np.empty((0, windows, 0), np.float32)
    method: Embed = getattr(encoder, embed)
    vectors = method(np.concatenate([pixels for pixels in read if pixels is not None]))
    return there, vectors.reshape(len(there), windows, -1)


def _read(clips: Sequence[Cut], spec: ClipSpec, windows: int) -> Iterator[Pixels | None]:
    """Yield each clip's windows, (W, T, S, S, 3) uint8; None where it cannot be read."""

    def read(clip: Cut) -> Pixels | None:
        try:
            return _windows(*clip, spec, windows)
        except MediaError:
            return None

    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(read, clips)


def _windows(path: str, span: Span | None, spec: ClipSpec, windows: int) -> Pixels:
    from sayso.media import probe, read_clip

    if span is None:
        known = probe(path)
        span = Span(known.start, max(known.start, known.duration or known.start + spec.duration))
    read = [
        read_clip(
            path, start, start + spec.duration, frames=spec.frames, size=spec.size, crop=spec.crop
        ).frames
        for start in window_starts(span, spec.duration, windows)
    ]
    return np.stack(read)


def videos_by_id(folder: Path) -> dict[str, str]:
    """Return the videos below a folder, through links, by id; of several copies the first by path."""
    listed = (source for source in find_sources([str(folder)]) if isinstance(source, ListedFile))
    found = sorted(Path(source.path) for source in listed if _is_video(source.path))
    return {path.stem: str(path) for path in reversed(found)}


def video_id(name: str) -> str:
    """Return the id of a video of a list, which may give the name of its file instead."""
    return Path(name).stem if _is_video(name) else name


def _is_video(name: str) -> bool:
    from sayso.media.kinds import VIDEO_SUFFIXES

    return Path(name).suffix.lower() in VIDEO_SUFFIXES
