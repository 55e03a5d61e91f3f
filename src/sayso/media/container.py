"""Opening a video: FFmpeg gets an open file, never a name, and only real containers.

A name could be taken for a protocol ("http:...", "concat:a|b") and a playlist could
name other files; a file descriptor can do neither.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from sayso.core.errors import MediaError
from sayso.media.animation import as_video, format_of, moves
from sayso.media.clock import RESTARTING, Restarts, find_restarts, origin_of, pos_of
from sayso.media.files import MAX_PIXELS, open_regular, printable_path
from sayso.media.kinds import is_sound, kind_from, read_head

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

_CONTAINERS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,obu,ivf,flv,asf,ogg,mxf,gxf,nut,rm,wtv,dv,"
    "yuv4mpegpipe,vc1,dirac"
)
_FARTHEST = 2**62  # a stamp that FFmpeg takes
_SOUND = "aac,ac3,aiff,amr,ape,au,caf,eac3,flac,mp3,tta,voc,w64,wav,wv"
_OPEN_TIMEOUT_S, _READ_TIMEOUT_S = 60.0, 60.0


class VideoSource:
    """An open video file: its container and the stream that a player would show.

    Args:
        path: for messages.
        descriptor: the open file; stays the caller's to close.
        threads: decoder threads.
        max_pixels: width times height above which the file is refused.
        fast: let the decoder leave out the loop filter (blurrier, faster).

    Attributes:
        animation: the format of the moving picture that was made a video of: gif, webp, png or avif.
        origin: the container's time that is second 0 of the file; None: the first picture's.
        restarts: where the clock starts again; time stamps of ``packets`` run through.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        descriptor: int,
        *,
        threads: int = 1,
        max_pixels: int = MAX_PIXELS,
        fast: bool = False,
    ) -> None:
        self.path, self.descriptor = printable_path(path), descriptor
        self.threads, self.max_pixels, self.fast = threads, max_pixels, fast
        self.animation: str | None = None
        self.restarts, self._pos = Restarts(), 0
        self.container, self.stream = self._open()
        if self.format in RESTARTING:
            self.restarts = find_restarts(self.container, self.stream, descriptor)
            self.reopen()
        self.origin = origin_of(self.container, self.stream)

    def reopen(self) -> None:
        """Start again at the beginning, with a fresh decoder."""
        self.close()
        self.container, self.stream = self._open()

    def close(self) -> None:
        """Let go of FFmpeg's side of the file."""
        self.container.close()

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """Yield the video's packets that hold something, from here on.

        Raises:
            FFmpegError: where the file cannot be read further.
        """
        return (packet for packet in self.demux([self.stream]) if packet.size)

    def demux(self, streams: Sequence[Stream]) -> Iterator[Packet[Any]]:
        """Yield the packets of some streams from here on, on the clock that runs through; the last are empty.

        Raises:
            FFmpegError: where the file cannot be read further.
        """
        try:
            for packet in self.container.demux(streams):
                if packet.size:
                    self._pos = pos_of(packet, self._pos)
                    self.restarts.shift(packet, self._pos)
                yield packet
        except IndexError:
            return  # after the last packet, PyAV trips over streams that appeared late

    def seek(self, stamp: int) -> None:
        """Go to the key frame before a time stamp.

        Raises:
            FFmpegError: where that cannot be done.
        """
        if self.restarts.pieces:
            self._pos = self.restarts.key_before(stamp)
            self.container.seek(self._pos, unsupported_byte_offset=True)
        else:
            self.container.seek(max(-_FARTHEST, min(_FARTHEST, stamp)), stream=self.stream)

    @property
    def format(self) -> str:
        """Short name of the container: mov, matroska, avi, ..."""
        return self.container.format.name.partition(",")[0]

    def _open(self) -> tuple[InputContainer, VideoStream]:
        self._pos = 0  # of the last packet
        container = open_container(self.path, self.descriptor)
        try:
            stream = _shown_stream(container, self.path)
            context = stream.codec_context
            _refuse_large(self.path, context.width, context.height, self.max_pixels)
            options = {"max_pixels": str(self.max_pixels)}
            context.options = options | ({"skip_loop_filter": "all"} if self.fast else {})
            context.thread_type = "FRAME" if self.threads > 1 else "NONE"
            context.thread_count = self.threads
        except BaseException:
            container.close()
            raise
        return container, stream


