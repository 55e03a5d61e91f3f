"""The tracks of a stream made on the fly: video copied or encoded, and audio.

All of them put their packets on the stream's clock, which shows 0 at the second
``start_s`` of the file.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, cast

from sayso.media.hdr import is_wide, to_sdr

if TYPE_CHECKING:
    from av import AudioFrame, Packet, VideoFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.filter import Graph
    from av.filter.context import FilterContext
    from av.stream import Stream
    from av.video.stream import VideoStream

MAX_HEIGHT = 720
"""Taller video is scaled down, so that encoding keeps up with playing on small machines."""

HDR_HEIGHT = 480
"""Video of high dynamic range, whose colours numpy converts, is scaled down further."""

VIDEO_CLOCK = Fraction(1, 90_000)
AUDIO_RATE = 48_000
ENCODER = {"preset": "veryfast", "tune": "zerolatency", "crf": "23"}
TURNS = {90: "transpose=cclock", -90: "transpose=clock", 180: "hflip,vflip", -180: "hflip,vflip"}


class StreamTrack(Protocol):
    """Turns packets of the file, the empty last one too, into packets of the stream."""

    @property
    def source(self) -> Stream:
        """Where its packets come from."""

    def open(self, target: OutputContainer) -> None:
        """Announce the track to the muxer."""

    def feed(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Return what a packet becomes."""

    def flush(self) -> list[Packet[Stream]]:
        """Return what is left at the end."""


