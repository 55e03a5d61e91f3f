"""Files of sound in an index: found by what is said in them, a moment for each caption.

Nothing is seen in them, so a clip's vector is a direction of its own that is like nothing: searches by looks
do not find it. Its thumbnail shows how loud it is.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.fence import why_it_failed
from sayso.core.types import Span
from sayso.engine.extract import Finished
from sayso.engine.segment import THUMB_SIDE, JobClip
from sayso.index.writer import IndexJob
from sayso.media.header import Probe
from sayso.media.sound import SOUND_RATE, probe_sound, stream_sound

if TYPE_CHECKING:
    from sayso.media.sound import SoundFacts

_LEVELS_S = 20  # levels a second
_BARS, _HEIGHT, _LOUD = 64, 144, 9000.0


def can_be_found(path: str) -> bool:
    """Tell whether it is known what is said in a file of sound, so that it can be found."""
    from sayso.text import find_subtitles

    return find_subtitles(path) is not None


def sound_clips(job: IndexJob, dim: int) -> Iterator[JobClip[IndexJob] | Finished[IndexJob]]:
    """Yield a clip for each caption of a file of sound, its content a vector (D,), then its ``Finished``.

    Args:
        job: the file, cut by its spans.
        dim: D.
    """
    probe, error = None, None
    try:
        levels = _levels(job.path)
        probe = _as_probe(job.path, probe_sound(job.path), len(levels) / _LEVELS_S)
        for span in job.spans or ():
            vector = like_nothing(f"{job.record.media_id} {span}", dim)
            yield JobClip(job, probe, span, vector, _drawn(levels, span))
    except Exception as problem:  # noqa: BLE001  whatever one file does is its own failure
        error = why_it_failed(problem, job.path)
    yield Finished(job, probe, error)


def like_nothing(key: str, dim: int) -> NDArray[np.float32]:
    """Return (D,) a random direction, the same for the same key; between two of them lies a right angle."""
    seed = int.from_bytes(
        hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big"
    )
    vector = np.random.default_rng(seed).standard_normal(dim)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _levels(path: str) -> NDArray[np.float64]:
    """Return how loud a file is, ``_LEVELS_S`` times a second."""
    step = SOUND_RATE // _LEVELS_S
    rest = np.empty(0, np.int16)
    levels: list[NDArray[np.float64]] = []
    for piece in chain(stream_sound(path), [np.zeros(step - 1, np.int16)]):
        rest = np.concatenate([rest, piece])
        whole = len(rest) // step
        levels.append(
            np.sqrt((rest[: whole * step].astype(np.float64).reshape(whole, step) ** 2).mean(axis=1))
        )
        rest = rest[whole * step :]
    return np.concatenate(levels)


def _as_probe(path: str, facts: SoundFacts, seconds: float) -> Probe:
    return Probe(
        path=path,
        duration=seconds,
        fps=None,
        width=0,
        height=0,
        video_codec="",
        audio_codec=facts.codec,
        rotation=0,
        has_audio=True,
        start=0.0,
        container=facts.container,
        length=seconds,
    )


def _drawn(levels: Sequence[float] | NDArray[np.float64], span: Span) -> bytes:
    """Return a JPEG of bars as high as a stretch of sound is loud."""
    from PIL import Image, ImageDraw

    first, last = (int(second * _LEVELS_S) for second in (span.start, span.end))
    shown = np.asarray(levels[first : max(first + 1, last)])
    heights = (
        np.interp(np.linspace(0, max(0, len(shown) - 1), _BARS), np.arange(len(shown)), shown)
        if len(shown)
        else np.zeros(_BARS)
    )
    image = Image.new("RGB", (THUMB_SIDE, _HEIGHT), (24, 28, 36))
    draw = ImageDraw.Draw(image)
    width = THUMB_SIDE / _BARS
    for k, level in enumerate(heights):
        half = max(1.0, min(1.0, float(level) / _LOUD) * (_HEIGHT / 2 - 12))
        left = k * width
        draw.rectangle(
            (left + 0.5, _HEIGHT / 2 - half, left + width - 1.5, _HEIGHT / 2 + half), (120, 170, 230)
        )
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()