@contextmanager
def open_video(
    path: str | os.PathLike[str], *, threads: int = 1, max_pixels: int = MAX_PIXELS, fast: bool = False
) -> Iterator[VideoSource]:
    """Open a video file for reading; closed at the end of the ``with`` block.

    Args:
        path: the file.
        threads: of the decoder.
        max_pixels: of a frame; larger ones are refused.
        fast: whether to skip the loop filter, for a little less quality.

    Raises:
        MediaError: if it is not a video that can be read, or is larger than ``max_pixels``.
    """
    with ExitStack() as stack:
        descriptor = stack.enter_context(open_regular(path))
        head = read_head(descriptor, path)
        if kind_from(head) == "picture":
            if not moves(descriptor, head):
                raise MediaError(f"{printable_path(path)} is a picture, not a video; give a video")
            video = stack.enter_context(as_video(descriptor, printable_path(path), max_pixels))
            descriptor = video.fileno()
        try:
            source = VideoSource(path, descriptor, threads=threads, max_pixels=max_pixels, fast=fast)
        except MediaError as error:
            raise _more_telling(path, head, error) from error
        source.animation = format_of(head) if kind_from(head) == "picture" else None
        try:
            yield source
        finally:
            source.close()


def reason(error: BaseException) -> str:
    """Return in a few words what FFmpeg says is wrong."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words).rstrip(".").lower()


def open_container(path: str, descriptor: int, *, sound: bool = False) -> InputContainer:
    """Open a file for FFmpeg.

    Args:
        path: for messages.
        descriptor: the open file; stays the caller's to close.
        sound: whether files of sound alone are taken too.

    Raises:
        MediaError: if it is none that can be read.
    """
    import av

    os.lseek(descriptor, 0, os.SEEK_SET)
    formats = f"{_CONTAINERS},{_SOUND}" if sound else _CONTAINERS
    options = {"fd": str(descriptor), "protocol_whitelist": "fd", "format_whitelist": formats}
    try:
        return av.open(
            "fd:",
            container_options=options,
            metadata_errors="replace",
            timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S),
        )
    except (av.error.FFmpegError, OSError, ValueError, RuntimeError, MemoryError) as error:
        what = "sound" if sound else "a video"
        raise MediaError(f"{path} is not {what} that can be read ({reason(error)})") from error


def _shown_stream(container: InputContainer, path: str) -> VideoStream:
    """Return the stream that FFmpeg's players choose, leaving out cover pictures."""
    from av.stream import Disposition

    cover = Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        has = "only sound" if container.streams.audio else "nothing that moves"
        raise MediaError(f"{path} is not a video: it holds {has}")
    best = container.streams.best("video")
    stream = next(
        (stream for stream in streams if best is not None and stream.index == best.index), streams[0]
    )
    if stream.codec_context is None:
        raise MediaError(f"{path}: this build of FFmpeg has no decoder for its pictures")
    return stream


def _refuse_large(path: str, width: int, height: int, limit: int) -> None:
    if width * height > limit:
        raise MediaError(
            f"{path} says that its frames are {width} x {height} pixels, above the limit of "
            f"{limit / 1e6:.3g} million; re-encode it smaller, or raise max_pixels if that is right"
        )


def _more_telling(path: str | os.PathLike[str], head: bytes, error: MediaError) -> MediaError:
    """Return a better sentence for files whose first bytes say what they are."""
    if kind_from(head) == "video" and error.__cause__ is not None:
        return MediaError(
            f"{printable_path(path)} is a damaged or incomplete video ({reason(error.__cause__)})"
        )
    if is_sound(head):
        return MediaError(f"{printable_path(path)} is not a video: it holds only sound")
    return error
