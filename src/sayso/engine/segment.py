"""Cutting one file into the clips an encoder wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sayso.core.errors import MediaError
from sayso.core.types import Span

if TYPE_CHECKING:
    from sayso.encoders.interface import ClipSpec, Pixels

THUMB_SIDE = 256


@dataclass(frozen=True, slots=True)
class Job:
    """One file to cut into clips.

    Args:
        path: the file.
        kind: video or picture.
        window_s: length of the clips that a video is cut into, seconds.
        spans: cut out exactly these instead.
        tag: whatever the caller wants back with the results.
    """

    path: str
    kind: Literal["video", "picture"]
    window_s: float
    spans: tuple[Span, ...] | None = None
    tag: Any = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file says of itself; seconds and pixels."""

    duration: float | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    container: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A clip before it is embedded: frames (T, H, W, 3) uint8 and a JPEG of the middle one."""

    job: Job
    facts: Facts
    span: Span
    frames: Pixels
    thumb: bytes


def cut_clips(job: Job, spec: ClipSpec) -> Iterator[Cut]:
    """Yield the clips of a file in order.

    Raises:
        MediaError: if the file cannot be read; what could be read came before.
    """
    if job.kind == "picture":
        yield _picture(job, spec)
    elif job.spans is None:
        yield from _windows(job, spec)
    else:
        yield from _spans(job, job.spans, spec)


def to_square(frame: Pixels, spec: ClipSpec) -> Pixels:
    """Return (size, size, 3): the middle of a frame whose short side is ``size``, or all of it squashed."""
    height, width = frame.shape[:2]
    if (height, width) == (spec.size, spec.size):
        return frame
    if spec.crop == "center" and min(height, width) == spec.size:
        top, left = (height - spec.size) // 2, (width - spec.size) // 2
        return frame[top : top + spec.size, left : left + spec.size]
    from PIL import Image

    squashed = Image.fromarray(frame).resize((spec.size, spec.size), Image.Resampling.BICUBIC)
    return np.asarray(squashed)


def _picture(job: Job, spec: ClipSpec) -> Cut:
    from sayso.media import read_image, thumbnail

    image = read_image(job.path, size=max(spec.size, THUMB_SIDE))
    scale = spec.size / min(image.size)
    width, height = (max(spec.size, round(side * scale)) for side in image.size)
    frame = np.asarray(image.resize((width, height), resample=3))
    return Cut(job, Facts(), Span(0.0, 0.0), to_square(frame, spec)[None], thumbnail(image, side=THUMB_SIDE))


def _windows(job: Job, spec: ClipSpec) -> Iterator[Cut]:
    """Cut at multiples of ``window_s`` in one pass; the last clip ends with the file."""
    from sayso.media import stream_frames

    facts = _facts(job.path)
    wanted = max(1, round(job.window_s * spec.fps))
    held: list[Pixels] = []
    window, instant = 0, 0.0

    def clip(end: float) -> Cut:
        start = window * job.window_s
        return _cut(job, facts, Span(start, max(end, start)), held, wanted, spec)

    problem = None
    try:
        frames = stream_frames(job.path, fps=spec.fps, size=spec.size, crop="none", exact=False)
        for k, (_, frame) in enumerate(frames):
            instant = (k + 0.5) / spec.fps
            if held and int(instant // job.window_s) > window:
                yield clip((window + 1) * job.window_s)
                held = []
            window = int(instant // job.window_s)
            held.append(frame)
    except MediaError as error:
        problem = error
    if held:
        seen_until = (window + 1) * job.window_s if facts.duration is None else facts.duration
        yield clip(min((window + 1) * job.window_s, seen_until) if problem is None else instant)
    if problem is not None:
        raise problem


def _spans(job: Job, spans: tuple[Span, ...], spec: ClipSpec) -> Iterator[Cut]:
    """Cut out the given spans; those beyond the end of the file are an error, told at the end."""
    from sayso.media import read_clip

    facts = _facts(job.path)
    beyond = 0
    for span in spans:
        if facts.duration is not None and span.start >= facts.duration:
            beyond += 1
            continue
        clip = read_clip(job.path, span.start, span.end, frames=spec.frames, size=spec.size, crop="none")
        yield _cut(job, facts, span, list(clip.frames), spec.frames, spec)
    if beyond:
        raise MediaError(
            f"{job.path}: {beyond} of {len(spans)} spans start after its end at {facts.duration:.1f} s; "
            "check the times in the manifest or captions"
        )


def _cut(job: Job, facts: Facts, span: Span, held: list[Pixels], wanted: int, spec: ClipSpec) -> Cut:
    """Bring the held frames to exactly ``wanted``, spread evenly, so that clips can be stacked."""
    from sayso.media import thumbnail

    chosen = [held[k * len(held) // wanted] for k in range(wanted)]
    frames = np.stack([to_square(frame, spec) for frame in chosen])
    return Cut(job, facts, span, frames, thumbnail(held[len(held) // 2], side=THUMB_SIDE))


def _facts(path: str) -> Facts:
    from sayso.media import probe

    known = probe(path)
    return Facts(
        known.duration, known.width, known.height, known.video_codec, known.audio_codec, known.container
    )
