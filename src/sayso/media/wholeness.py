"""Whether all of a container is there: its parts follow one another up to the end of the file.

Headers lie about how long a film is; the sizes of the parts do not. A file that was cut, or
whose end was never written, is told from one whose header merely promises more than there is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

_TAIL = 512  # bytes; an end of zeros was reserved and never written
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_MAX_PARTS = 5_000_000


def is_whole(descriptor: int, container: str) -> bool:
    """Tell whether the parts of a container end where the file does; True where that cannot be told.

    Args:
        descriptor: of the open file; its position stays.
        container: short name: mov, matroska or avi.
    """
    size = os.fstat(descriptor).st_size
    if not any(os.pread(descriptor, _TAIL, max(0, size - _TAIL))):
        return False
    walk = MEASURED.get(container)
    if walk is None:
        return True
    at = 0
    for count, end in enumerate(walk(descriptor, size)):
        if end <= at or end > size or count > _MAX_PARTS:
            return False
        at = end
    return at == size


def _boxes(descriptor: int, size: int) -> Iterator[int]:
    """Yield where the boxes of an MP4 or QuickTime file end."""
    at = 0
    while at < size:
        head = os.pread(descriptor, 16, at)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0 and name.strip(b"\0"):
            length = size - at
        if length < 8 or not all(32 <= letter < 127 or letter == 0xA9 for letter in name):
            length = size + 1  # no box: it cannot end here
        at += length
        yield at


def _elements(descriptor: int, size: int) -> Iterator[int]:
    """Yield where the elements of a Matroska file end, those of its clusters one by one."""
    at = 0
    while at < size:
        head = os.pread(descriptor, 12, at)
        name, used = _number(head, keep_mark=True, longest=4)
        length, used_too = _number(head[used:], keep_mark=False, longest=8)
        if not used or not used_too:
            yield size + 1
            return
        body = at + used + used_too
        unknown = length == (1 << 7 * used_too) - 1
        if name in (_SEGMENT, _CLUSTER):
            if not unknown and body + length > size:
                yield body + length
                return
            at = body
        else:
            at = body + (0 if unknown else length)
        yield at


def _number(head: bytes, *, keep_mark: bool, longest: int) -> tuple[int, int]:
    """Read one of EBML's numbers; return it and how many bytes it takes, 0 if it is none."""
    count = 9 - head[0].bit_length() if head and head[0] else 0
    if not 1 <= count <= longest or len(head) < count:
        return 0, 0
    value = int.from_bytes(head[:count], "big")
    return (value if keep_mark else value & ((1 << 7 * count) - 1)), count


def _riffs(descriptor: int, size: int) -> Iterator[int]:
    """Yield where the RIFF chunks of an AVI file end; whatever follows the last one counts as its end."""
    at = 0
    while at < size:
        head = os.pread(descriptor, 8, at)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] not in (b"RIFF", b"ON2 ") or length == 0:
            at = size
        else:
            at += 8 + length + length % 2
            at = size if at == size + 1 else at
        yield at


MEASURED: dict[str, Callable[[int, int], Iterator[int]]] = {
    "mov": _boxes,
    "matroska": _elements,
    "avi": _riffs,
}
"""Containers that write how long they are and how large their parts are, with what walks through them."""
