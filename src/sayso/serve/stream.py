"""Video that browsers do not play, made into fragmented MP4 (H.264, AAC) while it is watched.

The stream starts at any second without reading what lies before it, and is made
piece by piece, as fast as it is taken: memory stays bounded, and nobody's going
away leaves work behind. H.264 video that any browser decodes is copied, not
encoded again; it then starts at the key frame before the wanted second, and says so.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sayso.core.errors import MediaError, SaysoError
from sayso.media.container import VideoSource, open_video
from sayso.serve.tracks import AudioTrack, CopiedTrack, EncodedTrack, StreamTrack

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.stream import Stream
    from av.video.stream import VideoStream

FRAGMENT_S = 0.25
"""Length of the pieces: the picture appears after the first, so it decides how long a seek takes."""

MOVFLAGS = "empty_moov+default_base_moof"
BEGINNING_S = 1.0
"""Nearer to the beginning than this, nothing is sought: reading on is as fast."""

TOLERANCE_S = 0.1
THREADS = min(4, os.cpu_count() or 1)
PLAIN_PROFILES = {"Baseline", "Constrained Baseline", "Main", "High"}


@dataclass(slots=True)
class Mp4Stream:
    """A stream that has begun.

    Args:
        start_s: second of the file at which its clock shows 0.
        content_type: with the codecs, as ``MediaSource`` wants it.
        chunks: the bytes; ``close`` lets go of everything.
    """

    start_s: float
    content_type: str
    chunks: Generator[bytes]


class Sink:
    """A file that cannot seek: collects what the muxer writes until it is taken."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        """Take bytes from the muxer."""
        self.written += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = bytes(self.written)
        self.written.clear()
        return taken


def start_stream(path: str, at_s: float) -> Mp4Stream:
    """Start a stream of a video at a second.

    Args:
        path: the file.
        at_s: second of the file.

    Raises:
        MediaError: if it cannot be decoded there.
    """
    import av

    try:
        seek_s, first = _first_frame_at(path, at_s)
        key_s = _key_frame_s(path, seek_s, first)
        copy = key_s is not None and key_s <= at_s + TOLERANCE_S
        start_s = key_s if copy and key_s is not None else at_s
        chunks = _chunks(path, seek_s, start_s, first, copy=copy)
        head = next(chunks, b"")
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path} cannot be played: {error}") from error
    if not head:
        raise _nothing(path, at_s)
    return Mp4Stream(start_s, mp4_content_type(head), _and(head, chunks))


def _nothing(path: str, at_s: float) -> MediaError:
    return MediaError(f"{path} holds no picture at second {at_s:.1f} or after it")


def _and(head: bytes, rest: Generator[bytes]) -> Generator[bytes]:
    try:
        yield head
        yield from rest
    finally:
        rest.close()


@contextmanager
def _opened(path: str, seek_s: float) -> Iterator[VideoSource]:
    """Open a video and go to the key frame before a second; near the beginning, just begin."""
    with ExitStack() as stack:
        try:
            source = stack.enter_context(open_video(path, threads=THREADS))
        except MediaError as error:
            says = f"{path} cannot be played, as it holds no video that can be read ({error})"
            raise MediaError(says) from error
        if seek_s > BEGINNING_S and source.stream.time_base:
            source.seek(round(stamp_of(source, seek_s) / source.stream.time_base))
        yield source


def stamp_of(source: VideoSource, second: float) -> float:
    """Return the container's time, seconds, of a second of the file."""
    video = source.stream
    start = video.start_time * video.time_base if video.start_time and video.time_base else 0
    return second + float(start if source.origin is None else source.origin)


