"""Which packets of a video must be decoded to show the frames that are wanted, and no others.

Containers tell when each packet is shown before it is decoded. So two kinds of work
can be left out, and every frame that is wanted still comes out bit by bit the same:

* frames that no other frame is built from, unless they are wanted (the decoder leaves
  them out when told to: ``whole`` is false), half of the frames of usual H.264;
* all that follows the last wanted frame, up to the next key frame.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

    from sayso.media.sampling import Cells

_LOOKAHEAD = 16  # packets: no codec in use reorders frames further
_MAX_HELD_BYTES = 32 << 20


class ReadStep(NamedTuple):
    """One packet to decode.

    Args:
        packet: the packet.
        whole: false if the decoder may leave it out when nothing is built from it.
        fresh: packets were left out before this key frame: the decoder must start anew.
    """

    packet: Packet[VideoStream]
    whole: bool
    fresh: bool = False


class Planner:
    """Chooses the packets to decode.

    Args:
        cells: the instants wanted.
        seconds: converts time stamps to seconds.

    Attributes:
        may_drop: key frames are known to be true ones, so that what follows the last wanted frame
            can be dropped. The decoder sets it when it has seen one.
        last: time stamp and duration of the packet shown last, of those seen.
    """

    def __init__(self, cells: Cells, seconds: Callable[[int], float]) -> None:
        self.cells, self.seconds = cells, seconds
        self.may_drop = False
        self.last: tuple[int, int | None] | None = None
        self._shown: list[int] = []  # sorted time stamps of the packets around the present one
        self._ahead: deque[Packet[VideoStream]] = deque()

    def plan(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[ReadStep]:
        """Yield what to decode, in order; end when no wanted frame can follow."""
        held: list[Packet[VideoStream]] = []  # seen since the last wanted one
        held_bytes = 0
        fresh = False
        for packet in self._until_past(self._with_lookahead(packets)):
            if self.may_drop and packet.is_keyframe and self._is_closed(packet):
                fresh = fresh or bool(held)
                held, held_bytes = [], 0
            held.append(packet)
            held_bytes += packet.size
            wanted = self._is_wanted(packet)
            if wanted or held_bytes > _MAX_HELD_BYTES:
                for item in held:
                    yield ReadStep(item, wanted and item is packet, fresh)
                    fresh = False
                held, held_bytes = [], 0

    def _with_lookahead(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """Yield the packets; ``_shown`` and ``_ahead`` then know those that follow."""
        source = iter(packets)
        while True:
            for packet in islice(source, _LOOKAHEAD + 1 - len(self._ahead)):
                self._ahead.append(packet)
                self._remember(packet)
            if not self._ahead:
                return
            yield self._ahead.popleft()

    def _remember(self, packet: Packet[VideoStream]) -> None:
        if packet.pts is None or packet.is_discard:
            return
        insort(self._shown, packet.pts)
        if len(self._shown) > 4 * _LOOKAHEAD:
            del self._shown[0]
        if packet.pts == self._shown[-1]:
            self.last = packet.pts, packet.duration

    def _until_past(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """End the sequence when many packets in a row are shown after the last wanted instant."""
        past = 0
        for packet in packets:
            wanted_later = packet.pts is None or self.cells.any_in(self.seconds(packet.pts), float("inf"))
            past = 0 if wanted_later else past + 1
            if past > _LOOKAHEAD:
                return
            yield packet

    def _is_wanted(self, packet: Packet[VideoStream]) -> bool:
        """Tell whether the packet's frame is on screen at an instant; in doubt, yes."""
        if packet.pts is None:
            return True
        if packet.is_discard:
            return False
        following = bisect_right(self._shown, packet.pts)
        until_s = self.seconds(self._shown[following]) if following < len(self._shown) else float("inf")
        return self.cells.any_in(self.seconds(packet.pts), until_s)

    def _is_closed(self, key: Packet[VideoStream]) -> bool:
        """Tell whether no packet after this key frame is shown before it."""
        return key.pts is not None and all(
            packet.pts is not None and packet.pts > key.pts for packet in self._ahead
        )


def has_independent_frames(stream: VideoStream) -> bool:
    """Tell whether the decoder knows for sure which frames no other frame is built from.

    H.264 marks them. HEVC marks frames that no frame of the same temporal layer is built from,
    which says it all if the configuration record (byte 21, bits 3 to 5) counts one layer.
    """
    codec = stream.codec_context.codec.canonical_name
    record = stream.codec_context.extradata or b""
    one_layer = len(record) > 21 and record[0] == 1 and (record[21] >> 3) & 7 == 1
    return codec == "h264" or (codec == "hevc" and one_layer)
