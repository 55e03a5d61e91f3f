"""A stretch of a video as a file of its own: exact to the frame, or copied from a key frame on.

An exact cut begins with the picture that is on screen at its first second and ends with the last one that is
shown before its end; sound is cut to the sample. A copy loses nothing and takes no time, but can begin at a
key frame only, and may end a few frames late, where earlier ones need them.
"""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Literal

from sayso.core.errors import MediaError, SaysoError
from sayso.media.container import VideoSource, open_video, reason
from sayso.media.cut_tracks import Paint, PictureTrack, SoundTrack
from sayso.media.decode import Decoder
from sayso.media.files import printable_path
from sayso.media.sampling import TOLERANCE_S
from sayso.media.timeline import frame_rate

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet

CutForm = Literal["mp4", "mkv"]
FORMATS: dict[CutForm, str] = {"mp4": "mp4", "mkv": "matroska"}
THREADS = min(4, os.cpu_count() or 1)
_BACK_S = (0.0, 1.0, 4.0, 16.0)  # how far before the start a seek begins, where it lands too late
_SLACK_S = 0.5  # the last picture stays so long, where the sound goes on


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut out: ``start_s`` to ``end_s``, seconds of the file, and how many pictures."""

    start_s: float
    end_s: float
    frames: int


def cut_video(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    out: IO[bytes],
    *,
    form: CutForm = "mp4",
    copy: bool = False,
    paint: Paint | None = None,
) -> Cut:
    """Write a stretch of a video.

    Args:
        path: the video.
        start_s: seconds of the file.
        end_s: seconds of the file, exclusive; what lies after the file's end is left away.
        out: an empty file that can seek.
        form: the container.
        copy: copy the packets from the key frame before ``start_s`` instead of encoding anew.
        paint: what is drawn over the pictures of an exact cut.

    Returns:
        What was cut; a copy begins at its key frame.

    Raises:
        MediaError: if the video cannot be read, or holds no picture there.
        SaysoError: if the span makes no sense, or the container cannot hold what is copied.
    """
    import av

    check_stretch(start_s, end_s)
    try:
        if copy:
            return _copy(path, start_s, end_s, out, FORMATS[form])
        return _encode(path, start_s, end_s, out, FORMATS[form], paint)
    except (av.FFmpegError, ValueError) as error:
        name = printable_path(path)
        if copy:
            says = f"{name} cannot be copied into .{form} as it is ({reason(error)}); leave --copy away"
            raise SaysoError(says) from error
        raise MediaError(f"{name} cannot be cut ({reason(error)})") from error


def check_stretch(start_s: float, end_s: float) -> None:
    """Refuse a span in which nothing can be.

    Raises:
        SaysoError: saying why.
    """
    if not 0 <= start_s < end_s < float("inf"):
        raise SaysoError(f"the span {start_s:g}-{end_s:g} makes no sense; give it as START-END, in seconds")


def nothing_there(path: str | os.PathLike[str], start_s: float) -> MediaError:
    """Return the error for a stretch without a picture."""
    return MediaError(f"{printable_path(path)} holds no picture at second {start_s:g} or after it")


def _encode(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    out: IO[bytes],
    container: str,
    paint: Paint | None,
) -> Cut:
    import av

    with ExitStack() as stack:
        source = stack.enter_context(open_video(path, threads=THREADS))
        decoder = Decoder(source, None)
        shown = _between(decoder, start_s, end_s)
        first = next(shown, None)
        if first is None or (decoder.end_s() <= start_s and first[0] < start_s - _SLACK_S):
            raise nothing_there(path, start_s)
        sounding = stack.enter_context(open_video(path))
        target = stack.enter_context(av.open(out, "w", format=container))
        picture = PictureTrack(target, source, first[1], paint)
        tracks: list[Iterator[tuple[float, list[Packet[Any]]]]] = [
            picture.encode(first, shown, start_s, end_s)
        ]
        if sounding.container.streams.audio:
            sound = SoundTrack(target, sounding.container.streams.audio[0])
            tracks.append(sound.encode(_from(sounding, start_s), zero_of(sounding), start_s, end_s))
        for _, packets in heapq.merge(*tracks, key=lambda item: item[0]):
            target.mux(packets)
        decoder.check(until_s=end_s)
        if picture.frames == 0:
            raise nothing_there(path, start_s)
        return Cut(start_s, min(end_s, max(start_s, decoder.end_s())), picture.frames)


def _between(decoder: Decoder, start_s: float, end_s: float) -> Iterator[tuple[float, Any]]:
    """Yield the frame on screen at ``start_s`` and all that come before ``end_s``."""
    held = None
    for seconds, frame in decoder.frames(start_s):
        if seconds >= end_s - TOLERANCE_S:
            break
        if seconds <= start_s + TOLERANCE_S:
            held = (seconds, frame)
            continue
        if held is not None:
            yield held
            held = None
        yield seconds, frame
    if held is not None:
        yield held


def zero_of(source: VideoSource) -> float:
    """Return the container's time, seconds, of second 0 of the file."""
    if source.origin is not None:
        return float(source.origin)
    video = source.stream
    return float(video.start_time * video.time_base) if video.start_time and video.time_base else 0.0


