"""Connections that cannot stay for ever, nor be too many, whatever their clients do or do not do.

A request's head, its body, and the taking of an answer each have their time. Where all places are taken, the
connection that has waited longest without a whole request makes room for the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from sayso.serve.budget import AGAIN_S

_FULL = json.dumps({"error": "too many connections are open; try again in a moment"}).encode()
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"retry-after: %d\r\ncontent-length: %d\r\n\r\n%s" % (AGAIN_S, len(_FULL), _FULL)
)
SPARE_FILES = 128
"""Descriptors that are kept for the index, films and all else."""

MOST_CONNECTIONS = 512


@dataclass(frozen=True, slots=True)
class Patience:
    """How many connections there may be, and how long they may take.

    Args:
        connections: at most.
        head_s: until a request's head is whole, seconds.
        body_s: until its body is.
        send_s: until a client goes on to take what waits for it.
    """

    connections: int = MOST_CONNECTIONS
    head_s: float = 10.0
    body_s: float = 120.0
    send_s: float = 60.0


def patient(patience: Patience) -> type[H11Protocol]:
    """Return the protocol, as uvicorn takes it, of connections that keep to these limits."""
    return type("PatientConnection", (_Connection,), {"patience": patience, "waiting": {}})


class _Connection(H11Protocol):  # type: ignore[misc]
    patience: ClassVar[Patience]
    waiting: ClassVar[dict[_Connection, None]]
    """Connections without a whole request's head, the longest-waiting first."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.patience.connections:
            longest = next(iter(self.waiting), None)
            if longest is None:
                transport.write(FULL)
                transport.close()
                return
            longest.transport.abort()
            self.waiting.pop(longest, None)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_within(None)
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            super().data_received(data)
            self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._end_within(self.patience.send_s)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_within(None)
        self._look()

    def _look(self) -> None:
        """Set the time that is left by what the connection is at."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            if self not in self.waiting:
                self._wait_for_head()
            return
        begun = self in self.waiting
        self.waiting.pop(self, None)
        if not self.cycle.more_body and not self.flow.write_paused:
            self._end_within(None)
        elif begun:
            self._end_within(self.patience.body_s)

    def _wait_for_head(self) -> None:
        self.waiting[self] = None
        self._end_within(self.patience.head_s)

    def _end_within(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)


def room_for_files() -> int:
    """Let this process open as many files as it may, and return how many connections that allows."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * MOST_CONNECTIONS + SPARE_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft != resource.RLIM_INFINITY:
            return max(8, min(MOST_CONNECTIONS, (soft - SPARE_FILES) // 2))
    return MOST_CONNECTIONS


class OnceAMinute(logging.Filter):
    """Lets a message of the log pass once a minute: what a client can cause must not fill a disk."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[Any, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message was not said within a minute."""
        key = (record.msg if isinstance(record.msg, str) else "", record.exc_info and record.exc_info[0])
        now = time.monotonic()
        if now - self._said.get(key, now - 61) < 60:
            return False
        if len(self._said) > 100:
            self._said.clear()
        self._said[key] = now
        return True
