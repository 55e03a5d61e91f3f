"""The one clock of a video file: second 0 is where players begin, in every place of sayso.

FFmpeg's players take the earliest time of the file's sound and pictures for second 0, so pictures
may begin later than that. Recordings that were joined end to end (transport streams, DVDs,
dashcams) start their time stamps again in the middle of the file; their pieces are put one after
the other, which takes one walk through the packets.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

RESTARTING = frozenset({"mpegts", "mpeg"})
"""Containers whose clock may start again: no header says how long they are."""

_BACK_S, _AHEAD_S = 0.5, 10.0  # steps of the decoding time that are a new start; FFmpeg allows as much ahead
_PRIMING_S = 0.1  # a sound codec's run-in before 0 is cut off, it moves no picture
_BEFORE_PIECE = 4 << 20  # bytes in which the sound of two pieces may overlap


@dataclass(slots=True)
class Piece:
    """A stretch of a file whose time stamps belong together.

    Args:
        pos: offset of its first packet, bytes.
        low: first time stamp of its pictures.
        high: where its last picture ends.
        shift: what is added to its time stamps.
        keys: (time stamp, offset in bytes) of its key frames, in order.
    """

    pos: int
    low: int
    high: int
    shift: int = 0
    keys: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Restarts:
    """Where the clock of a file starts again.

    Args:
        pieces: at least two, or none for a clock that runs through.
        base: seconds of a time stamp.
    """

    pieces: tuple[Piece, ...] = ()
    base: Fraction = Fraction(1)

    def shift(self, packet: Packet[Any], pos: int) -> None:
        """Move a packet's time stamps to the clock that runs through.

        Args:
            packet: as it is read.
            pos: where it lies in the file, bytes; of the last one that says so, if it does not.
        """
        if not self.pieces or packet.time_base is None:
            return
        ticks = round(self._piece_of(packet, pos).shift * self.base / packet.time_base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks

    def key_before(self, stamp: int) -> int:
        """Return the offset of the last key frame that is not shown after a (shifted) time stamp."""
        keys = [(key + piece.shift, pos) for piece in self.pieces for key, pos in piece.keys]
        before = [pos for key, pos in keys if key <= stamp]
        return before[-1] if before else 0

    @property
    def end(self) -> int:
        """Where the last picture ends, as a (shifted) time stamp."""
        return self.pieces[-1].high + self.pieces[-1].shift

    def _piece_of(self, packet: Packet[Any], pos: int) -> Piece:
        k = max(0, bisect_right([piece.pos for piece in self.pieces], pos) - 1)
        following = self.pieces[k + 1] if k + 1 < len(self.pieces) else None
        if packet.stream.type == "video" or following is None or packet.pts is None:
            return self.pieces[k]
        raw = Fraction(packet.pts) * (packet.time_base or 0) / self.base
        nearer = abs(raw - following.low) < abs(raw - self.pieces[k].high)
        return following if following.pos - pos < _BEFORE_PIECE and nearer else self.pieces[k]


def pos_of(packet: Packet[Any], before: int) -> int:
    """Return where a packet lies in the file, bytes; if it does not say, where the one before lies."""
    return packet.pos if packet.pos is not None and packet.pos >= 0 else before


def origin_of(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Return the time of the container that is its second 0; None for the first picture.

    Args:
        container: the open file.
        stream: of its pictures.
    """
    if container.format.name == "avi" or container.start_time is None:
        return None
    said = Fraction(container.start_time, 1_000_000)
    exact = [
        one.start_time * one.time_base
        for one in container.streams
        if one.start_time is not None and one.time_base is not None
    ]
    origin = min(exact, key=lambda one: abs(one - said), default=said)
    origin = origin if abs(origin - said) <= Fraction(1, 1_000_000) else said
    pictures = Fraction(stream.start_time or 0) * (stream.time_base or 0)
    return max(origin, Fraction(0)) if pictures >= 0 and origin > -_PRIMING_S else origin


def find_restarts(container: InputContainer, stream: VideoStream, descriptor: int) -> Restarts:
    """Walk through the packets for places where the clock starts again; remembered for each file.

    Args:
        container: the open file, at its beginning; used up.
        stream: of its pictures.
        descriptor: of the file, which says whether it is the one that was walked through before.
    """
    status = os.fstat(descriptor)
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return _remembered(_Walk(key, container, stream))


class _Walk:
    """A walk that counts as equal to another through the same file."""

    def __init__(self, key: tuple[int, ...], container: InputContainer, stream: VideoStream) -> None:
        self.key, self.container, self.stream = key, container, stream

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Walk) and self.key == other.key

    def packets(self) -> Iterable[Packet[VideoStream]]:
        """Yield the packets, up to where the file cannot be read further."""
        import av

        try:
            yield from self.container.demux(self.stream)
        except (av.FFmpegError, OSError, RuntimeError, IndexError):
            return

    def release(self) -> None:
        """Let go of the file, so that remembering the walk keeps nothing open."""
        del self.container, self.stream


@lru_cache(maxsize=256)
def _remembered(walk: _Walk) -> Restarts:
    base = walk.stream.time_base or Fraction(1, 90_000)
    pieces = _pieces(walk.packets(), base)
    walk.release()
    if len(pieces) < 2:
        return Restarts()
    for before, piece in pairwise(pieces):
        piece.shift = before.high + before.shift - piece.low
    return Restarts(tuple(pieces), base)


def _pieces(packets: Iterable[Packet[VideoStream]], base: Fraction) -> list[Piece]:
    """Cut the packets where their decoding times jump."""
    pieces: list[Piece] = []
    last: int | None = None
    pos = 0
    for packet in packets:
        stamp = packet.dts if packet.dts is not None else packet.pts
        if not packet.size or stamp is None:
            continue
        pos = pos_of(packet, pos)
        shown = packet.pts if packet.pts is not None else stamp
        if last is None or not -_BACK_S <= (stamp - last) * base <= _AHEAD_S:
            pieces.append(Piece(pos, shown, shown))
        piece, last = pieces[-1], stamp
        piece.low = min(piece.low, shown)
        piece.high = max(piece.high, shown + (packet.duration or 0))
        if packet.is_keyframe:
            piece.keys.append((shown, pos))
    return pieces
