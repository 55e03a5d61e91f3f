"""Segmentation: cutting one file into the clips an encoder wants."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Pixels
from sayso.core.errors import MediaError
from sayso.core.types import Span
from sayso.media.sampling import TOLERANCE_S

if TYPE_CHECKING:
    from sayso.encoders.interface import ClipSpec
    from sayso.media.header import Probe
    from sayso.media.kinds import Kind

log = logging.getLogger(__name__)
THUMB_SIDE = 256


@dataclass(frozen=True, slots=True)
class Job:
    """One file to cut into clips; whoever needs more back with each clip adds fields in a class of its own.

    Args:
        path: the file.
        kind: video or picture.
        window_s: length of the clips that a video is cut into, seconds.
        spans: cut out exactly these instead.
        keys_only: cut at key frames instead, and show each clip by the one that it begins with.
    """

    path: str
    kind: Kind
    window_s: float
    spans: tuple[Span, ...] | None = None
    keys_only: bool = False


J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True, eq=False)
class JobClip(Generic[J]):
    """One clip of a file.

    Args:
        job: whose clip it is.
        probe: what its header says; None for a picture.
        span: where it lies in the file.
        content: its frames (T, H, W, 3) uint8; once it is embedded, its vector (D,) float32 instead.
        thumb: a JPEG of the middle frame.
    """

    job: J
    probe: Probe | None
    span: Span
    content: NDArray[Any]
    thumb: bytes


def cut_clips(job: J, spec: ClipSpec) -> Iterator[JobClip[J]]:
    """Yield the clips of a file in order.

    Raises:
        MediaError: if the file cannot be read; what could be read came before.
    """
    if job.kind == "picture":
        yield _picture(job, spec)
    elif job.spans is None and job.keys_only:
        yield from _key_frames(job, spec)
    elif job.spans is None:
        yield from _windows(job, spec)
    else:
        yield from _spans(job, job.spans, spec)


def square_frame(frame: Pixels, spec: ClipSpec) -> Pixels:
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


def _picture(job: J, spec: ClipSpec) -> JobClip[J]:
    from sayso.media import read_image, thumbnail

    image = read_image(job.path, size=max(spec.size, THUMB_SIDE))
    scale = spec.size / min(image.size)
    width, height = (max(spec.size, round(side * scale)) for side in image.size)
    frame = np.asarray(image.resize((width, height), resample=3))
    return JobClip(
        job, None, Span(0.0, 0.0), square_frame(frame, spec)[None], thumbnail(image, side=THUMB_SIDE)
    )


def _windows(job: J, spec: ClipSpec) -> Iterator[JobClip[J]]:
    """Cut at multiples of ``window_s`` in one pass, from the first picture to the end of the last."""
    from sayso.media import probe, stream_frames

    probed = probe(job.path)
    wanted = max(1, round(job.window_s * spec.fps))
    held: list[Pixels] = []
    window, instant = 0, 0.0
    waiting: Pixels | None = None  # the first picture, before it is on screen

    def clip(end: float) -> JobClip[J]:
        start = max(window * job.window_s, min(probed.start, end))
        return _segment(job, probed, Span(start, max(end, start)), held, wanted, spec)

    problem = None
    try:
        frames = stream_frames(job.path, fps=spec.fps, size=spec.size, crop="none", exact=False)
        for k, (seconds, frame) in enumerate(frames):
            instant = (k + 0.5) / spec.fps
            if seconds > instant + TOLERANCE_S:
                waiting = frame
                continue
            waiting = None
            if held and int(instant // job.window_s) > window:
                yield clip((window + 1) * job.window_s)
                held = []
            window = int(instant // job.window_s)
            held.append(frame)
    except MediaError as error:
        problem = error
    if waiting is not None:
        held, window = [waiting], int(probed.start // job.window_s)
    if held:
        ends_s = (window + 1) * job.window_s if probed.duration is None else probed.duration
        yield clip(min((window + 1) * job.window_s, ends_s) if problem is None else instant)
    if problem is not None:
        raise problem


def _key_frames(job: J, spec: ClipSpec) -> Iterator[JobClip[J]]:
    """Cut at key frames, half a window apart or more; in windows where the container does not tell them."""
    from sayso.media import NoKeyFramesError, key_frames, probe

    probed = probe(job.path)
    ends_s = float("inf") if probed.duration is None else probed.duration
    try:
        for start_s, end_s, frame in key_frames(job.path, every_s=job.window_s / 2, size=spec.size):
            start_s = max(0.0, start_s)  # noqa: PLW2901
            span = Span(start_s, max(start_s, min(end_s, ends_s)))
            yield _segment(job, probed, span, [frame], 1, spec)
    except NoKeyFramesError as reason:
        log.info("%s, and it is decoded in full", reason)
        yield from _windows(job, spec)


def _spans(job: J, spans: tuple[Span, ...], spec: ClipSpec) -> Iterator[JobClip[J]]:
    """Cut out the given spans; those beyond the end of the file are an error, raised at the end.

    After the last picture, that one stays on screen until the sound ends. Before the first one
    there is nothing to see, and no clip.
    """
    from sayso.media import probe, read_clip

    probed = probe(job.path)
    beyond = early = 0
    for span in spans:
        if probed.length is not None and span.start >= probed.length:
            beyond += 1
        elif span.end <= probed.start:
            early += 1
        else:
            clip = read_clip(job.path, span.start, span.end, frames=spec.frames, size=spec.size, crop="none")
            yield _segment(job, probed, span, list(clip.frames), spec.frames, spec)
    if early:
        log.warning(
            "%s: %d of %d spans end before its first picture at %.1f s, and give no clip",
            job.path,
            early,
            len(spans),
            probed.start,
        )
    if beyond:
        raise MediaError(
            f"{job.path}: {beyond} of {len(spans)} spans start after its end at {probed.length:.1f} s; "
            "check the times in the manifest or captions"
        )


def _segment(
    job: J, probed: Probe, span: Span, held: list[Pixels], wanted: int, spec: ClipSpec
) -> JobClip[J]:
    """Bring the held frames to exactly ``wanted``, uniformly spread, so that clips can be stacked."""
    from sayso.media import thumbnail

    chosen = [held[k * len(held) // wanted] for k in range(wanted)]
    frames = np.stack([square_frame(frame, spec) for frame in chosen])
    return JobClip(job, probed, span, frames, thumbnail(held[len(held) // 2], side=THUMB_SIDE))
