"""The sound of a file, on the file's one clock (``media/clock.py``): sample k is heard at second k / rate.

Where the sound begins later than the pictures, or pauses, there is silence; so whoever finds a word at
sample k has its time in the file, whatever the container.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError
from sayso.media.container import VideoSource, open_container, open_video, reason
from sayso.media.files import open_regular, printable_path
from sayso.media.kinds import kind_from, read_head

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

SOUND_RATE = 16_000
_JITTER_S = 0.1  # time stamps that are off by less are rounding, not silence
_LONGEST_GAP_S = 3600.0  # a longer one is a damaged time stamp
_SILENCE_S = 60  # of silence are given at once


class NoSound(MediaError):
    """A file that can be read, and holds no sound."""


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """What a file says of its sound.

    Args:
        seconds: how long the file is; None if the header does not say.
        codec: short name, such as aac.
        container: short name, such as mov or wav.
    """

    seconds: float | None
    codec: str
    container: str


def probe_sound(path: str | os.PathLike[str]) -> SoundFacts:
    """Return what a video or a file of sound says of its sound; only the header is read.

    Raises:
        NoSound: if it can be read, and holds none.
        MediaError: if it cannot be read.
    """
    name = printable_path(path)
    with open_regular(path) as descriptor:
        if kind_from(read_head(descriptor, path)) == "picture":
            raise NoSound(f"{name} holds no sound: it is a picture")
        container = open_container(name, descriptor, sound=True)
        try:
            stream = _heard_stream(container, name)
            seconds = container.duration / 1e6 if container.duration else None
            return SoundFacts(
                seconds, stream.codec_context.codec.canonical_name, container.format.name.partition(",")[0]
            )
        finally:
            container.close()


def stream_sound(path: str | os.PathLike[str]) -> Iterator[NDArray[np.int16]]:
    """Yield the sound of a file from second 0 on, piece by piece.

    Of a file that breaks off in the middle comes what is before.

    Yields:
        (n,) int16, mono, ``SOUND_RATE`` samples a second.

    Raises:
        NoSound: if the file holds no sound.
        MediaError: if it cannot be read, or nothing of its sound.
    """
    import av

    with _open_sound(path) as (packets, stream, origin):
        placed = _Placed(origin)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)
        wrong: BaseException | None = None
        frames = _frames(packets, stream)
        while True:
            try:
                frame = next(frames, None)
            except (av.FFmpegError, OSError, RuntimeError) as error:
                wrong, frame = error, None
            if frame is None:
                break
            yield from placed.place(frame, resampler)
        yield from placed.rest(resampler)
    if not placed.samples:
        why = f" ({reason(wrong)})" if wrong else ""
        raise MediaError(f"nothing of the sound of {printable_path(path)} can be read{why}")


class _Placed:
    """Puts decoded sound where it belongs.

    Args:
        origin: the container's time that is second 0, seconds.

    Attributes:
        samples: how many were given so far.
    """

    def __init__(self, origin: Fraction) -> None:
        self.origin, self.samples = origin, 0

    def place(self, frame: AudioFrame, resampler: AudioResampler) -> Iterator[NDArray[np.int16]]:
        """Yield silence up to a frame, and the frame; what is before second 0, or was heard, is left out."""
        late = self._late(frame)
        while late > 0:
            silence = np.zeros(min(late, _SILENCE_S * SOUND_RATE), np.int16)
            late -= len(silence)
            yield self._given(silence)
        for piece in resampler.resample(_unstamped(frame)):
            heard = _samples(piece)
            cut = min(-late, len(heard)) if late < 0 else 0
            late += cut
            if len(heard) > cut:
                yield self._given(heard[cut:])

    def rest(self, resampler: AudioResampler) -> Iterator[NDArray[np.int16]]:
        """Yield what the resampler still holds."""
        for piece in resampler.resample(None) if self.samples else ():
            yield self._given(_samples(piece))

    def _given(self, heard: NDArray[np.int16]) -> NDArray[np.int16]:
        self.samples += len(heard)
        return heard

    def _late(self, frame: AudioFrame) -> int:
        """Return by how many samples a frame comes after what was given; below 0 where it comes before."""
        if frame.pts is None or frame.time_base is None:
            return 0
        seconds = float(frame.pts * frame.time_base - self.origin)
        late_s = seconds - self.samples / SOUND_RATE
        if not self.samples and late_s > -_LONGEST_GAP_S:
            return round(min(late_s, _LONGEST_GAP_S) * SOUND_RATE)
        return round(late_s * SOUND_RATE) if _JITTER_S < abs(late_s) < _LONGEST_GAP_S else 0


def _samples(frame: AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)


def _unstamped(frame: AudioFrame) -> AudioFrame:
    """Take away a frame's time, which the resampler would refuse where it jumps."""
    frame.pts = None
    return frame


def _frames(packets: Iterator[Packet[AudioStream]], stream: AudioStream) -> Iterator[AudioFrame]:
    """Yield decoded frames; a packet that cannot be decoded is left out.

    Raises:
        FFmpegError: where the file cannot be read further.
    """
    import av

    for packet in packets:
        try:
            decoded = stream.codec_context.decode(packet)
        except av.FFmpegError:
            continue
        yield from (frame for frame in decoded if frame.samples)


@contextmanager
def _open_sound(
    path: str | os.PathLike[str],
) -> Iterator[tuple[Iterator[Packet[AudioStream]], AudioStream, Fraction]]:
    """Give a file's packets of sound, their stream, and the container's time that is second 0."""
    name = printable_path(path)
    with ExitStack() as stack:
        source = _as_video(path, stack)
        if source is not None:
            stream = _heard_stream(source.container, name)
            yield source.demux([stream]), stream, source.origin or Fraction(0)
            return
        descriptor = stack.enter_context(open_regular(path))
        container = open_container(name, descriptor, sound=True)
        stack.callback(container.close)
        stream = _heard_stream(container, name)
        yield _demux(container, stream), stream, Fraction(container.start_time or 0, 1_000_000)


def _as_video(path: str | os.PathLike[str], stack: ExitStack) -> VideoSource | None:
    """Return an open video, whose pictures decide the clock too; None where there are none that count."""
    try:
        return stack.enter_context(open_video(path))
    except MediaError:
        return None


def _demux(container: InputContainer, stream: AudioStream) -> Iterator[Packet[Any]]:
    try:
        yield from container.demux(stream)
    except IndexError:
        return  # after the last packet, PyAV trips over streams that appeared late


def _heard_stream(container: InputContainer, name: str) -> AudioStream:
    """Return the stream of sound that players choose.

    Raises:
        NoSound: if there is none.
        MediaError: if there is no decoder for it.
    """
    stream = container.streams.best("audio")
    if stream is None:
        raise NoSound(f"{name} holds no sound")
    if stream.codec_context is None:
        raise MediaError(f"{name}: this build of FFmpeg has no decoder for its sound")
    heard: AudioStream = stream  # type: ignore[assignment]
    return heard