class CopiedTrack:
    """Video as it is; begins with the first key frame.

    Args:
        source: of the file.
        zero_s: the time stamp, in the file, at which the stream's clock shows 0.
    """

    def __init__(self, source: VideoStream, zero_s: float) -> None:
        self.source, self.zero_s = source, zero_s
        self.timeless: list[Packet[Stream]] = []
        self.begun = False
        rate = source.average_rate or source.guessed_rate
        self.step = round(1 / (rate * source.time_base)) if rate and source.time_base else 1

    def open(self, target: OutputContainer) -> None:
        """Announce the track to the muxer."""
        self.stream = target.add_stream_from_template(self.source)

    def first_dts(self, packet: Packet[Stream]) -> int | None:
        """Return the decoding time of the first key frame, once a packet holds it.

        Matroska does not store decoding times; the first packets after a seek have none.
        """
        if not (self.timeless or packet.is_keyframe) or not packet.size:
            return None
        if packet.dts is None:
            self.timeless.append(packet)
            return None
        return packet.dts - len(self.timeless) * self.step

    def feed(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Shift a packet to the stream's clock."""
        if not self.begun:
            dts = self.first_dts(packet)
            if dts is None:
                return []
            self.begun = True
            for k, early in enumerate(self.timeless):
                early.dts = dts + k * self.step
            return [self._shifted(one) for one in (*self.timeless, packet)]
        return [self._shifted(packet)] if packet.dts is not None else []

    def flush(self) -> list[Packet[Stream]]:
        """Return nothing: packets leave as they come."""
        return []

    def _shifted(self, packet: Packet[Stream]) -> Packet[Stream]:
        dts = packet.dts or 0
        shift = round(self.zero_s / (packet.time_base or 1))
        packet.pts = (dts if packet.pts is None else packet.pts) - shift
        packet.dts = dts - shift
        packet.stream = self.stream
        return packet


class EncodedTrack:
    """Video decoded, turned upright, scaled to square pixels and at most MAX_HEIGHT, and encoded.

    Args:
        source: of the file.
        first: any decoded frame of it.
        zero_s: the time stamp, in the file, at which the stream's clock shows 0.
    """

    def __init__(self, source: VideoStream, first: VideoFrame, zero_s: float) -> None:
        from av.video.reformatter import VideoReformatter

        self.source, self.zero_s, self.next_s = source, zero_s, zero_s
        self.rate = source.average_rate or source.guessed_rate or Fraction(25)
        self.turn = TURNS.get(first.rotation, "")
        self.size = upright_size(first, source.sample_aspect_ratio, self.turn)
        self.shape: tuple[int, int, str] | None = None
        self.graph: Graph | None = None
        self.last_pts = -1
        self.reformatter = VideoReformatter()

    def open(self, target: OutputContainer) -> None:
        """Announce the track to the muxer."""
        self.stream = target.add_stream("libx264", rate=self.rate, options=ENCODER)
        self.stream.width, self.stream.height = self.size
        self.stream.pix_fmt = "yuv420p"
        self.stream.time_base = self.stream.codec_context.time_base = VIDEO_CLOCK
        self.stream.codec_context.gop_size = max(1, round(2 * self.rate))

    def feed(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Decode, and encode again what is shown at the start or after it."""
        return self._encode(cast("list[VideoFrame]", packet.decode()))

    def flush(self) -> list[Packet[Stream]]:
        """Return what the encoder still holds."""
        return self.stream.encode(None) if self.last_pts >= 0 else []

    def _time_s(self, frame: VideoFrame) -> float:
        """Return when a frame is shown; an AVI file does not say, but its frames come in order."""
        ticks = frame.dts if self.source.container.format.name == "avi" else frame.pts
        return self.next_s if ticks is None or frame.time_base is None else float(ticks * frame.time_base)

    def _encode(self, frames: list[VideoFrame]) -> list[Packet[Stream]]:
        packets = []
        for frame in frames:
            time_s = self._time_s(frame)
            self.next_s = time_s + float(1 / self.rate)
            if self.next_s <= self.zero_s + 1e-4:
                continue
            picture = self._upright(frame)
            pts = round(max(0.0, time_s - self.zero_s) / VIDEO_CLOCK)
            for early in self._before_first(pts):
                packets += self._encode_at(picture, early)
            packets += self._encode_at(picture, max(pts, self.last_pts + 1))
        return packets

    def _before_first(self, pts: int) -> range:
        """Return when the first picture is shown before its time, lest the player waits for one."""
        step = max(1, round(1 / self.rate / VIDEO_CLOCK))
        return range(0, pts - step, step) if self.last_pts < 0 else range(0)

    def _encode_at(self, picture: VideoFrame, pts: int) -> list[Packet[Stream]]:
        picture.pts, picture.time_base = pts, VIDEO_CLOCK
        self.last_pts = pts
        return self.stream.encode(picture)

    def _upright(self, frame: VideoFrame) -> VideoFrame:
        from av.video.frame import PictureType

        frame = self._in_sdr(frame) if is_wide(frame) else frame
        shape = (frame.width, frame.height, frame.format.name)
        if self.graph is None or shape != self.shape:
            self.graph, self.shape = self._new_graph(frame), shape
        self.graph.push(frame)
        picture = cast("VideoFrame", self.graph.pull())
        picture.pict_type = PictureType.NONE
        return picture

    def _in_sdr(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame of high dynamic range in BT.709, small enough to keep up with playing."""
        from av.video.frame import VideoFrame as Frame

        scale = min(1.0, HDR_HEIGHT / frame.height)
        size = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
        return Frame.from_ndarray(to_sdr(frame, size, self.reformatter), "rgb24")

    def _new_graph(self, frame: VideoFrame) -> Graph:
        from av.filter import Graph

        graph = Graph()
        nodes = [
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=VIDEO_CLOCK
            )
        ]
        nodes += [graph.add(*step.split("=")) for step in self.turn.split(",") if step]
        nodes += [graph.add("scale", "{}:{}".format(*self.size)), graph.add("setsar", "1")]
        nodes += [graph.add("format", "yuv420p"), graph.add("buffersink")]
        return linked(graph, nodes)


class AudioTrack:
    """Audio decoded, brought to stereo at 48 kHz without gaps, and encoded.

    Args:
        source: of the file.
        zero_s: the time stamp, in the file, at which the stream's clock shows 0.
    """

    def __init__(self, source: AudioStream, zero_s: float) -> None:
        self.source, self.zero_s = source, zero_s
        self.graph: Graph | None = None
        self.shape: tuple[int, str, str] | None = None

    def open(self, target: OutputContainer) -> None:
        """Announce the track to the muxer."""
        self.stream = target.add_stream("aac", rate=AUDIO_RATE, options={"b": "128k"})
        self.stream.layout = "stereo"

    def feed(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Decode, and encode again what is heard after the start."""
        packets = []
        for frame in cast("list[AudioFrame]", packet.decode()):
            if frame.time is None or frame.time < self.zero_s:
                continue
            frame.pts = round((frame.time - self.zero_s) * frame.sample_rate)
            frame.time_base = Fraction(1, frame.sample_rate)
            packets += self._encode(frame)
        return packets

    def flush(self) -> list[Packet[Stream]]:
        """Return what the encoder still holds."""
        return _not_before_zero(self.stream.encode(None)) if self.graph else []

    def _encode(self, frame: AudioFrame) -> list[Packet[Stream]]:
        import av

        shape = (frame.sample_rate, frame.format.name, frame.layout.name)
        if self.graph is None or shape != self.shape:
            self.graph, self.shape = _resample_graph(frame), shape
        self.graph.push(frame)
        packets: list[Packet[Stream]] = []
        while True:
            try:
                resampled = cast("AudioFrame", self.graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return _not_before_zero(packets)
            packets += self.stream.encode(resampled)


def _not_before_zero(packets: list[Packet[Stream]]) -> list[Packet[Stream]]:
    """Leave out the encoder's run-in: a packet before 0 would make the muxer shift every track."""
    return [packet for packet in packets if packet.pts is not None and packet.pts >= 0]


def _resample_graph(frame: AudioFrame) -> Graph:
    from av.filter import Graph

    graph = Graph()
    nodes = [
        graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format,
            layout=frame.layout,
            time_base=Fraction(1, frame.sample_rate),
        ),
        graph.add("aresample", f"{AUDIO_RATE}:async=1000:first_pts=0"),
        graph.add("aformat", f"sample_fmts=fltp:sample_rates={AUDIO_RATE}:channel_layouts=stereo"),
        graph.add("asetnsamples", "1024:p=0"),
        graph.add("abuffersink"),
    ]
    return linked(graph, nodes)


def linked(graph: Graph, nodes: list[FilterContext]) -> Graph:
    """Return a graph whose nodes stand in a row."""
    graph.link_nodes(*nodes).configure()
    return graph


def upright_size(frame: VideoFrame, aspect: Fraction | None, turn: str) -> tuple[int, int]:
    """Return width and height for square pixels, turned, both even, and at most MAX_HEIGHT tall.

    Args:
        frame: any decoded frame.
        aspect: width over height of its pixels; None for 1.
        turn: the filter that turns it upright, as in ``TURNS``.
    """
    width, height = frame.width * float(aspect or 1), float(frame.height)
    if turn.startswith("transpose"):
        width, height = height, width
    scale = min(1.0, MAX_HEIGHT / height)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))
