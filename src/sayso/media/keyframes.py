"""The key frames of a video alone: what a large library is indexed by, many times faster than by every frame.

A key frame is built from no other, so all between two of them need not be decoded. What a key frame shows is
taken to last until the next one. Encoders put them where a scene changes, and else every 0.5 to 10 s; where
the next one is far off, what lies between is decoded after all.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError
from sayso.media.container import VideoSource, open_video, reason
from sayso.media.decode import DecodeFailure, cut_short, has_timed_packets
from sayso.media.files import MAX_PIXELS
from sayso.media.sampling import TOLERANCE_S
from sayso.media.shape import Shaper
from sayso.media.stream import stream_frames
from sayso.media.timeline import Timeline

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

MAX_GAP_S = 12.0
"""Key frames further apart than this have what lies between them decoded; x264 puts one every 250 frames."""

TOLD = 0.1
"""Share of a video that had to be decoded, from which on that is said."""


class NoKeyFramesError(MediaError):
    """The file does not tell its key frames, so it has to be decoded."""


class KeyFrame(NamedTuple):
    """What a stretch of a video shows.

    Args:
        start_s: second of the file at which it begins to be shown.
        end_s: where the next begins, or the video ends.
        frame: (H, W, 3) uint8 RGB.
    """

    start_s: float
    end_s: float
    frame: NDArray[np.uint8]


def key_frames(
    path: str | os.PathLike[str],
    *,
    every_s: float,
    size: int | None = None,
    max_gap_s: float = MAX_GAP_S,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[KeyFrame]:
    """Yield key frames of a whole video in order; the next one is at least ``every_s`` after the last.

    Args:
        path: the video file.
        every_s: seconds.
        size: pixels of the short side; None is full resolution.
        max_gap_s: where the next key frame is further off, a frame every ``every_s`` is decoded instead.
        max_pixels: width times height above which the file is refused.

    Raises:
        NoKeyFramesError: before the first one, if the container does not tell them.
        MediaError: if the file cannot be read, or, after all that could be decoded, is damaged.
    """
    with open_video(path, max_pixels=max_pixels, fast=True) as source:
        reader = _Reader(source, every_s)
        shaper = Shaper(source, size, "none")
        filled_s = 0.0
        for start_s, end_s, frame in reader.stretches():
            if end_s - start_s <= max(max_gap_s, every_s):
                yield KeyFrame(start_s, end_s, shaper(frame))
                continue
            filled_s += end_s - start_s
            yield from _decoded(path, start_s, end_s, every_s, size, max_pixels)
        if filled_s > TOLD * reader.clock.end_s:
            log.info(
                "%s: %.0f of %.0f s have no key frame for more than %.0f s, and were decoded in full",
                *(source.path, filled_s, reader.end_s, max_gap_s),
            )
        reader.check()


def _decoded(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    every_s: float,
    size: int | None,
    max_pixels: int,
) -> Iterator[KeyFrame]:
    """Yield frames of a stretch in which there are no key frames, each at the middle of its part."""
    count = max(1, round((end_s - start_s) / every_s))
    step_s = (end_s - start_s) / count
    frames = stream_frames(
        path, fps=1 / step_s, size=size, start_s=max(0.0, start_s), exact=False, max_pixels=max_pixels
    )
    for k, (_, frame) in zip(range(count), frames, strict=False):
        yield KeyFrame(start_s + k * step_s, start_s + (k + 1) * step_s, frame)


class _Reader:
    """Goes through the packets of a video once, and decodes the key frames that are wanted."""

    def __init__(self, source: VideoSource, every_s: float) -> None:
        if not has_timed_packets(source) or source.origin is None:
            raise NoKeyFramesError(f"{source.path}: its container does not tell the times of key frames")
        self.source, self.every_s = source, every_s
        self.clock = Timeline(source)
        self.end_s = 0.0
        self.failure: DecodeFailure | None = None

    def stretches(self) -> Iterator[tuple[float, float, VideoFrame]]:
        """Yield from when to when a key frame counts, seconds, and the frame."""
        held: tuple[float, VideoFrame] | None = None
        for packet in self._packets():
            if packet.pts is None or packet.is_discard:
                continue
            seconds = self.clock.seconds(packet.pts)
            lasting_s = self.clock.seconds(packet.pts + self.clock.lasting(packet.duration)) - seconds
            self.end_s = max(self.end_s, seconds + lasting_s)
            due = held is None or seconds >= held[0] + self.every_s - TOLERANCE_S
            if not packet.is_keyframe or not due:
                continue
            frame = self._frame(packet)
            if frame is None:
                if held is None and self.failure is None:
                    raise NoKeyFramesError(f"{self.source.path}: what it calls key frames are none")
                continue
            if held is not None:
                yield held[0], seconds, held[1]
            held = seconds, frame
        if held is None:
            why = self.failure.why if self.failure else "the file holds none"
            raise MediaError(f"{self.source.path}: not one frame can be decoded ({why})")
        yield held[0], self.end_s, held[1]

    def check(self) -> None:
        """Complain if reading went wrong, or the file was cut short.

        Raises:
            MediaError: saying at which second.
        """
        failure = self.failure or cut_short(self.source, self.end_s)
        if failure is not None:
            raise failure.error(self.source.path)

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        import av  # waits where another thread imports it: "from av.error" does not

        try:
            yield from self.source.packets()
        except (av.FFmpegError, OSError, RuntimeError) as error:
            self._note(self.end_s, error)

    def _frame(self, packet: Packet[VideoStream]) -> VideoFrame | None:
        """Decode one key frame by itself; None if nothing comes, or what comes is no key frame."""
        import av  # waits where another thread imports it: "from av.error" does not

        stream = self.source.stream
        try:
            frames = [*stream.decode(packet), *stream.decode(None)]
        except av.FFmpegError as error:
            self._note(self.clock.seconds(packet.pts or 0), error)
            frames = []
        stream.codec_context.flush_buffers()
        return next((frame for frame in frames if frame.key_frame), None)

    def _note(self, at_s: float, error: BaseException) -> None:
        self.failure = self.failure or DecodeFailure(max(0.0, at_s), reason(error))
