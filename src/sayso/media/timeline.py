"""Turning the time stamps of a file into seconds of its clock (``media/clock.py``)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from sayso.media.sampling import TOLERANCE_S

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from sayso.media.container import VideoSource

MAX_GAP_S = 3600.0  # a frame that stays longer has a damaged time stamp
_DISORDER_S, _DISORDER_FRAMES = 0.5, 17  # steps back up to here; larger ones are a new start of the clock


class Timeline:
    """Places the frames of one video, in the order in which the decoder gives them.

    Args:
        source: the video.

    Attributes:
        by_dts: the container has no presentation times (AVI), and FFmpeg's guesses are out of
            order. Frames are evenly spaced there, so the decoding time of the packet that pushed
            a frame out is its time, but for a constant.
        stamped: every frame brings its own time, so that leaving some out does not shift the others.
        end_s: when the last placed frame leaves the screen.
    """

    def __init__(self, source: VideoSource) -> None:
        stream = source.stream
        self.by_dts = source.format == "avi"
        self.stamped = not self.by_dts and stream.start_time is not None
        self.end_s = 0.0
        base = stream.time_base or Fraction(1, 1_000_000)
        self._base = float(base)
        self._step = _usual_step(stream)
        self._has_origin = source.origin is not None
        origin = Fraction(source.origin or 0)
        self._zero = math.floor(origin / base)  # the time stamp of second 0
        self._rest_s = float(origin - self._zero * base)
        self._first: int | None = None
        self._lead = 0
        self._last: int | None = None
        self._shift = 0
        self._at_start = True

    @property
    def started(self) -> bool:
        """Whether the first frame has come, so that times are known."""
        return self._first is not None

    def jump(self, *, to_start: bool = False) -> None:
        """Forget the last frame: reading goes on somewhere else."""
        self._at_start = to_start
        self._last = None
        self._shift, self.end_s = 0, 0.0

    def begin(self, packet: Packet[VideoStream]) -> None:
        """Note the file's first packet: in AVI it alone says that the pictures begin late."""
        self._lead = packet.dts or 0 if self.by_dts else 0

    @property
    def lead_s(self) -> float:
        """How late the pictures begin in a container without presentation times, seconds."""
        return self._lead * self._base

    def seconds(self, stamp: int) -> float:
        """Return the seconds of a time stamp."""
        return (stamp - self._zero) * self._base - self._rest_s

    def stamp(self, seconds: float) -> int:
        """Return the last time stamp that is not after ``seconds``."""
        return self._zero + math.floor((seconds + TOLERANCE_S + self._rest_s) / self._base)

    def is_first(self, stamp: int) -> bool:
        """Tell whether this is the time stamp of the first frame of the file."""
        return stamp == self._first

    def place(self, frame: VideoFrame) -> float | None:
        """Return the seconds at which a frame is shown; None if that cannot be known."""
        stamp = self._stamp_of(frame)
        if stamp is None:
            return None
        if self._first is None:
            self._first = stamp
            self._zero = self._zero if self._has_origin else stamp - self._lead
        self._last = stamp
        self.end_s = self.seconds(stamp + self.lasting(frame.duration))
        return self.seconds(stamp)

    def lasting(self, duration: int | None) -> int:
        """Return how long a frame stays, in time stamps: what it says itself if that is credible."""
        credible = duration is not None and 0 < duration * self._base <= MAX_GAP_S
        return duration if duration is not None and credible else self._step

    def _stamp_of(self, frame: VideoFrame) -> int | None:
        """Return the frame's time stamp, never before the last one's."""
        given = frame.dts if self.by_dts or frame.pts is None else frame.pts
        if given is None and self._last is None:
            return (self._first or 0) if self._at_start else None
        if given is None:
            return (self._last or 0) + max(1, self.lasting(frame.duration))
        stamp = given + self._shift
        if self._last is None or stamp >= self._last:
            return stamp
        if self._last - stamp > max(_DISORDER_S / self._base, _DISORDER_FRAMES * self._step):
            self._shift += self._last + self._step - stamp
            return self._last + self._step
        return self._last


def frame_rate(stream: VideoStream) -> float | None:
    """Return the frames a second that the header implies; None if it does not say."""
    bare = stream.start_time is None and stream.duration is None  # no container: the average is made up
    rate = stream.guessed_rate if bare else stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


def _usual_step(stream: VideoStream) -> int:
    """Return the time between two frames that the header implies, in time stamps; 0 if none is credible."""
    rate = frame_rate(stream)
    credible = rate is not None and rate * MAX_GAP_S >= 1
    return round(1 / (rate * stream.time_base)) if rate and credible and stream.time_base else 0


def declared_end(source: VideoSource) -> float | None:
    """Return when the header says that the pictures end, seconds; None if it does not say of them alone."""
    stream, zero_s = source.stream, float(source.origin or 0)
    until_s = _clock_time(stream.metadata.get("DURATION", ""))  # Matroska's, from the container's time 0
    if until_s is not None or source.format == "matroska":
        return None if until_s is None else until_s - zero_s
    if stream.duration is None or not stream.time_base:
        return None
    start = stream.start_time or 0 if source.origin is not None else 0
    return float((start + stream.duration) * stream.time_base) - zero_s


def declared_length(source: VideoSource) -> float | None:
    """Return when sound and pictures end as the header says, seconds."""
    container = source.container
    if container.duration is None:
        return None
    start_s = 0 if source.format == "matroska" else (container.start_time or 0) / 1e6
    return container.duration / 1e6 + start_s - float(source.origin if source.origin is not None else start_s)


def _clock_time(text: str) -> float | None:
    """Read the hh:mm:ss.fraction of a Matroska tag."""
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return None
