"""What a video file says of itself, without decoding it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from sayso.media.container import VideoSource, open_video
from sayso.media.files import MAX_PIXELS
from sayso.media.shape import orientation
from sayso.media.timeline import declared_duration, frame_rate, start_of

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.stream import Stream

_DURATION_IN_HEADER = frozenset(
    {"mov", "matroska", "avi", "asf", "mpegts", "mpeg", "mxf", "ogg", "nut", "wtv"}
)
_TURNED_CONTAINERS = frozenset({"mov", "matroska"})
_PACKETS_TO_FIRST_FRAME = 64


@dataclass(frozen=True, slots=True)
class Probe:
    """What a video file says of itself.

    Args:
        path: the file.
        duration: seconds from the first frame to the end of the last; None if it cannot be told.
        fps: frames a second on average; None if unknown.
        width: pixels, as displayed: after rotation.
        height: pixels, as displayed: after rotation.
        video_codec: short name, such as h264.
        audio_codec: short name, such as aac; None without sound.
        rotation: degrees clockwise by which stored frames are turned for display: 0, 90, 180 or 270.
        has_audio: whether there is sound.
        start: the container's time of the first frame, seconds; sayso counts from there.
        container: short name, such as mov, matroska or avi.
    """

    path: str
    duration: float | None
    fps: float | None
    width: int
    height: int
    video_codec: str
    audio_codec: str | None
    rotation: int
    has_audio: bool
    start: float
    container: str


def probe(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Probe:
    """Return what a video file says of itself.

    Reads the header. Where that has no duration, the packets are walked through (not decoded).

    Raises:
        MediaError: if it is not a video that can be read.
    """
    with open_video(path, max_pixels=max_pixels) as source:
        said = _said(source, os.fspath(path))
        return replace(said, duration=_duration(source))  # last, as it may open the file anew


def _said(source: VideoSource, path: str) -> Probe:
    stream = source.stream
    rotation = _rotation(source)
    shown = stream.codec_context.width, stream.codec_context.height
    sound = source.container.streams.best("audio")
    return Probe(
        path=path,
        duration=None,
        fps=frame_rate(stream),
        width=shown[rotation in (90, 270)],
        height=shown[rotation not in (90, 270)],
        video_codec=stream.codec_context.codec.canonical_name,
        audio_codec=_codec_name(sound),
        rotation=rotation,
        has_audio=sound is not None,
        start=start_of(stream),
        container=source.format,
    )


def _codec_name(stream: Stream | None) -> str | None:
    if stream is None:
        return None
    context: CodecContext | None = stream.codec_context
    return context.codec.canonical_name if context else "unknown"


def _rotation(source: VideoSource) -> int:
    """Return clockwise degrees; only decoded frames carry the matrix, so the first is decoded."""
    from av.error import FFmpegError

    if source.format not in _TURNED_CONTAINERS:
        return 0
    try:
        for packet in islice(source.packets(), _PACKETS_TO_FIRST_FRAME):
            for frame in source.stream.decode(packet):
                return _degrees(*orientation(frame))
        return next((_degrees(*orientation(frame)) for frame in source.stream.decode(None)), 0)
    except (FFmpegError, OSError, RuntimeError):
        return 0


def _degrees(transpose: bool, mirror: bool, flip: bool) -> int:
    if transpose:
        return 90 if mirror else 270
    return 180 if mirror and flip else 0


def _duration(source: VideoSource) -> float | None:
    declared = declared_duration(source) if source.format in _DURATION_IN_HEADER else None
    return declared if declared is not None and declared > 0 else _walked_duration(source)


def _walked_duration(source: VideoSource) -> float | None:
    """Return the time from the first packet to the end of the last; without times, their durations' sum."""
    from av.error import FFmpegError

    source.reopen()
    first, last, lasting = None, None, 0
    try:
        for packet in source.packets():
            stamp = packet.pts if packet.pts is not None else packet.dts
            lasting += packet.duration or 0
            if stamp is not None:
                end = stamp + (packet.duration or 0)
                first = stamp if first is None else min(first, stamp)
                last = end if last is None else max(last, end)
    except (FFmpegError, OSError, RuntimeError):
        pass  # what was read before still counts
    if first is not None and last is not None:
        lasting = last - first
    return float(lasting * (source.stream.time_base or 0)) or None
