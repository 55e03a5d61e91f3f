"""What a video file says of itself, without decoding it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from sayso.media.container import VideoSource, open_video
from sayso.media.files import MAX_PIXELS
from sayso.media.shape import orientation
from sayso.media.timeline import Timeline, declared_end, declared_length, frame_rate
from sayso.media.wholeness import is_whole

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

_DURATION_IN_HEADER = frozenset(
    {"mov", "matroska", "avi", "asf", "mpegts", "mpeg", "mxf", "ogg", "nut", "wtv"}
)
INDEXED = frozenset({"mov", "matroska"})
"""Containers that find any second at once, and may turn their pictures."""
_FIRST_PACKETS = 64


@dataclass(frozen=True, slots=True)
class Probe:
    """What a video file says of itself.

    Args:
        path: the file.
        duration: second at which the last picture ends; None if it cannot be told.
        fps: frames a second on average; None if unknown.
        width: pixels, as displayed: after rotation.
        height: pixels, as displayed: after rotation.
        video_codec: short name, such as h264.
        audio_codec: short name, such as aac; None without sound.
        rotation: degrees clockwise by which stored frames are turned for display: 0, 90, 180 or 270.
        has_audio: whether there is sound.
        start: second at which the first picture is shown: later than 0 where the sound begins before.
        container: short name, such as mov, matroska, avi or gif.
        origin: the container's time that is second 0 of the file, seconds.
        length: second at which the sound ends too; until then the last picture stays on screen.
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
    origin: float = 0.0
    length: float | None = None


def probe(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Probe:
    """Return what a video file says of itself.

    Reads the header, the first packets and, where the container has an index, the last ones.
    Where the header has no duration, all packets are walked through (not decoded).

    Raises:
        MediaError: if it is not a video that can be read.
    """
    with open_video(path, max_pixels=max_pixels) as source:
        first = _first_packets(source)
        known = _known(source, os.fspath(path), _rotation(source, first))
        clock = Timeline(source)
        if first:
            clock.begin(first[0])
        duration = _duration(source, clock)
        length = max(duration or 0.0, declared_length(source) or 0.0) or None
        return replace(known, start=_start(clock, first), duration=duration, length=length)


def _known(source: VideoSource, path: str, rotation: int) -> Probe:
    stream = source.stream
    shown = stream.codec_context.width, stream.codec_context.height
    sound = source.container.streams.best("audio")
    return Probe(
        path=path,
        duration=None,
        fps=frame_rate(stream),
        width=shown[rotation in (90, 270)],
        height=shown[rotation not in (90, 270)],
        video_codec=source.animation or stream.codec_context.codec.canonical_name,
        audio_codec=_codec_name(sound),
        rotation=rotation,
        has_audio=sound is not None,
        start=0.0,
        container=source.animation or source.format,
        origin=float(source.origin or 0),
    )


def _codec_name(stream: Stream | None) -> str | None:
    if stream is None:
        return None
    context: CodecContext | None = stream.codec_context
    return context.codec.canonical_name if context else "unknown"


def _first_packets(source: VideoSource) -> list[Packet[VideoStream]]:
    import av  # waits where another thread imports it: "from av.error" does not

    try:
        return list(islice(source.packets(), _FIRST_PACKETS))
    except (av.FFmpegError, OSError, RuntimeError):
        return []


def _rotation(source: VideoSource, first: list[Packet[VideoStream]]) -> int:
    """Return clockwise degrees; only decoded frames carry the matrix, so the first is decoded."""
    import av  # waits where another thread imports it: "from av.error" does not

    if source.format not in INDEXED:
        return 0
    try:
        for packet in [*first, None]:
            for frame in source.stream.decode(packet):
                return _degrees(*orientation(frame))
    except (av.FFmpegError, OSError, RuntimeError):
        pass
    return 0


def _start(clock: Timeline, first: list[Packet[VideoStream]]) -> float:
    """Return the second of the first picture; what an edit list cuts off is not shown."""
    stamps = [packet.pts for packet in first if packet.pts is not None and not packet.is_discard]
    return max(0.0, clock.seconds(min(stamps))) if stamps and not clock.by_dts else clock.lead_s


def _degrees(transpose: bool, mirror: bool, flip: bool) -> int:
    if transpose:
        return 90 if mirror else 270
    return 180 if mirror and flip else 0


def _duration(source: VideoSource, clock: Timeline) -> float | None:
    """Return when the last picture ends, seconds."""
    if source.restarts.pieces:
        return clock.seconds(source.restarts.end)
    measured = _measured_end(source, clock) if source.format in INDEXED else None
    if measured is not None:
        return measured
    declared = declared_end(source) if source.format in _DURATION_IN_HEADER else None
    if declared is None and source.format in _DURATION_IN_HEADER:
        declared = declared_length(source)
    return declared if declared is not None and declared > 0 else _walked_end(source, clock)


def _measured_end(source: VideoSource, clock: Timeline) -> float | None:
    """Return when the last picture ends by the last packets, which the container's index finds.

    None if the file is cut off: its header says then how long it was.
    """
    import av  # waits where another thread imports it: "from av.error" does not

    declared = declared_end(source) or declared_length(source)
    if declared is None or not is_whole(source.descriptor, source.format):
        return None
    try:
        source.seek(clock.stamp(max(0.0, declared)))
        return _end_of(source, clock)
    except (av.FFmpegError, OSError, RuntimeError, OverflowError):
        return None


def _walked_end(source: VideoSource, clock: Timeline) -> float | None:
    """Return when the last picture ends, by walking through all packets."""
    source.reopen()
    return _end_of(source, clock)


def _end_of(source: VideoSource, clock: Timeline) -> float | None:
    import av  # waits where another thread imports it: "from av.error" does not

    first: int | None = None
    last: tuple[int, int] | None = None  # time stamp and end of the picture shown last
    lasting = 0
    try:
        for packet in source.packets():
            stamp = packet.pts if packet.pts is not None and not clock.by_dts else packet.dts
            lasting += packet.duration or 0
            if stamp is not None and not packet.is_discard:
                first = stamp if first is None else min(first, stamp)
                last = max(last or (stamp, 0), (stamp, stamp + clock.lasting(packet.duration)))
    except (av.FFmpegError, OSError, RuntimeError):
        pass  # what was read before still counts
    if last is not None:
        return clock.seconds(last[1] - (0 if source.origin is not None else first or 0))
    return float(lasting * (source.stream.time_base or 0)) or None
