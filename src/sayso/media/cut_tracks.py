"""The tracks of an exact cut: pictures and sound, decoded and encoded again at the size and rate they had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from sayso.media.hdr import is_wide, to_sdr
from sayso.media.sampling import TOLERANCE_S
from sayso.media.shape import orientation

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.filter import Graph
    from av.packet import Packet

    from sayso.media.container import VideoSource

CLOCK = Fraction(1, 90_000)
QUALITY = {"preset": "veryfast", "crf": "18"}
SOUND_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
Timed = tuple[float, "list[Packet[Any]]"]
Paint = Callable[[float, "VideoFrame"], "VideoFrame"]  # second of the file, upright yuv420p -> drawn


class PictureTrack:
    """Pictures, upright and in H.264.

    Args:
        target: where they go.
        source: the video.
        first: any frame of it: gives the shape.
        paint: what is drawn over the pictures.

    Attributes:
        frames: how many were encoded.
    """

    def __init__(
        self, target: OutputContainer, source: VideoSource, first: VideoFrame, paint: Paint | None = None
    ) -> None:
        from av.video.reformatter import VideoReformatter

        self.frames, self.paint = 0, paint
        rate = source.stream.average_rate or source.stream.guessed_rate or Fraction(25)
        self.step = max(1, round(1 / rate / CLOCK))
        self.turn = orientation(first)
        aspect = source.stream.sample_aspect_ratio or Fraction(1)
        width, height = (first.height, first.width) if self.turn[0] else (first.width, first.height)
        self.size = max(2, width // 2 * 2), max(2, height // 2 * 2)
        self.stream = target.add_stream("libx264", rate=rate, options=QUALITY)
        self.stream.width, self.stream.height = self.size
        self.stream.pix_fmt = "yuv420p"
        self.stream.time_base = self.stream.codec_context.time_base = CLOCK
        self.stream.codec_context.sample_aspect_ratio = 1 / aspect if self.turn[0] else aspect
        self.shape: tuple[int, int, str] | None = None
        self.graph: Graph | None = None
        self.reformatter = VideoReformatter()

    def encode(
        self,
        first: tuple[float, VideoFrame],
        rest: Iterator[tuple[float, VideoFrame]],
        start_s: float,
        end_s: float,
    ) -> Iterator[Timed]:
        """Yield (second, packets) of frames whose clock begins at ``start_s``.

        Args:
            first: (second, frame): on screen from ``start_s`` on.
            rest: those after it.
            start_s: seconds.
            end_s: seconds; the last frame stays until then.
        """
        last = -1
        for seconds, frame in chain([first], rest):
            stamp = max(last + 1, round(max(0.0, seconds - start_s) / CLOCK))
            picture = self._upright(frame)
            if self.paint is not None:
                picture = self.paint(seconds, picture)
            picture.pts, picture.time_base, last = stamp, CLOCK, stamp
            self.frames += 1
            yield seconds, self._lasting(self.stream.encode(picture))
        yield end_s, self._lasting(self.stream.encode(None))

    def _lasting(self, packets: list[Packet[Any]]) -> list[Packet[Any]]:
        """Say how long a picture stays: nothing follows the last one to tell it."""
        for packet in packets:
            packet.duration = self.step
        return packets

    def _upright(self, frame: VideoFrame) -> VideoFrame:
        from av.video.frame import PictureType
        from av.video.frame import VideoFrame as Frame

        if is_wide(frame):
            frame = Frame.from_ndarray(to_sdr(frame, (frame.width, frame.height), self.reformatter), "rgb24")
        shape = (frame.width, frame.height, frame.format.name)
        if self.graph is None or shape != self.shape:
            self.graph, self.shape = self._new_graph(frame), shape
        self.graph.push(frame)
        picture = cast("VideoFrame", self.graph.pull())
        picture.pict_type = PictureType.NONE
        return picture

    def _new_graph(self, frame: VideoFrame) -> Graph:
        from av.filter import Graph

        graph = Graph()
        width, height = self.size
        steps = [
            name for name, wanted in zip(("transpose=0", "hflip", "vflip"), self.turn, strict=True) if wanted
        ]
        turned = (frame.height, frame.width) if self.turn[0] else (frame.width, frame.height)
        near = all(0 <= had - has <= 1 for had, has in zip(turned, self.size, strict=True))
        steps.append(f"crop={width}:{height}:0:0" if near else f"scale={width}:{height}")
        nodes = [
            graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=CLOCK)
        ]
        nodes += [graph.add(*step.split("=", 1)) for step in [*steps, "format=yuv420p"]]
        graph.link_nodes(*nodes, graph.add("buffersink")).configure()
        return graph


class SoundTrack:
    """Sound in AAC, mono or stereo.

    Args:
        target: where it goes.
        source: the sound.
    """

    def __init__(self, target: OutputContainer, source: AudioStream) -> None:
        self.source = source
        self.rate = min(SOUND_RATES, key=lambda rate: (abs(rate - source.rate), rate))
        self.layout = "mono" if source.codec_context.channels == 1 else "stereo"
        self.stream = target.add_stream("aac", rate=self.rate, options={"b": "192k"})
        self.stream.layout = self.layout
        self.shape: tuple[int, str, str] | None = None
        self.graph: Graph | None = None

    def encode(self, file: VideoSource, zero_s: float, start_s: float, end_s: float) -> Iterator[Timed]:
        """Yield (second, packets) of what is heard from ``start_s`` to ``end_s``.

        Args:
            file: holds the sound; stands at or before ``start_s``.
            zero_s: the container's time of second 0.
            start_s: seconds.
            end_s: seconds.
        """
        import av

        seconds = start_s
        for packet in file.demux([self.source]):
            try:
                decoded = cast("list[AudioFrame]", packet.decode())
            except av.InvalidDataError:
                continue
            for frame in decoded:
                if frame.time is None:
                    continue
                seconds = frame.time - zero_s
                if seconds >= end_s - TOLERANCE_S:
                    break
                if seconds + frame.samples / frame.sample_rate > start_s:
                    yield seconds, self._encode(frame, seconds - start_s, end_s - start_s)
            if seconds >= end_s - TOLERANCE_S:
                break
        yield end_s, [*self._flushed(), *self.stream.encode(None)]

    def _encode(self, frame: AudioFrame, at_s: float, length_s: float) -> list[Packet[Any]]:
        frame.pts = round(at_s * frame.sample_rate)
        frame.time_base = Fraction(1, frame.sample_rate)
        shape = (frame.sample_rate, frame.format.name, frame.layout.name)
        packets: list[Packet[Any]] = []
        if self.graph is None or shape != self.shape:
            packets += self._flushed()
            self.graph, self.shape = self._new_graph(frame, length_s), shape
        self.graph.push(frame)
        return packets + self._pulled()

    def _flushed(self) -> list[Packet[Any]]:
        if self.graph is None:
            return []
        self.graph.push(None)
        packets, self.graph = self._pulled(), None
        return packets

    def _pulled(self) -> list[Packet[Any]]:
        import av

        packets: list[Packet[Any]] = []
        while self.graph is not None:
            try:
                packets += self.stream.encode(cast("AudioFrame", self.graph.pull()))
            except (av.BlockingIOError, av.EOFError):
                break
        return packets

    def _new_graph(self, frame: AudioFrame, length_s: float) -> Graph:
        from av.filter import Graph

        graph = Graph()
        first = "" if self.shape else ":first_pts=0"  # silence where the sound begins late
        steps = (
            f"atrim=start=0:end={length_s:.6f}",
            f"aresample={self.rate}:async=1000{first}",
            f"aformat=sample_fmts=fltp:sample_rates={self.rate}:channel_layouts={self.layout}",
            "asetnsamples=1024:p=0",
        )
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format,
            layout=frame.layout,
            time_base=Fraction(1, frame.sample_rate),
        )
        nodes = [source, *(graph.add(*step.split("=", 1)) for step in steps), graph.add("abuffersink")]
        graph.link_nodes(*nodes).configure()
        return graph
