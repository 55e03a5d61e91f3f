"""Threads that make way: what is watched may wait a little, whoever searches should not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter

Made = TypeVar("Made")
NICE = 10
"""Where a core is wanted by both, other threads get nine tenths of it (Linux; elsewhere all are alike)."""


class YieldingThreads:
    """Does so many things at the same time, in threads that let others go first.

    Args:
        at_once: how many.
    """

    def __init__(self, at_once: int) -> None:
        self._limiter = CapacityLimiter(at_once)
        self._pool = ThreadPoolExecutor(at_once, "yielding", initializer=_make_way)

    async def run(self, work: Callable[..., Made], *arguments: object) -> Made:
        """Return what a function returns; who is cancelled meanwhile goes on when it has ended.

        Args:
            work: the function, whose own threads make way too.
            arguments: of it.
        """
        async with self._limiter:
            made = asyncio.wrap_future(self._pool.submit(work, *arguments))
            with CancelScope(shield=True):
                await asyncio.wait([made])
        return made.result()


def _make_way() -> None:
    if sys.platform != "linux":  # elsewhere the number of a thread may be that of a foreign process
        return
    with contextlib.suppress(OSError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICE)