def _from(source: VideoSource, start_s: float) -> VideoSource:
    """Go to where a second's sound is, or before it."""
    audio = source.container.streams.audio[0]
    if start_s > 1 and audio.time_base and not source.restarts.pieces:
        stamp = round((start_s - 1 + zero_of(source)) / audio.time_base)
        source.container.seek(stamp, stream=audio)
    return source


def _copy(path: str | os.PathLike[str], start_s: float, end_s: float, out: IO[bytes], container: str) -> Cut:
    import av

    for back_s in (*_BACK_S, start_s):
        with open_video(path) as source:
            at_s = max(0.0, start_s - back_s)
            if at_s > 0:
                source.seek(math.floor((at_s + TOLERANCE_S + zero_of(source)) / _base(source)))
            packets = _whole_packets(source)
            begun = _from_key_frame(packets, source, start_s + zero_of(source) + TOLERANCE_S)
            if not begun or (at_s > 0 and _time_s(begun[0]) - zero_of(source) > start_s + TOLERANCE_S):
                continue
            if _time_s(begun[0]) - zero_of(source) >= end_s:
                break
            with av.open(out, "w", format=container) as target:
                done = _copied(source, chain(begun, packets), target, end_s)
            if done.end_s <= start_s - _SLACK_S:
                break
            return done
    raise nothing_there(path, start_s)


def _base(source: VideoSource) -> float:
    return float(source.stream.time_base or 1)


def _time_s(packet: Packet[Any]) -> float:
    return float((packet.pts or 0) * packet.time_base)


def _from_key_frame(packets: Iterator[Packet[Any]], source: VideoSource, start_s: float) -> list[Packet[Any]]:
    """Return the packets from the last key frame that is shown by ``start_s``, or else the first one, on.

    They are read until the pictures pass ``start_s``; sound that came before the key frame follows it.
    """
    sound: list[Packet[Any]] = []
    pictures: list[Packet[Any]] = []
    for packet in packets:
        if packet.stream.index != source.stream.index:
            sound.append(packet)
            continue
        if packet.is_keyframe and packet.pts is not None and (not pictures or _time_s(packet) <= start_s):
            pictures = []
        if pictures or (packet.is_keyframe and packet.pts is not None):
            pictures.append(packet)
        if pictures and _decoded_s(packet) > start_s:
            break
    return [*pictures[:1], *sorted([*pictures[1:], *sound], key=_decoded_s)] if pictures else []


def _decoded_s(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _whole_packets(source: VideoSource) -> Iterator[Packet[Any]]:
    """Yield the packets of the pictures and of the sound; those without a decoding time get one."""
    video = source.stream
    rate = video.average_rate or video.guessed_rate
    step = round(1 / (rate * video.time_base)) if rate and video.time_base else 1
    timeless: list[Packet[Any]] = []
    sound: list[Packet[Any]] = []
    for packet in source.demux([video, *source.container.streams.audio[:1]]):
        if not packet.size:
            continue
        if packet.stream.index != video.index:
            sound.append(packet)
        elif packet.dts is None:
            timeless.append(packet)
        else:
            for k, early in enumerate(timeless):
                early.dts = packet.dts - (len(timeless) - k) * step
            yield from timeless
            timeless = []
            yield packet
        if not timeless:
            yield from sound
            sound = []
    yield from sound


def _copied(
    source: VideoSource,
    packets: Iterator[Packet[Any]],
    target: OutputContainer,
    end_s: float,
) -> Cut:
    """Write packets, of which the first is a key frame; its time becomes 0."""
    key = next(packets)
    streams: dict[int, Any] = {source.stream.index: target.add_stream_from_template(source.stream)}
    for audio in source.container.streams.audio[:1]:
        streams[audio.index] = target.add_stream_from_template(audio)
    zero_s = _time_s(key)
    until_s = end_s + zero_of(source)
    frames, last_s = 0, zero_s
    held: list[Packet[Any]] = []  # shown after the end; needed only if an earlier one follows

    def write(packet: Any) -> None:
        shift = round(zero_s / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = streams[packet.stream.index]
        target.mux(packet)

    open_streams = set(streams)
    for packet in chain([key], packets):
        index = packet.stream.index
        if packet.pts is None or packet.dts is None or index not in open_streams:
            continue
        time_s = _time_s(packet)
        if time_s < zero_s - TOLERANCE_S:
            continue  # sound before the key frame, and pictures that need what lies before it
        if _decoded_s(packet) >= until_s - TOLERANCE_S:
            open_streams.discard(index)
            if not open_streams:
                break
        elif index != source.stream.index:
            write(packet)
        elif time_s >= until_s - TOLERANCE_S:
            held.append(packet)
        else:
            last_s = max([last_s, time_s, *map(_time_s, held)])
            frames += 1 + len(held)
            for one in (*held, packet):
                write(one)
            held = []
    rate = frame_rate(source.stream)
    return Cut(zero_s - zero_of(source), last_s - zero_of(source) + (1 / rate if rate else 0.0), frames)
