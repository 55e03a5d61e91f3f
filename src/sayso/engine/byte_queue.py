"""A queue between threads that is bounded in bytes and can be closed by its reader."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any


class ClosedError(Exception):
    """Nobody reads the queue any more."""


class ByteQueue:
    """A queue whose items together hold at most ``max_bytes``, or else a single item."""

    def __init__(self, max_bytes: int) -> None:
        self.items: deque[tuple[Any, int]] = deque()
        self.max_bytes, self.held, self.closed = max_bytes, 0, False
        self.changed = threading.Condition()

    def put(self, item: Any, size: int = 0) -> None:
        """Add an item that holds ``size`` bytes; wait until there is room.

        Raises:
            ClosedError: if the reader has gone.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.closed or not self.held or self.held + size <= self.max_bytes)
            if self.closed:
                raise ClosedError
            self.held += size
            self.items.append((item, size))
            self.changed.notify_all()

    def get(self) -> Any:
        """Take the oldest item; wait for one."""
        with self.changed:
            self.changed.wait_for(lambda: self.items)
            item, size = self.items.popleft()
            self.held -= size
            self.changed.notify_all()
        return item

    def close(self) -> None:
        """Say that nobody will take anything: who waits to put something gets ``ClosedError``."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
