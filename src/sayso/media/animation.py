"""Moving pictures in picture formats (GIF, WebP, PNG, AVIF): told from still ones, and read as videos.

Pillow puts their frames together, as each format has its own way to; they are written into a
temporary lossless video, so that clips, seeking and playing are those of every other video.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

from sayso.core.errors import MediaError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset({".gif", ".webp", ".apng", ".avifs"})
"""Names of pictures that often move."""

_MAX_PIXELS = 4_000_000_000  # of all frames together
_HURRIED_MS, _USUAL_MS = 10, 100  # browsers take a shorter time than the first for the second
_GIF_HEAD = 13


def moves(descriptor: int, head: bytes) -> bool:
    """Tell whether a picture file has several frames to be shown one after the other.

    Args:
        descriptor: of the open file; its position stays.
        head: its first bytes.
    """
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return _gif_moves(descriptor, head)
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        return bool(head[20] & 2) and sum(name == b"ANMF" for name in _riff_chunks(descriptor)) > 1
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        at = head.find(b"acTL")
        return at > 0 and int.from_bytes(head[at + 4 : at + 8], "big") > 1
    return head[4:12] == b"ftypavis"


def format_of(head: bytes) -> str:
    """Return the short name of a moving picture's format, from its first bytes."""
    return {b"GIF": "gif", b"RIF": "webp", b"\x89PN": "png"}.get(head[:3], "avif")


def as_video(descriptor: int, name: str, max_pixels: int) -> BinaryIO:
    """Return a temporary video of an animation's frames, transparent pixels on white; the caller closes it.

    Args:
        descriptor: of the open file.
        name: of the file, for messages.
        max_pixels: of a frame, at most.

    Raises:
        MediaError: if it is damaged or too large.
    """
    from sayso.media.images import open_picture

    video = tempfile.TemporaryFile(prefix="sayso-")  # noqa: SIM115
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            image = open_picture(file, name, max_pixels)
            _check_length(image, name)
            _write(video, _frames(image))
    except MediaError:
        video.close()
        raise
    except Exception as error:  # a damaged file can make a decoder raise anything
        video.close()
        raise MediaError(f"{name} is a damaged or incomplete animation ({error})") from error
    return video


def _check_length(image: Image, name: str) -> None:
    if getattr(image, "n_frames", 1) * image.width * image.height > _MAX_PIXELS:
        raise MediaError(f"{name} is too long an animation; make a video of it")


def _frames(image: Image) -> Iterator[tuple[int, Image]]:
    """Yield how long each frame stays, milliseconds, and the frame in RGB."""
    from sayso.media.colours import to_rgb

    for k in range(getattr(image, "n_frames", 1)):
        image.seek(k)
        image.load()
        lasts = round(float(image.info.get("duration") or 0))
        yield lasts if lasts > _HURRIED_MS else _USUAL_MS, to_rgb(image)


def _write(file: Any, frames: Iterator[tuple[int, Image]]) -> None:
    import av
    import numpy as np

    with av.open(file, "w", format="matroska") as out:
        stream: Any = None
        at = 0
        for lasts, image in frames:
            if stream is None:
                stream = out.add_stream("ffv1", rate=Fraction(1000, lasts), options={"g": "1"})
                stream.width, stream.height, stream.pix_fmt = *image.size, "bgr0"
                stream.codec_context.time_base = Fraction(1, 1000)
            frame = av.VideoFrame.from_ndarray(np.asarray(image), "rgb24")
            frame.pts, frame.time_base, frame.duration = at, Fraction(1, 1000), lasts
            for packet in stream.encode(frame):
                packet.duration = lasts
                out.mux(packet)
            at += lasts
        out.mux(stream.encode())


def _gif_moves(descriptor: int, head: bytes) -> bool:
    """Walk through the blocks of a GIF up to the second picture."""
    with io.BufferedReader(_Raw(descriptor)) as file:
        file.seek(_GIF_HEAD + _palette(head[10]) if len(head) > _GIF_HEAD else 0)
        pictures = 0
        while pictures < 2:
            kind = file.read(1)
            if kind == b"!":
                file.seek(1, os.SEEK_CUR)
            elif kind == b",":
                place = file.read(9)
                pictures += len(place) == 9
                file.seek((_palette(place[8]) if len(place) == 9 else 0) + 1, os.SEEK_CUR)
            else:
                break
            while (length := file.read(1)) not in (b"", b"\0"):
                file.seek(length[0], os.SEEK_CUR)
    return pictures == 2


def _palette(flags: int) -> int:
    """Return how many bytes a palette takes."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _riff_chunks(descriptor: int) -> Iterator[bytes]:
    at, size = 12, os.fstat(descriptor).st_size
    while at < size:
        head = os.pread(descriptor, 8, at)
        yield head[:4]
        at += 8 + (int.from_bytes(head[4:8], "little") + 1) // 2 * 2


class _Raw(io.RawIOBase):
    """An open file that is read from a position of its own, and not closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = os.fstat(self._descriptor).st_size if whence == os.SEEK_END else 0
        self._at = max(0, offset + (self._at if whence == os.SEEK_CUR else end))
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
