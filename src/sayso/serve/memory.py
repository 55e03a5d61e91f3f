"""Giving memory back to the system: what one large picture took must not stay with a server for days."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections.abc import Iterator

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of glibc's mallopt."""

LARGE = 1 << 20
"""Blocks from this size on go back to the system as soon as they are free, bytes."""

EVERY_S = 10.0


def spare_memory() -> None:
    """Keep little of what is freed, where the C library is glibc: its own rule keeps what it once gave."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            c_library = ctypes.CDLL(None)
            c_library.mallopt(_M_ARENA_MAX, 4)
            c_library.mallopt(_M_MMAP_THRESHOLD, LARGE)
            c_library.mallopt(_M_TRIM_THRESHOLD, LARGE)


def give_back() -> None:
    """Give back what is free now."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def giving_back(every_s: float = EVERY_S) -> Iterator[None]:
    """Give memory back again and again until the block ends.

    Args:
        every_s: so often, seconds.
    """
    spare_memory()
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(every_s):
            give_back()

    thread = threading.Thread(target=work, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
