"""A response whose bytes are made on demand, and whose source is closed whatever happens.

One piece is made when the last one has been sent, so a slow client holds back
the work and memory stays bounded. When the client goes away, the piece that is
being made is the last, and the source is closed before anything else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from anyio import CancelScope, create_task_group, to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sayso.serve.yielding import YieldingThreads


class Chunks(Protocol):
    """What a body is made of: pieces, and a way to stop early. Generators are such."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __next__(self) -> bytes: ...
    def close(self) -> None:
        """Let go of files and codecs; no piece will be asked for any more."""


class OnDemand(Response):
    """Sends pieces as they are made in a thread.

    Args:
        chunks: the pieces.
        status_code: of the answer.
        headers: of the answer.
        threads: make the pieces; by default those of all requests.
        closed: called once the source is closed.
    """

    def __init__(
        self,
        chunks: Chunks,
        *,
        status_code: int = 200,
        headers: Mapping[str, str],
        threads: YieldingThreads | None = None,
        closed: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(None, status_code, headers)
        if "content-length" not in headers:
            del self.headers["content-length"]
        self.chunks = chunks
        self.run = threads.run if threads else to_thread.run_sync
        self.closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the pieces, until all are sent or the client is gone."""
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            async with create_task_group() as group:
                group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
                if scope["method"] != "HEAD":
                    await self._send_chunks(send)
                await send({"type": "http.response.body", "body": b""})
                group.cancel_scope.cancel()
        finally:
            with CancelScope(shield=True):
                try:
                    await to_thread.run_sync(self.chunks.close)
                finally:
                    if self.closed is not None:
                        self.closed()

    async def _send_chunks(self, send: Send) -> None:
        while True:
            chunk = await self.run(next, self.chunks, b"")
            if not chunk:
                break
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _cancel_when_gone(receive: Receive, scope: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
