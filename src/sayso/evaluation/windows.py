"""Windows of clips, embedded once: cut evenly out of each clip, and kept so that what was cut off goes on.

A protocol says how (``Windows``); an encoder's own clip counts only where the protocol says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.device import cores
from sayso.core.errors import MediaError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.data.manifest import ListedFile
from sayso.data.sources import find_sources
from sayso.encoders.interface import Adaptable
from sayso.evaluation.embedding_cache import Arrays, cached, file_state

if TYPE_CHECKING:
    from sayso.encoders.interface import ClipSpec, Embeddings, Encoder

    Cut = tuple[str, Span | None]  # a file, and which part of it; None is all
    Embed = Callable[[Pixels], Embeddings]

CLIPS = 32  # in memory at once
ALL_S = 1e8  # later than any video ends, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How a protocol cuts clips; what is None is the encoder's.

    Args:
        count: W, windows of a clip, spread from its beginning to its end.
        frames: of a window.
        fps: frames a second of media.
        size: side of the square that is shown, pixels.
        margin_s: the last window ends so long before the end of the clip, seconds.
        beyond: what stands in a window past the end of the file: its last frame again, or black.
        native: frames are those of the file, one after the other, and windows begin at whole frames.
    """

    count: int = 1
    frames: int | None = None
    fps: float | None = None
    size: int | None = None
    margin_s: float = 0.0
    beyond: Literal["hold", "black"] = "hold"
    native: bool = False

    def clip(self, own: ClipSpec) -> ClipSpec:
        """Return the clip that an encoder sees, whose own is given."""
        frames, fps, size = self.frames or own.frames, self.fps or own.fps, self.size or own.size
        return replace(own, frames=frames, fps=fps, size=size)


def clip_of(encoder: Encoder, windows: Windows) -> ClipSpec:
    """Return the clip that an encoder is shown: one that cannot be adapted keeps the size of its pictures."""
    clip = windows.clip(encoder.clip)
    return clip if isinstance(encoder, Adaptable) else replace(clip, size=encoder.clip.size)


def adapted(encoder: Encoder, windows: Windows, max_words: int | None = None) -> Encoder:
    """Return the encoder as a protocol wants it: its clips, and so many words of a caption.

    An encoder that sees one picture at a time keeps its size, and one whose text model has a context
    of its own keeps that.

    Args:
        encoder: any.
        windows: of the protocol.
        max_words: words of a caption that are read; None: as many as the encoder reads.
    """
    clip = windows.clip(encoder.clip)
    return encoder.adapted(clip, max_words) if isinstance(encoder, Adaptable) else encoder


def embed_windows(
    encoder: Encoder,
    clips: Sequence[Cut],
    windows: Windows,
    *,
    embed: str = "encode_video",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> tuple[list[int], Embeddings]:
    """Embed windows of clips.

    Args:
        encoder: any, ``adapted`` to the windows.
        clips: files, and which part of each.
        windows: how many of each clip, and how they are cut.
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
    return used, np.concatenate(found) if found else np.empty((0, windows.count, encoder.dim), np.float32)


def window_starts(span: Span, duration_s: float, windows: int, margin_s: float = 0.0) -> list[float]:
    """Return when windows of ``duration_s`` begin, seconds: spread over the span, one in its middle.

    Args:
        span: of the clip, seconds.
        duration_s: length of a window, seconds.
        windows: how many.
        margin_s: the last ends so long before the end of the span, seconds.
    """
    room = max(0.0, span.duration - duration_s - margin_s)
    if windows == 1:
        return [max(0.0, span.start + (span.duration - duration_s) / 2)]
    return [span.start + room * k / (windows - 1) for k in range(windows)]


def _cached(
    encoder: Encoder, embed: str, clips: Sequence[Cut], windows: Windows, cache: Path | None
) -> tuple[list[int], Embeddings]:
    """Return which clips can be read and their vectors, from the cache if they are there."""
    decides = {
        "model": [encoder.name, encoder.sha256, embed],
        "window": asdict(clip_of(encoder, windows)),
        "windows": asdict(windows),
        "clips": [(path, span and (span.start, span.end), file_state(path)) for path, span in clips],
    }

    def make() -> Arrays:
        there, vectors = _embed(encoder, embed, clips, windows)
        return {"there": np.array(there, np.intp), "vectors": vectors}

    kept = cached(cache, decides, make)
    return kept["there"].tolist(), kept["vectors"]


def _embed(
    encoder: Encoder, embed: str, clips: Sequence[Cut], windows: Windows
) -> tuple[list[int], Embeddings]:
    """Return which clips can be read, b of them, and the vectors of their windows, (b, W, D)."""
    read = list(_read(clips, clip_of(encoder, windows), windows))
    there = [k for k, pixels in enumerate(read) if pixels is not None]
    if not there:
        return [], np.empty((0, windows.count, 0), np.float32)
    method: Embed = getattr(encoder, embed)
    vectors = method(np.concatenate([pixels for pixels in read if pixels is not None]))
    return there, vectors.reshape(len(there), windows.count, -1)


def _read(clips: Sequence[Cut], spec: ClipSpec, windows: Windows) -> Iterator[Pixels | None]:
    """Yield each clip's windows, (W, T, S, S, 3) uint8; None where it cannot be read."""
    cut = _native_windows if windows.native else _windows

    def read(clip: Cut) -> Pixels | None:
        try:
            return cut(*clip, spec, windows)
        except MediaError:
            return None

    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(read, clips)


def _windows(path: str, span: Span | None, spec: ClipSpec, windows: Windows) -> Pixels:
    from sayso.media import probe, read_clip

    if span is None:
        known = probe(path)
        span = Span(known.start, max(known.start, known.duration or known.start + spec.duration))
    found = []
    for start in window_starts(span, spec.duration, windows.count, windows.margin_s):
        read = read_clip(
            path, start, start + spec.duration, frames=spec.frames, size=spec.size, crop=spec.crop
        )
        if windows.beyond == "black":
            read.frames[spec.frames - read.padded :] = 0
        found.append(read.frames)
    return np.stack(found)


def _native_windows(path: str, span: Span | None, spec: ClipSpec, windows: Windows) -> Pixels:
    """Return windows of consecutive frames of the file; one that is too short ends in black."""
    from sayso.media import read_clip

    begin, end = (span.start, span.end) if span else (0.0, ALL_S)
    frames = read_clip(path, begin, end, size=spec.size, crop=spec.crop).frames
    lacking = max(0, spec.frames - len(frames))
    frames = np.concatenate([frames, np.zeros((lacking, *frames.shape[1:]), np.uint8)])
    starts = np.linspace(0, len(frames) - spec.frames, windows.count, dtype=int)
    return np.stack([frames[start : start + spec.frames] for start in starts])


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
