"""Decoding a video from any moment on, in order of presentation, whatever the file does to its times.

Frames come with the seconds at which they are shown. What
could not be decoded is remembered, so that the caller keeps the rest and can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

from sayso.core.errors import MediaError
from sayso.media.container import VideoSource, reason
from sayso.media.packets import Planner, ReadStep, has_independent_frames
from sayso.media.sampling import TOLERANCE_S, Cells
from sayso.media.timeline import MAX_GAP_S, Timeline, declared_end, declared_length
from sayso.media.wholeness import MEASURED, is_whole

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Shown = tuple[float, "VideoFrame"]

_SEEK_FROM_S = 1.0  # nearer to the first picture, reading on is as fast
_UNSURE_S = {"mpeg": 1.0, "mpegts": 1.0}  # time stamps come every 0.7 s; after a seek the first are guessed
_PLANNED_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mjpeg", "prores", "dnxhd", "ffv1"})
_PLANNED_CONTAINERS = frozenset({"mov", "matroska"})  # where a packet is a frame, with its time


class DecodeFailure(NamedTuple):
    """Where reading first went wrong, and how."""

    at_s: float
    why: str

    def error(self, path: str) -> MediaError:
        """Return the sentence for it.

        Args:
            path: of the file.
        """
        return MediaError(
            f"{path}: reading failed at {self.at_s:.1f} s ({self.why}); the file is damaged or incomplete"
        )


def has_timed_packets(source: VideoSource) -> bool:
    """Tell whether each packet of a video is one frame, and says when that is shown."""
    codec = source.stream.codec_context.codec.canonical_name
    return codec in _PLANNED_CODECS and source.format in _PLANNED_CONTAINERS


def cut_short(source: VideoSource, end_s: float) -> DecodeFailure | None:
    """Tell whether a file was cut short; a header alone may lie about the length.

    Args:
        source: the video.
        end_s: where its last frame leaves the screen, seconds.
    """
    if source.format not in MEASURED:
        return None
    declared = declared_end(source)
    if declared is None:
        declared = declared_length(source)
    if declared is None and source.format == "matroska":
        return None  # written while it was recorded, up to any moment
    if declared is not None and declared - end_s <= max(0.5, 0.005 * declared):
        return None
    if is_whole(source.descriptor, source.format):
        return None
    says = "it is cut off" if declared is None else f"its header says {declared:.1f} s"
    return DecodeFailure(end_s, f"the file ends there, {says}")


class Decoder:
    """Decodes one open video.

    Args:
        source: the video.
        cells: the instants wanted; None for every frame.
        exact: every wanted frame comes out, bit by bit; otherwise its neighbour may stand for it.

    Attributes:
        decoded: number of frames that the decoder gave.
        failure: where reading first went wrong; None if all is well.
    """

    def __init__(self, source: VideoSource, cells: Cells | None, *, exact: bool = True) -> None:
        self.source, self.cells, self.exact = source, cells, exact
        self.decoded = 0
        self.failure: DecodeFailure | None = None
        self.clock = Timeline(source)
        self._planner: Planner | None = self._make_planner()
        self._unsure: DecodeFailure | None = None  # went wrong before the first frame came
        self._came = self._at_end = False
        self._key_stamps: set[int] = set()
        self._false_keys = False
        self._may_skip = not exact or has_independent_frames(source.stream)

    def frames(self, start_s: float = 0.0) -> Iterator[Shown]:
        """Yield (seconds, frame) in order, from the frame on screen at ``start_s`` or one before it.

        Raises:
            MediaError: if not a single frame can be decoded.
        """
        shown = self._shown(self._packets())
        first = next(shown, None)
        if first is None:
            why = self._unsure.why if self._unsure else "the file holds none"
            raise MediaError(f"{self.source.path}: not one frame can be decoded ({why})")
        start_s = min(start_s, declared_length(self.source) or start_s)
        if start_s <= first[0] + _SEEK_FROM_S:
            return chain([first], shown)
        landed = self._seek(start_s)
        if landed is None:
            self.source.reopen()
            self._start_anew(to_start=True)
            return self._shown(self._packets())
        return landed

    def end_s(self) -> float:
        """Return when the last frame that was read leaves the screen, seconds."""
        end_s = self.clock.end_s
        if self._planner is None or self._planner.last is None or self.failure is not None:
            return end_s
        stamp, duration = self._planner.last
        return max(end_s, self.clock.seconds(stamp + self.clock.lasting(duration)))

    def check(self, until_s: float = float("inf")) -> None:
        """Complain if reading went wrong before ``until_s``.

        Raises:
            MediaError: saying at which second.
        """
        if self.failure is not None and self.failure.at_s <= until_s:
            raise self.failure.error(self.source.path)

    def _make_planner(self) -> Planner | None:
        if self.cells is None or not has_timed_packets(self.source):
            return None
        return Planner(self.cells, self.clock.seconds)

    def _start_anew(self, *, to_start: bool = False) -> None:
        self.clock.jump(to_start=to_start)
        self.failure = self._unsure = None
        self._came = self._at_end = False
        self._planner = self._make_planner()
        self._key_stamps.clear()

    def _seek(self, start_s: float) -> Iterator[Shown] | None:
        """Land on a key frame before ``start_s``, further and further back; None if that fails."""
        import av  # waits where another thread imports it: "from av.error" does not

        back_s = unsure_s = _UNSURE_S.get(self.source.format, 0.0)
        land_s = start_s - unsure_s + TOLERANCE_S
        while back_s < start_s:
            try:
                self.source.seek(self.clock.stamp(start_s - back_s))
            except (av.FFmpegError, OverflowError):
                return None
            self._start_anew()
            shown = self._shown(self._from_key_frame(land_s))
            first = next(shown, None)
            if first is not None and first[0] <= land_s and self._is_whole(first[1]):
                return chain([first], shown)
            back_s = 2 * back_s or 1.0
        return None

    def _is_whole(self, first: VideoFrame) -> bool:
        """Tell whether the first frame after a seek can be trusted: H.264 waits until it is whole."""
        return first.key_frame or self.source.stream.codec_context.codec.canonical_name == "h264"

    def _from_key_frame(self, land_s: float) -> Iterator[Packet[VideoStream]]:
        """Yield the packets from the first key frame on; none if it is shown after ``land_s``."""
        packets = self._packets()
        for packet in packets:
            if packet.is_keyframe:
                known = packet.pts is not None and not self.clock.by_dts
                if known and self.clock.seconds(packet.pts or 0) > land_s:
                    return
                yield packet
                yield from packets

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """Yield the packets; end where the file cannot be read further."""
        import av  # waits where another thread imports it: "from av.error" does not

        try:
            yield from self.source.packets()
        except (av.FFmpegError, OSError, RuntimeError) as error:
            self._note(None, error)
        else:
            self._at_end = True

    def _check_length(self) -> None:
        self.failure = self.failure or cut_short(self.source, self.end_s())

    def _steps(self, packets: Iterator[Packet[VideoStream]]) -> Iterator[ReadStep]:
        """Decode without a plan until the first frame shows what time it is."""
        begun = False
        loose = not self.exact and self._rate_is_low() and self.clock.stamped
        for packet in packets:
            if not self.clock.started:
                if not begun:
                    self.clock.begin(packet)
                begun = True
                yield ReadStep(packet, whole=True)
            elif self._planner is None:
                yield ReadStep(packet, whole=not loose)
            else:
                yield from self._planner.plan(chain([packet], packets))
                return

    def _rate_is_low(self) -> bool:
        rate = self.source.stream.average_rate
        return self.cells is not None and bool(rate) and float(rate or 0) * self.cells.step_s >= 4

    def _shown(self, packets: Iterator[Packet[VideoStream]]) -> Iterator[Shown]:
        """Decode the packets; yield the frames with their seconds."""
        longest_s = max(MAX_GAP_S, 4 * (self.cells.step_s if self.cells else 0.0))
        for frame in self._decoded(self._steps(packets)):
            left_s = self.clock.end_s
            seconds = self.clock.place(frame)
            if seconds is None:
                continue
            if self._came and seconds - left_s > longest_s:
                self.failure = self.failure or DecodeFailure(left_s, "the time stamps jump")
                self.clock.end_s, self._planner = left_s, None
                return
            self._came = True
            self.decoded += 1
            self._learn_about_key_frames(frame)
            yield seconds, frame

    def _learn_about_key_frames(self, frame: VideoFrame) -> None:
        """See one before relying on them: some containers mark what is none, as with intra refresh."""
        if self._planner is None or frame.pts not in self._key_stamps:
            return
        self._key_stamps.discard(frame.pts)
        self._false_keys = self._false_keys or not frame.key_frame
        self._planner.may_drop = not self._false_keys and not self.clock.is_first(frame.pts)

    def _decoded(self, steps: Iterator[ReadStep]) -> Iterator[VideoFrame]:
        context = self.source.stream.codec_context
        for step in steps:
            if step.fresh:
                yield from self._send(None)
                context.flush_buffers()
            if step.packet.is_keyframe and step.packet.pts is not None:
                self._key_stamps.add(step.packet.pts)
            skip: Literal["DEFAULT", "NONREF"] = "DEFAULT" if step.whole or not self._may_skip else "NONREF"
            if context.skip_frame != skip:
                context.skip_frame = skip
            yield from self._send(step.packet)
        yield from self._send(None)
        if self._at_end:
            self._check_length()

    def _send(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        import av  # waits where another thread imports it: "from av.error" does not

        try:
            frames = self.source.stream.decode(packet)
        except av.FFmpegError as error:
            self._note(packet, error)
            return []
        return frames

    def _note(self, packet: Packet[VideoStream] | None, error: BaseException) -> None:
        """Remember the first thing that went wrong; before the first frame it may be harmless."""
        at_s = self.clock.end_s
        if packet is not None and packet.pts is not None and self.clock.started:
            at_s = max(0.0, self.clock.seconds(packet.pts))
        failure = DecodeFailure(at_s, reason(error))
        if self._came:
            self.failure = self.failure or failure
        else:
            self._unsure = self._unsure or failure