def _first_frame_at(path: str, at_s: float) -> tuple[float, VideoFrame]:
    """Return from where to read, and the first frame there.

    Some files (MPEG-TS) land behind the second that is sought; then reading begins
    earlier, at last at the beginning.
    """
    import av

    for seek_s in (at_s, at_s - 5.0, 0.0):
        try:
            with _opened(path, seek_s) as source:
                first = _first_frame(source)
                begins = seek_s <= BEGINNING_S
                if first is not None and (begins or _seconds(source, first) <= at_s + TOLERANCE_S):
                    return seek_s, first
        except av.FFmpegError:
            if seek_s <= BEGINNING_S:
                raise
    raise _nothing(path, at_s)


def _first_frame(source: VideoSource) -> VideoFrame | None:
    import av

    for packet in source.demux([source.stream]):
        try:
            for frame in packet.decode():
                return frame
        except av.InvalidDataError:
            continue
    return None


def _seconds(source: VideoSource, frame: VideoFrame) -> float:
    return (frame.time or 0.0) - stamp_of(source, 0.0)


def _key_frame_s(path: str, seek_s: float, first: VideoFrame) -> float | None:
    """Return the decoding time of the first key frame that is read; None if it cannot be copied."""
    if first.rotation:
        return None
    with _opened(path, seek_s) as source:
        video = source.stream
        if not _plain(video):
            return None
        track = CopiedTrack(video, 0.0)
        for packet in source.demux([video]):
            dts = track.first_dts(packet)
            if dts is not None and video.time_base:
                return float(dts * video.time_base) - stamp_of(source, 0.0)
    return None


def _plain(video: VideoStream) -> bool:
    """Whether the video is H.264 as every browser decodes it, with its headers apart from the pictures."""
    context = video.codec_context
    return (
        context.name == "h264"
        and video.profile in PLAIN_PROFILES
        and context.pix_fmt in ("yuv420p", "yuvj420p")
        and (context.extradata or b"")[:1] == b"\x01"
    )


def _chunks(path: str, seek_s: float, start_s: float, first: VideoFrame, *, copy: bool) -> Generator[bytes]:
    """Yield the stream; the first piece holds at least the header."""
    import av

    sink = Sink()
    options = {"movflags": MOVFLAGS, "frag_duration": str(round(FRAGMENT_S * 1_000_000))}
    with (
        _opened(path, seek_s) as source,
        av.open(sink, "w", format="mp4", container_options=options) as target,
    ):
        target.flags |= cast("int", av.container.Flags.flush_packets.value)
        video, zero_s = source.stream, stamp_of(source, start_s)
        tracks: list[StreamTrack] = [
            CopiedTrack(video, zero_s) if copy else EncodedTrack(video, first, zero_s)
        ]
        tracks += [AudioTrack(audio, zero_s) for audio in source.container.streams.audio[:1]]
        for track in tracks:
            track.open(target)
        for packets in _packets(source, tracks):
            for packet in packets:
                target.mux(packet)
            if sink.written:
                yield sink.take()
    if sink.written:
        yield sink.take()


def _packets(source: VideoSource, tracks: list[StreamTrack]) -> Iterator[list[Packet[Stream]]]:
    """Yield what each packet of the file becomes; what is damaged is left out."""
    import av

    by_stream = {track.source.index: track for track in tracks}
    packets = source.demux([track.source for track in tracks])
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            yield by_stream[packet.stream.index].feed(packet)
        except av.InvalidDataError:
            continue
        except av.FFmpegError:
            break
    for track in tracks:
        yield track.flush()


def mp4_content_type(head: bytes) -> str:
    """Return the MIME type with the codecs that an MP4 header names (RFC 6381).

    Raises:
        SaysoError: if the header holds no H.264 track.
    """
    at = head.find(b"avcC")
    if at < 0:
        raise SaysoError("the video could not be encoded as H.264; is PyAV built with libx264?")
    profile, compatibility, level = head[at + 5 : at + 8]
    audio = ",mp4a.40.2" if b"mp4a" in head else ""
    return f'video/mp4; codecs="avc1.{profile:02x}{compatibility:02x}{level:02x}{audio}"'
