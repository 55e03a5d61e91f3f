"""Turning the time stamps of a file into seconds since its first frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sayso.media.sampling import TOLERANCE_S

if TYPE_CHECKING:
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
        self._base = float(stream.time_base or 1e-6)
        self._step = _usual_step(stream)
        self._zero: int | None = None
        self._last: int | None = None
        self._shift = 0
        self._at_start = True

    @property
    def started(self) -> bool:
        """Whether the first frame has come, so that times are known."""
        return self._zero is not None

    def jump(self, *, to_start: bool = False) -> None:
        """Forget the last frame: reading goes on somewhere else."""
        self._at_start = to_start
        self._last = None
        self._shift, self.end_s = 0, 0.0

    def seconds(self, stamp: int) -> float:
        """Return the seconds of a time stamp."""
        return (stamp - (self._zero or 0)) * self._base

    def stamp(self, seconds: float) -> int:
        """Return the last time stamp that is not after ``seconds``."""
        return (self._zero or 0) + math.floor((seconds + TOLERANCE_S) / self._base)

    def is_first(self, stamp: int) -> bool:
        """Tell whether this is the time stamp of the first frame of the file."""
        return stamp == self._zero

    def place(self, frame: VideoFrame) -> float | None:
        """Return the seconds at which a frame is shown; None if that cannot be known."""
        stamp = self._stamp_of(frame)
        if stamp is None:
            return None
        if self._zero is None:
            self._zero = stamp
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
            return (self._zero or 0) if self._at_start else None
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


def track_duration(source: VideoSource) -> float | None:
    """Return how long the header says the pictures last, seconds; None if it does not say of them alone."""
    stream = source.stream
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    until_s = _clock_time(stream.metadata.get("DURATION", ""))  # Matroska's, from the container's time 0
    return None if until_s is None else until_s - max(0.0, start_of(stream))


def declared_duration(source: VideoSource) -> float | None:
    """Return how long the header says the file lasts, sound and all, from its first frame on, seconds."""
    alone = track_duration(source)
    container = source.container
    if alone is not None or container.duration is None:
        return alone
    start_us = 0 if source.format == "matroska" else container.start_time or 0
    return (container.duration + start_us) / 1e6 - max(0.0, start_of(source.stream))


def start_of(stream: VideoStream) -> float:
    """Return the container's time of the first frame, seconds."""
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _clock_time(text: str) -> float | None:
    """Read the hh:mm:ss.fraction of a Matroska tag."""
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return None
